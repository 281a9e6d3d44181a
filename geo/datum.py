"""GCJ-02 and BD-09: coordinates shifted by hundreds of metres, as maps on sale in China carry them.

The shift itself is not published; these are the formulas in general use for it. Accuracy in metres: forth and back 0.01 or better (a
test holds it to 0.5); the formula against the maps themselves, by common report, 1 to 5. Neither is good enough to survey with; both are
good enough against the 300 to 700 m that the shift amounts to in Sichuan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import shapely

from geo import counties
from geo.model import Feature, Warn

#: Krassowsky 1940, on which the formula rests.
_A: Final = 6_378_245.0
_E2: Final = 0.006_693_421_622_965_943
#: The fineness of Baidu's second shift.
_X_PI: Final = np.pi * 3000.0 / 180.0

Shift = Callable[[Any], Any]


def to_gcj02(points: Any) -> Any:
    """WGS 84/CGCS2000 → GCJ-02, an array of lon, lat."""
    lon, lat = points.T
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(lat)
    w2 = 1 - _E2 * np.sin(phi) ** 2
    degrees_lat = np.degrees(north * w2 * np.sqrt(w2) / (_A * (1 - _E2)))
    degrees_lon = np.degrees(east * np.sqrt(w2) / (_A * np.cos(phi)))
    return np.column_stack([lon + degrees_lon, lat + degrees_lat])


def from_gcj02(points: Any) -> Any:
    """GCJ-02 → WGS 84/CGCS2000 by fixed-point iteration."""
    return _solve(to_gcj02, points)


def to_bd09(points: Any) -> Any:
    """WGS 84/CGCS2000 → BD-09."""
    lon, lat = to_gcj02(points).T
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _X_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _X_PI)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


def from_bd09(points: Any) -> Any:
    """BD-09 → WGS 84/CGCS2000 by fixed-point iteration."""
    return _solve(to_bd09, points)


def _solve(forth: Shift, points: Any) -> Any:
    """The shift changes by less than a thousandth over its own length, so eight rounds are far below a millimetre."""
    guess = points - (forth(points) - points)
    for _ in range(8):
        guess = guess - (forth(guess) - points)
    return guess


_BACK: Final = {"gcj02": from_gcj02, "bd09": from_bd09}


def unshifted(features: Sequence[Feature], datum: str) -> Sequence[Feature]:
    """The features in CGCS2000 when a person declared them shifted."""
    if datum == "declared":
        return features
    return [Feature(f.properties, shapely.transform(f.geometry, _BACK[datum])) for f in features]


#: A vertex is on a county border within this many degrees (about 15 m).
_ON: Final = 0.00015
_SAMPLE: Final = 2_000
_FEWEST: Final = 8
_SHARE: Final = 0.2


def suspected(shapes: Sequence[Any]) -> list[Warn]:
    """A warning when the vertices follow county borders only after a shift is taken back.

    Zones are often drawn along county borders; a drawing from a shifted map then lies beside them by the same hundreds of metres.
    Where a zone follows no border nothing can be told, and nothing is said.
    """
    points = shapely.get_coordinates(np.asarray(shapes, dtype=object))
    points = points[:: len(points) // _SAMPLE + 1]
    needed = max(_FEWEST, _SHARE * len(points))
    tree = _borders()
    as_is = _on_border(tree, points)
    for datum, name in (("gcj02", "GCJ-02（火星坐标）"), ("bd09", "BD-09（百度坐标）")):
        back = _on_border(tree, _BACK[datum](points))
        if back >= needed and back >= 3 * as_is:
            text = f"坐标疑为 {name}：还原后与县界重合，原样则偏离。请核对来源，需要时声明 datum={datum}"
            return [
                Warn(f"{datum}_suspected", f"{text} · coordinates look shifted ({datum}): they fit county borders only when shifted back")
            ]
    return []


def _on_border(tree: Any, points: Any) -> int:
    found = tree.query(shapely.points(points), predicate="dwithin", distance=_ON)
    return len(np.unique(found[0]))


@cache
def _borders() -> Any:
    """An index of every county ring cut into pieces of a few segments."""
    pieces = []
    for ring in shapely.get_rings(counties.load().shapes):
        points = shapely.get_coordinates(ring)
        pieces += [shapely.LineString(points[i : i + 9]) for i in range(0, len(points) - 1, 8)]
    return shapely.STRtree(pieces)
