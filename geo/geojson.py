"""GeoJSON (RFC 7946), strictly: what is wrong is named, nothing is closed, dropped or repaired on the quiet.

Four kinds of it are known by their properties: plain files, USGS ShakeMap contours, GDACS footprints and ComCat events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import shapely

from geo import gdacs, shakemap, strictjson
from geo.crs import declared
from geo.model import MAX_FEATURES, MAX_GEOMETRY, Event, Feature, Layer, Options, Warn, ZoneFileError
from geo.rings import Builder, filled, too_many, too_many_features

_KNOWN: Final = ("Polygon", "MultiPolygon", "Point", "MultiPoint", "LineString", "MultiLineString", "GeometryCollection")


def read(content: bytes, options: Options) -> Layer:
    """A FeatureCollection, a Feature, or a bare geometry."""
    root = strictjson.loads(content)
    if not isinstance(root, dict) or not isinstance(root.get("type"), str):
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（缺少 type） · the file is not GeoJSON: it has no type")
    crs = _crs(root.get("crs"))
    found = _features(root)
    if shakemap.is_contours(found):
        return shakemap.read(found, root, crs)
    build = Builder(repair=options.repair)
    warnings: list[Warn] = []
    features = [_feature(f, build) for f in gdacs.footprints(found, warnings)]
    if not features:
        raise ZoneFileError("empty", "文件里没有任何图形 · the file holds no shapes")
    title = next((root[k] for k in ("name", "title") if isinstance(root.get(k), str)), "")
    event = _event(root, features)
    if event is None:
        warnings = [*build.warnings(), *warnings]
    return Layer(
        format="GeoJSON", title=title[:200], crs=crs, features=features, warnings=warnings, mended=build.mended,
        event=event,
    )  # fmt: skip


def _features(root: dict[str, Any]) -> Sequence[Any]:
    if root["type"] == "FeatureCollection":
        features = root.get("features")
        if not isinstance(features, list):
            raise ZoneFileError("not_geojson", "文件不是 GeoJSON（features 不是列表） · not GeoJSON: features is not a list")
        if len(features) > MAX_FEATURES:
            raise too_many_features()
        return features
    if root["type"] == "Feature":
        return [root]
    return [{"type": "Feature", "properties": {}, "geometry": root}]


def _feature(feature: Any, build: Builder) -> Feature:
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
    return Feature(properties=properties, geometry=_geometry(geometry, build))


def _geometry(geometry: dict[str, Any], build: Builder) -> Any:
    kind: str = geometry["type"]
    coordinates: Any = geometry.get("coordinates")
    if kind not in _KNOWN:
        raise ZoneFileError("not_geojson", "文件不是 GeoJSON（未知的图形类型） · not GeoJSON: unknown geometry type")
    if kind == "GeometryCollection":
        raise ZoneFileError("not_polygon", "不支持图形集合，请拆成单个图形 · a geometry collection; split it into single shapes")
    before = build.vertices
    match kind:
        case "Polygon":
            shape = build.polygon(coordinates)
        case "Point":
            shape = build.point(coordinates)
        case "LineString":
            shape = build.line(coordinates)
        case _:
            shape = _many(kind, coordinates, build)
    if build.vertices - before > MAX_GEOMETRY:
        raise too_many()
    return shape


def _many(kind: str, coordinates: Any, build: Builder) -> Any:
    if not filled(coordinates):
        raise ZoneFileError("empty", "有图形没有坐标 · a geometry has no coordinates")
    if kind == "MultiPolygon":
        return shapely.MultiPolygon([build.polygon(p) for p in coordinates])
    if kind == "MultiPoint":
        return shapely.MultiPoint([build.point(p) for p in coordinates])
    return shapely.MultiLineString([build.line(p) for p in coordinates])


def _crs(crs: Any) -> str:
    """The old `crs` member; its absence means degrees (RFC 7946 §4)."""
    if crs is None:
        return "OGC:CRS84"
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return declared(properties.get("name") if isinstance(properties, dict) else None)


def _event(root: dict[str, Any], features: Sequence[Feature]) -> Event | None:
    """A ComCat event (earthquake.usgs.gov): one point with a magnitude."""
    said = features[0].properties
    if len(features) != 1 or features[0].geometry.geom_type != "Point" or "mag" not in said or "time" not in said:
        return None
    place, title, source = said.get("place"), said.get("title"), root.get("id")
    depth = _coordinates(root)[2:]
    return Event(
        lon=float(features[0].geometry.x),
        lat=float(features[0].geometry.y),
        title=next((t[:200] for t in (title, place) if isinstance(t, str)), ""),
        occurred_at=_time(said["time"]),
        magnitude=_number(said["mag"]),
        depth_km=_number(depth[0]) if depth else None,
        source_id=source[:100] if isinstance(source, str) else None,
    )


def _coordinates(root: dict[str, Any]) -> list[Any]:
    feature = root["features"][0] if root["type"] == "FeatureCollection" else root
    found: list[Any] = feature["geometry"]["coordinates"]
    return found


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _time(value: Any) -> str | None:
    """ComCat tells milliseconds since 1970, UTC."""
    if type(value) not in (int, float) or not 0 <= value < 4e12:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds")
