"""Areas agree with an independent implementation."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo import area, data, zonefile


def test_the_luding_bands_agree_with_geodesic_areas() -> None:
    geod = Geod(ellps="GRS80")
    for band in zonefile.read(data.LUDING_V2.read_bytes(), "v2").bands:
        shape = shapely.from_wkb(band.wkb)
        expected = abs(geod.geometry_area_perimeter(shapely.orient_polygons(shape))[0]) / 1e6
        assert band.area_km2 == pytest.approx(expected, rel=1e-6)


@given(lon=st.floats(97, 108), lat=st.floats(26, 34), side=st.floats(0.001, 0.05))
def test_small_squares_agree_with_geodesic_areas(lon: float, lat: float, side: float) -> None:
    shape = shapely.box(lon, lat, lon + side, lat + side)
    expected = abs(Geod(ellps="GRS80").geometry_area_perimeter(shape)[0]) / 1e6
    assert area.km2(shape) == pytest.approx(expected, rel=1e-5)


def test_holes_are_taken_out_and_parts_are_added() -> None:
    whole, hole, far = shapely.box(102, 29, 103, 30), shapely.box(102.2, 29.2, 102.4, 29.4), shapely.box(104, 29, 105, 30)
    ring = shapely.difference(whole, hole)
    assert area.km2(ring) == pytest.approx(area.km2(whole) - area.km2(hole))
    assert area.km2(shapely.MultiPolygon([ring, far])) == pytest.approx(area.km2(ring) + area.km2(far))
