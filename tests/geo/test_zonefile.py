"""A zone file becomes bands, or is refused by name and place."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
import shapely

from geo import data, zonefile
from geo.model import EARTH, SICHUAN, Box, Options, ZoneFile, ZoneFileError
from tests.geo.shapes import LAT, LON, feature, file, one, polygon, square

FILES = Path(__file__).parent / "files"


def read(content: bytes, box: Box = SICHUAN, **said: Any) -> ZoneFile:
    return zonefile.read(content, "upload.geojson", Options(box=box, **said))


def refusal(content: bytes, box: Box = SICHUAN) -> ZoneFileError:
    with pytest.raises(ZoneFileError) as caught:
        read(content, box)
    assert " · " in caught.value.message
    return caught.value


@pytest.mark.parametrize(("path", "areas"), [(data.LUDING_V1, None), (data.LUDING_V2, [280, 505, 3_608])])
def test_the_luding_zones_have_four_bands_with_the_published_areas(path: Path, areas: list[int] | None) -> None:
    zone = read(path.read_bytes())
    assert [(b.rank, b.level, b.label) for b in zone.bands] == [(0, 9, "Ⅸ"), (1, 8, "Ⅷ"), (2, 7, "Ⅶ"), (3, 6, "Ⅵ")]
    assert zone.warnings == []
    total = sum(b.area_km2 for b in zone.bands)
    assert total == pytest.approx(19_089 if areas else 13_011.65, rel=2e-4)
    for band, area in zip(zone.bands, areas or [], strict=False):
        assert band.area_km2 == pytest.approx(area, abs=0.5)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("invalid_unclosed", "ring_open"),
        ("invalid_less_three_unique_nodes", "ring_short"),
        ("invalid_incorrect_geometry_data_type", "position"),
        ("problematic_4d_coordinates", "position"),
        ("problematic_feature_null_geometry", "empty"),
        ("problematic_inner_and_exterior_ring_intersect", "self_crossing"),
        ("problematic_outside_lat_lon_boundaries", "outside_box"),
        ("problematic_self_intersection_large", "self_crossing"),
        ("problematic_self_intersection_small", "self_crossing"),
    ],
)
def test_an_awkward_file_is_refused_by_name(name: str, code: str) -> None:
    assert refusal((FILES / f"{name}.geojson").read_bytes(), EARTH).code == code


@pytest.mark.parametrize(
    ("name", "holes", "warnings"),
    [
        ("problematic_holes", 2, []),
        ("problematic_duplicate_nodes", 0, []),
        ("problematic_multitype_geometry_with_just_one_geometry", 0, []),
        ("problematic_3d_coordinates", 0, ["z_dropped"]),
    ],
)
def test_an_unusual_but_right_file_is_accepted(name: str, holes: int, warnings: list[str]) -> None:
    zone = read((FILES / f"{name}.geojson").read_bytes(), EARTH)
    assert [b.holes for b in zone.bands] == [holes]
    assert [w.code for w in zone.warnings if w.code != "beyond_counties"] == warnings


def _nested(depth: int) -> bytes:
    return b'{"type":"FeatureCollection","features":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b'{"type":"FeatureCollection","features":[]}', "empty"),
        (one(), "empty"),
        (one([]), "empty"),
        (b"<kml/>", "type_mismatch"),
        (b"PK\x03\x04", "type_mismatch"),
        (b"[1,2]", "not_geojson"),
        (b'{"a":1}', "not_geojson"),
        (b'{"type":"Topology"}', "not_geojson"),
        (b'{"type":"FeatureCollection"}', "not_geojson"),
        (b'{"type":"FeatureCollection","features":[3]}', "not_geojson"),
        (file({"type": "Feature", "properties": [1], "geometry": polygon(square(0.1))}), "not_geojson"),
        (file({"type": "Feature", "properties": {}, "geometry": 5}), "not_geojson"),
        (one(square(0.1)) [:-9], "not_geojson"),
        (file({"type": "Feature", "properties": {}, "geometry": {"type": "GeometryCollection", "geometries": []}}), "not_polygon"),
        ('{"type":"Feature","名":"泸定"}'.encode("gb18030"), "encoding"),
        (_nested(100), "too_deep"),
        (b"[" * 1_000_000, "too_deep"),
        (b'{"type":"Feature","type":"Polygon"}', "duplicate_key"),
        (one([[LON, LAT], [float("nan"), LAT], [LON, 30.0], [LON, LAT]]), "not_finite"),
        (one(square(0.1)).replace(b"102.1", b"1e999"), "not_finite"),
        (one(square(0.1)).replace(b"102.1", b"1" + b"0" * 400), "not_finite"),
        (one(square(0.1)).replace(b"102.1", b"9" * 5_000), "not_geojson"),
        (one(square(0.1)).replace(b"102.1", b'"102.1"'), "position"),
        (one(square(0.1)).replace(b"102.1", b"true"), "position"),
        (one(square(0.1)).replace(b"102.1", b"null"), "position"),
        (one({"a": 1}), "position"),
        (one([[LON, LAT], [LON + 1, LAT], [LON, LAT]]), "ring_short"),
        (one([[lat, lon] for lon, lat in square(0.1)]), "axes_swapped"),
        (one(square(0.1, lon=12.0, lat=51.0)), "outside_box"),
        (one([[500_000.0 + lon, 3_000_000.0 + lat] for lon, lat in square(1.0)]), "outside_box"),
        (one(square(0.1), square(0.05, lon=LON + 1)), "hole_outside"),
        (one(square(0.3), square(0.2, LON + 0.05, LAT + 0.05), square(0.1, LON + 0.1, LAT + 0.1)), "nested_rings"),
        (one(square(0.1), crs={}), "ok"),
        (file(feature(polygon(square(0.1))), crs={"type": "name", "properties": {"name": "EPSG:999999"}}), "crs"),
        (file(feature(polygon(square(0.1)), intensity=9), feature(polygon(square(0.1)))), "level_missing"),
        (one(square(0.1), intensity="很重"), "level_value"),
        (one(square(0.1), intensity=6.5), "level_value"),
        (one(square(0.1), intensity=True), "level_value"),
        (one(square(0.1), intensity=-1), "level_value"),
        (file(feature(polygon(square(0.2)), intensity=9), feature(polygon(square(0.1)), intensity=8)), "band_covered"),
        (file(*[feature(polygon(square(0.01, lon=LON + i / 10)), level=i) for i in range(40)]), "too_many_bands"),
        (file(*[{}] * 5_001), "too_many_features"),
        (b"{" + b" " * 10_000_001, "too_large"),
        (b" " * 50_000_001, "too_large"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_name(content: bytes, code: str) -> None:
    if code == "ok":
        assert len(read(content).bands) == 1
    else:
        assert refusal(content).code == code


def test_a_self_crossing_names_the_place() -> None:
    bow = [[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]]
    error = refusal(one(bow))
    assert error.code == "self_crossing"
    assert error.at == pytest.approx((LON + 0.1, LAT + 0.1))


def test_swapped_axes_name_the_first_point_as_written() -> None:
    assert refusal(one([[lat, lon] for lon, lat in square(0.1)])).at == (LAT, LON)


def test_too_many_vertices_are_refused_before_any_geometry_is_made() -> None:
    long = [[LON + i * 1e-6, LAT] for i in range(50_001)]
    assert refusal(one(long)).code == "too_many_vertices"
    started = time.perf_counter()
    half = [[LON + i * 1e-6, LAT] for i in range(26_000)] + [[LON, LAT + 0.1], [LON, LAT]]
    assert refusal(file(feature({"type": "MultiPolygon", "coordinates": [[half], [half]]}))).code == "too_many_vertices"
    assert time.perf_counter() - started < 5


def test_a_random_polygon_that_explodes_when_repaired_is_refused_at_once() -> None:
    draw = random.Random(2022)
    points = [[LON + draw.random(), LAT + draw.random()] for _ in range(500)]
    started = time.perf_counter()
    assert refusal(one([*points, points[0]])).code == "self_crossing"
    assert time.perf_counter() - started < 2


def test_nested_full_shapes_are_cut_so_that_the_more_severe_keeps() -> None:
    inner, outer = square(0.1, LON + 0.1, LAT + 0.1), square(0.3)
    zone = read(file(feature(polygon(outer), intensity=7), feature(polygon(inner), intensity=8)))
    assert [(b.level, b.holes) for b in zone.bands] == [(8, 0), (7, 1)]
    assert [w.code for w in zone.warnings] == ["overlap"]
    severe, mild = (shapely.from_wkb(b.wkb) for b in zone.bands)
    assert severe.intersection(mild).area == 0
    assert severe.union(mild).equals(shapely.Polygon(outer))


def test_touching_shapes_are_kept_exactly_as_drawn() -> None:
    left, right = square(0.1), square(0.1, lon=LON + 0.1)
    right[0][0] = right[3][0] = right[4][0] = left[1][0]
    zone = read(file(feature(polygon(left), level=2), feature(polygon(right), level=1)))
    assert zone.warnings == []
    assert [shapely.get_coordinates(shapely.from_wkb(b.wkb)).tolist() for b in zone.bands] == [left, right]


def test_shapes_of_one_level_become_one_band() -> None:
    apart = file(feature(polygon(square(0.1)), intensity=8), feature(polygon(square(0.1, lon=LON + 1)), intensity=8))
    assert [(b.rank, b.parts) for b in read(apart).bands] == [(0, 2)]


@pytest.mark.parametrize(
    ("properties", "level", "label"),
    [
        ({"intensity": 9, "band": "Ⅸ度区"}, 9, "Ⅸ度区"),
        ({"intensity": 9}, 9, "Ⅸ"),
        ({"PARAMVALUE": 7.0, "level": None}, 7, "Ⅶ"),
        ({"value": 50, "name": "五十年一遇"}, 50, "五十年一遇"),
        ({"value": 50}, 50, "50"),
        ({"烈度": "八度"}, 8, "Ⅷ"),
        ({"intensity": "IX度区"}, 9, "Ⅸ"),
        ({"level": "7.0"}, 7, "Ⅶ"),
        ({"level": 0, "label": "\u202eevil"}, 0, "0"),
    ],
)
def test_level_and_label_are_read_from_the_properties(properties: dict[str, Any], level: int, label: str) -> None:
    band = read(one(square(0.1), **properties)).bands[0]
    assert (band.level, band.label) == (level, label)


def test_without_a_level_all_shapes_are_one_band_and_that_is_said() -> None:
    zone = read(file(feature(polygon(square(0.1))), feature(polygon(square(0.1, lon=LON + 1)))))
    assert [(b.rank, b.level, b.label, b.parts) for b in zone.bands] == [(0, 1, "灾区", 2)]
    assert [w.code for w in zone.warnings] == ["one_band"]


def test_bands_may_follow_the_order_of_the_file() -> None:
    zone = read(file(feature(polygon(square(0.1))), feature(polygon(square(0.1, lon=LON + 1)))), bands="order")
    assert [(b.rank, b.level) for b in zone.bands] == [(0, 2), (1, 1)]


def test_bands_may_follow_an_attribute_of_words_or_numbers() -> None:
    words = file(feature(polygon(square(0.1)), 灾情="重灾区"), feature(polygon(square(0.1, lon=LON + 1)), 灾情="一般灾区"))
    assert [(b.level, b.label) for b in read(words, bands="灾情").bands] == [(2, "重灾区"), (1, "一般灾区")]
    numbers = file(feature(polygon(square(0.1)), 度="6"), feature(polygon(square(0.1, lon=LON + 1)), 度="Ⅷ"))
    assert [b.level for b in read(numbers, bands="度").bands] == [8, 6]


def test_bands_below_a_level_may_be_left_out() -> None:
    both = file(feature(polygon(square(0.1)), intensity=8), feature(polygon(square(0.1, lon=LON + 1)), intensity=5))
    assert [b.level for b in read(both, min_level=6).bands] == [8]


def test_a_bare_polygon_and_a_feature_are_zone_files_too() -> None:
    for content in (polygon(square(0.1)), feature(polygon(square(0.1)), intensity=9)):
        zone = read(json.dumps(content).encode())
        assert (len(zone.bands), zone.title) == (1, "upload.geojson")


def test_the_county_basemap_is_readable_when_given_one_level() -> None:
    whole = json.loads(data.COUNTIES_MAP.read_bytes())
    zone = read(file(*[feature(f["geometry"], level=1) for f in whole["features"]]))
    assert zone.bands[0].area_km2 == pytest.approx(486_000, rel=0.01)
