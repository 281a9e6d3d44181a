"""USGS ShakeMap contours of intensity: lines become areas.

A contour of value v parts places with more from places with less. Some lines are closed, some end at the frame of the map, some are no
lines at all. The frame and the lines of one value cut the map into faces; a face that holds contours of higher values is above v, one that
holds lower ones is below, and the rest follow because a contour always has the two sides. The band of level n is everywhere at or above n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely

from geo.model import MAX_VERTICES, Feature, Layer, Warn, ZoneFileError
from geo.rings import Builder

_KINDS: Final = ("LineString", "MultiLineString")
_UNITS: Final = ("mmi", "intensity")
_MAX_LINES: Final = 4_000
_MAX_FACES: Final = 2_000


def is_contours(features: Sequence[Any]) -> bool:
    """Whether all are lines with a value in units of intensity."""
    return bool(features) and all(_is_contour(f) for f in features)


def _is_contour(feature: Any) -> bool:
    if not isinstance(feature, dict) or not isinstance(feature.get("geometry"), dict) or not isinstance(feature.get("properties"), dict):
        return False
    said = feature["properties"]
    return feature["geometry"].get("type") in _KINDS and type(said.get("value")) in (int, float) and said.get("units") in _UNITS


def read(features: Sequence[Any], root: dict[str, Any], crs: str) -> Layer:
    """One area per whole value of intensity."""
    lines, warnings = _lines(features)
    frame = shapely.box(*shapely.total_bounds(np.concatenate([np.array(part, dtype=object) for part in lines.values()])))
    found = []
    for value in sorted(lines, reverse=True):
        if value == int(value):
            area = _above(value, lines, frame, warnings)
            if area is not None:
                found.append(Feature({"level": int(value)}, area))
    if not found:
        raise ZoneFileError("empty", "等值线围不成任何区域 · the contours enclose no area")
    if any(value != int(value) for value in lines):
        warnings.append(
            Warn("half_levels", "半度等值线未采用，分区按整度 · contours of half degrees were left out; bands are whole degrees")
        )
    metadata = root.get("metadata")
    title = f"ShakeMap {metadata['eventid']}" if isinstance(metadata, dict) and isinstance(metadata.get("eventid"), str) else ""
    return Layer("USGS ShakeMap", title[:200], crs, found, warnings, nested=True)


def _lines(features: Sequence[Any]) -> tuple[dict[float, list[Any]], list[Warn]]:
    build, lines, short = Builder(), dict[float, list[Any]](), 0
    for feature in features:
        geometry, value = feature["geometry"], float(feature["properties"]["value"])
        parts = geometry.get("coordinates")
        parts = parts if geometry["type"] == "MultiLineString" else [parts]
        if not isinstance(parts, list) or not all(isinstance(p, list) for p in parts) or not 0 <= value <= 12:
            raise ZoneFileError("position", "等值线坐标有误 · the coordinates of a contour are malformed")
        for part in parts:
            build.count(len(part))
            points = [build.position(p) for p in part]
            if len(set(points)) < 3:
                short += 1
            else:
                lines.setdefault(value, []).append(shapely.LineString(points))
    if not lines or sum(map(len, lines.values())) > _MAX_LINES or build.vertices > MAX_VERTICES:
        raise ZoneFileError("too_many_features" if lines else "empty", "没有可用的等值线，或等值线过多 · no usable contours, or too many")
    text = f"{short}条退化的等值线（少于3个不同的点）未采用 · {short} degenerate contours were left out"
    return lines, [Warn("contours_degenerate", text)] if short else []


def _above(value: float, lines: dict[float, list[Any]], frame: Any, warnings: list[Warn]) -> Any:
    """Where the map is at or above a value; None where that is nowhere."""
    noded = shapely.union_all([*lines[value], shapely.boundary(frame)])
    polygons, _, dangles, _ = shapely.polygonize_full(shapely.get_parts(noded))
    faces = shapely.get_parts(polygons)
    if len(faces) > _MAX_FACES:
        raise ZoneFileError("file_too_heavy", "文件过于复杂，请简化后再导入 · the file is too complex; simplify it")
    if not shapely.is_empty(dangles):
        lon, lat = shapely.get_coordinates(dangles)[0]
        text = f"{value:g}度的等值线没有闭合，也没有到图边，未采用 · a contour of {value:g} neither closes nor reaches the frame"
        warnings.append(Warn("contour_open", text, (float(lon), float(lat))))
    high = _sides(faces, _witnesses(faces, value, lines), frame)
    if not (high > 0).any():
        return None
    return shapely.union_all(faces[high > 0])


def _witnesses(faces: Any, value: float, lines: dict[float, list[Any]]) -> Any:
    """Per face: higher contours inside minus lower ones."""
    votes = np.zeros(len(faces))
    tree = shapely.STRtree(faces)
    for other, parts in lines.items():
        if other != value:
            middle = [shapely.get_point(p, shapely.get_num_points(p) // 2) for p in parts]
            _, hit = tree.query(middle, predicate="within")
            np.add.at(votes, hit, 1 if other > value else -1)
    return votes


def _sides(faces: Any, votes: Any, frame: Any) -> Any:
    """+1 above, -1 below. What no witness tells follows from its neighbours; without any witness, what touches the frame is below."""
    side = np.sign(votes)
    if not side.any():
        side[shapely.touches(shapely.boundary(frame), faces) | shapely.intersects(shapely.boundary(frame), faces)] = -1
    left, right = shapely.STRtree(faces).query(faces, predicate="touches")
    across = shapely.length(shapely.intersection(faces[left], faces[right])) > 0
    left, right = left[across], right[across]
    while True:
        spread = (side[left] != 0) & (side[right] == 0)
        if not spread.any():
            return side
        side[right[spread]] = -side[left[spread]]
