"""What residents say is wrong reaches a page where somebody answers it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relief.domain.sealing import Keys
from relief.services import confirm
from relief.store import db
from tests import make, paid
from tests.make import LUDING, MOXI, NOW
from tests.paid import Paid
from tests.web.conftest import MORNING, Clock, Enter
from tests.web.test_console import Desk

ANSWER = "已到户核实，卡内已到账。"


@pytest.fixture
async def family(pool: db.Pool, keys: Keys, clock: Clock) -> Paid:
    """One household that said its money did not arrive."""
    clock.now = MORNING + timedelta(hours=3)
    async with db.begin(pool) as tx:
        [one] = await paid.households(tx, keys)
        await tx.execute("UPDATE payment SET bank_ref = '2022090599000042' WHERE id = $1", one.payment)
        await confirm.by_reporter(tx, await make.staff(tx, ("reporter", MOXI)), LUDING, [one.payment], "disputed", MORNING)
    return one


@pytest.mark.parametrize(("role", "area"), [("township_reviewer", MOXI), ("county_officer", LUDING)])
async def test_home_leads_to_the_complaint_and_the_answer_closes_it(enter: Enter, family: Paid, role: str, area: str) -> None:
    desk = Desk(await enter(role, area))
    assert 'href="/complaints"' in await desk.open("/")
    page = await desk.open("/complaints")
    for shown in ("没收到钱", "甄*", "1,234.56", "已到账", "000042", "还剩", f"/households/{LUDING}/{family.household}"):
        assert shown in page, shown
    assert "2022090599000042" not in page
    page = await desk.do(page, "/complaints", answer=ANSWER)
    assert "已办结，答复已记录" in page
    assert "没有待办的居民反映" in page
    closed = await desk.open("/complaints?show=closed")
    assert ANSWER in closed
    assert "<textarea" not in closed
    assert "反映已办结" in await desk.open(f"/households/{LUDING}/{family.household}")


async def test_an_overdue_complaint_says_so(enter: Enter, family: Paid, clock: Clock) -> None:
    clock.now = MORNING + timedelta(hours=26)
    page = await Desk(await enter("county_officer", LUDING)).open("/complaints")
    assert "已逾期 2小时" in page
    assert 'class="card late"' in page


async def test_a_page_opened_before_somebody_else_closed_it_meets_a_conflict(enter: Enter, family: Paid) -> None:
    one, two = Desk(await enter("county_officer", LUDING)), Desk(await enter("township_reviewer", MOXI))
    stale = await two.open("/complaints")
    await one.do(await one.open("/complaints"), "/complaints", answer=ANSWER)
    assert (await two.press(stale, "/complaints", answer=ANSWER)).status_code == 409


async def test_an_empty_answer_is_refused(enter: Enter, family: Paid) -> None:
    desk = Desk(await enter("county_officer", LUDING))
    assert (await desk.press(await desk.open("/complaints"), "/complaints", answer=" ")).status_code == 422


async def test_the_one_who_approved_sees_it_without_a_form(enter: Enter, pool: db.Pool, family: Paid) -> None:
    desk = Desk(await enter("township_reviewer", MOXI, login="reviewer.own"))
    page = await desk.open("/complaints")
    async with db.begin(pool) as tx:
        await tx.execute(
            "INSERT INTO signature (county, subject, kind, step, person, digest, signed_at) "
            "SELECT p.county, p.award, 'award', 'township', s.id, '', $2 FROM payment p, staff s WHERE p.id = $1 AND s.login = 'reviewer.own'",
            family.payment, NOW,
        )  # fmt: skip
    assert (await desk.press(page, "/complaints", answer=ANSWER)).status_code == 403
    page = await desk.open("/complaints")
    assert "须由他人办结" in page
    assert "<textarea" not in page


async def test_another_township_sees_nothing_and_another_role_has_no_page(enter: Enter, family: Paid) -> None:
    page = await Desk(await enter("township_reviewer", "513322100")).open("/complaints")
    assert "没有待办的居民反映" in page
    assert (await (await enter("reporter", MOXI)).get("/complaints")).status_code in (403, 404)
