"""Coordinate systems: what a file declares becomes degrees of EPSG:4490 (CGCS2000).

Accuracy in metres. WGS 84 is taken as CGCS2000: they differ by the tectonic motion since 2000, below 1 m here. Projected CGCS2000 and
Web Mercator are inverse projections of the same datum: below 0.001 m. Older datums (Beijing 54, Xian 80) lie tens of metres off by
amounts that are not public for Sichuan: they are refused, because a guess would move people in and out of bands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyproj
import pyproj.exceptions
import shapely

from geo.model import Feature, Layer, ZoneFileError

#: Names under which files state longitude and latitude in degrees.
DEGREES: Final = ("OGC:CRS84", "EPSG:4326", "EPSG:4490")
_URN: Final = re.compile(r"urn:ogc:def:crs:(?P<authority>OGC|EPSG):[0-9.]*:(?P<code>[A-Za-z0-9]{1,8})")
_CODE: Final = re.compile(r"(?:EPSG:[0-9]{4,6}|OGC:CRS84)")
_WKT: Final = re.compile(r"\s*(?:GEOGCS|PROJCS|GEOGCRS|PROJCRS|GEODCRS|BOUNDCRS|COMPD_CS|COMPOUNDCRS)\s*\[", re.IGNORECASE)
#: Geodetic systems that are the same as EPSG:4490 to below a metre.
_SAME: Final = (4326, 4490, 4979, 4480)


def declared(name: Any) -> str:
    """`EPSG:…` or `OGC:CRS84` from its common spellings, or WKT as it stands."""
    if isinstance(name, str):
        urn = _URN.fullmatch(name.strip())
        short = f"{urn['authority']}:{urn['code']}" if urn else name.strip()
        if _CODE.fullmatch(short) or _WKT.match(short):
            return short
    raise unknown()


def unknown() -> ZoneFileError:
    """A name nobody can place."""
    return ZoneFileError(
        "crs",
        "坐标系无法识别，请用 CGCS2000（EPSG:4490）或 WGS84 经纬度导出 · unknown coordinate system; export degrees of EPSG:4490 or 4326",
    )


def to_degrees(layer: Layer) -> tuple[str, Sequence[Feature]]:
    """Short name of the system, and the features in degrees."""
    if layer.crs in DEGREES:
        return layer.crs, layer.features
    try:
        source = pyproj.CRS.from_user_input(layer.crs)
        name = _name(source)
        transformer = _transformer(source, name)
        shapes = shapely.transform(
            np.array([f.geometry for f in layer.features], dtype=object), lambda xy: np.column_stack(transformer.transform(*xy.T))
        )
    except pyproj.exceptions.ProjError:
        raise unknown() from None
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise ZoneFileError("crs_range", f"坐标不在 {name} 的适用范围内 · coordinates are outside the range of {name}")
    moved = [Feature(f.properties, g) for f, g in zip(layer.features, shapes, strict=True)]
    return name, moved


def _name(source: pyproj.CRS) -> str:
    code = source.to_epsg(min_confidence=70)
    return f"EPSG:{code}" if code else source.name[:80]


def _transformer(source: pyproj.CRS, name: str) -> Any:
    geodetic = source.geodetic_crs
    if geodetic is None:
        raise unknown()
    if geodetic.to_epsg(min_confidence=25) in _SAME or ("2000" in geodetic.name and "hina" in geodetic.name):
        return pyproj.Transformer.from_crs(source, geodetic, always_xy=True)
    raise ZoneFileError(
        "crs_datum",
        f"坐标系 {name} 没有公开的转换参数，请先转成 CGCS2000 · no published transformation from {name}; convert to EPSG:4490 first",
    )
