"""What residents say is wrong reaches a page where somebody answers it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from litestar import Litestar

from relief.domain.sealing import Keys
from relief.services import confirm
from relief.store import db
from tests import make, paid
from tests.make import LUDING, MOXI, NOW
from tests.paid import Paid
from tests.web.conftest import MORNING, Clock, Enter, new_client
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow

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
    assert 'name="answer"' not in closed
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
    assert 'name="answer"' not in page


async def test_another_township_sees_nothing_and_another_role_has_no_page(enter: Enter, family: Paid) -> None:
    page = await Desk(await enter("township_reviewer", "513322100")).open("/complaints")
    assert "没有待办的居民反映" in page
    assert (await (await enter("reporter", MOXI)).get("/complaints")).status_code in (403, 404)


async def test_a_stranger_complains_without_script_and_discipline_answers(app: Litestar, enter: Enter, pool: db.Pool) -> None:
    async with new_client(app) as person:
        person.headers["Accept"] = "text/html"
        page = (await person.get("/r/complain?area=513322")).text
        assert f"/r/complain?area={MOXI}" in page
        assert "<script" not in page
        page = (await person.get(f"/r/complain?area={MOXI}")).text
        assert "不用登录" not in page
        assert 'name="words"' in page
        refused = await person.post("/r/complain", data={"area": MOXI, "kind": "bribe", "words": ""})
        assert (refused.status_code, "请写明要反映的情况" in refused.text) == (422, True)
        taken = (await person.post("/r/complain", data={"area": MOXI, "kind": "bribe", "words": "先交钱才登记"})).text
        reference = re.search(r"513322-[2-9A-Z]{12}", taken)
        assert reference
        assert "已转纪检监察" in (await person.post("/r/complaint", data={"reference": reference[0]})).text
        assert "先交钱才登记" not in await Desk(await enter("county_officer", LUDING)).open("/complaints")
        auditor = Desk(await enter("auditor", "51"))
        page = await auditor.open("/complaints")
        assert "先交钱才登记" in page
        await auditor.do(page, "/complaints", answer="已立案。")
        assert "已立案。" in (await person.post("/r/complaint", data={"reference": reference[0].lower()})).text


async def test_a_case_is_taken_up_and_passed_on_with_its_history(enter: Enter, family: Paid) -> None:
    desk = Desk(await enter("county_officer", LUDING))
    page = await desk.open("/complaints")
    case = re.search(r"/complaints/open/[0-9a-f-]{36}", page)
    assert case
    page = await desk.open(case[0])
    act = case[0].replace("/open/", f"/{LUDING}/")
    page = await desk.do(page, act + "/acknowledge")
    assert "已受理" in page
    page = await desk.do(page, act + "/pass", department="finance", note="请核对账号")
    assert "已转办" in page
    finance = Desk(await enter("finance_checker", LUDING))
    page = await finance.open(case[0])
    for shown in ("转办", "请核对账号", "测试员"):
        assert shown in page


async def test_programs_take_pass_on_and_answer_with_receipts(enter: Enter, pool: db.Pool) -> None:
    officer = await enter("county_officer", LUDING)
    body = {"village": MOXI, "kind": "wrong_facts", "words": "登记少了一间房", "way": "hotline"}
    taken = await officer.post("/api/v1/complaints", json=body, headers={"Idempotency-Key": "complaint-0001"})
    again = await officer.post("/api/v1/complaints", json=body, headers={"Idempotency-Key": "complaint-0001"})
    assert (taken.status_code, again.json()) == (200, taken.json())
    [item] = (await officer.get("/api/v1/complaints")).json()
    assert (item["way"], item["department"], item["status"]) == ("hotline", "township", "open")
    assert "登记少了" not in str(item)
    at = f"/api/v1/counties/{LUDING}/complaints"
    assert (await officer.post(f"{at}/{item['id']}/pass", json={"department": "weather"})).status_code == 422
    assert (await officer.post(f"{at}/{item['id']}/pass", json={"department": "county"})).json() == {"count": 1}
    answer = {"ids": [item["id"]], "answer": "已补登。"}
    assert (await officer.post(f"{at}/answer", json=answer, headers={"Idempotency-Key": "complaint-0002"})).json() == {"count": 1}
    closed = (await officer.get("/api/v1/complaints?status=closed")).json()
    assert [c["id"] for c in closed] == [item["id"]]
