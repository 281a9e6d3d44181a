"""Zone files sent to the API: every format, read as what it is; refused with the place and the shape at fault."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest

from relief.store import db
from tests import make
from tests.geo import makers
from tests.geo.shapes import feature, file, one, polygon, square
from tests.web.conftest import Enter

pytestmark = pytest.mark.slow  # every file is read in a process of its own

FILES = Path(__file__).parent.parent / "geo" / "files"
BOW = [[102.0, 29.5], [102.2, 29.7], [102.2, 29.5], [102.0, 29.7], [102.0, 29.5]]
SENT = {
    "shapefile in GBK": ("application/zip", "sichuan_counties_gbk.zip", (FILES / "zones" / "sichuan_counties_gbk.zip").read_bytes()),
    "KML": ("application/vnd.google-earth.kml+xml", "five_counties.kml", (FILES / "zones" / "five_counties.kml").read_bytes()),
    "KMZ": ("application/vnd.google-earth.kmz", "a.kmz", makers.archive({"doc.kml": (FILES / "zones" / "five_counties.kml").read_bytes()})),
    "GeoPackage": ("application/geopackage+sqlite3", "a.gpkg", makers.geopackage([makers.wkb(square(0.1))])),
    "CAP": ("application/cap+xml", "a.xml", (FILES / "cap" / "sichuan_quake_zh-CN.cap").read_bytes()),
    "codes": ("text/csv", "灾区.csv", b"513322\n511824\n"),
    "GeoJSON without a word": ("application/octet-stream", "", one(square(0.1))),
}


@pytest.mark.parametrize("what", SENT)
async def test_every_format_becomes_a_draft(enter: Enter, pool: db.Pool, what: str) -> None:
    media, name, content = SENT[what]
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    officer = await enter("province_officer", "51")
    answer = await officer.post(
        f"/api/v1/incidents/{incident}/zones", params={"title": "范围", "reason": "会商", "name": name}, content=content,
        headers={"Content-Type": media},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT name FROM zone_source") == (name or "范围")


async def test_a_refused_file_says_where_and_shows_the_shape_and_a_repair_is_asked_for(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    officer = await enter("province_officer", "51")
    path, said = f"/api/v1/incidents/{incident}/zones", {"title": "范围", "reason": "会商"}
    headers, content = {"Content-Type": "application/geo+json"}, file(feature(polygon(BOW)))
    answer = await officer.post(path, params=said, content=content, headers=headers)
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["code"], problem["data"]["at"]) == (422, "self_crossing", [102.1, 29.6])
    assert problem["data"]["shape"] == {"type": "Polygon", "coordinates": [BOW]}
    assert (await officer.post(path, params=said | {"repair": "true"}, content=content, headers=headers)).status_code == 201
    async with db.read(pool) as tx:
        found = await tx.fetchrow("SELECT area_before_km2, area_after_km2 FROM zone_repair")
    assert found["area_before_km2"] == pytest.approx(found["area_after_km2"], rel=1e-6)
    assert found["area_before_km2"] > 200


def bomb() -> bytes:
    draw = random.Random(2022)
    ring = [[102 + draw.random(), 29 + draw.random()] for _ in range(2_000)]
    return one([*ring, ring[0]])


HOSTILE = {
    "a VRT that names a file of the server": (
        b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        "zone.geojson",
        "type_mismatch",
    ),
    "WKB nested until a parser overflows": (makers.geopackage([makers.nested_wkb(200_000)]), "a.gpkg", None),
    "a polygon that explodes when mended": (bomb(), "a.geojson", "file_too_heavy"),
    "a KMZ that leaves its folder": (
        makers.archive({"doc.kml": makers.kml(makers.kml_polygon(square(0.1))), "../x": b"x"}),
        "a.kmz",
        "zip_path",
    ),
    "an external entity": (b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>', "a.kml", "xml_doctype"),
    "an archive of zeros": (makers.archive({"doc.kml": b" " * 200_000_000}), "a.kmz", "zip_too_large"),
    "an archive of archives": (
        makers.archive({f"{n}.zip": makers.archive({"0.dll": b"\0" * 4_000_000}) for n in range(16)}),
        "42.zip",
        "zip_content",
    ),
}


async def test_hostile_files_leave_the_server_serving(enter: Enter, pool: db.Pool) -> None:
    """All at once, by the door a browser uses too; meanwhile and afterwards the house answers, and nothing was kept."""
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    officer = await enter("province_officer", "51")
    path, said = f"/api/v1/incidents/{incident}/zones", {"title": "范围", "reason": "会商", "repair": "true"}
    headers = {"Content-Type": "application/octet-stream"}
    sent = [officer.post(path, params=said | {"name": name}, content=content, headers=headers) for content, name, _ in HOSTILE.values()]
    *answers, alive = await asyncio.gather(*sent, officer.get("/sign-in"))
    assert alive.status_code == 200
    for (what, (_, _, code)), answer in zip(HOSTILE.items(), answers, strict=True):
        assert answer.status_code == 422, (what, answer.text)
        assert answer.json()["code"] == (code or answer.json()["code"]), (what, answer.text)
        assert "root:" not in answer.text
    assert (await officer.post(path, params=said, content=one(square(0.1)), headers=headers)).status_code == 201
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM zone") == 1
