"""Stages: each waits for its own evidence, accepted by somebody else, and for the stage before it."""

from __future__ import annotations

from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, Grant
from relief.domain.sealing import Keys
from relief.services import approve, evidence
from relief.services.evidence import Accepted, Piece
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make

TOTAL = 2_000_001
KINDS = ("materials_ready", "ground_broken", "first_storey_done")


async def _rebuild(tx: Tx, keys: Keys) -> tuple[Actor, Actor, list[UUID]]:
    """A rebuild award approved by its county; its three instalments in order."""
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    incident = await make.incident(tx)
    awards = await make.awards(
        tx, keys, incident=incident, reporter=reporter, aid="HOUSE", amount_fen=TOTAL, conditions=KINDS, shares_bp=(3000, 3000, 4000)
    )
    await make.fund(tx, incident=incident, amount_fen=TOTAL, purpose="HOUSE")
    approver = await make.staff(tx, ("county_approver", make.LUDING))
    await approve.approve(tx, approver, make.LUDING, awards, approve.digest_of([(awards[0], TOTAL)]), make.NOW)
    rows = await tx.fetch("SELECT id FROM instalment WHERE award = $1 ORDER BY seq", awards[0])
    return reporter, await make.staff(tx, ("township_reviewer", make.MOXI)), [r["id"] for r in rows]


def _piece(instalment: UUID, kind: str) -> list[Piece]:
    return [Piece(instalment=instalment, kind=kind, digest="ab" * 32)]


async def test_one_approval_covers_all_stages_and_pays_none_before_its_evidence(tx: Tx, keys: Keys) -> None:
    _, _, stages = await _rebuild(tx, keys)
    rows = await tx.fetch("SELECT amount_fen, status FROM instalment WHERE id = ANY ($1) ORDER BY seq", stages)
    assert [tuple(r) for r in rows] == [(600_000, "waiting"), (600_000, "waiting"), (800_001, "waiting")]
    assert await db.value(tx, "SELECT count(*) FROM payment WHERE instalment = ANY ($1)", stages) == 0


async def test_accepted_evidence_makes_the_stage_payable_at_once(tx: Tx, keys: Keys) -> None:
    reporter, reviewer, stages = await _rebuild(tx, keys)
    pieces = await evidence.submit(tx, reporter, make.LUDING, _piece(stages[0], KINDS[0]), make.NOW)
    assert await evidence.accept(tx, reviewer, make.LUDING, pieces, make.NOW) == Accepted(pieces=1, payments=1)
    assert await db.value(tx, "SELECT amount_fen FROM payment WHERE instalment = $1", stages[0]) == 600_000


async def test_evidence_of_another_kind_is_refused_by_its_field(tx: Tx, keys: Keys) -> None:
    reporter, _, stages = await _rebuild(tx, keys)
    with pytest.raises(Invalid) as refusal:
        await evidence.submit(tx, reporter, make.LUDING, _piece(stages[0], KINDS[1]), make.NOW)
    assert (refusal.value.code, refusal.value.data["field"]) == ("evidence_kind", "items[0].kind")


async def test_a_later_stage_waits_until_the_earlier_one_is_settled(tx: Tx, keys: Keys) -> None:
    reporter, reviewer, stages = await _rebuild(tx, keys)
    pieces = await evidence.submit(tx, reporter, make.LUDING, _piece(stages[1], KINDS[1]), make.NOW)
    with pytest.raises(Conflict) as refusal:
        await evidence.accept(tx, reviewer, make.LUDING, pieces, make.NOW)
    assert refusal.value.code == "earlier_stage"


async def test_the_registrar_may_not_accept_the_stage(tx: Tx, keys: Keys) -> None:
    reporter, reviewer, stages = await _rebuild(tx, keys)
    pieces = await evidence.submit(tx, reviewer, make.LUDING, _piece(stages[0], KINDS[0]), make.NOW)
    both = Actor(reporter.id, "兼岗", (*reporter.grants, Grant("township_reviewer", make.MOXI)))
    with pytest.raises(Refused) as refusal:
        await evidence.accept(tx, both, make.LUDING, pieces, make.NOW)
    assert refusal.value.code == "own_registration"


async def test_whoever_handed_it_in_may_not_accept_it(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        _, reviewer, stages = await _rebuild(tx, keys)
        pieces = await evidence.submit(tx, reviewer, make.LUDING, _piece(stages[0], KINDS[0]), make.NOW)
    with pytest.raises(Refused) as refusal:
        async with db.begin(pool) as tx:
            await evidence.accept(tx, reviewer, make.LUDING, pieces, make.NOW)
    assert refusal.value.code == "same_person"


async def test_accepting_twice_pays_once(tx: Tx, keys: Keys) -> None:
    reporter, reviewer, stages = await _rebuild(tx, keys)
    pieces = await evidence.submit(tx, reporter, make.LUDING, _piece(stages[0], KINDS[0]), make.NOW)
    await evidence.accept(tx, reviewer, make.LUDING, pieces, make.NOW)
    with pytest.raises(Conflict):
        await evidence.accept(tx, reviewer, make.LUDING, pieces, make.NOW)
    assert await db.value(tx, "SELECT count(*) FROM payment WHERE instalment = $1", stages[0]) == 1
