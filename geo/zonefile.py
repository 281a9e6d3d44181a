"""From an uploaded file to bands of severity. Hostile until proven harmless: call through `geo.sandbox`, never in a server."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely

from geo import area, geojson
from geo.model import MAX_BANDS, MAX_BYTES, SICHUAN, Band, Box, Feature, Layer, Place, Warn, ZoneFile, ZoneFileError

#: Format → reader. A new format is one more line; everything behind it is shared.
READERS: Final[Mapping[str, Callable[[bytes], Layer]]] = {"geojson": geojson.read}

#: Properties that may state the severity, the first one present decides: Chinese intensity maps, plans, USGS ShakeMap, others.
LEVEL_KEYS: Final = ("intensity", "level", "PARAMVALUE", "value")
LABEL_KEYS: Final = ("band", "label", "name")
_ROMAN: Final = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
_MAX_LEVEL: Final = 1_000

#: What the validity test calls it → our code and words.
_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "Self-intersection": ("self_crossing", "多边形自相交，请在绘图软件中修正 · a polygon crosses itself; mend it where it was drawn"),
    "Ring Self-intersection": ("self_crossing", "多边形的环自相交 · a ring crosses itself"),
    "Interior is disconnected": ("interior_split", "内环把多边形切成了几块 · holes split the polygon"),
    "Hole lies outside shell": ("hole_outside", "内环在外环之外 · a hole lies outside its polygon"),
    "Holes are nested": ("nested_rings", "内环互相嵌套 · holes are nested"),
    "Nested shells": ("nested_rings", "同一图形的多边形互相嵌套 · polygons of one shape are nested"),
    "Duplicate Rings": ("nested_rings", "环重复 · a ring is repeated"),
    "Too few points in geometry component": ("ring_short", "多边形的环少于3个不同的点 · a ring has fewer than 3 different points"),
}
_REASON: Final = re.compile(r"(?P<what>[^\[]+)\[(?P<lon>\S+) (?P<lat>\S+)\]")


def read(content: bytes, name: str, box: Box = SICHUAN) -> ZoneFile:
    """Understand a zone file or raise ZoneFileError; `name` serves as title where the file has none."""
    if len(content) > MAX_BYTES:
        raise ZoneFileError("too_large", f"文件超过 {MAX_BYTES // 1_000_000} MB · the file is larger than {MAX_BYTES // 1_000_000} MB")
    layer = READERS["geojson"](content)
    _check_place(layer.features, box)
    for feature in layer.features:
        _check_valid(feature.geometry)
    warnings = list(layer.warnings)
    bands = _disjoint(_grouped(layer.features, warnings), warnings)
    return ZoneFile(title=layer.title or name, format=layer.format, crs=layer.crs, bands=bands, warnings=warnings)


def _check_place(features: Sequence[Feature], box: Box) -> None:
    """Everything inside the box; latitude before longitude is recognised and named."""
    points = shapely.get_coordinates([f.geometry for f in features])
    outside = ~_within(points, box)
    if not outside.any():
        return
    lon, lat = (float(n) for n in points[outside.argmax()])
    if _within(points[:, ::-1], box).all():
        raise ZoneFileError("axes_swapped", "经纬度颠倒了，应为[经度, 纬度] · longitude and latitude are swapped", (lon, lat))
    raise ZoneFileError(
        "outside_box",
        f"图形超出范围（东经{box.west:g}–{box.east:g}、北纬{box.south:g}–{box.north:g}），坐标须为经纬度度数"
        f" · outside the area {box.west:g}–{box.east:g} E, {box.south:g}–{box.north:g} N; coordinates must be degrees",
        (lon, lat),
    )


def _within(points: Any, box: Box) -> Any:
    return np.all((points >= (box.west, box.south)) & (points <= (box.east, box.north)), axis=1)


def _check_valid(geometry: Any) -> None:
    """Valid in the sense of OGC Simple Features; the fault is named with its place, never repaired."""
    if shapely.is_valid(geometry):
        return
    reason = shapely.is_valid_reason(geometry)
    found = _REASON.fullmatch(reason)
    code, message = _FAULTS.get(
        found["what"] if found else reason,
        ("invalid_geometry", "图形无效，请在绘图软件中检查 · the shape is invalid; check it where it was drawn"),
    )
    at = (float(found["lon"]), float(found["lat"])) if found else None
    raise ZoneFileError(code, message, at)


class _Draft:
    """A band before it is cut."""

    def __init__(self, level: int, label: str, geometry: Any) -> None:
        self.level = level
        self.label = label
        self.geometry = geometry


def _grouped(features: Sequence[Feature], warnings: list[Warn]) -> list[_Draft]:
    """One draft per level, most severe first."""
    levels = _levels(features, warnings)
    groups: dict[int, list[Feature]] = {}
    for level, feature in zip(levels, features, strict=True):
        groups.setdefault(level, []).append(feature)
    if len(groups) > MAX_BANDS:
        raise ZoneFileError(
            "too_many_bands",
            f"分区超过 {MAX_BANDS} 级，同级图形请写相同的等级 · more than {MAX_BANDS} levels; give shapes of one band the same level",
        )
    return [_Draft(level, _label(groups[level], level), _joined(groups[level])) for level in sorted(groups, reverse=True)]


def _joined(features: Sequence[Feature]) -> Any:
    shapes = [f.geometry for f in features]
    if len(shapes) == 1:
        return shapes[0]
    joined = shapely.union_all(shapes)
    _check_valid(joined)
    return joined


def _levels(features: Sequence[Feature], warnings: list[Warn]) -> list[int]:
    key = next((k for k in LEVEL_KEYS if any(f.properties.get(k) is not None for f in features)), None)
    if key is None:
        if len(features) > 1:
            warnings.append(
                Warn(
                    "by_order",
                    "文件没有烈度或等级字段，按出现顺序由重到轻 · no level property: the order of the file was taken, most severe first",
                )
            )
        return list(range(len(features), 0, -1))
    return [_level(f.properties.get(key), key, f.geometry) for f in features]


def _level(value: Any, key: str, geometry: Any) -> int:
    if value is None:
        raise ZoneFileError("level_missing", f"有图形缺少 {key} · a shape has no {key}", _somewhere(geometry))
    if type(value) not in (int, float) or value != value or not 0 <= value <= _MAX_LEVEL or value != int(value):
        raise ZoneFileError("level_value", f"{key} 须为0至{_MAX_LEVEL}的整数 · {key} must be a whole number", _somewhere(geometry))
    return int(value)


def _somewhere(geometry: Any) -> Place:
    lon, lat = shapely.get_coordinates(geometry)[0]
    return float(lon), float(lat)


def _label(features: Sequence[Feature], level: int) -> str:
    """The file's own word for the band, else a Roman numeral as intensity maps have it, else the number."""
    for key in LABEL_KEYS:
        word = features[0].properties.get(key)
        if isinstance(word, str) and 0 < len(word.strip()) <= 40 and not any(unicodedata.category(c).startswith("C") for c in word):
            return word.strip()
    return _ROMAN[level - 1] if 1 <= level <= len(_ROMAN) else str(level)


