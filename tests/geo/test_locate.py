"""A point has one band, a border belongs to the more severe, and doubt near a border is said."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo import area, counties, data, locate, overlay, read, zonefile
from tests.geo.shapes import LAT, LON, feature, file, polygon, square

pytestmark = pytest.mark.slow  # many points against many shapes

V2 = zonefile.read(data.LUDING_V2.read_bytes(), "v2").bands
LUDING = [b.wkb for b in V2]


def ranks(bands: list[bytes], points: Any, accuracy: Any = 0.0) -> tuple[list[int], list[bool]]:
    array = np.asarray(points, float).reshape(-1, 2)
    rank, edge = locate.ranks(bands, array[:, 0], array[:, 1], np.broadcast_to(np.asarray(accuracy, float), len(array)))
    return rank.tolist(), edge.tolist()


def test_the_epicentre_is_in_the_worst_band_and_chengdu_outside() -> None:
    assert ranks(LUDING, [(102.08, 29.59), (104.07, 30.67)])[0] == [0, -1]


def test_every_vertex_of_a_shared_border_belongs_to_the_higher_band() -> None:
    for rank, wkb in enumerate(LUDING):
        border = shapely.get_coordinates(shapely.get_exterior_ring(shapely.from_wkb(wkb)))
        assert set(ranks(LUDING, border)[0]) == {rank}


def test_a_straight_border_between_two_bands_belongs_to_the_higher() -> None:
    zone = zonefile.read(file(feature(polygon(square(1.0)), intensity=6), feature(polygon(square(0.5)), intensity=9)), "x")
    on_border = [(LON + 0.5, LAT + y) for y in (0.0, 0.125, 0.25, 0.5)]
    assert ranks([b.wkb for b in zone.bands], on_border)[0] == [0, 0, 0, 0]
    assert ranks([b.wkb for b in zone.bands], [(LON + 1.0, LAT + 0.75)])[0] == [1]


corner = st.tuples(st.integers(0, 8), st.integers(0, 8))
box = st.tuples(corner, corner).filter(lambda c: c[0][0] != c[1][0] and c[0][1] != c[1][1])


def _box(corners: tuple[tuple[int, int], tuple[int, int]]) -> list[list[float]]:
    (x1, y1), (x2, y2) = corners
    west, east, south, north = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    corners_in_order = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [[LON + x / 8, LAT + y / 8] for x, y in corners_in_order]


@settings(max_examples=200, deadline=None)
@given(boxes=st.lists(box, min_size=1, max_size=4), points=st.lists(corner, min_size=1, max_size=20))
def test_bands_are_disjoint_and_their_union_is_the_zone(boxes: list[Any], points: list[tuple[int, int]]) -> None:
    """Whatever overlaps were drawn; and a point gets the most severe of the shapes that hold it, borders included."""
    drawn = [shapely.Polygon(_box(b)) for b in boxes]
    try:
        zone = zonefile.read(file(*[feature(polygon(_box(b)), level=9 - i) for i, b in enumerate(boxes)]), "x")
    except zonefile.ZoneFileError as error:
        assert error.code == "band_covered"  # noqa: PT017
        return
    shapes = [shapely.from_wkb(b.wkb) for b in zone.bands]
    assert sum(b.area_km2 for b in zone.bands) == pytest.approx(area.km2(shapely.union_all(drawn)))
    assert shapely.union_all(shapes).symmetric_difference(shapely.union_all(drawn)).area < 1e-12
    places = np.array(points) / 8 + np.array((LON, LAT))
    expected = [next((i for i, d in enumerate(drawn) if shapely.intersects_xy(d, *p)), -1) for p in places]
    assert ranks([b.wkb for b in zone.bands], places)[0] == expected


@pytest.mark.parametrize("accuracy", [5.0, 40.0, 900.0, 15_000.0])
def test_doubt_near_a_border_agrees_with_geodesic_distances(accuracy: float) -> None:
    """An independent measure: the geodesic distance to a densely sampled border."""
    geod, draw = Geod(ellps="GRS80"), np.random.default_rng(1)
    border = shapely.get_exterior_ring(shapely.from_wkb(LUDING[0]))
    dense = shapely.get_coordinates(shapely.segmentize(border, 2e-5))
    near = dense[draw.integers(0, len(dense), 60)]
    points = near + draw.normal(size=(60, 2)) * accuracy * 1e-5
    every, seen = np.repeat(points, len(dense), axis=0), np.tile(dense, (60, 1))
    distance = geod.inv(every[:, 0], every[:, 1], seen[:, 0], seen[:, 1])[2].reshape(60, -1).min(axis=1)
    sure = np.abs(distance - accuracy) > 1.0 + accuracy * 1e-3
    edge = np.array(ranks(LUDING[:1], points, accuracy)[1])
    assert edge[sure].tolist() == (distance < accuracy)[sure].tolist()
    assert edge.any()


def test_a_point_on_the_border_is_doubtful_unless_its_accuracy_is_perfect() -> None:
    on = shapely.get_coordinates(shapely.get_exterior_ring(shapely.from_wkb(LUDING[0])))[:2].mean(axis=0)
    assert ranks(LUDING, [on, on, on], [0.0, 1.0, np.nan])[1] == [False, True, True]


def test_one_vague_point_does_not_make_the_others_doubtful() -> None:
    centre = (102.08, 29.59)
    assert ranks(LUDING, [centre, centre], [10.0, 1e9])[1] == [False, True]


def test_no_points_and_no_bands_are_fine() -> None:
    assert ranks(LUDING, []) == ([], [])
    assert ranks([], [(LON, LAT)], 10.0) == ([-1], [False])


def test_a_zone_of_many_long_borders_is_measured_in_bounded_memory() -> None:
    """Samples of the raster are capped whatever the shape."""
    teeth = 3_000
    ring = [[LON, LAT]]
    for i in range(teeth):
        left, right = LON + i / teeth, LON + (i + 0.5) / teeth
        ring += [[left, LAT + 0.02], [left, LAT + 4], [right, LAT + 4], [right, LAT + 0.02]]
    ring += [[LON + 1, LAT + 0.02], [LON + 1, LAT], [LON, LAT]]
    started = time.perf_counter()
    draw = np.random.default_rng(3).random((2_000, 2)) + np.array((LON, LAT))
    assert sum(ranks([shapely.to_wkb(shapely.Polygon(ring))], draw, 10.0)[1]) > 0
    assert time.perf_counter() - started < 5


def test_the_luding_zone_touches_thirteen_counties_and_luding_wholly() -> None:
    shares = overlay.zone_shares(V2)
    assert len(shares) == 13
    assert {s.name: s.share for s in shares}["泸定县"] == pytest.approx(1.0)
    assert sum(s.area_km2 for s in shares) == pytest.approx(19_088, rel=1e-4)


def test_a_county_as_a_zone_touches_only_itself() -> None:
    known = counties.load()
    at = known.codes.index("513322")
    shares = overlay.band_shares(shapely.to_wkb(known.shapes[at]))
    assert [(s.code, s.share) for s in shares] == [("513322", pytest.approx(1.0))]


def test_the_county_polygons_are_a_gapless_coverage() -> None:
    known = counties.load()
    assert len(known.codes) == 183
    assert shapely.is_valid(known.shapes).all()
    assert shapely.coverage_is_valid(known.shapes)


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 4), min_size=2, max_size=6), st.integers(1, 5))
def test_what_a_version_gains_and_loses_is_exact(boxes: list[tuple[int, int, int, int]], cut: int) -> None:
    """Zones of unit squares: the areas are those of the squares only one of the two has."""
    cells = [{(x, y) for x in range(a, a + c % 3 + 1) for y in range(b, b + d % 3 + 1)} for a, b, c, d in boxes]
    old, new = set().union(*cells[:cut]), set().union(*cells[cut:] or [{(0, 0)}])
    unit = {cell: area.km2(_unit(cell)) for cell in old | new}
    gained, lost = read._difference(*([shapely.to_wkb(shapely.union_all([_unit(c) for c in zone]))] for zone in (old, new)))
    assert gained == pytest.approx(sum(unit[c] for c in new - old), rel=1e-9, abs=1e-9)
    assert lost == pytest.approx(sum(unit[c] for c in old - new), rel=1e-9, abs=1e-9)


def _unit(cell: tuple[int, int]) -> Any:
    x, y = 102 + cell[0] / 8, 29 + cell[1] / 8
    return shapely.box(x, y, x + 1 / 8, y + 1 / 8)
