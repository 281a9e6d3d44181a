"""Whether a shape is valid in the sense of OGC Simple Features; where it is not; and what mending it would give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely

from geo import area
from geo.model import MAX_GEOMETRY, Place, Repair, ZoneFileError

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
_MOST_PARTS: Final = 2_000


def fault(geometry: Any) -> ZoneFileError | None:
    """What is wrong and where; None when nothing is."""
    if shapely.is_valid(geometry):
        return None
    reason = shapely.is_valid_reason(geometry)
    found = _REASON.fullmatch(reason)
    code, message = _FAULTS.get(
        found["what"] if found else reason,
        ("invalid_geometry", "图形无效，请在绘图软件中检查 · the shape is invalid; check it where it was drawn"),
    )
    at: Place | None = (float(found["lon"]), float(found["lat"])) if found else None
    return ZoneFileError(code, message, at, shapely.to_geojson(geometry))


def check(geometry: Any) -> None:
    """Refuse a fault by name and place."""
    found = fault(geometry)
    if found is not None:
        raise found


def mend(geometry: Any, found: ZoneFileError) -> tuple[Any, Repair]:
    """The areas that the rings enclose, without what has no area; slow on unkind shapes, so only where it may be killed."""
    whole = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    parts = [p for p in shapely.get_parts(whole) if p.geom_type == "Polygon" and not p.is_empty]
    if not parts:
        raise ZoneFileError("repair_empty", "图形没有面积，无法修复 · the shape has no area; it cannot be mended", found.at)
    if len(parts) > _MOST_PARTS or shapely.get_num_coordinates(whole) > MAX_GEOMETRY:
        raise ZoneFileError("file_too_heavy", "修复后图形过于复杂，请重新绘制 · the mended shape is too complex; draw it again", found.at)
    mended = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    check(mended)
    return mended, Repair(
        code=found.code,
        message=found.message,
        at=found.at,
        before=shapely.to_wkb(geometry, output_dimension=2, byte_order=1),
        area_before_km2=_enclosed_km2(geometry),
        area_after_km2=area.km2(mended),
    )


def _enclosed_km2(geometry: Any) -> float:
    """The ground inside the outer rings less that inside the holes, crossing or not: every place once, whichever way a ring was drawn."""
    ground = [_less(_ground(p.exterior), p.interiors) for p in shapely.get_parts(geometry)]
    whole = ground[0] if len(ground) == 1 else shapely.union_all(ground)
    return sum(area.km2(p) for p in shapely.get_parts(whole) if p.geom_type == "Polygon")


def _less(shell: Any, holes: Sequence[Any]) -> Any:
    return shapely.difference(shell, shapely.union_all([_ground(h) for h in holes])) if holes else shell


def _ground(ring: Any) -> Any:
    if shapely.is_simple(ring):
        return shapely.Polygon(ring)
    return shapely.union_all(shapely.get_parts(shapely.polygonize([shapely.node(ring)])))
