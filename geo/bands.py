"""From shapes to bands: by a level attribute, by another attribute, by order, or all in one; nested ones are cut, the most severe keeps."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

import shapely

from geo import area, faults
from geo.model import MAX_BANDS, Band, Feature, Layer, Options, Place, Warn, ZoneFileError

#: Properties that may state the severity, the first one present decides: Chinese intensity maps, plans, USGS ShakeMap, others.
LEVEL_KEYS: Final = (
    "intensity",
    "level",
    "烈度",
    "地震烈度",
    "烈度值",
    "等级",
    "级别",
    "PARAMVALUE",
    "value",
    "mmi_min",
    "mmi",
    "MMI",
    "grade",
)
LABEL_KEYS: Final = ("band", "label", "name")
_ROMAN: Final = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
_WORDS: Final = {
    **{r: i for i, r in enumerate(_ROMAN, 1)},
    **{r: i for i, r in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"], 1)},
    **{r: i for i, r in enumerate(["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"], 1)},
}
_LEVEL: Final = re.compile(r"(?P<word>[^\s度级区]+)\s*(?:度|级)?(?:区)?")
_WHOLE: Final = re.compile(r"[0-9]{1,4}(?:\.0{0,10})?")
_MAX_LEVEL: Final = 1_000
#: An overlap smaller than this is the rounding of a shared border (100 m²).
_NOTICED_KM2: Final = 1e-4


class _Draft:
    """A band before it is cut."""

    def __init__(self, level: int, label: str, geometry: Any) -> None:
        self.level = level
        self.label = label
        self.geometry = geometry


def of(layer: Layer, features: Sequence[Feature], options: Options, warnings: list[Warn]) -> list[Band]:
    """Disjoint bands, most severe first."""
    levels, labels = _levels(features, options, warnings)
    groups: dict[int, list[Feature]] = {}
    for level, feature in zip(levels, features, strict=True):
        if options.min_level is None or level >= options.min_level:
            groups.setdefault(level, []).append(feature)
    if not groups:
        raise ZoneFileError("empty", f"没有等级不低于{options.min_level}的图形 · no shape has level {options.min_level} or above")
    if len(groups) > MAX_BANDS:
        raise ZoneFileError(
            "too_many_bands",
            f"分区超过 {MAX_BANDS} 级，同级图形请写相同的等级 · more than {MAX_BANDS} levels; give shapes of one band the same level",
        )
    drafts = [_Draft(n, labels.get(n) or _label(groups[n], n), _joined(groups[n])) for n in sorted(groups, reverse=True)]
    return _disjoint(drafts, warnings, nested=layer.nested)


def _joined(features: Sequence[Feature]) -> Any:
    shapes = [f.geometry for f in features]
    if len(shapes) == 1:
        return shapes[0]
    joined = shapely.union_all(shapes)
    faults.check(joined)
    return joined


def _levels(features: Sequence[Feature], options: Options, warnings: list[Warn]) -> tuple[list[int], dict[int, str]]:
    """The level of every feature, and names for levels that have one of their own."""
    if options.bands == "order":
        return list(range(len(features), 0, -1)), {}
    if options.bands not in ("auto", "one"):
        return _by_attribute(features, options.bands)
    key = next((k for k in LEVEL_KEYS if any(f.properties.get(k) is not None for f in features)), None)
    if options.bands == "one" or key is None:
        if len(features) > 1:
            warnings.append(Warn("one_band", f"{len(features)}个图形合为一个分区 · {len(features)} shapes were taken as one band"))
        return [1] * len(features), {} if _common(features) else {1: "灾区"}
    return [_level(f.properties.get(key), key, f.geometry) for f in features], {}


def _by_attribute(features: Sequence[Feature], key: str) -> tuple[list[int], dict[int, str]]:
    """Numbers are levels; words are bands in the order in which they come, most severe first."""
    values = [f.properties.get(key) for f in features]
    if all(v is None for v in values):
        raise ZoneFileError("attribute_missing", f"文件没有属性 {key[:40]} · the file has no attribute {key[:40]}")
    if all(_whole(v) is not None for v in values):
        return [_level(v, key, f.geometry) for v, f in zip(values, features, strict=True)], {}
    words = [_clean(v) for v in values]
    if "" in words:
        at = features[words.index("")].geometry
        raise ZoneFileError("level_missing", f"有图形缺少 {key[:40]} · a shape has no {key[:40]}", somewhere(at))
    order = list(dict.fromkeys(words))
    return [len(order) - order.index(w) for w in words], {len(order) - i: w for i, w in enumerate(order)}


def _level(value: Any, key: str, geometry: Any) -> int:
    if value is None:
        raise ZoneFileError("level_missing", f"有图形缺少 {key} · a shape has no {key}", somewhere(geometry))
    level = _whole(value)
    if level is None:
        raise ZoneFileError("level_value", f"{key} 须为0至{_MAX_LEVEL}的整数 · {key} must be a whole number", somewhere(geometry))
    return level


def _whole(value: Any) -> int | None:
    """8, 8.0, "8", "Ⅷ", "VIII", "八度", "8级"; None for anything else."""
    if isinstance(value, str):
        found = _LEVEL.fullmatch(value.strip())
        word = found["word"] if found else ""
        value = _WORDS.get(word, float(word) if _WHOLE.fullmatch(word) else None)
    if type(value) not in (int, float) or value != value or not 0 <= value <= _MAX_LEVEL or value != int(value):
        return None
    return int(value)


def somewhere(geometry: Any) -> Place:
    """A place of the shape, for messages."""
    lon, lat = shapely.get_coordinates(geometry)[0]
    return float(lon), float(lat)


def _label(features: Sequence[Feature], level: int) -> str:
    """The word all shapes of the band share, else a Roman numeral as intensity maps have it, else the number."""
    return _common(features) or (_ROMAN[level - 1] if 1 <= level <= len(_ROMAN) else str(level))


def _common(features: Sequence[Feature]) -> str:
    for key in LABEL_KEYS:
        words = {_clean(f.properties.get(key)) for f in features}
        if len(words) == 1 and "" not in words:
            return words.pop()
    return ""


def _clean(word: Any) -> str:
    """Short printable text, or nothing."""
    if not isinstance(word, str) or not 0 < len(word.strip()) <= 40 or any(unicodedata.category(c).startswith("C") for c in word):
        return ""
    return word.strip()


def _disjoint(drafts: Sequence[_Draft], warnings: list[Warn], *, nested: bool) -> list[Band]:
    """Cut from every band what a more severe one covers: each place belongs to at most one, each border to the more severe."""
    bands: list[Band] = []
    for rank, draft in enumerate(drafts):
        before, draft.geometry = draft.geometry, _without(draft.geometry, (d.geometry for d in drafts[:rank]))
        lost = area.km2(before) - area.km2(draft.geometry) if draft.geometry is not before else 0.0
        if lost > _NOTICED_KM2 and not nested:
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
            at = somewhere(geometry)
            cut = shapely.difference(geometry, other)
            parts = [p for p in shapely.get_parts(cut) if p.geom_type == "Polygon" and not p.is_empty]
            if not parts:
                raise ZoneFileError("band_covered", "有分区完全被更重的分区覆盖 · a band is wholly covered by more severe ones", at)
            geometry = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
            faults.check(geometry)
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
