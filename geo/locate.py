"""Which band a point lies in, for millions of points at once, and whether its accuracy reaches over a border.

Membership: bands are asked in the order of severity and each point only until a band has it, so a border belongs to the more
severe side. A box test comes first, then GEOS's indexed point-in-polygon test on prepared geometry, which counts borders as inside.

Edge: a point is doubtful when some border (of any band) is nearer than its accuracy. Measuring that for every point would cost far
more than membership, so points are first sifted through a raster of cells that borders pass through, no finer than the accuracy
needs; only those left are measured, against the border segments around them, in a metric frame centred on the point itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

OUTSIDE: Final = -1
#: An accuracy beyond this says nothing; it is treated as this many metres.
MAX_ACCURACY_M: Final = 20_000.0
#: Points are sifted in classes of accuracy, so that one vague point does not make the cells coarse for all.
_CLASSES_M: Final = (50.0, 500.0, 5_000.0, MAX_ACCURACY_M)
_MAX_CELLS: Final = 3_000
_MAX_SAMPLES: Final = 4_000_000
_CHUNK: Final = 20_000
#: Semi-major axis and eccentricity squared of GRS 80 (EPSG:4490).
_A: Final = 6_378_137.0
_E2: Final = 0.006694380022900788


class Places(NamedTuple):
    """Per point: the rank of its band, -1 outside all; and whether a border is nearer than its accuracy."""

    rank: Ranks
    edge: Flags


def ranks(bands_wkb: Sequence[bytes], lon: Floats, lat: Floats, accuracy_m: Floats) -> Places:
    """Place every point.

    Bands come most severe first, as WKB in EPSG:4490; degrees and metres. Not thread-safe per geometry, so each call makes its own.
    """
    shapes = [shapely.from_wkb(w) for w in bands_wkb]
    found = np.full(len(lon), OUTSIDE, np.int32)
    left = np.arange(len(lon))
    for rank, shape in enumerate(shapes):
        shapely.prepare(shape)
        x, y = lon[left], lat[left]
        west, south, east, north = shapely.bounds(shape)
        near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
        hit = near[shapely.intersects_xy(shape, x[near], y[near])]
        found[left[hit]] = rank
        keep = np.ones(len(left), np.bool_)
        keep[hit] = False
        left = left[keep]
    return Places(found, near_border(shapes, lon, lat, accuracy_m))


def near_border(shapes: Sequence[Any], lon: Floats, lat: Floats, accuracy_m: Floats) -> Flags:
    """True where a border of any shape is nearer than the point's accuracy in metres."""
    edge = np.zeros(len(lon), np.bool_)
    starts, ends = _segments(shapes)
    if len(starts) == 0:
        return edge
    accuracy = np.minimum(np.nan_to_num(accuracy_m, nan=MAX_ACCURACY_M), MAX_ACCURACY_M)
    tree = shapely.STRtree(shapely.linestrings(np.stack([starts, ends], axis=1)))
    lower = 0.0
    for upper in _CLASSES_M:
        chosen = np.flatnonzero((accuracy > lower) & (accuracy <= upper))
        lower = upper
        if len(chosen) == 0:
            continue
        sifted = chosen[_Raster(starts, ends, float(accuracy[chosen].max())).touches(lon[chosen], lat[chosen])]
        for part in np.array_split(sifted, len(sifted) // _CHUNK + 1):
            edge[part] = _measured(tree, starts, ends, lon[part], lat[part], accuracy[part])
    return edge


def _segments(shapes: Sequence[Any]) -> tuple[Floats, Floats]:
    """Every border segment once per band that has it, as start and end points."""
    rings = shapely.get_rings(np.asarray(shapes, dtype=object))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return points[:-1][same], points[1:][same]


def _metres_per_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Metres of one degree of longitude and of latitude at a latitude."""
    phi = np.radians(lat)
    w2 = 1 - _E2 * np.sin(phi) ** 2
    normal = _A / np.sqrt(w2)
    return np.radians(normal * np.cos(phi)), np.radians(normal * (1 - _E2) / w2)


class _Raster:
    """Cells within one cell of a border. A cell is at least 4/3 of the reach, borders are sampled every half cell: so a point nearer
    to a border than the reach is at most one cell from a sampled one, and is never missed."""

    def __init__(self, starts: Floats, ends: Floats, reach_m: float) -> None:
        low, high = np.minimum(starts, ends).min(axis=0), np.maximum(starts, ends).max(axis=0)
        per_lon, per_lat = (float(m) for m in _metres_per_degree(np.array(max(abs(low[1]), abs(high[1])) + 0.5)))
        needed = 1.5 * reach_m / np.array([per_lon, min(per_lat, 110_500.0)])
        self.cell = np.maximum(needed, (high - low) / _MAX_CELLS) + 1e-12
        while (steps := self._steps(starts, ends)).sum() > _MAX_SAMPLES:
            self.cell = self.cell * 2
        self.origin = low - 2 * self.cell
        self.shape = tuple(((high - low) / self.cell).astype(int) + 5)
        marked = np.zeros(self.shape, np.bool_)
        owner = np.repeat(np.arange(len(starts)), steps)
        index = np.arange(len(owner)) - np.repeat(steps.cumsum() - steps, steps)
        along = (index / (steps[owner] - 1))[:, None]
        i, j = self._cells(*(starts[owner] * (1 - along) + ends[owner] * along).T)
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                marked[i + di, j + dj] = True
        self.marked = marked

    def _steps(self, starts: Floats, ends: Floats) -> Any:
        """How many places of each segment to sample."""
        return np.maximum(np.ceil(2 * np.abs((ends - starts) / self.cell).max(axis=1)).astype(np.int64), 1) + 1

    def _cells(self, lon: Floats, lat: Floats) -> tuple[Any, Any]:
        return ((lon - self.origin[0]) / self.cell[0]).astype(np.int64), ((lat - self.origin[1]) / self.cell[1]).astype(np.int64)

    def touches(self, lon: Floats, lat: Floats) -> Any:
        """Positions of the points that may be near a border."""
        high = self.origin + self.cell * self.shape
        within = np.flatnonzero((lon > self.origin[0]) & (lon < high[0]) & (lat > self.origin[1]) & (lat < high[1]))
        return within[self.marked[self._cells(lon[within], lat[within])]]


def _measured(tree: Any, starts: Floats, ends: Floats, lon: Floats, lat: Floats, accuracy: Floats) -> Flags:
    """Exact distances in each point's own frame; the error of that frame is far below a metre within the accuracy cap."""
    east, north = _metres_per_degree(lat)
    dx, dy = 1.01 * accuracy / east, 1.01 * accuracy / north
    point, segment = tree.query(shapely.box(lon - dx, lat - dy, lon + dx, lat + dy))
    scale = np.stack([east[point], north[point]], axis=1)
    here = np.stack([lon[point], lat[point]], axis=1)
    a, b = (starts[segment] - here) * scale, (ends[segment] - here) * scale
    along = b - a
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    t = np.clip(-(a * along).sum(axis=1) / length, 0, 1)[:, None]
    close = ((a + t * along) ** 2).sum(axis=1) < accuracy[point] ** 2
    edge = np.zeros(len(lon), np.bool_)
    edge[point[close]] = True
    return edge
