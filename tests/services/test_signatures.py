"""Bands and delegation in the database: how many sign, who, in whose name, and when the money moves."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from relief.domain.errors import Conflict, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services.approve import Approved, approve, digest_of
from relief.store import db
from relief.store.db import Tx
from relief.store.views import supervision
from tests import make

EACH = 6_000_000


async def _two_signatures(tx: Tx, keys: Keys) -> list[UUID]:
    """Two awards above the limit of one signature, as the decision service marks them."""
    reporter, incident = await make.staff(tx, ("reporter", make.MOXI)), await make.incident(tx)
    awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=2, aid="HOUSE", amount_fen=EACH)
    await tx.execute("UPDATE award SET needed = 2 WHERE id = ANY ($1)", awards)
    await make.fund(tx, incident=incident, amount_fen=10 * EACH, purpose="HOUSE")
    return awards


async def _sign(tx: Tx, actor: Actor, awards: list[UUID], fen: int = EACH) -> Approved:
    return await approve(tx, actor, make.LUDING, awards, digest_of([(a, fen) for a in awards]), make.NOW)


async def test_the_money_waits_for_the_second_person(tx: Tx, keys: Keys) -> None:
    awards = await _two_signatures(tx, keys)
    one, two = await make.staff(tx, ("county_approver", make.LUDING)), await make.staff(tx, ("county_approver", make.LUDING))
    assert await _sign(tx, one, awards) == Approved(awards=0, amount_fen=0, payments=0, countersigned=2)
    assert await db.value(tx, "SELECT sum(reserved_fen) FROM fund WHERE purpose = 'HOUSE'") == 0
    assert await db.value(tx, "SELECT count(*) FROM award WHERE status = 'proposed' AND signed = 1") == 2
    assert await _sign(tx, two, awards) == Approved(awards=2, amount_fen=2 * EACH, payments=2)
    assert await db.value(tx, "SELECT sum(reserved_fen) FROM fund WHERE purpose = 'HOUSE'") == 2 * EACH
    steps = await tx.fetch("SELECT step FROM signature WHERE subject = $1 AND step <> 'register' ORDER BY step", awards[0])
    assert [s["step"] for s in steps] == ["county", "county 2"]


async def test_one_person_is_not_two(tx: Tx, keys: Keys) -> None:
    awards = await _two_signatures(tx, keys)
    one = await make.staff(tx, ("county_approver", make.LUDING))
    await _sign(tx, one, awards)
    with pytest.raises(Refused) as refusal:
        await _sign(tx, one, awards)
    assert (refusal.value.code, refusal.value.data["count"]) == ("signed_already", 2)


async def test_the_database_approves_nothing_with_a_signature_missing(tx: Tx, keys: Keys) -> None:
    awards = await _two_signatures(tx, keys)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await tx.execute("UPDATE award SET status = 'approved', signed = 1, fund = id WHERE id = $1", awards[0])
    assert "award_signatures" in str(refusal.value)


async def test_a_township_does_not_sign_what_is_the_countys(tx: Tx, keys: Keys) -> None:
    awards = await _two_signatures(tx, keys)
    with pytest.raises(Refused) as refusal:
        await _sign(tx, await make.staff(tx, ("township_reviewer", make.MOXI)), awards)
    assert refusal.value.code == "not_permitted"


async def test_awards_of_two_offices_are_not_signed_together(tx: Tx, keys: Keys) -> None:
    awards = await _two_signatures(tx, keys)
    await tx.execute("UPDATE award SET office = 'city' WHERE id = $1", awards[0])
    with pytest.raises(Conflict) as refusal:
        await _sign(tx, await make.staff(tx, ("county_approver", make.LUDING)), awards)
    assert refusal.value.code == "mixed"


async def test_the_county_sees_what_was_decided_in_its_name_and_by_whose_leave(tx: Tx, keys: Keys) -> None:
    reporter, incident = await make.staff(tx, ("reporter", make.MOXI)), await make.incident(tx)
    awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=3, amount_fen=90_000)
    await tx.execute("UPDATE award SET delegated = true WHERE id = ANY ($1)", awards[:2])
    await make.fund(tx, incident=incident, amount_fen=10**9)
    await _sign(tx, await make.staff(tx, ("township_reviewer", make.MOXI), name="磨西审核"), awards, 90_000)
    seen = await supervision.signed(tx, [make.LUDING + "%"], None, 50)
    assert {s.award for s in seen} == set(awards[:2])
    assert {(s.who, s.delegator, s.amount_fen) for s in seen} == {("磨西审核", "演示人员", 90_000)}
    [township] = await supervision.townships(tx, [make.LUDING + "%"])
    assert (township.township, township.awards, township.fen) == (make.MOXI, 2, 180_000)
    assert await supervision.signed(tx, [make.SHIMIAN + "%"], None, 50) == []
