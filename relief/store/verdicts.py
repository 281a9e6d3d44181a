"""Verdicts: what became of a payment by a document of the bank, proposed by one person and confirmed by another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# What may be judged by hand: silence, a file turned down as a whole, or a credit that came back without a 退票.
_JUDGEABLE = """
SELECT p.id AS payment, p.status, b.status AS batch_status, p.batch, p.fund, p.award, p.instalment, p.household, p.amount_fen
FROM payment p JOIN batch b ON b.county = p.county AND b.id = p.batch
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) ORDER BY p.id FOR UPDATE OF p
"""
_PROPOSE = """
INSERT INTO verdict (county, id, payment, outcome, reason, document, digest, note, status, proposed_by, proposed_at)
SELECT $1, t.id, t.payment, $4, $5, $6, $7, $8, 'proposed', $9, $10 FROM unnest($2::uuid[], $3::uuid[]) AS t (id, payment)
"""
_LOCK = """
SELECT id, payment, outcome, reason, proposed_by FROM verdict WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed' ORDER BY id FOR UPDATE
"""
_DECIDE = """
UPDATE verdict SET status = $3, decided_by = $4, decided_at = $5 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'proposed'
"""


class Judgeable(msgspec.Struct, frozen=True):
    """A payment with where it and its batch stand."""

    payment: UUID
    status: str
    batch_status: str
    batch: UUID
    fund: UUID
    award: UUID
    instalment: UUID
    household: UUID
    amount_fen: int


class Proposed(msgspec.Struct, frozen=True):
    """A verdict waiting for its second person."""

    id: UUID
    payment: UUID
    outcome: str
    reason: str
    proposed_by: UUID


async def judgeable(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Judgeable]:
    """These payments, locked."""
    return await many(tx, _JUDGEABLE, Judgeable, county, list(payments))


async def propose(
    tx: Tx, county: str, rows: Sequence[tuple[UUID, UUID]], outcome: str, reason: str, document: str, digest: bytes, note: str, person: UUID,
    now: datetime,
) -> None:  # fmt: skip
    """(id, payment) of each."""
    await run(tx, _PROPOSE, county, [i for i, _ in rows], [p for _, p in rows], outcome, reason, document, digest, note, person, now)


async def lock(tx: Tx, county: str, ids: Sequence[UUID]) -> list[Proposed]:
    """Those that still wait, locked."""
    return await many(tx, _LOCK, Proposed, county, list(ids))


async def decide(tx: Tx, county: str, ids: Sequence[UUID], status: str, person: UUID, now: datetime) -> int:
    """proposed → confirmed or refused; how many moved."""
    return await run(tx, _DECIDE, county, list(ids), status, person, now)
