"""Rings, lines and points from the positions of a file, strictly; the vertices of the whole file are counted on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from geo.model import MAX_GEOMETRY, MAX_VERTICES, Place, Warn, ZoneFileError


class Builder:
    """Remembers what was counted, whether heights were dropped, and which rings were closed (only when `repair` allows it)."""

    def __init__(self, *, repair: bool = False) -> None:
        self.vertices = 0
        self.heights = False
        self.repair = repair
        self.mended: list[Warn] = []

    def polygon(self, rings: Any) -> Any:
        """One polygon from its list of rings."""
        if not filled(rings):
            raise ZoneFileError("empty", "有多边形没有坐标 · a polygon has no coordinates")
        shell, *holes = [self.ring(r) for r in rings]
        return shapely.Polygon(shell, holes)

    def ring(self, positions: Any) -> Any:
        """One closed ring as an array of lon, lat."""
        points = self._points(positions)
        if points[0] != points[-1]:
            if not self.repair:
                raise ZoneFileError(
                    "ring_open",
                    "多边形的环没有闭合（首尾点不同） · a ring is not closed: first and last point differ",
                    points[0],
                    drawn(points),
                )
            self.mended.append(Warn("ring_closed", "环没有闭合，已接上首尾 · an open ring was closed", points[0]))
            points.append(points[0])
        if len(points) < 4:
            raise ZoneFileError("ring_short", "多边形的环少于4个点 · a ring has fewer than 4 points", points[0], drawn(points))
        return np.array(points)

    def line(self, positions: Any) -> Any:
        """One line; a line of one point or of one place is refused."""
        points = self._points(positions)
        if len(set(points)) < 2:
            raise ZoneFileError("line_short", "线少于2个不同的点 · a line has fewer than 2 different points", points[0], drawn(points))
        return shapely.LineString(points)

    def point(self, position: Any) -> Any:
        """One point."""
        return shapely.Point(self._points([position])[0])

    def _points(self, positions: Any) -> list[Place]:
        if not filled(positions):
            raise ZoneFileError("empty", "有环没有坐标 · a ring has no coordinates")
        self.count(len(positions))
        return [self.position(p) for p in positions]

    def count(self, vertices: int) -> None:
        """Refuse before any geometry is made."""
        self.vertices += vertices
        if vertices > MAX_GEOMETRY or self.vertices > MAX_VERTICES:
            raise too_many()

    def position(self, position: Any) -> Place:
        """One lon, lat pair; a height is dropped, anything else refused."""
        if not isinstance(position, Sequence) or len(position) not in (2, 3) or any(type(n) not in (int, float) for n in position):
            raise ZoneFileError("position", "坐标点须为[经度, 纬度]两个数 · a position must be two numbers, [longitude, latitude]")
        self.heights = self.heights or len(position) == 3
        try:
            lon, lat = float(position[0]), float(position[1])
        except OverflowError:
            lon = lat = math.inf
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise not_finite()
        return lon, lat

    def warnings(self) -> list[Warn]:
        """What was dropped."""
        return [Warn("z_dropped", "高程已忽略，只用经纬度 · heights were dropped")] if self.heights else []


def drawn(points: Sequence[Place]) -> str | None:
    """The points as a line, in GeoJSON, to be shown where they were meant to be a shape."""
    return json.dumps({"type": "LineString", "coordinates": points}) if len(points) > 1 else None


def filled(thing: Any) -> bool:
    """Whether a list holds anything; anything but a list is refused."""
    if not isinstance(thing, list):
        raise ZoneFileError("position", "坐标须为列表 · coordinates must be lists")
    return bool(thing)


def not_finite() -> ZoneFileError:
    """NaN, infinity, or a number beyond all numbers."""
    return ZoneFileError("not_finite", "坐标须为有限数 · coordinates must be finite numbers")


def too_many() -> ZoneFileError:
    """Too many vertices in one shape or in all."""
    return ZoneFileError(
        "too_many_vertices",
        f"顶点过多：每个图形至多 {MAX_GEOMETRY} 个，每个文件至多 {MAX_VERTICES} 个，请先简化"
        f" · too many vertices (at most {MAX_GEOMETRY} a shape, {MAX_VERTICES} a file); simplify first",
    )


def too_many_features() -> ZoneFileError:
    """Too many shapes in one file."""
    return ZoneFileError("too_many_features", "图形过多（至多5000个） · too many shapes (at most 5,000)")
