"""A complaint is closed once, in writing, by somebody who had no hand in the case."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import Actor, Grant
from relief.domain.sealing import Keys
from relief.services import complain, confirm
from relief.store.db import Tx
from tests import make, paid
from tests.make import LUDING, MOXI, NOW, SHIMIAN
from tests.paid import Paid

LATER = NOW + timedelta(hours=3)
ANSWER = "已到户核实，银行卡已到账，户主当面查询余额。"


async def _not_received(tx: Tx, keys: Keys, count: int = 1) -> tuple[list[Paid], list[UUID]]:
    """Households that said their money did not arrive, and their complaints in the same order."""
    families = await paid.households(tx, keys, count)
    reporter = await make.staff(tx, ("reporter", MOXI))
    await confirm.by_reporter(tx, reporter, LUDING, [f.payment for f in families], "disputed", NOW)
    of = {r["payment"]: r["id"] for r in await tx.fetch("SELECT id, payment FROM complaint WHERE status = 'open'")}
    return families, [of[f.payment] for f in families]


async def _approved_by(tx: Tx, family: Paid, person: UUID) -> None:
    await tx.execute(
        "INSERT INTO signature (county, subject, kind, step, person, digest, signed_at) "
        "SELECT county, award, 'award', 'township', $2, '', $3 FROM payment WHERE id = $1",
        family.payment, person, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(("role", "area"), [("township_reviewer", MOXI), ("county_officer", LUDING)])
async def test_the_answer_closes_it_and_is_traced_and_moves_no_money(tx: Tx, keys: Keys, role: str, area: str) -> None:
    [family], ids = await _not_received(tx, keys)
    assert await complain.close(tx, await make.staff(tx, (role, area)), LUDING, ids, f"  {ANSWER}\n", LATER, keys) == 1
    row = await tx.fetchrow("SELECT status, answer, sealed_answer, closed_at FROM complaint WHERE id = $1", ids[0])
    assert row is not None
    assert (row["status"], row["answer"], row["closed_at"]) == ("closed", None, LATER)
    assert ANSWER.encode() not in row["sealed_answer"]
    assert keys.open("complaint", ids[0], "sealed_answer", row["sealed_answer"]).decode() == ANSWER
    assert await tx.fetchval("SELECT count FROM audit WHERE act = 'complaint.close' AND county = $1", LUDING) == 1
    assert await tx.fetchval("SELECT status FROM payment WHERE id = $1", family.payment) == "paid"
    assert await tx.fetchval("SELECT status FROM confirmation WHERE payment = $1", family.payment) == "disputed"


async def test_closing_twice_is_a_conflict_and_keeps_the_first_answer(tx: Tx, keys: Keys) -> None:
    _, ids = await _not_received(tx, keys, 2)
    officer = await make.staff(tx, ("county_officer", LUDING))
    await complain.close(tx, officer, LUDING, ids[:1], ANSWER, LATER, keys)
    before = await tx.fetchval("SELECT sealed_answer FROM complaint WHERE id = $1", ids[0])
    with pytest.raises(Conflict) as refusal:
        async with tx.transaction():
            await complain.close(tx, officer, LUDING, ids, "另一个答复", LATER, keys)
    assert refusal.value.code == "moved_on"
    assert await tx.fetchval("SELECT sealed_answer FROM complaint WHERE id = $1", ids[0]) == before
    assert await tx.fetchval("SELECT status FROM complaint WHERE id = $1", ids[1]) == "open"


async def test_whoever_registered_the_household_may_not_close_it(tx: Tx, keys: Keys) -> None:
    [family], ids = await _not_received(tx, keys)
    registrar = await tx.fetchval("SELECT registered_by FROM household WHERE id = $1", family.household)
    with pytest.raises(Refused) as refusal:
        await complain.close(tx, Actor(registrar, "兼岗", (Grant("county_officer", LUDING),)), LUDING, ids, ANSWER, LATER, keys)
    assert (refusal.value.code, refusal.value.data["count"]) == ("own_case", 1)


async def test_whoever_approved_its_award_may_not_close_it_but_may_close_others(tx: Tx, keys: Keys) -> None:
    families, ids = await _not_received(tx, keys, 2)
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    await _approved_by(tx, families[0], reviewer.person)
    with pytest.raises(Refused) as refusal:
        await complain.close(tx, reviewer, LUDING, ids, ANSWER, LATER, keys)
    assert (refusal.value.code, refusal.value.data["count"]) == ("own_case", 1)
    assert await complain.close(tx, reviewer, LUDING, ids[1:], ANSWER, LATER, keys) == 1


@pytest.mark.parametrize("answer", ["", " \n ", "字" * 501])
async def test_an_answer_in_writing_is_required(tx: Tx, keys: Keys, answer: str) -> None:
    _, ids = await _not_received(tx, keys)
    with pytest.raises(Invalid) as refusal:
        await complain.close(tx, await make.staff(tx, ("county_officer", LUDING)), LUDING, ids, answer, LATER, keys)
    assert refusal.value.code == "complaint_answer"


@pytest.mark.parametrize(("role", "area"), [("township_reviewer", "513322100"), ("county_officer", SHIMIAN), ("reporter", MOXI)])
async def test_another_area_or_another_role_is_refused(tx: Tx, keys: Keys, role: str, area: str) -> None:
    _, ids = await _not_received(tx, keys)
    with pytest.raises(Refused) as refusal:
        await complain.close(tx, await make.staff(tx, (role, area)), LUDING, ids, ANSWER, LATER, keys)
    assert refusal.value.code == "not_permitted"


async def test_a_complaint_looked_for_in_another_county_is_not_found(tx: Tx, keys: Keys) -> None:
    _, ids = await _not_received(tx, keys)
    officer = await make.staff(tx, ("county_officer", SHIMIAN))
    for wanted in (ids, []):
        with pytest.raises(NotFound):
            await complain.close(tx, officer, SHIMIAN, wanted, ANSWER, LATER, keys)


async def test_a_list_costs_the_same_statements_as_one(tx: Tx, keys: Keys) -> None:
    _, ids = await _not_received(tx, keys, 41)
    officer, counts = await make.staff(tx, ("county_officer", LUDING)), []
    for part in (ids[:1], ids[1:]):
        seen: list[str] = []
        with tx.query_logger(lambda record, seen=seen: seen.append(record.query)):
            await complain.close(tx, officer, LUDING, part, ANSWER, LATER, keys)
            await asyncio.sleep(0)
        counts.append(len(seen))
    assert counts[0] == counts[1] > 0
