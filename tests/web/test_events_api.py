"""From an alert to a response and back by JSON, as a program of the province would go it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest

from relief.domain.policy import SYSTEM
from relief.services import respond
from relief.store import db
from relief.web.api.describe import EXAMPLES
from tests import make
from tests.make import LUDING
from tests.web.conftest import Clock, Enter
from tests.web.test_alerts import FIRST, hear
from tests.web.test_api import API, post
from tests.web.test_reports import PLANS

pytestmark = pytest.mark.slow


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(API + path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def test_from_an_alert_to_a_response_and_to_the_end(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, FIRST, clock=clock)
    async with db.begin(pool) as tx:
        for path in sorted(PLANS.glob("*.toml")):
            await respond.import_plan(tx, SYSTEM, path.read_text("utf-8"), clock.now)
    county, province = await enter("county_officer", LUDING), await enter("province_officer", "51")
    assert [a["headline"] for a in (await get(county, "/alerts"))["items"]] == [FIRST.headline]
    assert await get(county, "/feeds") == []
    new = {**EXAMPLES["OpenFromAlert"], "occurred_at": clock.now.isoformat()}
    key = {"Idempotency-Key": uuid4().hex}
    answers = [await county.post(f"{API}/alerts/{alert}/incident", json=new, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content, "asked twice under one key, opened once"
    at = f"/incidents/{answers[0].json()['id']}"
    assert (await get(county, at))["incident"]["status"] == "reported"
    assert [d["duty"]["what"] for d in await get(county, "/duties")] == ["first"]

    clock.now += timedelta(hours=1)
    first = {**EXAMPLES["AddReports"][0], "as_of": clock.now.isoformat()}
    await post(county, at + "/reports", [first], key=True)
    more = {**first, "after": 1, "indicators": {"deaths": "20", "missing": "42", "relocated": "98000"}}
    [told] = await post(county, at + "/reports", [more], key=True)
    assert {c["indicator"] for c in told["changes"] if c["large"]} == {"relocated", "deaths", "missing", "direct_loss"}
    await post(county, at + "/reports", [more], key=True, status=409)
    assert (await post(county, at + "/reports/relay", {"level": "direct", "versions": [{"county": LUDING, "version": 2}]}, key=True))[
        "new"
    ] == 1
    assert [v["report"]["version"] for v in await get(county, f"{at}/reports/{LUDING}")] == [1, 2]
    assert [r["indicators"]["deaths"]["value"] for r in await get(county, at + "/reports")] == ["20"]

    proposed = {(p["issuer"], p["area"]): p for p in await get(province, at + "/proposals")}
    assert proposed["national", "51"]["proposal"]["level"] == 4
    decision = {**EXAMPLES["DecideResponse"], "decided_at": clock.now.isoformat(), "issuer": "national", "level": 4}
    await post(province, at + "/responses", decision, key=True)
    [decided] = await get(county, at + "/responses")
    assert (decided["act"], decided["level"], decided["proposed"], decided["indicator"]) == ("launch", 4, 4, "deaths")
    refused = await post(province, at + "/close", EXAMPLES["CloseIncident"], key=True, status=409)
    assert refused["data"]["open"] == {"response": 1, "final": 1}
    assert (await get(county, at))["bars"] == ["response", "final"]


async def test_a_merge_is_foreseen_and_done_by_json(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        gone, kept = await make.incident(tx), await make.incident(tx)
    approver = await enter("county_approver", LUDING)
    assert await get(approver, f"/incidents/{gone}/merge/{kept}") == {"guards": 0, "cases": []}
    done = await post(approver, f"/incidents/{gone}/merge", {"into": str(kept), "reason": "同一次地震"}, key=True)
    assert (done["survivor"], done["cases"]) == (str(kept), 0)
    found = await get(approver, f"/incidents/{kept}")
    assert found["merged"] == [str(gone)]
    await post(approver, f"/incidents/{gone}/merge", {"into": str(kept), "reason": "同一次地震"}, key=True, status=409)
    officer = await enter("county_officer", LUDING)
    await post(officer, f"/incidents/{kept}/move", {"target": "active"}, key=True)
    await post(officer, f"/incidents/{kept}/move", {"target": "recovery"}, key=True, status=409)
    await post(officer, f"/incidents/{kept}/move", {"target": "recovery"}, status=400)


async def test_the_forms_are_exported_with_a_column_a_county_and_every_version(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx, name="2022-09-05 泸定县地震")
    county = await enter("county_officer", LUDING)
    item = {**EXAMPLES["AddReports"][0], "as_of": clock.now.isoformat(), "note": "=HYPERLINK(1)"}
    await post(county, f"/incidents/{incident}/reports", [item], key=True)
    await post(county, f"/incidents/{incident}/reports", [{**item, "after": 1, "indicators": {"deaths": "22"}}], key=True)
    answer = await county.get(f"{API}/incidents/{incident}/reports.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    loss, relief, versions = book.worksheets
    assert loss["A1"].value == "自然灾害损失情况统计快报表（演练）"
    assert relief["A1"].value == "救灾工作情况统计快报表（演练）"
    rows = {r[0].value: [c.value for c in r] for r in loss.iter_rows()}
    assert rows["指标"][:4] == ["指标", "计量单位", "合计", "泸定县"]
    assert rows["因灾死亡人口"][:4] == ["因灾死亡人口", "人", 22, 22]
    assert rows["直接经济损失"][:4] == ["直接经济损失", "万元", None, None], "not reported is empty, never nought"
    assert rows["报告类别"][3] == "续报 第2版"
    assert versions.max_row == 3
    assert versions["H2"].value == "'=HYPERLINK(1)", "text stays text"
    stranger = await enter("county_officer", make.SHIMIAN)
    other = await stranger.get(f"{API}/incidents/{incident}/reports.xlsx")
    assert openpyxl.load_workbook(io.BytesIO(other.content)).worksheets[2].max_row == 1, "another county's figures are out of sight"
