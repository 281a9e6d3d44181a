"""Hostile and careless files, by the numbers of the bad-input catalogue (C: shapes, E: alerts). Each has one exact answer.

Most are read by the very function the child runs; whatever needs GDAL, or is meant to hurt, goes through the child.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import area, cage, read, sandbox
from geo.model import EARTH, SICHUAN, Options, ZoneFile, ZoneFileError
from geo.wire import Request
from tests.geo import makers as m
from tests.geo.shapes import LAT, LON, feature, file, one, polygon, square

pytestmark = pytest.mark.slow  # every case is a process of its own

FILES = Path(__file__).parent / "files"
BOW = [[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]]
VRT = b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
SWAPPED = [[y, x] for x, y in square(0.1)]
DOCTYPE = '<!DOCTYPE x [<!ENTITY a "b">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
XINCLUDE = '<Placemark><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></Placemark>'
LINK = "<NetworkLink><Link><href>http://10.0.0.1/a.kml</href></Link></NetworkLink>"
GOOD = m.cap_area(m.cap_polygon(square(0.1)))


def random_ring(corners: int, seed: int = 2022) -> list[list[float]]:
    draw = random.Random(seed)
    points = [[LON + draw.random(), LAT + draw.random()] for _ in range(corners)]
    return [*points, points[0]]


def _answer(content: bytes, name: str, options: Options) -> ZoneFile:
    found = read.work(Request(name=name, options=options), content)
    if found.refusal is not None:
        raise ZoneFileError(found.refusal.code, found.refusal.message, found.refusal.at)
    assert found.zone is not None
    return found.zone


def code_of(content: bytes, name: str = "upload", **said: Any) -> str:
    with pytest.raises(ZoneFileError) as caught:
        _answer(content, name, Options(**said))
    assert " · " in caught.value.message
    return caught.value.code


async def child_code(content: bytes, name: str = "upload", **said: Any) -> str:
    started = time.perf_counter()
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(content, name, Options(**said))
    assert time.perf_counter() - started < sandbox.WALL_SECONDS + 2
    return caught.value.code


def many(name: str, *parts: Any) -> bytes:
    return file(feature({"type": name, "coordinates": list(parts)}))


DEEP = {"type": "GeometryCollection", "geometries": []}
LONG_KML = "<a>" * 10_000
RADIUS = "<circle>29.5,102 {}</circle>"

CASES: list[tuple[str, bytes, str, str]] = [
    ("C72 a VRT that calls itself GeoJSON", VRT, "zone.geojson", "type_mismatch"),
    ("C72 a VRT that calls itself KML", VRT, "zone.kml", "type_mismatch"),
    ("C72 a VRT that calls itself a zip", VRT, "zone.zip", "type_mismatch"),
    ("C72 a VRT that calls itself a GeoPackage", VRT, "zone.gpkg", "type_mismatch"),
    ("C72 a VRT without a name", VRT, "upload", "type_mismatch"),
    ("C73 a path instead of a file", b"/vsicurl/http://10.0.0.1/zone.geojson", "upload", "type_mismatch"),
    ("C73 a connection string", b"PG:host=localhost dbname=relief", "upload", "type_mismatch"),
    ("C74 three points", one([[LON, LAT], [LON + 1, LAT], [LON, LAT]]), "a.geojson", "ring_short"),
    ("C74 unclosed", one(square(0.1)[:-1]), "a.geojson", "ring_open"),
    ("C74 empty ring", one([]), "a.geojson", "empty"),
    ("C74 one-point line", many("LineString", [LON, LAT]), "a.geojson", "line_short"),
    ("C75 bow-tie", one(BOW), "a.geojson", "self_crossing"),
    ("C75 500 random vertices", one(random_ring(500)), "a.geojson", "self_crossing"),
    ("C77 hole outside", one(square(0.1), square(0.05, lon=LON + 1)), "a.geojson", "hole_outside"),
    ("C77 nested holes", one(square(0.3), square(0.2, LON + 0.05, LAT + 0.05), square(0.1, LON + 0.1, LAT + 0.1)), "a", "nested_rings"),
    ("C77 overlapping parts", many("MultiPolygon", [square(0.2)], [square(0.2, LON + 0.1)]), "a.geojson", "self_crossing"),
    ("C77 a part inside a part", many("MultiPolygon", [square(0.3)], [square(0.1, LON + 0.1, LAT + 0.1)]), "a.geojson", "nested_rings"),
    ("C77 the same part twice", many("MultiPolygon", [square(0.3)], [square(0.3)]), "a.geojson", "self_crossing"),
    ("C77 a spike", one([[LON, LAT], [LON + 1, LAT], [LON + 2, LAT], [LON + 1, LAT], [LON, LAT + 1], [LON, LAT]]), "a", "self_crossing"),
    ("C78 text for numbers", one(square(0.1)).replace(b"102.1", b'"102.1"'), "a.geojson", "position"),
    ("C78 null", one(square(0.1)).replace(b"102.1", b"null"), "a.geojson", "position"),
    ("C78 four dimensions", one([[*p, 1, 2] for p in square(0.1)]), "a.geojson", "position"),
    ("C78 NaN", one(square(0.1)).replace(b"102.1", b"NaN"), "a.geojson", "not_finite"),
    ("C78 1e999", one(square(0.1)).replace(b"102.1", b"1e999"), "a.geojson", "not_finite"),
    ("C79 collections 2,000 deep", b'{"type":"GeometryCollection","geometries":[' * 2_000 + b"]}" * 2_000, "a.geojson", "too_deep"),
    ("C79 bare WKB, nested 200,000 deep", m.nested_wkb(200_000), "upload", "type_mismatch"),
    ("C80 an unknown system", file(feature(polygon(square(0.1))), crs={"properties": {"name": "EPSG:999999"}}), "a.geojson", "crs"),
    ("C80 a system with a file in it", file(feature(polygon(square(0.1))), crs={"properties": {"name": "+init=/etc/passwd"}}), "a", "crs"),
    ("C80 metres without a system", one([[500_000 + x, 3_000_000 + y] for x, y in square(9)]), "a.geojson", "outside_box"),
    ("C81 across the antimeridian", one([[179, 1], [-179, 1], [-179, 2], [179, 2], [179, 1]]), "a.geojson", "outside_box"),
    ("C81 at the pole", one([[100, 85], [110, 85], [110, 89], [100, 85]]), "a.geojson", "outside_box"),
    ("C82 a feature without a shape", file({"type": "Feature", "properties": {}, "geometry": None}), "a.geojson", "empty"),
    ("C82 a million features", b'{"type":"FeatureCollection","features":[' + b"{}," * 1_000_000 + b"{}]}", "a", "too_many_features"),
    ("C82 attributes of 10 MB", one(square(0.1), note="x" * 10_000_000), "a.geojson", "too_large"),
    ("C83 a network link", m.kml(LINK, m.kml_polygon(square(0.1))), "a.kml", "network_link"),
    ("C83 a document type", m.kml(m.kml_polygon(square(0.1)), head=DOCTYPE), "a.kml", "xml_doctype"),
    ("C83 an external entity", m.kml(m.kml_polygon(square(0.1), name="&a;"), head=EXTERNAL), "a.kml", "xml_doctype"),
    ("C83 an inclusion", m.kml(XINCLUDE), "a.kml", "xml_include"),
    ("C84 two KML", m.archive({"a.kml": m.kml(), "b.kml": m.kml()}), "a.kmz", "kmz_kml"),
    ("C84 a path that leaves", m.archive({"../a.kml": m.kml()}), "a.kmz", "zip_path"),
    ("C84 an absolute path", m.archive({"/etc/a.kml": m.kml()}), "a.kmz", "zip_path"),
    ("C84 a Windows path", m.archive({"C:\\a.kml": m.kml()}), "a.kmz", "zip_path"),
    ("C84 1,001 files", m.archive({f"{i}.kml": "" for i in range(1_001)}), "a.kmz", "zip_entries"),
    ("C84 200 files", m.archive({f"{i}.png": "" for i in range(200)}), "a.kmz", "zip_entries"),
    ("C84 a symbolic link", m.archive({"doc.kml": "/etc/passwd"}, links=["doc.kml"]), "a.kmz", "zip_link"),
    ("C84 an archive in an archive in an archive", m.archive({"1.zip": m.archive({"2.zip": m.archive({"0": b"0"})})}), "a.zip", "zip_content"),
    ("C84 a bomb of one KML", m.archive({"doc.kml": b" " * 200_000_000}), "a.kmz", "zip_too_large"),
    ("C84 cut in the middle", m.archive({"doc.kml": m.kml(m.kml_polygon(square(0.1)))})[:-40], "a.kmz", "zip_damaged"),
    ("C85 a track", m.kml("<Placemark><Track/></Placemark>"), "a.kml", "not_polygon"),
    ("C85 no placemarks", m.kml(), "a.kml", "empty"),
    ("C85 latitude first", m.kml(m.kml_polygon(SWAPPED)), "a.kml", "axes_swapped"),
    ("C85 numbers with underscores", m.kml(m.kml_polygon(square(0.1)).replace("102.1", "1_02.1")), "a.kml", "position"),
    ("C85 not well-formed", m.kml(m.kml_polygon(square(0.1)))[:-9], "a.kml", "not_xml"),
    ("E105 a document type", m.cap(GOOD, head=DOCTYPE), "a.cap", "xml_doctype"),
    ("E105 an external entity", (FILES / "cap" / "xee.cap").read_bytes(), "xee.cap", "xml_doctype"),
    ("E105 a laugh", m.cap(GOOD, head='<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>'), "a.cap", "xml_doctype"),
    ("E105 an inclusion", m.cap(GOOD, info='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude"/>'), "a.cap", "xml_include"),
    ("E105 20 MB", m.cap(GOOD, info="<description>" + "x" * 20_000_000 + "</description>"), "a.cap", "too_large"),
    ("E105 10,000 deep", m.cap(info=LONG_KML), "a.cap", "too_deep"),
    ("E105 UTF-7", m.cap(GOOD, head='<?xml version="1.0" encoding="utf-7"?>'), "a.cap", "encoding"),
    ("E105 UTF-16", m.cap(GOOD).decode().encode("utf-16"), "a", "type_mismatch"),
    ("E106 CAP 1.1", m.cap(GOOD, space="urn:oasis:names:tc:emergency:cap:1.1"), "a.cap", "cap_version"),
    ("E106 no identifier", m.cap(GOOD, identifier=""), "a.cap", "cap_missing"),
    ("E106 no sender", m.cap(GOOD, sender=""), "a.cap", "cap_missing"),
    ("E106 no time", m.cap(GOOD, sent=""), "a.cap", "cap_missing"),
    ("E106 no scope", (FILES / "cap" / "invalid.cap").read_bytes(), "invalid.cap", "cap_missing"),
    ("E106 a real message of 1.1", (FILES / "cap" / "noaa_errors.cap").read_bytes(), "noaa.cap", "cap_version"),
    ("E107 a status that is none", m.cap(GOOD, status="Real"), "a.cap", "cap_value"),
    ("E108 no time zone", m.cap(GOOD, sent="2022-09-05T12:55:00"), "a.cap", "cap_time"),
    ("E108 30 February", m.cap(GOOD, sent="2022-02-30T12:55:00+08:00"), "a.cap", "cap_time"),
    ("E109 an update of nothing", m.cap(GOOD, msgType="Update"), "a.cap", "cap_references"),
    ("E109 a cancel of nothing", m.cap(msgType="Cancel"), "a.cap", "cap_references"),
    ("E111 expired before it was sent", m.cap(GOOD, info="<expires>2022-09-04T12:55:00+08:00</expires>"), "a.cap", "cap_expires"),
    ("E111 ten years ahead", m.cap(GOOD, info="<expires>2032-09-05T12:55:00+08:00</expires>"), "a.cap", "cap_expires"),
    ("E112 not closed", m.cap(m.cap_area(m.cap_polygon(square(0.1)[:-1]))), "a.cap", "ring_open"),
    ("E112 three points", m.cap(m.cap_area(m.cap_polygon([*square(0.1)[:2], square(0.1)[0]]))), "a.cap", "ring_short"),
    ("E112 longitude first", m.cap(m.cap_area(m.cap_polygon(SWAPPED))), "a.cap", "axes_swapped"),
    ("E112 a radius of -1", m.cap(m.cap_area(RADIUS.format(-1))), "a.cap", "cap_circle"),
    ("E112 a radius of a million km", m.cap(m.cap_area(RADIUS.format(1_000_000))), "a.cap", "cap_circle"),
    ("E112 a radius of NaN", m.cap(m.cap_area(RADIUS.format("NaN"))), "a.cap", "cap_circle"),
    ("E113 an unknown code", m.cap(m.cap_area(m.geocode("519999"))), "a.cap", "area_unknown"),
    ("E113 another country's code", m.cap(m.cap_area(m.geocode("032013", "FIPS6"))), "a.cap", "area_unknown"),
    ("E113 all China", m.cap(m.cap_area(m.geocode("100000"))), "a.cap", "area_unknown"),
    ("E113 another province", m.cap(m.cap_area(m.geocode("530000"))), "a.cap", "area_unknown"),
    ("E113 no area at all", m.cap(), "a.cap", "empty"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "name", "code"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_hostile_file_has_one_exact_answer(content: bytes, name: str, code: str) -> None:
    started = time.perf_counter()
    assert code_of(content, name) == code
    assert time.perf_counter() - started < 10


WGS_METRES = "PROJCS broken ["
IN_CHILD: list[tuple[str, bytes, str, str]] = [
    ("C79 a GeoPackage of WKB nested 200,000 deep", m.geopackage([m.nested_wkb(200_000)]), "a.gpkg", "file_unreadable"),
    ("C79 a GeoPackage of noise", b"SQLite format 3\x00" + bytes(range(256)) * 40, "a.gpkg", "file_unreadable"),
    ("C79 a GeoPackage without a layer", m.geopackage([], tables=0), "a.gpkg", "file_unreadable"),
    ("C86 a GeoPackage of two layers", m.geopackage([m.wkb(square(0.1))], tables=2), "a.gpkg", "gpkg_layers"),
    ("C86 no .shx", m.shapefile(without=["shx"]), "a.zip", "shapefile_missing"),
    ("C86 no .dbf and no .prj", m.shapefile(without=["dbf", "prj"]), "a.zip", "shapefile_missing"),
    ("C86 two layers", m.archive({"a.shp": b"", "b.shp": b""}), "a.zip", "zip_layers"),
    ("C87 a header that lies", m.shapefile(dbf=m.dbf(b"a", [b"x"])[:8] + b"\xff\xff" + m.dbf(b"a", [b"x"])[10:]), "a.zip", "shapefile_damaged"),
    ("C87 2^31 records", m.shapefile(dbf=b"\x03\x7a\x01\x01\x00\x00\x00\x80" + m.dbf(b"a", [b"x"])[8:]), "a.zip", "shapefile_damaged"),
    ("C88 a record beyond the end", m.shapefile(shp=m.shp([square(0.1)])[0][:-8]), "a.zip", "shapefile_damaged"),
    ("C88 more points than there are", m.shapefile(shp=m.lying(m.shp([square(0.1)])[0], 148)), "a.zip", "shapefile_damaged"),
    ("C88 MultiPatch", m.shapefile(kind=31), "a.zip", "shape_type"),
    ("C89 a .prj of noise", m.shapefile(prj="nonsense"), "a.zip", "crs"),
    ("C89 a broken .prj", m.shapefile(prj=WGS_METRES), "a.zip", "crs"),
    ("C89 unclosed rings", m.shapefile([square(0.1)[:-1]]), "a.zip", "ring_open"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "name", "code"), [c[1:] for c in IN_CHILD], ids=[c[0] for c in IN_CHILD])
async def test_a_hostile_file_for_gdal_harms_only_the_child(content: bytes, name: str, code: str) -> None:
    assert await child_code(content, name) == code


@pytest.mark.parametrize("module", ["VirtualOGR('{}')", "VirtualShape('{}', utf-8, 4326)", "VirtualText('{}', utf-8)", "csv('{}')"])
async def test_a_geopackage_cannot_name_another_file(tmp_path: Path, module: str) -> None:
    other = tmp_path / "other.gpkg"
    other.write_bytes(m.geopackage([m.wkb(square(0.1))]))
    assert await child_code(m.virtual(module.format(other)), "a.gpkg") == "file_unreadable"


async def test_gdal_is_refused_outside_its_fence() -> None:
    """In this process GDAL has all its drivers: the reader must not work here."""
    assert code_of(m.shapefile(), "a.zip") == "gdal_open"


async def test_repairing_a_bomb_is_stopped_and_the_parent_lives() -> None:
    assert await child_code(one(random_ring(3_000)), "bomb.geojson", repair=True) == "file_too_heavy"
    assert (await sandbox.inspect(one(square(0.1)), "good.geojson")).bands[0].parts == 1


async def test_a_file_of_the_server_never_comes_back(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("code,level\n513322,9\n")
    vrt = VRT.replace(b"/etc/passwd", str(secret).encode())
    for content, name in ((vrt, "a.kml"), (m.archive({"a.shp": vrt, "a.shx": vrt, "a.dbf": vrt, "a.prj": vrt}), "a.zip")):
        assert await child_code(content, name) in ("type_mismatch", "shapefile_damaged")


@pytest.mark.parametrize("size", [50_000_000, 50_000_001])
async def test_the_largest_file_is_answered(size: int) -> None:
    assert await child_code(b"[" + b"0," * (size // 2), "large.geojson") == "too_large"


async def test_a_crowd_of_hostile_files_is_answered_two_at_a_time() -> None:
    bombs = [one(random_ring(300, seed)) for seed in range(8)]
    answers = asyncio.gather(*(sandbox.inspect(b, "a.geojson") for b in bombs), return_exceptions=True)
    most = 0
    while not answers.done():
        most = max(most, _children())
        await asyncio.sleep(0.01)
    assert {a.code for a in await answers if isinstance(a, ZoneFileError)} == {"self_crossing"}
    assert 1 <= most <= cage.CHILDREN


def _children() -> int:
    """Children of this process that read files, as the kernel lists them."""
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            found += parent == os.getpid() and b"geo.read" in (path / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
    return found


@pytest.mark.parametrize(
    ("content", "said", "warnings"),
    [
        (m.kml(m.kml_polygon([[*p, 900.0] for p in square(0.1)])), {}, ["z_dropped"]),
        (m.kml(m.kml_polygon(square(0.1)), "<Style><IconStyle><Icon><href>http://10.0.0.1/a.png</href></Icon></IconStyle></Style>"), {},
         ["external_reference"]),
        (m.kml(m.kml_polygon(square(0.1)), "<Placemark><Point><coordinates>102,29.5</coordinates></Point></Placemark>"), {}, ["points_dropped"]),
        (m.kml(m.kml_polygon(square(0.1)), head='<?xml version="1.0" encoding="GBK"?>').decode().encode("gbk"), {}, []),
        (one(square(0.1)[::-1]), {}, []),
        (one(square(0.1)[:-1]), {"repair": True}, ["ring_closed"]),
        (m.cap(GOOD, status="Exercise"), {}, ["alert_exercise", "alert_unsigned"]),
        (m.cap(GOOD, status="Test"), {}, ["alert_test", "alert_unsigned"]),
        (m.cap(GOOD, status="Draft"), {}, ["alert_draft", "alert_unsigned"]),
        (m.cap(GOOD, sent="2022-09-05T04:55:00Z"), {}, ["alert_unsigned", "alert_zulu"]),
        (m.cap(GOOD, msgType="Update", references="a@b,1,2022-09-05T12:50:00+08:00"), {}, ["alert_unsigned", "alert_update"]),
    ],
)  # fmt: skip
def test_an_odd_file_is_accepted_with_a_warning(content: bytes, said: dict[str, Any], warnings: list[str]) -> None:
    zone = _answer(content, "upload", Options(**said))
    assert len(zone.bands) == 1
    assert [w.code for w in zone.warnings] == warnings


def test_a_box_of_ones_own_decides_what_is_outside() -> None:
    beijing = one(square(0.1, lon=116.4, lat=39.9))
    assert code_of(beijing, box=SICHUAN) == "outside_box"
    assert [w.code for w in _answer(beijing, "a", Options()).warnings] == ["beyond_counties"]


def test_a_repair_says_what_it_changes_and_where() -> None:
    zone = _answer(one(BOW, intensity=8), "bow.geojson", Options(repair=True))
    (repair,) = zone.repairs
    assert (repair.code, repair.at) == ("self_crossing", pytest.approx((LON + 0.1, LAT + 0.1)))
    assert repair.area_after_km2 == pytest.approx(zone.bands[0].area_km2)
    assert not shapely.is_valid(shapely.from_wkb(repair.before))
    assert zone.bands[0].parts == 2


def _sides(lon: float, lat: float, side: float) -> list[list[float]]:
    return [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]


@pytest.mark.parametrize(
    ("rings", "code", "before", "after"),
    [
        ([BOW], "self_crossing", 0.02, 0.02),
        ([BOW[::-1]], "self_crossing", 0.02, 0.02),
        ([_sides(LON, LAT, 0.1), _sides(LON + 0.5, LAT, 0.3)], "hole_outside", 0.01, 0.1),  # the hole would become ground: it is seen
        ([_sides(LON, LAT, 0.2), _sides(LON + 0.1, LAT + 0.1, 0.2)], "self_crossing", 0.03, 0.03),
        ([_sides(LON, LAT, 0.4), _sides(LON + 0.1, LAT + 0.1, 0.2), _sides(LON + 0.12, LAT + 0.12, 0.05)], "nested_rings", 0.12, 0.12),
    ],
)
def test_the_areas_of_a_repair_count_every_place_once(rings: list[Any], code: str, before: float, after: float) -> None:
    """Square degrees here; a crossing polygon has no negative ground whichever way it was drawn."""
    (repair,) = _answer(file(feature({"type": "Polygon", "coordinates": rings})), "a", Options(repair=True)).repairs
    degree = area.km2(shapely.box(LON, LAT, LON + 0.2, LAT + 0.2)) / 0.04
    assert repair.code == code
    assert (repair.area_before_km2, repair.area_after_km2) == (
        pytest.approx(before * degree, rel=0.01),
        pytest.approx(after * degree, rel=0.01),
    )


@given(seed=st.integers(0, 10_000), corners=st.integers(4, 30))
@settings(max_examples=60, deadline=None)
def test_whatever_is_repaired_is_valid_lies_where_it_was_drawn_and_is_one_zone(seed: int, corners: int) -> None:
    rings = [random_ring(corners, seed), random_ring(corners, seed + 1)]
    zone = _answer(file(*[feature(polygon(r), level=i) for i, r in enumerate(rings)]), "a", Options(repair=True))
    shapes = [shapely.from_wkb(b.wkb) for b in zone.bands]
    assert shapely.is_valid(shapes).all()
    drawn = shapely.union_all([shapely.MultiPoint(r).convex_hull for r in rings]).buffer(1e-9)
    assert all(drawn.covers(s) for s in shapes)
    points = np.random.default_rng(seed).random((200, 2)) + np.array((LON, LAT))
    inside = sum(shapely.contains_properly(s, shapely.points(points)).astype(int) for s in shapes)
    assert inside.max() <= 1
    whole = shapely.union_all(shapes)
    assert sum(b.area_km2 for b in zone.bands) == pytest.approx(sum(area.km2(p) for p in shapely.get_parts(whole)), rel=1e-9)


def test_a_shape_without_area_cannot_be_repaired() -> None:
    flat = [[LON, LAT], [LON + 1, LAT], [LON + 0.5, LAT], [LON, LAT]]
    assert code_of(one(flat), repair=True) == "repair_empty"


def test_the_published_flood_is_refused_with_its_place_and_repaired_when_asked() -> None:
    content = (FILES / "zones" / "gdacs_flood_fl1102983_ep1.json").read_bytes()
    assert code_of(content, box=EARTH) == "ring_short"
    zone = _answer(content, "flood.json", Options(box=EARTH, repair=True))
    (repair,) = zone.repairs
    assert repair.area_after_km2 == pytest.approx(repair.area_before_km2, rel=1e-6)
    assert json.loads(msgspec.json.encode(zone.warnings))[0]["code"] == "gdacs_frame_dropped"
