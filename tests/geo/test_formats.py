"""Every format a disaster is described in becomes the same kind of bands."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely

from geo import area, counties, data, sandbox, zonefile
from geo.model import EARTH, Options, ZoneFile, ZoneFileError
from tests.geo import makers as m
from tests.geo.shapes import LAT, LON, feature, file, one, polygon, square

pytestmark = pytest.mark.slow  # every case is a process of its own

FILES = Path(__file__).parent / "files"
SQUARE_KM2 = zonefile.read(one(square(0.1)), "x").bands[0].area_km2


def read(content: bytes, name: str = "upload", **said: Any) -> ZoneFile:
    return zonefile.read(content, name, Options(**said))


def codes(zone: ZoneFile) -> list[str]:
    return [w.code for w in zone.warnings]


def refusal(content: bytes, **said: Any) -> str:
    with pytest.raises(ZoneFileError) as caught:
        read(content, **said)
    return caught.value.code


@pytest.mark.parametrize("name", ["a.kml", "a.kmz"])
def test_kml_and_kmz_bring_bands_by_level(name: str) -> None:
    content = m.kml(m.kml_polygon(square(0.1), level="8"), m.kml_polygon(square(0.3), level="7度", name="范围"))
    zone = read(content if name.endswith("kml") else m.archive({"files/icon.png": b"x", "doc.kml": content}), name)
    assert (zone.format, [b.level for b in zone.bands]) == (name[2:].upper(), [8, 7])
    assert zone.bands[0].area_km2 == pytest.approx(SQUARE_KM2)


def test_kml_holes_and_many_shapes_in_one_placemark() -> None:
    inner = f"<innerBoundaryIs><LinearRing><coordinates>{m.coordinates(square(0.05, LON + 0.02, LAT + 0.02))}</coordinates></LinearRing></innerBoundaryIs>"
    both = m.kml_polygon(square(0.1), inner).replace("<Polygon>", "<MultiGeometry><Polygon>")
    far = m.kml_polygon(square(0.1, LON + 1)).split("<Polygon>")[1].split("</Polygon>")[0]
    zone = read(m.kml(both.replace("</Polygon>", f"</Polygon><Polygon>{far}</Polygon></MultiGeometry>")))
    assert [(b.parts, b.holes) for b in zone.bands] == [(2, 1)]


def test_the_five_counties_are_one_band_in_five_counties() -> None:
    zone = read((FILES / "zones" / "five_counties.kml").read_bytes(), "five_counties.kml")
    assert [(b.label, b.level) for b in zone.bands] == [("灾区", 1)]
    assert sum(s.share > 0.99 for s in zone.bands[0].counties) == 5
    by_name = read((FILES / "zones" / "five_counties.kml").read_bytes(), bands="县名")
    assert [b.label for b in by_name.bands] == ["锦江区", "青羊区", "金牛区", "武侯区", "成华区"]


async def test_a_gbk_shapefile_brings_chinese_columns_and_words() -> None:
    content = (FILES / "zones" / "sichuan_counties_gbk.zip").read_bytes()
    zone = await sandbox.inspect(content, "counties.zip", Options(bands="市州"))
    assert (zone.format, zone.crs, len(zone.bands)) == ("Shapefile", "EPSG:4490", 21)
    assert zone.bands[0].label == "成都市"
    assert codes(zone)[0] == "dbf_encoding"
    assert "GB18030" in zone.warnings[0].message


@pytest.mark.parametrize(("page", "warned"), [(b"GBK", False), (b"UTF-8", False), (None, True)])
async def test_the_code_page_decides_how_words_are_read(page: bytes | None, warned: bool) -> None:
    members = {
        "dbf": m.dbf("分区".encode("utf-8" if page == b"UTF-8" else "gbk"), ["重灾区".encode("utf-8" if page == b"UTF-8" else "gbk")])
    }
    if page is not None:
        members["cpg"] = page
    zone = await sandbox.inspect(m.shapefile(**members), "a.zip", Options(bands="分区"))
    assert [b.label for b in zone.bands] == ["重灾区"]
    assert ("dbf_encoding" in codes(zone)) is warned


async def test_a_shapefile_may_have_names_in_capitals_and_heights() -> None:
    zone = await sandbox.inspect(m.shapefile(kind=15, stem="目录/ZONE"), "a.zip")
    assert zone.bands[0].area_km2 == pytest.approx(SQUARE_KM2)
    assert "z_dropped" in codes(zone)


@pytest.mark.parametrize("epsg", [4547, 4544, 4513, 3857, 32648, 4508])
async def test_projected_coordinates_come_back_to_degrees(epsg: int) -> None:
    forth = pyproj.Transformer.from_crs(4490 if epsg not in (3857, 32648) else 4326, epsg, always_xy=True)
    ring = [list(forth.transform(*p)) for p in square(0.1)]
    zone = await sandbox.inspect(m.shapefile([ring], prj=pyproj.CRS.from_epsg(epsg).to_wkt("WKT1_ESRI")), "a.zip")
    assert zone.crs == f"EPSG:{epsg}"
    here = shapely.get_coordinates(shapely.from_wkb(zone.bands[0].wkb))
    assert np.abs(here - square(0.1)).max() < 1e-8
    declared = file(feature(polygon(ring)), crs={"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}})
    assert read(declared).bands[0].area_km2 == pytest.approx(SQUARE_KM2, rel=1e-6)


@pytest.mark.parametrize("epsg", [4214, 4610, 2343])
async def test_old_datums_are_refused_by_name(epsg: int) -> None:
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(m.shapefile(prj=pyproj.CRS.from_epsg(epsg).to_wkt("WKT1_ESRI")), "a.zip")
    assert caught.value.code == "crs_datum"


async def test_a_shapefile_without_a_system_is_taken_when_a_person_names_one() -> None:
    assert (await sandbox.inspect(m.shapefile(without=["prj"]), "a.zip", Options(crs="EPSG:4490"))).crs == "EPSG:4490"


async def test_a_geopackage_brings_its_layer_or_the_one_that_is_named() -> None:
    zone = await sandbox.inspect(m.geopackage([m.wkb(square(0.1))]), "a.gpkg")
    assert (zone.format, zone.title, [b.level for b in zone.bands]) == ("GeoPackage", "zones", [8])
    two = m.geopackage([m.wkb(square(0.1))], tables=2)
    assert (await sandbox.inspect(two, "a.gpkg", Options(layer="zones1"))).title == "zones1"


def test_an_alert_joins_polygons_and_circles_of_several_areas() -> None:
    circle = "<circle>29.5,104.0 10</circle>"
    zone = read(m.cap(m.cap_area(m.cap_polygon(square(0.1)), circle), m.cap_area(m.cap_polygon(square(0.1, LON + 1))), severity="Extreme"))
    (band,) = zone.bands
    assert (band.level, band.parts, band.label) == (4, 3, "测试区")
    assert band.area_km2 == pytest.approx(2 * SQUARE_KM2 + 314.16, rel=1e-3)


def test_an_alert_with_codes_alone_covers_the_counties() -> None:
    zone = read(m.cap(m.cap_area(m.geocode("513322"), m.geocode("511824", "区划代码"))))
    assert [(s.code, round(s.share, 6)) for s in zone.bands[0].counties] == [("511824", 1), ("513322", 1)]


def test_an_alert_in_two_languages_is_one_area() -> None:
    english = m.cap(m.cap_area(m.cap_polygon(square(0.1)))).decode()
    info = english[english.index("<info>") : english.index("</info>") + 7]
    assert [b.parts for b in read(english.replace(info, info + info).encode()).bands] == [1]


def test_a_cancel_and_an_earthquake_report_bring_no_zone() -> None:
    zone = read(m.cap(msgType="Cancel", references="a@b,1,2022-09-05T12:50:00+08:00"))
    assert zone.bands == []
    assert zone.alert is not None
    assert (zone.alert.kind, zone.alert.references) == ("Cancel", ["a@b,1,2022-09-05T12:50:00+08:00"])
    quake = read((FILES / "cap" / "earthquake-iso8859-1.cap").read_bytes(), box=EARTH)
    assert quake.event is not None
    assert (quake.bands, quake.event.lat, quake.alert and quake.alert.signed) == ([], 12.747, True)


def test_a_real_signed_alert_is_read_with_a_warning_about_its_signature() -> None:
    zone = read((FILES / "cap" / "canada_signed.cap").read_bytes(), box=EARTH)
    assert zone.alert is not None
    assert (zone.alert.status, zone.alert.kind, len(zone.alert.references)) == ("Actual", "Update", 9)
    assert "alert_signature" in codes(zone)


def test_shakemap_contours_become_nested_bands() -> None:
    content = (FILES / "zones" / "usgs_cont_mmi.json").read_bytes()
    zone = read(content, "cont_mmi.json", box=EARTH)
    assert (zone.format, [b.level for b in zone.bands]) == ("USGS ShakeMap", [8, 7, 6, 5, 4, 3])
    assert codes(zone)[:2] == ["contours_degenerate", "half_levels"]
    shapes = [shapely.from_wkb(b.wkb) for b in zone.bands]
    features = json.loads(content)["features"]
    for value in (4.5, 5.5, 6.5, 7.5):  # contours in between lie in the band below them
        lines = next(f for f in features if f["properties"]["value"] == value)["geometry"]["coordinates"]
        points = shapely.points([line[1] for line in lines if len(line) > 3])
        holder = next(s for s, b in zip(shapes, zone.bands, strict=True) if b.level == int(value))
        assert shapely.contains(holder, points).mean() > 0.7
    assert all(a.intersection(b).area < 1e-12 for i, a in enumerate(shapes) for b in shapes[i + 1 :])


def test_open_contours_close_along_the_frame_on_the_side_that_is_above() -> None:
    """A field that grows to the east: contours run from the south edge to the north edge."""
    lines = {4: 100.0, 5: 101.0, 6: 102.0, 7: 103.0}
    features = [
        feature({"type": "LineString", "coordinates": [[x, 28.0], [x + 0.01, 29.0], [x, 30.0]]}, value=float(v), units="mmi")
        for v, x in lines.items()
    ]
    frame = [feature({"type": "LineString", "coordinates": [[99.0, 28.0], [99.0, 29.0], [99.0, 30.0]]}, value=3.5, units="mmi")]
    edge = [feature({"type": "LineString", "coordinates": [[104.0, 28.0], [104.0, 29.0], [104.0, 30.0]]}, value=7.5, units="mmi")]
    zone = read(file(*features, *frame, *edge))
    assert [(b.level, round(b.bounds[0], 2), round(b.bounds[2], 2)) for b in zone.bands] == [
        (7, 103.0, 104.0), (6, 102.0, 103.01), (5, 101.0, 102.01), (4, 100.0, 101.01),
    ]  # fmt: skip


def test_gdacs_footprints_bring_the_affected_area_only() -> None:
    zone = read((FILES / "zones" / "gdacs_wildfire_wf1028649_ep1.json").read_bytes())
    assert [(b.label, b.parts, b.holes) for b in zone.bands] == [("Affected Area", 2, 11)]
    assert zone.bands[0].area_km2 == pytest.approx(66.38, rel=0.25)  # GDACS says 6,638 ha burnt inside it
    assert codes(zone)[0] == "gdacs_frame_dropped"


def test_the_wenchuan_bands_are_read_by_their_lower_bound() -> None:
    zone = read((FILES / "zones" / "wenchuan2008_mmi_bands_derived.geojson").read_bytes())
    assert [b.level for b in zone.bands] == [10, 9, 8, 7, 6, 5]
    assert codes(zone) == ["beyond_counties"]


def test_an_earthquake_event_is_proposed_and_becomes_a_circle_with_a_distance() -> None:
    event = feature({"type": "Point", "coordinates": [102.08, 29.59, 12]}, mag=6.6, place="Luding", time=1662353563000)
    content = json.dumps({**event, "id": "us7000i53f"}).encode()
    zone = read(content)
    assert zone.event is not None
    assert (zone.bands, zone.event.magnitude, zone.event.depth_km, zone.event.source_id) == ([], 6.6, 12.0, "us7000i53f")
    assert zone.event.occurred_at == "2022-09-05T04:52:43+00:00"
    assert codes(zone) == ["point_only"]
    assert read(content, buffer_km=50).bands[0].area_km2 == pytest.approx(np.pi * 2_500, rel=1e-3)


@pytest.mark.parametrize(("lon", "lat"), [(102.0, 29.5), (98.0, 33.9)])
def test_a_fault_with_a_distance_is_as_wide_as_it_says(lon: float, lat: float) -> None:
    line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 1.5, lat - 1.5]]}
    (band,) = read(file(feature(line, buffer_km=20))).bands
    geod = pyproj.Geod(ellps="GRS80")
    border = shapely.get_coordinates(shapely.from_wkb(band.wkb))[::7]
    along = shapely.get_coordinates(shapely.segmentize(shapely.LineString(line["coordinates"]), 0.002))
    nearest = [geod.inv(*(np.full(len(along), n) for n in p), *along.T)[2].min() for p in border]
    assert max(abs(n - 20_000) for n in nearest) < 25
    assert band.area_km2 == pytest.approx(2 * 20 * geod.line_length(*along.T) / 1000 + np.pi * 400, rel=2e-3)


@pytest.mark.parametrize("km", [0, -1, 501, "wide", True, float("nan")])
def test_a_distance_must_make_sense(km: Any) -> None:
    point = feature({"type": "Point", "coordinates": [LON, LAT]}, buffer_km=km)
    content = file(point)
    assert refusal(content) in ("buffer", "not_finite")


def test_points_with_different_distances_make_bands() -> None:
    rings = [feature({"type": "Point", "coordinates": [LON, LAT]}, buffer_km=km, level=level) for km, level in ((10, 9), (30, 8), (80, 7))]
    zone = read(file(*rings))
    assert [(b.level, round(b.area_km2, -1)) for b in zone.bands] == [(9, 310), (8, 2_510), (7, 17_270)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("513322\n511824\n", ["511824", "513322"]),
        ("县代码,县\n513322,泸定县\n", ["513322"]),
        ("﻿代码\t备注\n513322\tx\n", ["513322"]),
        ("'513322", ["513322"]),
        ("513322000000", ["513322"]),
        ("513425", ["513402"]),
        ("513425000000", ["513402"]),
        ("513300", None),
    ],
)
def test_codes_bring_counties_of_today(text: str, found: list[str] | None) -> None:
    zone = read(text.encode())
    shares = {s.code: s.share for s in zone.bands[0].counties if s.share > 0.001}
    assert all(share == pytest.approx(1) for share in shares.values())
    assert sorted(shares) == (found or [c for c in counties.load().codes if c.startswith("5133")])
    assert ("code_of_before" in codes(zone)) is text.startswith("513425")


def test_codes_in_gbk_with_levels_bring_bands() -> None:
    zone = read("县代码;烈度\n513322;Ⅸ\n511824;8\n".encode("gbk"))
    assert [(b.level, b.counties[0].code) for b in zone.bands] == [(9, "513322"), (8, "511824")]


def test_a_township_is_the_part_of_its_county_nearest_to_its_villages() -> None:
    rows = "513322103\n"
    zone = read(rows.encode())
    shape = shapely.from_wkb(zone.bands[0].wkb)
    known = counties.load()
    luding = known.shapes[known.codes.index("513322")]
    assert "approximate_area" in codes(zone)
    assert 0 < zone.bands[0].area_km2 < area.km2(luding)
    assert area.km2(shapely.intersection(shape, luding)) == pytest.approx(zone.bands[0].area_km2, rel=1e-6)
    village = read(b"513322103205")
    assert village.bands[0].area_km2 < zone.bands[0].area_km2


def test_every_township_together_is_every_county_and_none_is_lost() -> None:
    """Three thousand codes: their borders nearly agree with the counties', which makes an overlay in floating point lose whole pieces."""
    with gzip.open(data.DIVISIONS, "rt", encoding="utf-8", newline="") as table:
        townships = [row["code"] for row in csv.DictReader(table) if row["level"] == "township"]
    (band,) = zonefile.read("\n".join(townships).encode(), "codes.csv").bands
    assert len(townships) > 3_000
    assert len(band.counties) == 183
    assert all(s.share == pytest.approx(1, rel=1e-6) for s in band.counties)


