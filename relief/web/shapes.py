"""Stored shapes (WKB, EPSG:4490) as GeoJSON for the map. Only what the house itself has written is read here."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

_POLYGON: Final = 3
_MULTI: Final = 6
#: Five decimals are about a metre.
_DECIMALS: Final = 5


def collection(features: Sequence[tuple[dict[str, Any], Mapping[str, Any]]]) -> dict[str, Any]:
    """A FeatureCollection of (geometry, properties)."""
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": g, "properties": dict(p)} for g, p in features]}


def point(lon: float, lat: float) -> dict[str, Any]:
    """A point."""
    return {"type": "Point", "coordinates": [round(lon, _DECIMALS), round(lat, _DECIMALS)]}


def geometry(wkb: bytes) -> dict[str, Any]:
    """A polygon or multipolygon."""
    kind, rings, _ = _read(wkb, 0)
    return {"type": "Polygon" if kind == _POLYGON else "MultiPolygon", "coordinates": rings}


def _read(wkb: bytes, at: int) -> tuple[int, list[Any], int]:
    order = "<" if wkb[at] == 1 else ">"
    kind, count = struct.unpack_from(order + "II", wkb, at + 1)
    at += 9
    parts: list[Any] = []
    for _ in range(count):
        if kind == _MULTI:
            _, polygon, at = _read(wkb, at)
            parts.append(polygon)
        elif kind == _POLYGON:
            (points,) = struct.unpack_from(order + "I", wkb, at)
            flat = struct.unpack_from(f"{order}{2 * points}d", wkb, at + 4)
            parts.append([[round(x, _DECIMALS), round(y, _DECIMALS)] for x, y in zip(flat[::2], flat[1::2], strict=True)])
            at += 4 + 16 * points
        else:
            raise ValueError(f"shape kind {kind}")
    return kind, parts, at
