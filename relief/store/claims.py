"""Money asked back: what is claimed, written, repaid, set off against a stage and written off, as entries of a recovery case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run, value

# What was paid of the claim in question: every award of that household for that aid and period.
_CASE = """
SELECT c.id, c.status, c.reason, c.household, c.aid, c.period, c.award, c.amount_fen AS over_fen, a.fund, a.village, n.drill,
       (SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM payment p JOIN award w ON w.county = p.county AND w.id = p.award
        WHERE p.county = $1 AND p.household = c.household AND w.aid = c.aid AND w.period = c.period AND p.status = 'paid') AS paid_fen,
       (SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM recovery_entry e WHERE e.county = $1 AND e.recovery = c.id AND e.kind = 'claim') AS claimed_fen,
       (SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM recovery_entry e
        WHERE e.county = $1 AND e.recovery = c.id AND e.kind IN ('repayment', 'offset', 'write off') AND e.status = 'done') AS met_fen,
       (SELECT coalesce(sum(e.amount_fen), 0)::bigint FROM recovery_entry e
        WHERE e.county = $1 AND e.recovery = c.id AND e.kind IN ('offset', 'write off') AND e.status = 'proposed') AS proposed_fen
FROM recovery_case c JOIN incident n ON n.id = c.incident LEFT JOIN award a ON a.county = c.county AND a.id = c.award
WHERE c.county = $1 AND c.id = $2 FOR UPDATE OF c
"""
_ADD = """
INSERT INTO recovery_entry (county, id, recovery, kind, amount_fen, instalment, ground, document, note, status, by_person, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_LOCK = """
SELECT id, recovery, kind, amount_fen, instalment, ground, by_person FROM recovery_entry
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed' ORDER BY id FOR UPDATE
"""
_DECIDE = """
UPDATE recovery_entry SET status = $3, decided_by = $4, decided_at = $5 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed'
"""
_REPAID = """
UPDATE fund SET paid_fen = paid_fen - $3, available_fen = available_fen + $3 WHERE county = $1 AND id = $2 AND paid_fen >= $3
"""
_FREED = """
UPDATE fund SET reserved_fen = reserved_fen - $3, available_fen = available_fen + $3 WHERE county = $1 AND id = $2 AND reserved_fen >= $3
"""
# Stages that have not been released, of the household that owes and of the fund the money is owed to.
_STAGES = """
SELECT i.id, i.award, i.seq, i.amount_fen, a.fund, a.aid FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award
WHERE i.county = $1 AND a.household = $2 AND a.fund = $3 AND a.status = 'approved' AND i.status IN ('waiting', 'due')
ORDER BY a.aid, i.seq, i.id FOR UPDATE OF i
"""
_CANCEL_WHOLE = """
UPDATE instalment SET status = 'cancelled' WHERE county = $1 AND id = $2 AND amount_fen = $3 AND status IN ('waiting', 'due')
"""
# The part set off stands beside the rest as a stage that was cancelled, so the stages still sum to what was awarded.
_CANCEL_PART = """
WITH rest AS (
    UPDATE instalment SET amount_fen = amount_fen - $3 WHERE county = $1 AND id = $2 AND amount_fen > $3 AND status IN ('waiting', 'due')
    RETURNING award
)
INSERT INTO instalment (county, award, seq, amount_fen, condition, status)
SELECT $1, r.award, (SELECT max(seq) + 1 FROM instalment WHERE county = $1 AND award = r.award), $3, 'none', 'cancelled' FROM rest r
"""
_OPEN = """
INSERT INTO recovery_case (county, id, incident, household, aid, period, holder_county, holder, people, award, reason, status, owner, due_on, opened_at)
SELECT $1, $2, coalesce(i.merged_into, i.id), a.household, a.aid, a.period, $1, a.household, h.members, a.id, 'paid in error', 'open', 'county_officer', $5, $4
FROM payment p JOIN award a ON a.county = $1 AND a.id = p.award JOIN incident i ON i.id = a.incident JOIN household h ON h.county = $1 AND h.id = a.household
WHERE p.county = $1 AND p.id = $3 AND p.status = 'paid' AND NOT EXISTS (
    SELECT FROM recovery_case c WHERE c.county = $1 AND c.household = a.household AND c.aid = a.aid AND c.period = a.period AND c.status = 'open')
"""
_BY_REFERENCE = "SELECT id FROM payment WHERE county = $1 AND reference = $2"
_OUTSTANDING = """
SELECT coalesce(sum(CASE WHEN kind = 'claim' THEN amount_fen WHEN kind <> 'letter' AND status = 'done' THEN -amount_fen ELSE 0 END), 0)::bigint
FROM recovery_entry WHERE county = $1 AND recovery = ANY ($2::uuid[])
"""


class Case(msgspec.Struct, frozen=True):
    """A case with what stands in it, in fen. `met_fen`: repaid, set off or written off; `proposed_fen` waits for a second person."""

    id: UUID
    status: str
    reason: str
    household: UUID
    aid: str
    period: str
    award: UUID | None
    over_fen: int | None
    fund: UUID | None
    village: str | None
    drill: bool
    paid_fen: int
    claimed_fen: int
    met_fen: int
    proposed_fen: int

    @property
    def outstanding_fen(self) -> int:
        """What is still owed."""
        return self.claimed_fen - self.met_fen


class Entry(msgspec.Struct, frozen=True):
    """An entry waiting for its second person."""

    id: UUID
    recovery: UUID
    kind: str
    amount_fen: int
    instalment: UUID | None
    ground: str
    by_person: UUID


class Stage(msgspec.Struct, frozen=True):
    """A stage that has not left and could be set off against."""

    id: UUID
    award: UUID
    seq: int
    amount_fen: int
    fund: UUID
    aid: str


async def case(tx: Tx, county: str, id_: UUID) -> Case | None:
    """The case, locked."""
    return await maybe(tx, _CASE, Case, county, id_)


async def add(
    tx: Tx, county: str, id_: UUID, recovery: UUID, kind: str, amount_fen: int, status: str, person: UUID, now: datetime, *,
    instalment: UUID | None = None, ground: str = "", document: str = "", note: str = "",
) -> None:  # fmt: skip
    """A new entry."""
    await run(tx, _ADD, county, id_, recovery, kind, amount_fen, instalment, ground, document, note, status, person, now)


async def lock(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Entry]:
    """Entries that wait for a second person, locked."""
    return await many(tx, _LOCK, Entry, county, list(ids))


async def decide(tx: Tx, county: str, ids: Sequence[UUID], status: str, person: UUID, now: datetime) -> int:
    """proposed → done or refused; how many moved."""
    return await run(tx, _DECIDE, county, list(ids), status, person, now)


async def repaid(tx: Tx, county: str, fund: UUID, amount_fen: int) -> int:
    """paid → available in the fund; 0 where it has not paid so much."""
    return await run(tx, _REPAID, county, fund, amount_fen)


async def freed(tx: Tx, county: str, fund: UUID, amount_fen: int) -> int:
    """reserved → available in the fund."""
    return await run(tx, _FREED, county, fund, amount_fen)


async def stages(tx: Tx, county: str, household: UUID, fund: UUID) -> list[Stage]:
    """Stages of that household from that fund that have not been released, locked."""
    return await many(tx, _STAGES, Stage, county, household, fund)


async def set_off(tx: Tx, county: str, stage: Stage, amount_fen: int) -> int:
    """The stage pays so much less; 1 when it did."""
    return await run(tx, _CANCEL_WHOLE if stage.amount_fen == amount_fen else _CANCEL_PART, county, stage.id, amount_fen)


async def open_case(tx: Tx, county: str, id_: UUID, payment: UUID, now: datetime, due_on: date) -> int:
    """A case about a payment that should not have been made; 0 where it is not paid or a case about its award is open."""
    return await run(tx, _OPEN, county, id_, payment, now, due_on)


async def payment_of(tx: Tx, county: str, reference: str) -> UUID | None:
    """The payment of that 业务流水号."""
    found: UUID | None = await value(tx, _BY_REFERENCE, county, reference)
    return found


async def outstanding(tx: Tx, county: str, cases: Sequence[UUID]) -> int:
    """What is still owed on these cases together, in fen."""
    return int(await value(tx, _OUTSTANDING, county, list(cases)))