def test_all_villages_of_a_county_together_are_the_county() -> None:
    known = counties.load()
    townships = sorted({c[:9] for c in _villages("513322")})
    zone = read("\n".join(townships).encode())
    assert zone.bands[0].area_km2 == pytest.approx(known.areas_km2[known.codes.index("513322")], rel=1e-6)


def _villages(county: str) -> list[str]:
    rows = zonefile.codes.gzip.decompress(data.DIVISIONS.read_bytes()).decode().splitlines()
    return [r.split(",")[0] for r in rows if r.startswith(county) and ",village," in r]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"519999", "area_unknown"),
        (b"513322999999", "area_unknown"),
        (b"530000", "area_unknown"),
        ("代码\n51332\n".encode(), "code_value"),
        ("代码\n5.13E+05\n".encode(), "code_value"),
        ("代码,等级\n513322,8\n513322,7\n".encode(), "code_twice"),
        (b"name,x\na,b\n", "type_mismatch"),
        (b"hello", "type_mismatch"),
        ("代码\n".encode(), "type_mismatch"),
        (b'513322\n"511824', "csv"),
        (b"\xff\xfe\x00\x01", "type_mismatch"),
        (b"513322\xff\xff", "encoding"),
        (b"513322\n" * 50_001, "too_many_rows"),
    ],
)
def test_a_bad_list_of_codes_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_every_old_code_leads_to_a_county_of_today() -> None:
    known = set(counties.load().codes)
    rows = data.COUNTY_CODES.read_text("utf-8").splitlines()[1:]
    assert len(rows) > 90
    assert all(r.split(",")[1] in known and r.split(",")[0] not in known for r in rows)
