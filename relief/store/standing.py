"""What is made to stand still by hand, and what is cancelled for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

#: What a hold may be on. Where it lies (a village code, or the county's) decides who may place it; what is not there has no place.
_PLACES = """
SELECT t.subject, CASE $2
    WHEN 'village' THEN (SELECT code FROM region WHERE code = t.subject AND left(code, 6) = $1)
    WHEN 'household' THEN (SELECT village FROM household WHERE county = $1 AND id::text = t.subject)
    WHEN 'award' THEN (SELECT village FROM award WHERE county = $1 AND id::text = t.subject)
    WHEN 'account' THEN (SELECT $1::text FROM account WHERE county = $1 AND id::text = t.subject)
    WHEN 'fund' THEN (SELECT $1::text FROM fund WHERE county = $1 AND id::text = t.subject)
    WHEN 'batch' THEN (SELECT $1::text FROM batch WHERE county = $1 AND id::text = t.subject) END AS place
FROM unnest($3::text[]) AS t (subject)
"""
_FREEZE = """
INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from, by_hand)
SELECT $1, $2, t.subject, $4, $5, $6, true FROM unnest($3::text[]) AS t (subject)
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.kind = $2 AND h.subject = t.subject AND h.by_hand AND h.valid_to IS NULL)
"""
_HELD = """
SELECT h.id, h.kind, h.subject, CASE h.kind
    WHEN 'village' THEN h.subject
    WHEN 'household' THEN (SELECT village FROM household WHERE county = $1 AND id::text = h.subject)
    WHEN 'award' THEN (SELECT village FROM award WHERE county = $1 AND id::text = h.subject) ELSE $1 END AS place
FROM hold h WHERE h.county = $1 AND h.id = ANY ($2::uuid[]) AND h.by_hand AND h.valid_to IS NULL ORDER BY h.id FOR UPDATE
"""
_THAW = """
UPDATE hold SET valid_to = $3, lifted_by = $4, lift_reason = $5 WHERE county = $1 AND id = ANY ($2::uuid[]) AND by_hand AND valid_to IS NULL
"""
_AWARDS = "SELECT id, village, activation, status, amount_fen FROM award WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'approved' ORDER BY id FOR UPDATE"
# What has not left the house: stages that wait or are due, attempts that wait for a batch, attempts that came back. What is in a batch or at
# the bank is left alone; money that is reserved for a cancelled stage is available again in the same statement.
_CANCEL = """
WITH mine AS (
    SELECT i.id, i.award, i.status FROM instalment i WHERE i.county = $1 AND i.award = ANY ($2::uuid[]) AND i.status IN ('waiting', 'due', 'released')
      AND NOT EXISTS (SELECT FROM payment p WHERE p.county = $1 AND p.instalment = i.id AND p.status IN ('batched', 'sent', 'unknown', 'paid'))
), dropped AS (
    UPDATE payment p SET status = 'cancelled', settled_at = $3 FROM mine m
    WHERE p.county = $1 AND p.instalment = m.id AND p.ended = 0 AND p.status = 'approved' RETURNING p.id
), unqueued AS (
    DELETE FROM payable q USING dropped d WHERE q.county = $1 AND q.payment = d.id
), ended AS (
    UPDATE instalment i SET status = 'cancelled' FROM mine m
    WHERE i.county = $1 AND i.id = m.id AND i.status = m.status RETURNING i.award, i.amount_fen
), freed AS (
    SELECT a.fund, e.award, sum(e.amount_fen)::bigint AS fen, count(*)::int AS stages FROM ended e JOIN award a ON a.county = $1 AND a.id = e.award
    GROUP BY a.fund, e.award
), moved AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'reserved', 'available', fen, 'award', award, $4, $3 FROM freed
)
SELECT fund, award, fen, stages FROM freed ORDER BY award
"""
_FREE = """
UPDATE fund f SET available_fen = available_fen + t.fen, reserved_fen = reserved_fen - t.fen
FROM unnest($2::uuid[], $3::bigint[]) AS t (id, fen) WHERE f.county = $1 AND f.id = t.id AND f.reserved_fen >= t.fen
"""
# Nothing was paid and nothing is left: the award is withdrawn. Something was paid: it is complete with that.
_END = """
UPDATE award a SET status = CASE WHEN EXISTS (SELECT FROM instalment i WHERE i.county = $1 AND i.award = a.id AND i.status = 'settled')
                                 THEN 'completed' ELSE 'withdrawn' END
WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND a.status = 'approved'
  AND NOT EXISTS (SELECT FROM instalment i WHERE i.county = $1 AND i.award = a.id AND i.status NOT IN ('settled', 'cancelled'))
RETURNING a.id, a.status, a.activation, a.amount_fen
"""
_UNCOMMIT = """
UPDATE county_activation p SET committed_fen = committed_fen - t.fen
FROM unnest($2::uuid[], $3::bigint[]) AS t (activation, fen) WHERE p.county = $1 AND p.activation = t.activation AND p.committed_fen >= t.fen
"""

KINDS: Final = ("village", "account", "fund", "batch", "household", "award")


class Placed(msgspec.Struct, frozen=True):
    """Where a thing lies; none when it is not there."""

    subject: str
    place: str | None


class Held(msgspec.Struct, frozen=True):
    """A hold placed by hand that stands."""

    id: UUID
    kind: str
    subject: str
    place: str | None


class Award(msgspec.Struct, frozen=True):
    """An approved award, locked."""

    id: UUID
    village: str
    activation: UUID
    status: str
    amount_fen: int


class Freed(msgspec.Struct, frozen=True):
    """What an award's cancelled stages gave back to its fund, in fen."""

    fund: UUID
    award: UUID
    fen: int
    stages: int


class Ended(msgspec.Struct, frozen=True):
    """An award that has come to its end by that."""

    id: UUID
    status: str
    activation: UUID
    amount_fen: int


async def places(tx: Tx, county: str, kind: str, subjects: Sequence[str]) -> list[Placed]:
    """Where these things lie."""
    return await many(tx, _PLACES, Placed, county, kind, list(subjects))


async def freeze(tx: Tx, county: str, kind: str, subjects: Sequence[str], reason: str, person: UUID, now: datetime) -> int:
    """Holds by hand from now on; how many are new."""
    return await run(tx, _FREEZE, county, kind, list(subjects), reason, person, now)


async def held(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Held]:
    """Those of the holds that were placed by hand and stand, locked."""
    return await many(tx, _HELD, Held, county, list(ids))


async def thaw(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, reason: str, now: datetime) -> int:
    """End them; how many ended."""
    return await run(tx, _THAW, county, list(ids), now, person, reason)


async def approved(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Award]:
    """Those of the awards that are approved and not complete, locked in one fixed order."""
    return await many(tx, _AWARDS, Award, county, list(awards))


async def cancel(tx: Tx, county: str, awards: Sequence[UUID], act: UUID, now: datetime) -> list[Freed]:
    """Cancel whatever of these awards has not left the house, its money reserved → available."""
    freed = await many(tx, _CANCEL, Freed, county, list(awards), now, act)
    sums: dict[UUID, int] = {}
    for one in freed:
        sums[one.fund] = sums.get(one.fund, 0) + one.fen
    if sums:
        await run(tx, _FREE, county, list(sums), list(sums.values()))
    return freed


async def end(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Ended]:
    """approved → completed or withdrawn for those with nothing left to pay; what was withdrawn no longer counts against the cap."""
    ended = await many(tx, _END, Ended, county, list(awards))
    sums: dict[UUID, int] = {}
    for one in ended:
        if one.status == "withdrawn":
            sums[one.activation] = sums.get(one.activation, 0) + one.amount_fen
    if sums:
        await run(tx, _UNCOMMIT, county, list(sums), list(sums.values()))
    return ended
