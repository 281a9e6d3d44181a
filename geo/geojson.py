"""GeoJSON (RFC 7946) polygons, strictly: what is wrong is named, nothing is closed, dropped or repaired on the quiet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely

from geo import strictjson
from geo.model import MAX_FEATURES, MAX_GEOMETRY, MAX_VERTICES, Feature, Layer, Warn, ZoneFileError

#: Names under which older files state longitude and latitude in degrees. EPSG:4490 and WGS 84 agree to well under a metre.
_DEGREES: Final = {
    "urn:ogc:def:crs:OGC:1.3:CRS84": "OGC:CRS84",
    "urn:ogc:def:crs:OGC::CRS84": "OGC:CRS84",
    "urn:ogc:def:crs:EPSG::4326": "EPSG:4326",
    "urn:ogc:def:crs:EPSG::4490": "EPSG:4490",
    "EPSG:4326": "EPSG:4326",
    "EPSG:4490": "EPSG:4490",
}


class _Walk:
    """Counts vertices on the way and remembers whether heights were dropped."""

    def __init__(self) -> None:
        self.file = 0
        self.heights = False

    def polygon(self, rings: Any) -> Any:
        """One polygon from its list of rings."""
        if not _filled(rings):
            raise ZoneFileError("empty", "有多边形没有坐标 · a polygon has no coordinates")
        shell, *holes = [self.ring(r) for r in rings]
        return shapely.Polygon(shell, holes)

    def ring(self, positions: Any) -> Any:
        """One closed ring as an array of lon, lat."""
        if not _filled(positions):
            raise ZoneFileError("empty", "有环没有坐标 · a ring has no coordinates")
        self.file += len(positions)
        if len(positions) > MAX_GEOMETRY or self.file > MAX_VERTICES:
            raise _too_many()
        points = [self.position(p) for p in positions]
        if points[0] != points[-1]:
            raise ZoneFileError(
                "ring_open", "多边形的环没有闭合（首尾点不同） · a ring is not closed: first and last point differ", points[0]
            )
        if len(points) < 4:
            raise ZoneFileError("ring_short", "多边形的环少于4个点 · a ring has fewer than 4 points", points[0])
        return np.array(points)

    def position(self, position: Any) -> tuple[float, float]:
        """One lon, lat pair; a height is dropped, anything else refused."""
        if not isinstance(position, list) or len(position) not in (2, 3) or any(type(n) not in (int, float) for n in position):
            raise ZoneFileError("position", "坐标点须为[经度, 纬度]两个数 · a position must be two numbers, [longitude, latitude]")
        self.heights = self.heights or len(position) == 3
        try:
            lon, lat = float(position[0]), float(position[1])
        except OverflowError:
            lon = lat = math.inf
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise ZoneFileError("not_finite", "坐标须为有限数 · coordinates must be finite numbers")
        return lon, lat


def read(content: bytes) -> Layer:
    """A FeatureCollection, a Feature, or a bare polygon or multipolygon."""
    root = strictjson.loads(content)
    if not isinstance(root, dict) or not isinstance(root.get("type"), str):
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（缺少 type） · the file is not GeoJSON: it has no type")
    walk = _Walk()
    crs = _crs(root.get("crs"))
    features = [_feature(f, walk) for f in _features(root)]
    if not features:
        raise ZoneFileError("empty", "文件里没有任何图形 · the file holds no shapes")
    title = next((root[k] for k in ("name", "title") if isinstance(root.get(k), str)), "")
    warnings = [Warn("z_dropped", "高程已忽略，只用经纬度 · heights were dropped")] if walk.heights else []
    return Layer(format="GeoJSON", title=title[:200], crs=crs, features=features, warnings=warnings)


def _features(root: dict[str, Any]) -> Sequence[Any]:
    if root["type"] == "FeatureCollection":
        features = root.get("features")
        if not isinstance(features, list):
            raise ZoneFileError("not_geojson", "文件不是 GeoJSON（features 不是列表） · not GeoJSON: features is not a list")
        if len(features) > MAX_FEATURES:
            raise ZoneFileError("too_many_features", f"图形超过 {MAX_FEATURES} 个 · more than {MAX_FEATURES} shapes")
        return features
    if root["type"] == "Feature":
        return [root]
    return [{"type": "Feature", "properties": {}, "geometry": root}]


def _feature(feature: Any, walk: _Walk) -> Feature:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（有元素不是 Feature） · not GeoJSON: an element is no Feature")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（properties 不是对象） · not GeoJSON: properties is not an object")
    geometry = feature.get("geometry")
    if geometry is None:
        raise ZoneFileError("empty", "有一个要素没有图形 · a feature has no geometry")
    if not isinstance(geometry, dict) or not isinstance(geometry.get("type"), str):
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（geometry 有误） · not GeoJSON: a geometry is malformed")
    return Feature(properties=properties, geometry=_geometry(geometry, walk))


def _geometry(geometry: dict[str, Any], walk: _Walk) -> Any:
    kind: str = geometry["type"]
    coordinates: Any = geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        known = ("Point", "MultiPoint", "LineString", "MultiLineString", "GeometryCollection")
        raise (
            ZoneFileError("not_polygon", f"灾区须为面（多边形），文件中有 {kind} · a zone is made of polygons; the file holds a {kind}")
            if kind in known
            else ZoneFileError("not_geojson", "文件不是 GeoJSON（未知的图形类型） · not GeoJSON: unknown geometry type")
        )
    before = walk.file
    if kind == "Polygon":
        shape = walk.polygon(coordinates)
    elif not _filled(coordinates):
        raise ZoneFileError("empty", "有多边形没有坐标 · a multipolygon has no coordinates")
    else:
        shape = shapely.MultiPolygon([walk.polygon(p) for p in coordinates])
    if walk.file - before > MAX_GEOMETRY:
        raise _too_many()
    return shape


def _filled(thing: Any) -> bool:
    if not isinstance(thing, list):
        raise ZoneFileError("position", "坐标须为列表 · coordinates must be lists")
    return bool(thing)


def _too_many() -> ZoneFileError:
    return ZoneFileError(
        "too_many_vertices",
        f"顶点过多：每个图形至多 {MAX_GEOMETRY} 个，每个文件至多 {MAX_VERTICES} 个，请先简化"
        f" · too many vertices (at most {MAX_GEOMETRY} a shape, {MAX_VERTICES} a file); simplify first",
    )


def _crs(crs: Any) -> str:
    """The old `crs` member: only degrees are taken; its absence means degrees (RFC 7946 §4)."""
    if crs is None:
        return "OGC:CRS84"
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or name not in _DEGREES:
        raise ZoneFileError("crs", "坐标系须为经纬度（EPSG:4490 或 4326） · coordinates must be degrees (EPSG:4490 or 4326)")
    return _DEGREES[name]
