"""Builders of small zone files around Luding."""

from __future__ import annotations

import json
from typing import Any

#: Somewhere in the mountains near Luding.
LON, LAT = 102.0, 29.5

Ring = list[list[float]]


def square(side: float, lon: float = LON, lat: float = LAT) -> Ring:
    """A closed square with its south-west corner at lon, lat."""
    return [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def file(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def one(*rings: Any, **properties: Any) -> bytes:
    """A file with one polygon."""
    return file(feature(polygon(*rings), **properties))
