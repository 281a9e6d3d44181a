"""Awards on their way to approval, and the signatures that approve them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run, value

# Deciding holds the county's part and then changes proposals; approving takes them in the same order, so neither waits for the other twice.
_STEADY = """
SELECT p.id FROM county_activation p
WHERE p.county = $1 AND p.activation IN (SELECT activation FROM award WHERE county = $1 AND id = ANY ($2::uuid[])) ORDER BY p.id FOR UPDATE
"""
_LOCK = """
SELECT id, household, incident, activation, aid, mode, amount_fen, village FROM award
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed' ORDER BY id FOR UPDATE
"""
_WAITING = """
SELECT id, household, incident, activation, aid, mode, amount_fen, village FROM award
WHERE county = $1 AND status = 'proposed' AND mode = $2 AND village LIKE $3 ORDER BY id LIMIT $4
"""
_OWN = """
SELECT count(*) FROM signature WHERE county = $1 AND subject = ANY ($2::uuid[]) AND step = 'register' AND person = $3
"""
_HELD = """
SELECT count(*) FROM award a WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND EXISTS (
    SELECT FROM hold h WHERE h.county = $1 AND h.valid_from <= $3 AND (h.valid_to IS NULL OR h.valid_to > $3)
    AND (h.kind, h.subject) IN (('award', a.id::text), ('household', a.household::text), ('village', a.village)))
"""
# What an open suspicion of a double registration stops: with an exact key everything, without one what is not a first advance.
_SUSPECTED = """
SELECT count(*) FROM award a WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND EXISTS (
    SELECT FROM suspected s WHERE s.county = a.county AND s.household = a.household AND (s.blocks = 'payment' OR a.mode <> 'A'))
"""
_SIGN = """
INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
SELECT $1, subject, $3, $4, $5, $6, $7 FROM unnest($2::uuid[]) AS t (subject)
"""
_APPROVE = """
UPDATE award a SET status = 'approved', fund = t.fund, approved_at = $4
FROM unnest($2::uuid[], $3::uuid[]) AS t (id, fund)
WHERE a.county = $1 AND a.id = t.id AND a.id = ANY ($2::uuid[]) AND a.status = 'proposed'
"""
_VERIFY = """
UPDATE household SET status = 'verified' WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'located'
"""
_DUE = """
UPDATE instalment SET status = 'due', due_at = $3
WHERE county = $1 AND award = ANY ($2::uuid[]) AND status = 'waiting' AND condition = 'none' AND seq = 1
"""
_PAPERS = """
INSERT INTO paperwork (county, award, due_on, status) SELECT $1, award, due, 'open' FROM unnest($2::uuid[], $3::date[]) AS t (award, due)
"""
_COMMITTED = """
SELECT coalesce(sum(amount_fen), 0)::bigint FROM award WHERE county = $1 AND activation = $2 AND status IN ('approved', 'completed')
"""


class Proposed(msgspec.Struct, frozen=True):
    """An award waiting for its approval; the amount is in fen."""

    id: UUID
    household: UUID
    incident: UUID
    activation: UUID
    aid: str
    mode: str
    amount_fen: int
    village: str


async def steady(tx: Tx, county: str, awards: Sequence[UUID]) -> None:
    """Nothing is decided for the county under these awards' activations until this transaction ends."""
    await run(tx, _STEADY, county, awards)


async def lock(tx: Tx, county: str, awards: Sequence[UUID]) -> list[Proposed]:
    """Those of the awards that are still proposed, locked in the order of their ids."""
    return await many(tx, _LOCK, Proposed, county, awards)


async def waiting(tx: Tx, county: str, mode: str, area: str, limit: int) -> list[Proposed]:
    """Proposed awards of one mode in an area (a prefix of village codes)."""
    return await many(tx, _WAITING, Proposed, county, mode, area + "%", limit)


async def own(tx: Tx, county: str, awards: Sequence[UUID], person: UUID) -> int:
    """How many of the awards rest on a registration by this person."""
    return int(await value(tx, _OWN, county, awards, person))


async def held(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> int:
    """How many of the awards are under a hold."""
    return int(await value(tx, _HELD, county, awards, now))


async def suspected(tx: Tx, county: str, awards: Sequence[UUID]) -> int:
    """How many of the awards wait until somebody has decided whether their household is registered twice."""
    return int(await value(tx, _SUSPECTED, county, awards))


async def sign(tx: Tx, county: str, subjects: Sequence[UUID], kind: str, step: str, person: UUID, digest: bytes, now: datetime) -> None:
    """One signature per subject; the unique key refuses the same person twice."""
    await run(tx, _SIGN, county, subjects, kind, step, person, digest, now)


async def approve(tx: Tx, county: str, awards: Sequence[UUID], funds: Sequence[UUID], now: datetime) -> int:
    """proposed → approved with the fund each one draws on; how many moved."""
    return await run(tx, _APPROVE, county, awards, funds, now)


async def verify(tx: Tx, county: str, households: Sequence[UUID]) -> None:
    """located → verified: somebody else than the registrar has looked."""
    await run(tx, _VERIFY, county, households)


async def fall_due(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> None:
    """First instalments that wait for nothing are due at once."""
    await run(tx, _DUE, county, awards, now)


async def committed(tx: Tx, county: str, activation: UUID) -> int:
    """What the county has approved under this activation so far, in fen."""
    return int(await value(tx, _COMMITTED, county, activation))


async def open_paperwork(tx: Tx, county: str, awards: Sequence[UUID], due_on: Sequence[date]) -> None:
    """The papers of these advances are due on these days."""
    await run(tx, _PAPERS, county, awards, due_on)
