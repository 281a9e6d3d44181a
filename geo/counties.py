"""The county polygons that travel with the product, loaded once a process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import shapely

from geo import area, data


class Counties(msgspec.Struct, frozen=True):
    """Codes, names, polygons (EPSG:4490) and areas in one order."""

    codes: Sequence[str]
    names: Sequence[str]
    shapes: Any
    areas_km2: Any


@cache
def load() -> Counties:
    """All counties; 0.1 s the first time."""
    features = json.loads(gzip.decompress(data.COUNTIES.read_bytes()))["features"]
    shapes = shapely.from_geojson([json.dumps(f["geometry"]) for f in features])
    return Counties(
        codes=[f["properties"]["code"] for f in features],
        names=[f["properties"]["name"] for f in features],
        shapes=shapes,
        areas_km2=np.array([area.km2(s) for s in shapes]),
    )
