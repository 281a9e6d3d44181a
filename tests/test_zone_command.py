"""`relief zone …` as scripts call it: what it prints and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from geo import data
from relief.store import db
from tests import make
from tests.geo import makers
from tests.geo.shapes import LAT, LON, one, square

pytestmark = pytest.mark.slow  # every case is a process of its own

CAP = Path(__file__).parent / "geo" / "files" / "cap"
BOW = one([[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]], intensity=8)


async def relief(*words: str | Path, database: str = "", home: Path | None = None, given: str = "") -> tuple[int, str, str]:
    """Exit code, output, errors."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")}
    environment |= {"RELIEF_DATABASE_URL": database, "RELIEF_HOME": str(home or "")}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relief", *map(str, words), env=environment, cwd=home or "/", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await child.communicate(given.encode())
    assert child.returncode is not None
    return child.returncode, output.decode(), errors.decode()


async def told(*words: str | Path, **more: Any) -> tuple[int, Any]:
    """Exit code and the JSON it printed."""
    code, output, errors = await relief(*words, "--json", **more)
    assert output.count("\n") == 1, errors
    return code, json.loads(output)


async def test_inspect_prints_one_json_object() -> None:
    code, found = await told("zone", "inspect", data.LUDING_V2)
    assert code == 0
    assert {"format", "crs", "bands", "warnings"} <= set(found)
    assert [b["name"] for b in found["bands"]] == ["Ⅸ", "Ⅷ", "Ⅶ", "Ⅵ"]
    assert set(found["bands"][0]) == {"name", "level", "area_km2", "parts", "holes", "vertices", "counties"}
    assert set(found["bands"][0]["counties"][0]) == {"code", "name", "share"}


async def test_inspect_refuses_with_two_and_says_why_and_where(tmp_path: Path) -> None:
    path = tmp_path / "bow.geojson"
    path.write_bytes(BOW)
    code, found = await told("zone", "inspect", path)
    assert (code, found["code"], found["at"]) == (2, "self_crossing", pytest.approx([LON + 0.1, LAT + 0.1]))
    code, found = await told("zone", "inspect", "--repair", path)
    assert code == 0
    (repair,) = found["repairs"]
    assert (repair["code"], repair["area_after_km2"] > 0) == ("self_crossing", True)
    code, output, errors = await relief("zone", "inspect", path)
    assert (code, output, errors.startswith("self_crossing: ")) == (2, "", True)


@pytest.mark.parametrize("name", ["zone.geojson", "zone.kml", "zone.zip", "zone.gpkg"])
async def test_inspect_never_reads_another_file(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.geojson"
    secret.write_bytes(one(square(0.1)))
    path = tmp_path / name
    path.write_text(f"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
    assert await told("zone", "inspect", path) == (2, {"code": "type_mismatch", "message": _MISMATCH, "at": None})


_MISMATCH = "文件内容与扩展名不符，或格式不支持 · the content is not what the name says, or is of no supported kind"


@pytest.mark.parametrize("path", ["/vsicurl/http://127.0.0.1/zone.geojson", "http://127.0.0.1/a.kml", "zip://a.zip", "PG:host=localhost"])
async def test_a_path_that_is_no_file_is_refused(path: str) -> None:
    code, found = await told("zone", "inspect", path)
    assert (code, found["code"]) == (2, "file")


async def test_a_test_alert_is_inspected_with_a_warning() -> None:
    code, found = await told("zone", "inspect", CAP / "sichuan_quake_zh-CN.cap")
    assert code == 0
    assert {"alert_test", "alert_unsigned"} <= {w["code"] for w in found["warnings"]}
    code, output, _ = await relief("zone", "inspect", CAP / "sichuan_quake_zh-CN.cap")
    assert (code, "alert_test" in output) == (0, True)


@pytest.mark.slow
async def test_a_version_is_imported_compared_and_exported(database: str, tmp_path: Path) -> None:
    pool = await db.open_pool(database, 1)
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    await pool.close()
    place = {"database": database, "home": tmp_path}
    code, *_ = await relief("staff", "add", "officer", "演示", "--grant", "county_officer:513322", given="a long pass phrase\n", **place)
    assert code == 0
    said = ("--incident", str(incident), "--as", "officer", "--title", "范围", "--reason", "快速评估")
    code, old = await told("zone", "import", data.LUDING_V1, *said, **place)
    assert code == 0
    kmz = tmp_path / "v2.kmz"
    kmz.write_bytes(makers.archive({"doc.kml": makers.kml(makers.kml_polygon(square(0.3), level=9))}))
    code, new = await told("zone", "import", kmz, *said, **place)
    assert (code, len(new["bands"])) == (0, 1)
    assert (await told("zone", "import", tmp_path / "none.kml", *said, **place))[0] == 2
    code, output, errors = await relief("zone", "import", kmz, *said, **place)
    assert (code, errors.split(":")[0]) == (1, "zone_exists")
    code, changed = await told("zone", "diff", old["zone"], new["zone"], **place)
    assert code == 0
    assert changed["lost_km2"] > 10_000
    assert changed["came_in"] == {}
    assert changed["costs"] == []
    code, output, _ = await relief("zone", "diff", old["zone"], new["zone"], **place)
    assert (code, "km²" in output, "尚未提出发放方案" in output) == (0, True, True)
    people = tmp_path / "people.csv"
    people.write_text("代码,人口,日期,来源\n513322,80000,2020-11-01,演练用数字（非真实）\n", "utf-8")
    assert (await relief("region", "population", people, **place))[0] == 0
    people.write_text("代码,人口,日期,来源\n513322,很多,2020-11-01,演练\n", "utf-8")
    code, _, errors = await relief("region", "population", people, **place)
    assert (code, errors.split(":")[0]) == (2, "population_value")
    code, inside = await told("zone", "overlay", old["zone"], **place)
    by_code = {c["county"]: c for c in inside["counties"]}
    assert (code, by_code["513322"]["people_inside_estimate"]) == (0, pytest.approx(80_000 * by_code["513322"]["share"], rel=0.005))
    assert (by_code["513322"]["population"]["counted_on"], by_code["511824"]["people_inside_estimate"]) == ("2020-11-01", None)
    code, output, _ = await relief("zone", "overlay", old["zone"], **place)
    assert ("估计" in output, "未知" in output) == (True, True)
    code, gone = await told("zone", "discard", new["zone"], "--as", "officer", "--reason", "重画", **place)
    assert (code, gone["status"]) == (0, "discarded")
    for form in ("geojson", "kml", "gpkg", "xlsx"):
        code, made = await told("zone", "export", old["zone"], "--format", form, "--out", tmp_path / f"v1.{form}", **place)
        assert (code, (tmp_path / f"v1.{form}").stat().st_size) == (0, made["bytes"])
    code, again = await told("zone", "inspect", tmp_path / "v1.gpkg")
    assert [b["level"] for b in again["bands"]] == [9, 8, 7, 6]
