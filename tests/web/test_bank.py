"""The bank desk on screen and by API: an exception worked off, silence booked by two, a day closed, money set off."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from relief.domain.sealing import Keys
from relief.services import settle
from relief.store import db
from tests.make import LUDING, NOW
from tests.services.settled import FEN, AtBank, at_bank, result, row, take
from tests.services.test_reconcile import left
from tests.services.test_recover import Owed, owed
from tests.web.conftest import MORNING, Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow


@pytest.fixture
def later(clock: Clock) -> Clock:
    clock.now = MORNING + timedelta(hours=1)
    return clock


async def sent(pool: db.Pool, keys: Keys, *files: bytes) -> AtBank:
    async with db.begin(pool) as tx:
        return await left(tx, keys, 2)


async def post(client: httpx.AsyncClient, path: str, content: object) -> httpx.Response:
    headers = {"Idempotency-Key": uuid4().hex, "X-CSRF-Token": client.headers["X-Test-Csrf"]}
    return await client.post(f"/api/v1/counties/{LUDING}{path}", json=content, headers=headers)


async def test_an_exception_shows_both_sides_and_is_worked_off(enter: Enter, later: Clock, pool: db.Pool, keys: Keys) -> None:
    at = await sent(pool, keys)
    async with db.begin(pool) as tx:
        await take(tx, keys, result([row(at, 0, fen=FEN + 100), row(at, 1)]))
    officer = Desk(await enter("finance_preparer", LUDING))
    assert "银行例外和未知待处理" in await officer.open("/")
    page = await officer.open("/bank")
    for said in ("金额不符", "1,201.50", "1,200.50", "财政经办", at.number):
        assert said in page
    assert at.accounts[0] not in page
    await officer.press(page, "/bank/answer", note="已电话请农信社更正", answer="bank corrects")
    assert "没有待处理的例外" in await officer.open("/bank")
    reader = Desk(await enter("auditor", LUDING))
    assert "<form" not in (await reader.open("/bank")).split("<main")[1]


async def test_silence_is_booked_by_two_people_on_screen(enter: Enter, later: Clock, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        at = await at_bank(tx, keys)
        await settle.overdue(tx, NOW + timedelta(days=2), timedelta(days=1))
    later.now = NOW + timedelta(days=4)
    officer, checker = Desk(await enter("finance_preparer", LUDING)), Desk(await enter("finance_checker", LUDING))
    page = await officer.open("/bank?show=silent")
    assert "报县审批人" in page
    await officer.press(
        page,
        "/bank/verdict",
        outcome="returned",
        reason="F13",
        document="泸农信函7号",
        note="柜面核对未付",
        files={"scan": ("7.pdf", b"%PDF-1.7 scan", "application/pdf")},
    )
    assert "/bank/verdict/decide" not in await officer.open("/bank?show=silent")
    await checker.press(await checker.open("/bank?show=silent"), "/bank/verdict/decide", agree="yes")
    async with db.read(pool) as tx:
        assert await tx.fetchval("SELECT status FROM payment WHERE id = $1", at.payments[0]) == "returned"


async def test_a_day_is_closed_on_screen_and_by_api_and_opened_by_another(enter: Enter, later: Clock, pool: db.Pool, keys: Keys) -> None:
    at = await sent(pool, keys)
    async with db.begin(pool) as tx:
        await take(tx, keys, result([row(at, 0), row(at, 1, "returned")]))
    checker, authoriser = Desk(await enter("finance_checker", LUDING)), Desk(await enter("finance_authoriser", LUDING))
    page = await checker.open("/day-close")
    assert page.count("1,200.50") >= 4
    await checker.press(page, "/day-close")
    assert "已关闭" in await checker.open("/day-close")
    assert (await post(checker.client, "/day-close", {"day": "2022-09-05"})).json()["code"] == "day_closed"
    assert (await post(authoriser.client, "/day-close/reopen", {"day": "2022-09-05", "reason": "漏导回单"})).status_code == 200
    balance = (await authoriser.client.get(f"/api/v1/counties/{LUDING}/day-close")).json()
    assert (balance["balanced"], balance["total"]["bank"], balance["total"]["returns"]) == (True, FEN, FEN)
    assert "漏导回单" in await checker.open("/day-close")


async def test_an_overpayment_is_set_off_on_screen(enter: Enter, later: Clock, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        o: Owed = await owed(tx, keys)
    officer, second = Desk(await enter("county_officer", LUDING)), Desk(await enter("county_approver", LUDING))
    made = await post(officer.client, "/recoveries", {"payment": str(o.payment), "amount_fen": 50_000, "why": "等级核低"})
    case = made.json()["ids"][0]
    page = await officer.open(f"/recoveries/{LUDING}/{case}")
    assert "500.00" in page
    form = re.search(r'<form[^>]*>(?:(?!</form>).)*value="offset".*?</form>', page, re.S)
    assert form
    await officer.press(form[0], "/recoveries/enter", stage=str(o.stage), ground="consent", text="同意书1号", amount="500.00")
    page = await second.open(f"/recoveries/{LUDING}/{case}")
    await second.press(page, "/recoveries/decide", agree="yes")
    page = await officer.open(f"/recoveries/{LUDING}/{case}")
    assert "已预留 → 可用" in page
    letter = await officer.client.post(f"/recoveries/{LUDING}/{case}/letter", data={"csrf": officer.client.headers["X-Test-Csrf"]})
    assert "追缴通知书" in letter.text
    table = await officer.client.get("/recoveries/table")
    assert table.content[:2] == b"PK"
    shown = (await officer.client.get(f"/api/v1/counties/{LUDING}/recoveries/{case}")).json()
    assert {(e["kind"], e["status"]) for e in shown["entries"]} == {("claim", "done"), ("offset", "done")}
