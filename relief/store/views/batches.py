"""Batches as their three officers see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_BATCHES = """
SELECT b.county, r.name AS county_name, b.id, b.number, b.incident, b.project, b.period, b.bank, b.drill, b.status, b.lines, b.total_fen, b.digest,
       b.frozen_at, b.sent_at,
       coalesce(array_agg(s.step || ' ' || t.name ORDER BY s.signed_at) FILTER (WHERE s.step <> 'line'), '{}') AS signers,
       coalesce(bool_or(s.person = $2), false) AS acted
FROM batch b JOIN region r ON r.code = b.county
LEFT JOIN signature s ON s.county = b.county AND s.subject = b.id AND s.kind = 'batch'
LEFT JOIN staff t ON t.id = s.person
WHERE ($1::text[] IS NULL OR b.status = ANY ($1)) AND ($3::text IS NULL OR (b.county, b.id::text) > (split_part($3, ' ', 1), split_part($3, ' ', 2)))
GROUP BY b.county, r.name, b.id ORDER BY b.county, b.id LIMIT $4
"""
_BATCH = """
SELECT b.county, r.name AS county_name, b.id, b.number, b.incident, b.project, b.period, b.bank, b.drill, b.status, b.lines, b.total_fen, b.digest,
       b.frozen_at, b.sent_at,
       coalesce(array_agg(s.step || ' ' || t.name ORDER BY s.signed_at) FILTER (WHERE s.step <> 'line'), '{}') AS signers,
       coalesce(bool_or(s.person = $3), false) AS acted
FROM batch b JOIN region r ON r.code = b.county
LEFT JOIN signature s ON s.county = b.county AND s.subject = b.id AND s.kind = 'batch'
LEFT JOIN staff t ON t.id = s.person
WHERE b.county = $1 AND b.id = $2 GROUP BY b.county, r.name, b.id
"""
_BATCH_COUNTS = "SELECT status, count(*) AS batches, sum(total_fen)::bigint AS fen FROM batch GROUP BY status"
_SIGNATURES = """
SELECT s.step, t.name, s.signed_at FROM signature s JOIN staff t ON t.id = s.person
WHERE s.county = $1 AND s.subject = $2 AND s.step <> 'line' ORDER BY s.signed_at
"""
_LINES = """
SELECT p.line, p.id, p.reference, p.amount_fen, p.status, p.reason, e.id AS person, e.sealed AS sealed_person, c.id AS account, c.sealed AS sealed_account, p.household
FROM batch b
CROSS JOIN LATERAL unnest(b.payments[$3 + 1:$3 + $4]) AS l (payment)
JOIN payment p ON p.county = b.county AND p.id = l.payment AND p.batch = b.id
JOIN person e ON e.county = p.county AND e.id = p.payee
JOIN account c ON c.county = p.county AND c.id = p.account
WHERE b.county = $1 AND b.id = $2 ORDER BY p.line
"""
_READY = """
SELECT p.county, r.name AS county_name, count(*) AS payments, sum(p.amount_fen)::bigint AS fen, min(p.created_at) AS oldest
FROM payable q JOIN payment p ON p.county = q.county AND p.id = q.payment JOIN region r ON r.code = p.county
WHERE p.status = 'approved' GROUP BY p.county, r.name ORDER BY min(p.created_at)
"""


class Batch(msgspec.Struct, frozen=True):
    """A batch with its signers ('step name'); `acted` where the reader has acted on it or on a line of it."""

    county: str
    county_name: str
    id: UUID
    number: str
    incident: UUID
    project: str
    period: str
    bank: str
    drill: bool
    status: str
    lines: int
    total_fen: int
    digest: bytes
    frozen_at: datetime
    sent_at: datetime | None
    signers: list[str]
    acted: bool


class Count(msgspec.Struct, frozen=True):
    """Batches in one state."""

    status: str
    batches: int
    fen: int


class Signature(msgspec.Struct, frozen=True):
    """Who signed which step when."""

    step: str
    name: str
    signed_at: datetime


class Line(msgspec.Struct, frozen=True):
    """A line of a batch, its people still sealed."""

    line: int
    id: UUID
    reference: str
    amount_fen: int
    status: str
    reason: str | None
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes
    household: UUID


class Ready(msgspec.Struct, frozen=True):
    """Approved payments of a county that wait to be frozen."""

    county: str
    county_name: str
    payments: int
    fen: int
    oldest: datetime


async def batches(tx: Tx, statuses: Sequence[str] | None, person: UUID, after: str | None, limit: int) -> list[Batch]:
    """A page of batches; `after` is 'county id' of the last one seen."""
    return await many(tx, _BATCHES, Batch, statuses and list(statuses), person, after, limit)


async def batch(tx: Tx, county: str, id_: UUID, person: UUID) -> Batch:
    """One batch."""
    return await one(tx, _BATCH, Batch, county, id_, person)


async def batch_counts(tx: Tx) -> list[Count]:
    """How many batches are in which state."""
    return await many(tx, _BATCH_COUNTS, Count)


async def signatures(tx: Tx, county: str, subject: UUID) -> list[Signature]:
    """Who signed, in order."""
    return await many(tx, _SIGNATURES, Signature, county, subject)


async def lines(tx: Tx, county: str, batch_: UUID, after: int, limit: int) -> list[Line]:
    """Lines of a batch in their order, after a line number."""
    return await many(tx, _LINES, Line, county, batch_, after, limit)


async def ready(tx: Tx) -> list[Ready]:
    """Counties with payments to freeze, oldest first."""
    return await many(tx, _READY, Ready)
