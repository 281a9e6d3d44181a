"""Shifted coordinates: forth and back, declared and suspected."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import counties, datum, zonefile
from geo.model import Options
from tests.geo.shapes import feature, file, one, polygon, square

_GEOD = Geod(ellps="GRS80")
POINTS = st.lists(st.tuples(st.floats(97.3, 108.6), st.floats(26.0, 34.4)), min_size=1, max_size=50)
SHIFTS = {"gcj02": (datum.to_gcj02, datum.from_gcj02), "bd09": (datum.to_bd09, datum.from_bd09)}


def metres(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(_GEOD.inv(*a.T, *b.T)[2])


@pytest.mark.parametrize("name", SHIFTS)
@given(points=POINTS)
@settings(max_examples=60, deadline=None)
def test_a_shift_forth_and_back_is_within_half_a_metre(name: str, points: list[tuple[float, float]]) -> None:
    forth, back = SHIFTS[name]
    here = np.array(points)
    assert metres(back(forth(here)), here).max() < 0.01
    assert metres(forth(back(here)), here).max() < 0.01
    assert metres(forth(here), here).min() > 100
    assert metres(forth(here), here).max() < 2_000


def test_the_shift_is_the_one_in_general_use() -> None:
    """Tiananmen: WGS 84 116.39123, 39.90734 is 116.39747, 39.90874 on maps on sale (six metres of tolerance)."""
    assert metres(datum.to_gcj02(np.array([[116.391230, 39.907340]])), np.array([[116.397472, 39.908742]]))[0] < 6


@pytest.mark.parametrize("name", SHIFTS)
def test_a_declared_shift_is_taken_back_and_said(name: str) -> None:
    moved = SHIFTS[name][0](np.array(square(0.1))).tolist()
    zone = zonefile.read(one(moved), "x", Options(datum=name))  # type: ignore[arg-type]
    assert metres(shapely.get_coordinates(shapely.from_wkb(zone.bands[0].wkb)), np.array(square(0.1))).max() < 0.01
    assert [w.code for w in zone.warnings] == [f"{name}_converted"]


@pytest.mark.parametrize("code", ["513322", "510104", "511824", "513401"])
@pytest.mark.parametrize("name", SHIFTS)
def test_a_county_drawn_on_a_shifted_map_is_suspected(name: str, code: str) -> None:
    known = counties.load()
    shape = known.shapes[known.codes.index(code)]
    as_is, shifted = ([shapely.get_coordinates(p.exterior).tolist() for p in shapely.get_parts(s)]
                      for s in (shape, shapely.transform(shape, SHIFTS[name][0])))  # fmt: skip
    assert datum.suspected([shapely.Polygon(r) for r in as_is]) == []
    zone = zonefile.read(file(*[feature(polygon(r)) for r in shifted]), "x")
    assert f"{name}_suspected" in [w.code for w in zone.warnings]


def test_a_zone_along_no_border_is_not_suspected() -> None:
    assert datum.suspected([shapely.Point(102, 29.5).buffer(0.3)]) == []
