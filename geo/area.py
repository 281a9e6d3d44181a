"""Areas on the ellipsoid of EPSG:4490, in square kilometres."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

#: GRS 80, the ellipsoid of CGCS2000 (WGS 84 differs in the ninth digit).
_A: Final = 6378.137
_F: Final = 1 / 298.257222101
_E2: Final = _F * (2 - _F)
_E: Final = float(np.sqrt(_E2))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


def km2(geometry: Any) -> float:
    """Area of a polygon or multipolygon whose edges are straight in longitude and latitude.

    That is what RFC 7946 says an edge is and what the point test uses, so area and membership speak of the same shape. It is
    the line integral of the zone between equator and edge, exact but for the third-order quadrature along an edge.
    """
    rings, polygon = shapely.get_rings(shapely.get_parts(geometry), return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) == 0:
        return 0.0
    lon, lat = np.radians(points).T
    middle, half = (lat[1:] + lat[:-1]) / 2, (lat[1:] - lat[:-1]) / 2
    mean = sum(w * _zone(middle + half * n) for n, w in zip(_NODES, _WEIGHTS, strict=True)) / 2
    same = ring[1:] == ring[:-1]
    areas = np.abs(np.bincount(ring[1:][same], (mean * np.diff(lon))[same], len(rings)))
    shells = np.diff(polygon, prepend=-1) != 0
    return float(areas[shells].sum() - areas[~shells].sum())


def _zone(lat: Any) -> Any:
    """Area between the equator and a latitude for one radian of longitude."""
    sine = np.sin(lat)
    return _A * _A * (1 - _E2) / 2 * (sine / (1 - _E2 * sine * sine) + np.arctanh(_E * sine) / _E)
