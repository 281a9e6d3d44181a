"""Whoever needs more than money is passed on, and not forgotten: by the playbook's rules or by hand, answered or sent back."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import openpyxl
import pytest

from relief.domain import playbook
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.facts import FAMILY_CODES
from relief.domain.policy import SYSTEM
from relief.domain.rules import Playbook, Referral
from relief.domain.sealing import Keys
from relief.domain.snapshot import alike
from relief.services import decide, refer, referral_letters
from relief.services.register import register
from relief.store import facts
from relief.store.db import Tx
from relief.store.views import referrals as views
from tests import make
from tests.make import LUDING, MOXI, NOW

LATER = NOW + timedelta(hours=5)
RULES = (
    Referral("injured", "health", "测试依据", urgent=True), Referral("dead", "funeral", "测试依据"), Referral("no_adult", "child_protection", "测试依据"),
)  # fmt: skip
PLACES = [f"{d}:51%" for d in ("health", "funeral", "child_protection", "housing")]


def _book() -> Playbook:
    found = playbook.read((make.ROOT / "playbooks" / "earthquake.toml").read_text("utf-8"))
    return msgspec.structs.replace(found, referrals=RULES)


async def _registered(tx: Tx, keys: Keys) -> tuple[UUID, list[UUID]]:
    """Three households: one injured, one with a death and an injury, one with nothing."""
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    items = [
        make.registration(0, incident=incident, injured=1), make.registration(1, incident=incident, dead=1, injured=2),
        make.registration(2, incident=incident),
    ]  # fmt: skip
    return incident, [r.household for r in await register(tx, reporter, items, NOW, keys) if r.household]


async def _screen(tx: Tx, incident: UUID) -> dict[str, int]:
    columns = await facts.read(tx, [LUDING], incident, uuid4(), FAMILY_CODES)
    kinds = alike(decide.facts_of(columns, [], {}))
    return await refer.screen(tx, SYSTEM, LUDING, uuid4(), _book(), columns["id"], kinds, NOW)


async def test_the_rules_of_the_playbook_pass_on_once_and_urgent_ones_are_due_tomorrow(tx: Tx, keys: Keys) -> None:
    incident, households = await _registered(tx, keys)
    assert await _screen(tx, incident) == {"health": 2, "funeral": 1}
    assert await _screen(tx, incident) == {"health": 0, "funeral": 0}
    found = await views.referrals(tx, PLACES, ["open"], None)
    assert [(r.department, r.household) for r in found if r.department == "funeral"] == [("funeral", households[1])]
    assert {r.household for r in found if r.department == "health"} == set(households[:2])
    today = beijing_day(NOW)
    assert {r.due_on for r in found if r.urgent} == {today + timedelta(days=1)}
    assert found[0].urgent
    assert all(r.due_on > today + timedelta(days=10) for r in found if not r.urgent)
    line = {c.department: c for c in await views.counts(tx, PLACES, today + timedelta(days=2))}
    assert (line["health"].open, line["health"].late, line["funeral"].late) == (2, 2, 0)


async def test_a_department_accepts_answers_and_sees_only_what_is_its_own(tx: Tx, keys: Keys) -> None:
    incident, _ = await _registered(tx, keys)
    await _screen(tx, incident)
    health, funeral = await make.staff(tx, ("partner_health", LUDING)), await make.staff(tx, ("partner_funeral", LUDING))
    ids = [r.id for r in await views.referrals(tx, [f"health:{LUDING}%"], ["open"], None)]
    for act in (refer.accept(tx, funeral, LUDING, ids, LATER), refer.close(tx, funeral, LUDING, ids, "无", LATER, keys)):
        with pytest.raises(Refused):
            await act
    assert await refer.accept(tx, health, LUDING, ids, LATER) == 2
    with pytest.raises(Conflict):
        await refer.accept(tx, health, LUDING, ids, LATER)
    assert await refer.close(tx, health, LUDING, ids[:1], " 已送县医院。 ", LATER, keys) == 1
    row = await tx.fetchrow("SELECT status, sealed_answer, closed_by FROM referral WHERE id = $1", ids[0])
    assert row is not None
    assert (row["status"], row["closed_by"]) == ("closed", health.person)
    assert keys.open("referral", ids[0], "sealed_answer", row["sealed_answer"]).decode() == "已送县医院。"
    assert "已送".encode() not in row["sealed_answer"]
    with pytest.raises(Conflict):
        await refer.close(tx, health, LUDING, ids, "再次", LATER, keys)


async def test_nothing_closes_without_an_answer_not_even_in_the_database(tx: Tx, keys: Keys) -> None:
    incident, _ = await _registered(tx, keys)
    await _screen(tx, incident)
    [first, *_] = await views.referrals(tx, PLACES, ["open"], None)
    officer = await make.staff(tx, ("county_officer", LUDING))
    with pytest.raises(Invalid):
        await refer.close(tx, officer, LUDING, [first.id], "  ", LATER, keys)
    with pytest.raises(Exception, match="referral_answered"):
        await tx.execute("UPDATE referral SET status = 'closed' WHERE id = $1", first.id)


async def test_what_is_not_theirs_comes_back_and_the_county_passes_it_on(tx: Tx, keys: Keys) -> None:
    _, households = await _registered(tx, keys)
    officer, housing = await make.staff(tx, ("county_officer", LUDING)), await make.staff(tx, ("partner_housing", LUDING))
    id_ = await refer.by_hand(tx, officer, LUDING, households[2], "housing", "房屋鉴定", False, NOW, keys)
    await refer.give_back(tx, housing, LUDING, id_, "属民政职责", LATER, keys)
    with pytest.raises(Refused):
        await refer.pass_on(tx, housing, LUDING, id_, "civil_affairs", "", LATER, keys)
    await refer.pass_on(tx, officer, LUDING, id_, "civil_affairs", "", LATER, keys)
    with pytest.raises(Refused):
        await refer.accept(tx, housing, LUDING, [id_], LATER)
    assert await refer.accept(tx, await make.staff(tx, ("partner_civil_affairs", LUDING)), LUDING, [id_], LATER) == 1
    with pytest.raises(Conflict):
        await refer.pass_on(tx, officer, LUDING, id_, "housing", "", LATER, keys)


@pytest.mark.parametrize(("role", "area"), [("partner_housing", LUDING), ("township_reviewer", "513322100"), ("finance_checker", LUDING)])
async def test_only_who_serves_the_household_passes_it_on(tx: Tx, keys: Keys, role: str, area: str) -> None:
    _, households = await _registered(tx, keys)
    with pytest.raises(Refused):
        await refer.by_hand(tx, await make.staff(tx, (role, area)), LUDING, households[0], "housing", "房屋鉴定", False, NOW, keys)


async def test_bad_referrals_get_a_sentence(tx: Tx, keys: Keys) -> None:
    _, households = await _registered(tx, keys)
    officer = await make.staff(tx, ("county_officer", LUDING))
    for department, note, code in (
        ("weather", "x", "referral_department"),
        ("housing", " ", "referral_note"),
        ("housing", "字" * 501, "referral_note"),
    ):
        with pytest.raises(Invalid) as refusal:
            await refer.by_hand(tx, officer, LUDING, households[0], department, note, False, NOW, keys)
        assert refusal.value.code == code
    with pytest.raises(NotFound):
        await refer.by_hand(tx, officer, LUDING, uuid4(), "housing", "房屋鉴定", False, NOW, keys)


async def test_handing_over_opens_the_people_and_is_traced(tx: Tx, keys: Keys) -> None:
    incident, _ = await _registered(tx, keys)
    await _screen(tx, incident)
    found = await views.referrals(tx, [f"health:{LUDING}%"], ["open"], "health")
    health = await make.staff(tx, ("partner_health", LUDING))
    letters = await referral_letters.hand_over(tx, health, found, "table", LATER, keys)
    sheet = openpyxl.load_workbook(io.BytesIO(referral_letters.table(letters, LATER))).active
    assert sheet is not None
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    assert "演练" in str(rows[0][0])
    assert len(rows) == 4
    assert all(str(row[3]).startswith("甄演") for row in rows[2:])
    assert await tx.fetchval("SELECT count FROM audit WHERE act = 'referral.hand_over' AND actor = $1", health.person) == 2
    with pytest.raises(NotFound):
        await referral_letters.hand_over(tx, health, [], "table", LATER, keys)


async def test_a_rule_costs_the_same_statements_for_one_household_as_for_many(tx: Tx, keys: Keys) -> None:
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    counts = []
    for first, many in ((0, 1), (1, 40)):
        await register(tx, reporter, [make.registration(first + n, incident=incident, injured=1) for n in range(many)], NOW, keys)
        columns = await facts.read(tx, [LUDING], incident, uuid4(), FAMILY_CODES)
        kinds = alike(decide.facts_of(columns, [], {}))
        seen: list[str] = []
        with tx.query_logger(lambda record, seen=seen: seen.append(record.query)):
            await refer.screen(tx, SYSTEM, LUDING, uuid4(), _book(), columns["id"], kinds, NOW)
            await asyncio.sleep(0)
        counts.append(len(seen))
    assert counts[0] == counts[1] == 2