def _disjoint(drafts: Sequence[_Draft], warnings: list[Warn]) -> list[Band]:
    """Cut from every band what a more severe one covers: each place belongs to at most one, each border to the more severe."""
    bands: list[Band] = []
    for rank, draft in enumerate(drafts):
        before, draft.geometry = draft.geometry, _without(draft.geometry, (d.geometry for d in drafts[:rank]))
        if draft.geometry is not before:
            lost = area.km2(before) - area.km2(draft.geometry)
            warnings.append(
                Warn(
                    "overlap",
                    f"{draft.label} 与更重的分区重叠 {lost:.2f} km²，重叠部分归更重的分区"
                    f" · {draft.label} overlapped more severe bands by {lost:.2f} km²; they keep it",
                )
            )
        bands.append(_band(rank, draft))
    return bands


def _without(geometry: Any, severe: Iterable[Any]) -> Any:
    """The same object where nothing is shared but borders: such shapes are kept exactly as drawn."""
    for other in severe:
        if shapely.relate_pattern(geometry, other, "T********"):
            at = _somewhere(geometry)
            geometry = shapely.difference(geometry, other)
            if shapely.is_empty(geometry):
                raise ZoneFileError("band_covered", "有分区完全被更重的分区覆盖 · a band is wholly covered by more severe ones", at)
            _check_valid(geometry)
    return geometry


def _band(rank: int, draft: _Draft) -> Band:
    west, south, east, north = (float(n) for n in shapely.bounds(draft.geometry))
    parts = shapely.get_parts(draft.geometry)
    return Band(
        rank=rank,
        label=draft.label,
        level=draft.level,
        wkb=shapely.to_wkb(draft.geometry, output_dimension=2, byte_order=1),
        bounds=(west, south, east, north),
        area_km2=area.km2(draft.geometry),
        parts=len(parts),
        holes=int(shapely.get_num_interior_rings(parts).sum()),
        vertices=int(shapely.get_num_coordinates(draft.geometry)),
    )
