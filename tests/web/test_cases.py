"""The file of a household by hand and by program: minutes, payee, members, economic check."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from relief.demo import numbers
from relief.domain.household import Member
from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI
from tests.services.test_economic_check import line, report
from tests.services.test_standing import FIRE, Standing
from tests.web.conftest import Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow


async def _hardship(pool: db.Pool, keys: Keys) -> tuple[UUID, UUID]:
    """A family in hardship under a standing activation: the household and the activation."""
    async with db.begin(pool) as tx:
        county = await Standing(tx, keys).open("hardship", "900100", fund="CASE")
        people = [Member("甄演一", numbers.householder_id(1)), Member("甄演二", numbers.householder_id(2))]
        home = await county.register(1, members=people, circumstances=["no_means"], dead=1)
        await county.decide(FIRE)
    return home, county.activation


async def test_minutes_go_from_a_form_to_two_signatures(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    home, activation = await _hardship(pool, keys)
    officer, one, two = [Desk(await enter(role, LUDING)) for role in ("county_officer", "county_approver", "county_approver")]
    at = f"/cases/{LUDING}/{home}"
    page = await officer.open(at)
    typed = {
        "aid": f"{activation} CASE", "amount": "3,210.00", "held_on": "2022-02-10", "participants": "甄演甲 民政\n甄演乙 财政\n甄演丙 应急",
        "votes_for": "3", "votes_against": "0", "votes_abstained": "0", "reason": "住院费用超出承受能力", "legal_basis": "国发〔2014〕47号",
    }  # fmt: skip
    page = await officer.do(page, at + "/minutes", {"attachment": ("纪要.pdf", b"signed")}, **typed)
    assert "3,210.00" in page
    assert 'value="adopt"' not in page, "whoever recorded is not offered to adopt"
    assert "会议纪要待采纳" in await one.open("/")
    assert at in await one.open("/cases")
    page = await one.open(at)
    found = re.search(r'name="id" value="([0-9a-f-]+)"', page)
    assert found
    page = await one.do(page, at + "/act", act="adopt", id=found[1])
    assert "已采纳" in page
    page = await one.do(await one.open("/approvals"), "/approvals")
    assert "已签 1 人，须 2 人" in page
    assert "您已签" in page
    assert "一事一议" not in await one.open("/"), "what I have signed does not wait for me"
    await two.do(await two.open("/approvals"), "/approvals")
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT amount_fen FROM award WHERE aid = 'CASE' AND status = 'approved'") == 321_000


async def test_members_join_and_leave_by_a_form(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    home, _ = await _hardship(pool, keys)
    desk = Desk(await enter("township_reviewer", MOXI))
    at = f"/cases/{LUDING}/{home}"
    page = await desk.open(at)
    gone = re.search(r'<option value="([0-9a-f-]+ moved)"', page)
    assert gone
    page = await desk.do(page, at + "/members", leaves=gone[1], name="甄演宝", id_number=numbers.member_id(11), reason="派出所户籍证明")
    assert "已移出" in page
    answer = await desk.press(page, at + "/members", reason="没有变化")
    assert answer.status_code == 422


async def test_a_report_is_imported_once_and_seen_in_the_households_file(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    home, _ = await _hardship(pool, keys)
    desk = Desk(await enter("county_officer", LUDING))
    content = report(line(1, day="2022-02-01"), line(2, day="2022-02-01", note="名下无车"), line(3, "好", "2022-02-01"))
    page = await desk.do(await desk.open("/checks"), "/checks", {"file": ("第一批.csv", content)})
    assert "核对结论" in page
    assert "choice" in page
    page = await desk.open(f"/cases/{LUDING}/{home}")
    assert "核对符合，可免入户调查" in page
    assert "名下无车" in page
    assert numbers.householder_id(2) not in page
    answer = await desk.press(await desk.open("/checks"), "/checks", {"file": ("换个名字.csv", content)})
    assert answer.status_code == 409
    files = (await desk.client.get("/api/v1/economic-checks")).json()
    assert [(f["kept"], f["refused"], f["matched"]) for f in files] == [(2, 1, 2)]
    faults = (await desk.client.get(f"/api/v1/counties/{LUDING}/economic-checks/{files[0]['id']}/faults")).json()
    assert faults == [{"row": 4, "place": "核对结论", "code": "choice"}]


async def test_a_payee_is_named_by_a_form_and_checked_by_another(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        county = await Standing(tx, keys).open("flood", "010200", fund="SOLACE")
        home = await county.register(1, dead=1)
        await county.decide(FIRE)
    desk, officer, approver = [
        Desk(await enter(role, area))
        for role, area in (("township_reviewer", MOXI), ("county_officer", LUDING), ("county_approver", LUDING))
    ]
    at = f"/cases/{LUDING}/{home}"
    assert "尚无领款人" in await desk.open("/cases")
    page = await desk.open(at)
    assert "不会发放到户主账号" in page
    page = await desk.do(
        page, at + "/payee", {"proof": ("证明.jpg", b"kinship")}, name="甄演三", id_number=numbers.householder_id(3), account=numbers.account(33),
    )  # fmt: skip
    assert "甄演三" not in page
    page = await officer.open(at)
    await officer.do(page, at + "/act", act="check", id=re.findall(r'name="id" value="([0-9a-f-]+)"', page)[0])
    assert "甄**" in await approver.open("/approvals")
    case = (await officer.client.get(f"/api/v1/counties/{LUDING}/households/{home}/case")).json()
    assert [(p["status"], p["name"], p["relation"]) for p in case["payees"]] == [("current", "甄**", "spouse")]
    assert {p["role"] for p in case["people"]} == {"householder", "member", "kin"}


async def test_another_countys_case_is_not_there(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    home, _ = await _hardship(pool, keys)
    stranger = await enter("county_officer", make.SHIMIAN)
    assert (await stranger.get(f"/api/v1/counties/{LUDING}/households/{home}/case")).status_code == 404


async def test_a_missing_person_found_dead_is_one_form_and_a_new_decision(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        county = await Standing(tx, keys).open("flood", "010200", fund="SOLACE")
        home = await county.register(1, missing=1, rooms_collapsed=1, circumstances=["absent"])
        await county.decide(FIRE)
    desk = Desk(await enter("township_reviewer", MOXI))
    at = f"/cases/{LUDING}/{home}"
    page = await desk.open(at)
    assert "含未核实标准" in page
    page = await desk.do(page, at + "/look", missing="0", dead="1", reason="公安机关死亡证明")
    async with db.read(pool) as tx:
        row = await tx.fetchrow("SELECT dead, missing, rooms_collapsed, circumstances FROM household WHERE id = $1", home)
        assert row is not None
        assert tuple(row) == (1, 0, 1, 1), "what was not touched stays"
        assert await db.value(tx, "SELECT count(*) FROM decision WHERE household = $1 AND status = 'superseded'", home) > 0
