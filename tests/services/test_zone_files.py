"""A file at the two ends: told to people and scripts, kept with its repair, and written out again without loss."""

from __future__ import annotations

import io
import json
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
import shapely

from geo import data
from relief.domain.errors import Invalid, Refused
from relief.domain.policy import Actor
from relief.domain.zone import NewZone
from relief.services import zone_files, zoning
from relief.services.zone_files import Options
from relief.store import zone_sources, zones
from relief.store.db import Tx
from tests import make
from tests.geo.shapes import LAT, LON, one, square
from tests.make import LUDING, NOW

pytestmark = pytest.mark.slow  # every case is a process of its own

CAP = Path(__file__).parent.parent / "geo" / "files" / "cap"
BOW = one([[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]], intensity=8)


async def officer(tx: Tx) -> Actor:
    return await make.staff(tx, ("county_officer", LUDING))


async def kept(tx: Tx, content: bytes, name: str, options: Options = Options(), *, drill: bool = True) -> UUID:  # noqa: B008 - frozen
    found = await zoning.inspect(content, name, options)
    incident = await make.incident(tx, drill=drill)
    return await zoning.import_zone(tx, await officer(tx), incident, NewZone("灾区范围", "快速评估"), content, found, NOW, options)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<kml/>", "type_mismatch"),
        (b"", "empty"),
        (BOW, "self_crossing"),
        (one(square(0.1, lon=12.0, lat=51.0)), "outside_box"),
        (one([[lat, lon] for lon, lat in square(0.1)]), "axes_swapped"),
    ],
)
async def test_a_bad_file_is_invalid_by_name_from_disk_too(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "zone.geojson"
    path.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        await zone_files.inspect_file(path)
    assert caught.value.code == code


async def test_a_missing_file_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be opened"):
        await zone_files.inspect_file(tmp_path / "none.geojson")


async def test_inspecting_a_file_tells_bands_areas_and_counties() -> None:
    report = await zone_files.inspect_file(data.LUDING_V2)
    assert [(b["level"], b["parts"], b["holes"]) for b in report["bands"]] == [(9, 1, 0), (8, 1, 1), (7, 1, 1), (6, 1, 1)]
    assert set(report["bands"][0]) == {"name", "level", "area_km2", "parts", "holes", "vertices", "counties"}
    assert set(report["bands"][0]["counties"][0]) == {"code", "name", "share"}
    assert report["bands"][0]["counties"][0]["code"].startswith("51")
    assert sum(b["area_km2"] for b in report["bands"]) == pytest.approx(19_088, abs=1)
    json.dumps(report)


async def test_an_alert_is_told_with_its_status(tmp_path: Path) -> None:
    report = await zone_files.inspect_file(CAP / "sichuan_quake_zh-CN.cap")
    assert report["alert"]["status"] == "Test"
    assert {"alert_test", "alert_unsigned"} <= {w["code"] for w in report["warnings"]}


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "10,0,5,1", "0,0,nan,1", "-181,0,1,1"])
def test_a_box_that_is_none_is_invalid(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        zone_files.box_of(text)
    assert caught.value.code == "box"


async def test_a_version_keeps_its_file_with_what_was_said_about_it(tx: Tx) -> None:
    content = data.LUDING_V2.read_bytes()
    zone = await kept(tx, content, "v2.geojson")
    source = await zone_sources.get(tx, zone)
    assert source is not None
    assert (source.name, source.format, source.content, source.repaired, source.alert) == ("v2.geojson", "GeoJSON", content, False, None)
    assert json.loads(source.options)["datum"] == "declared"
    assert await zone_sources.get(tx, UUID(int=1)) is None


async def test_a_repair_that_was_accepted_keeps_both_geometries(tx: Tx) -> None:
    zone = await kept(tx, BOW, "bow.geojson", Options(repair=True))
    source = await zone_sources.get(tx, zone)
    assert source is not None
    assert source.repaired
    row = await tx.fetchrow(
        "SELECT code, lon, lat, geometry_before, area_before_km2, area_after_km2 FROM zone_repair WHERE zone = $1", zone
    )
    assert row is not None
    assert (row["code"], row["lon"], row["lat"]) == ("self_crossing", pytest.approx(LON + 0.1), pytest.approx(LAT + 0.1))
    assert not shapely.is_valid(shapely.from_wkb(row["geometry_before"]))
    (band,) = await zones.bands(tx, zone)
    assert shapely.is_valid(shapely.from_wkb(band.geometry))
    assert row["area_after_km2"] == pytest.approx(band.area_km2)


@pytest.mark.parametrize(("name", "code"), [("sichuan_quake_zh-CN.cap", "alert_not_actual")])
async def test_a_test_alert_serves_drills_only(tx: Tx, name: str, code: str) -> None:
    content = (CAP / name).read_bytes()
    await kept(tx, content, name)
    with pytest.raises(Refused) as caught:
        await kept(tx, content, name, drill=False)
    assert caught.value.code == code
    with pytest.raises(Refused) as caught:
        await kept(tx, content.replace(b">Test<", b">Actual<"), name, drill=False)
    assert caught.value.code == "alert_unsigned"


async def test_a_point_without_a_distance_is_no_zone(tx: Tx) -> None:
    event = json.dumps(
        {"type": "Feature", "id": "us7000i53f", "properties": {"mag": 6.6, "place": "Luding", "time": 1662353563000},
         "geometry": {"type": "Point", "coordinates": [102.08, 29.59, 12.0]}}
    ).encode()  # fmt: skip
    with pytest.raises(Invalid) as caught:
        await kept(tx, event, "event.geojson")
    assert caught.value.code == "no_area"
    zone = await kept(tx, event, "event.geojson", Options(buffer_km=30))
    assert (await zones.get(tx, zone)).area_km2 == pytest.approx(2_827, rel=2e-3)


@pytest.mark.parametrize("form", ["geojson", "kml", "gpkg"])
async def test_what_is_written_out_comes_back_the_same(tx: Tx, form: zone_files.Format) -> None:
    zone = await kept(tx, data.LUDING_V2.read_bytes(), "v2.geojson")
    made = await zone_files.export(tx, zone, form, NOW)
    again = await zoning.inspect(made.content, made.name)
    before = await zones.bands(tx, zone)
    assert made.rows == len(before)
    assert [(b.rank, b.level, b.label) for b in again.bands] == [(b.rank, b.level, b.label) for b in before]
    for new, old in zip(again.bands, before, strict=True):
        assert shapely.hausdorff_distance(shapely.from_wkb(new.wkb), shapely.from_wkb(old.geometry)) < 1e-8
        assert new.area_km2 == pytest.approx(old.area_km2, rel=1e-8)


async def test_the_list_of_villages_names_each_once_in_its_band(tx: Tx) -> None:
    zone = await kept(tx, data.LUDING_V2.read_bytes(), "v2.geojson")
    made = await zone_files.export(tx, zone, "xlsx", NOW)
    sheet = openpyxl.load_workbook(io.BytesIO(made.content), read_only=True).worksheets[0]
    title, heads, *rows = list(sheet.iter_rows(values_only=True))
    assert "第1版" in str(title[0])
    assert heads[3] == "县"
    assert len(rows) == made.rows > 100
    assert len({r[5] for r in rows}) == len(rows)
    assert [r[1] for r in rows] == sorted((r[1] for r in rows), reverse=True)
    assert all("示意" in str(r[7]) for r in rows)


async def test_a_label_that_looks_like_a_formula_stays_text(tx: Tx) -> None:
    zone = await kept(tx, one(square(0.3), intensity=9, band="=HYPERLINK(1)"), "z.geojson")
    made = await zone_files.export(tx, zone, "xlsx", NOW)
    rows = list(openpyxl.load_workbook(io.BytesIO(made.content)).worksheets[0].iter_rows(min_row=3, values_only=True))
    assert rows[0][0] == "'=HYPERLINK(1)"
