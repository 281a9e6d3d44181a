"""Approval: one signature over what was shown, never one's own, never more than there is."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Refused, ReliefError
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services.approve import Approved, approve, digest_of
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make

EACH = 90_000


async def _approve(tx: Tx, reviewer: Actor, awards: list[UUID]) -> Approved:
    return await approve(tx, reviewer, make.LUDING, awards, digest_of([(a, EACH) for a in awards]), make.NOW)


async def _scene(tx: Tx, keys: Keys, count: int = 3, fund_fen: int = 1_000_000) -> tuple[Actor, Actor, UUID, list[UUID]]:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    reviewer = await make.staff(tx, ("township_reviewer", make.MOXI))
    incident = await make.incident(tx)
    awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=count, amount_fen=EACH)
    await make.fund(tx, incident=incident, amount_fen=fund_fen)
    return reporter, reviewer, incident, awards


async def test_approval_reserves_funds_releases_payment_and_opens_paperwork(tx: Tx, keys: Keys) -> None:
    _, reviewer, incident, awards = await _scene(tx, keys)
    assert await _approve(tx, reviewer, awards) == Approved(awards=3, amount_fen=270_000, payments=3)
    fund = await tx.fetchrow("SELECT available_fen, reserved_fen FROM fund WHERE incident = $1", incident)
    assert fund is not None
    assert tuple(fund) == (730_000, 270_000)
    assert await db.value(tx, "SELECT count(*) FROM paperwork WHERE award = ANY ($1)", awards) == 3
    assert str(await db.value(tx, "SELECT min(due_on) FROM paperwork WHERE award = ANY ($1)", awards)) == "2022-09-20"  # 中秋 in between
    assert await db.value(tx, "SELECT count(*) FROM payment WHERE award = ANY ($1) AND status = 'approved'", awards) == 3
    assert await db.value(tx, "SELECT count(*) FROM household WHERE incident = $1 AND status = 'verified'", incident) == 3


async def test_nobody_approves_what_they_registered(tx: Tx, keys: Keys) -> None:
    reporter, _, _, awards = await _scene(tx, keys)
    both = Actor(reporter.id, reporter.name, (*reporter.grants, make.Grant("township_reviewer", make.MOXI)))
    with pytest.raises(Refused) as refusal:
        await _approve(tx, both, awards)
    assert (refusal.value.code, refusal.value.data["count"]) == ("own_registration", 3)


async def test_the_database_itself_refuses_the_registrars_signature(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        reporter, _, _, awards = await _scene(tx, keys)
    with pytest.raises(Refused) as refusal:
        async with db.begin(pool) as tx:
            await tx.execute(
                "INSERT INTO signature (county, subject, kind, step, person, digest, signed_at) VALUES ($1, $2, 'award', 'township', $3, '', $4)",
                make.LUDING, awards[0], reporter.id, make.NOW,
            )  # fmt: skip
    assert refusal.value.code == "same_person"


async def test_approving_twice_is_refused(tx: Tx, keys: Keys) -> None:
    _, reviewer, _, awards = await _scene(tx, keys)
    await _approve(tx, reviewer, awards)
    with pytest.raises(Conflict) as refusal:
        await _approve(tx, reviewer, awards)
    assert refusal.value.code == "moved_on"


async def test_one_different_row_is_another_digest(tx: Tx, keys: Keys) -> None:
    _, reviewer, _, awards = await _scene(tx, keys)
    with pytest.raises(Conflict) as refusal:
        await approve(tx, reviewer, make.LUDING, awards, digest_of([(a, EACH) for a in awards[:2]]), make.NOW)
    assert refusal.value.code == "changed"
    with pytest.raises(Conflict):
        await approve(tx, reviewer, make.LUDING, awards, digest_of([(a, EACH + 1) for a in awards]), make.NOW)


async def test_overspending_is_refused_with_figures_and_nothing_moves(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        _, reviewer, incident, awards = await _scene(tx, keys, fund_fen=200_000)
    with pytest.raises(Conflict) as refusal:
        async with db.begin(pool) as tx:
            await _approve(tx, reviewer, awards)
    assert refusal.value.code == "fund_short"
    assert (refusal.value.data["needed_fen"], refusal.value.data["available_fen"]) == (270_000, 200_000)
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT reserved_fen FROM fund WHERE incident = $1", incident) == 0
        assert await db.value(tx, "SELECT count(*) FROM award WHERE status = 'proposed'") == 3


async def test_a_countys_cap_is_not_passed(tx: Tx, keys: Keys) -> None:
    _, reviewer, _, awards = await _scene(tx, keys)
    await tx.execute("UPDATE county_activation SET cap_fen = $1", 3 * EACH - 1)
    with pytest.raises(Conflict) as refusal:
        await _approve(tx, reviewer, awards)
    assert refusal.value.code == "cap_reached"
    assert (refusal.value.data["committed_fen"], refusal.value.data["asked_fen"]) == (0, 3 * EACH)
    assert (await _approve(tx, reviewer, awards[:2])).awards == 2


async def test_a_reviewer_of_another_township_may_not_approve(tx: Tx, keys: Keys) -> None:
    _, _, _, awards = await _scene(tx, keys)
    stranger = await make.staff(tx, ("township_reviewer", "513322105"))
    with pytest.raises(Refused) as refusal:
        await _approve(tx, stranger, awards)
    assert refusal.value.code == "not_permitted"


async def test_a_township_may_not_approve_a_staged_award(tx: Tx, keys: Keys) -> None:
    reporter, reviewer, incident, _ = await _scene(tx, keys)
    [house] = await make.awards(
        tx, keys, incident=incident, reporter=reporter, aid="HOUSE", amount_fen=EACH, first=50,
        conditions=("materials_ready", "ground_broken", "first_storey_done"), shares_bp=(3000, 3000, 4000),
    )  # fmt: skip
    with pytest.raises(Refused):
        await _approve(tx, reviewer, [house])


async def test_a_household_on_hold_is_not_approved(tx: Tx, keys: Keys) -> None:
    _, reviewer, _, awards = await _scene(tx, keys)
    await tx.execute(
        "INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from) VALUES ($1, 'award', $2, '核查', $3, $4)",
        make.LUDING, str(awards[0]), reviewer.id, make.NOW,
    )  # fmt: skip
    with pytest.raises(Refused) as refusal:
        await _approve(tx, reviewer, awards)
    assert (refusal.value.code, refusal.value.data["count"]) == ("on_hold", 1)


async def _statements(pool: Pool, keys: Keys, count: int, first: int) -> int:
    """How many statements one approval of `count` awards sends."""
    async with db.begin(pool) as tx:
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        reviewer = await make.staff(tx, ("township_reviewer", make.MOXI))
        incident = await make.incident(tx)
        awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=count, amount_fen=EACH, first=first)
        await make.fund(tx, incident=incident, amount_fen=EACH * count)
    sent: list[str] = []
    async with db.begin(pool) as tx:
        with tx._con.query_logger(lambda record: sent.append(record.query)):
            assert (await _approve(tx, reviewer, awards)).awards == count
    return len(sent)


async def test_one_award_and_a_thousand_cost_the_same_number_of_statements(pool: Pool, keys: Keys) -> None:
    await _statements(pool, keys, 1, first=5_000)  # the driver learns the types of arrays on first use
    assert await _statements(pool, keys, 1, first=0) == await _statements(pool, keys, 1000, first=100)


async def test_two_reviewers_in_the_same_moment_approve_once(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        _, first, incident, awards = await _scene(tx, keys)
        second = await make.staff(tx, ("township_reviewer", make.MOXI))
    start = asyncio.Event()

    async def press(reviewer: Actor) -> str:
        await start.wait()
        try:
            async with db.begin(pool) as tx:
                await _approve(tx, reviewer, awards)
        except ReliefError as error:
            return error.code
        return "approved"

    presses = [asyncio.create_task(press(r)) for r in (first, second)]
    start.set()
    assert sorted(await asyncio.gather(*presses)) == ["approved", "moved_on"]
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT reserved_fen FROM fund WHERE incident = $1", incident) == 3 * EACH


async def test_ten_bulk_approvals_against_one_small_fund_never_overspend(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        _, reviewer, incident, awards = await _scene(tx, keys, count=20, fund_fen=7 * EACH)

    async def press(award: UUID) -> str:
        try:
            async with db.begin(pool) as tx:
                await _approve(tx, reviewer, [award])
        except ReliefError as error:
            return error.code
        return "approved"

    outcomes = await asyncio.gather(*(press(a) for a in awards))
    assert sorted(outcomes) == ["approved"] * 7 + ["fund_short"] * 13
    async with db.read(pool) as tx:
        fund = await tx.fetchrow("SELECT available_fen, reserved_fen FROM fund WHERE incident = $1", incident)
    assert fund is not None
    assert tuple(fund) == (0, 7 * EACH)
