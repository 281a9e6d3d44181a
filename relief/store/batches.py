"""Batches: what is frozen, who signed it, and its way out of the house."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_SERIALISE = "SELECT pg_advisory_xact_lock(hashtextextended('batch ' || $1, 0))"
# Looked up payment by payment: a join the planner misjudges (nobody has counted the new rows yet) would read all for each.
_PAYABLE = """
WITH held AS MATERIALIZED (
    SELECT kind, subject FROM hold WHERE county = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
), doubtful AS MATERIALIZED (
    SELECT household, blocks FROM suspected WHERE county = $1
)
SELECT p.id, p.reference, p.amount_fen, p.bank, a.aid, a.incident, i.seq, n.drill, a.village, p.payee AS person, e.sealed AS sealed_person,
       p.account, c.sealed AS sealed_account
FROM payment p
CROSS JOIN LATERAL (SELECT aid, incident, village, mode FROM award WHERE county = $1 AND id = p.award LIMIT 1) a
CROSS JOIN LATERAL (SELECT seq FROM instalment WHERE county = $1 AND id = p.instalment LIMIT 1) i
CROSS JOIN LATERAL (SELECT sealed FROM person WHERE county = $1 AND id = p.payee LIMIT 1) e
CROSS JOIN LATERAL (SELECT sealed FROM account WHERE county = $1 AND id = p.account LIMIT 1) c
JOIN incident n ON n.id = a.incident
WHERE p.county = $1 AND p.status = 'approved'
  AND p.award::text NOT IN (SELECT subject FROM held WHERE kind = 'award')
  AND p.household::text NOT IN (SELECT subject FROM held WHERE kind = 'household')
  AND p.account::text NOT IN (SELECT subject FROM held WHERE kind = 'account')
  AND p.fund::text NOT IN (SELECT subject FROM held WHERE kind = 'fund')
  AND a.village NOT IN (SELECT subject FROM held WHERE kind = 'village')
  AND p.household NOT IN (SELECT household FROM doubtful WHERE blocks = 'payment')
  AND NOT ((a.mode <> 'A' OR i.seq > 1) AND p.household IN (SELECT household FROM doubtful))
ORDER BY a.incident, a.aid, i.seq, p.bank, p.reference
LIMIT $3
FOR UPDATE OF p SKIP LOCKED
"""
_SERIALS = "SELECT project, period, bank, count(*) AS batches FROM batch WHERE county = $1 GROUP BY project, period, bank"
_INSERT = """
INSERT INTO batch (county, id, number, incident, project, period, bank, drill, layout, status, lines, total_fen, digest, sealed_file, frozen_at)
SELECT $1, id, number, incident, project, period, bank, drill, $2, 'frozen', lines, total, digest, file, $3
FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::bool[], $11::int[], $12::bigint[], $13::bytea[], $14::bytea[])
     AS t (id, number, incident, project, period, bank, drill, lines, total, digest, file)
"""
_LINES = """
UPDATE payment p SET status = 'batched', batch = t.batch, line = t.line
FROM unnest($2::uuid[], $3::uuid[], $4::int[]) AS t (id, batch, line)
WHERE p.county = $1 AND p.id = t.id AND p.id = ANY ($2::uuid[]) AND p.status = 'approved'
"""
# Whoever registered or approved a line has acted on the batch already; the signature key keeps them from acting on it again.
_LINE_SIGNERS = """
INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
SELECT DISTINCT ON (p.batch, s.person) $1, p.batch, 'batch', 'line', s.person, b.digest, $3
FROM payment p
JOIN batch b ON b.county = p.county AND b.id = p.batch
JOIN signature s ON s.county = p.county AND s.subject IN (p.award, p.account)
WHERE p.county = $1 AND p.batch = ANY ($2::uuid[])
"""
_LOCK = """
SELECT id, number, status, lines, total_fen, digest FROM batch
WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE
"""
_MOVE = "UPDATE batch SET status = $3 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($4::text[])"
_UNBATCH = """
UPDATE payment SET status = 'approved', batch = NULL, line = NULL WHERE county = $1 AND batch = ANY ($2::uuid[]) AND status = 'batched'
"""
_CLAIM = """
UPDATE batch SET status = 'sending', claimed_at = $1, lease_until = $2
WHERE (county, id) IN (
    SELECT county, id FROM batch b WHERE status = 'authorised' AND NOT (drill AND $3) AND NOT EXISTS (
        SELECT FROM hold o WHERE o.county = b.county AND o.kind = 'batch' AND o.subject = b.id::text
        AND o.valid_from <= $1 AND (o.valid_to IS NULL OR o.valid_to > $1))
    ORDER BY frozen_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING county, id, number, digest, sealed_file
"""
_CLAIM_STALE = """
UPDATE batch SET lease_until = $2
WHERE (county, id) IN (
    SELECT county, id FROM batch WHERE status = 'sending' AND lease_until < $1 AND NOT (drill AND $3)
    ORDER BY lease_until LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING county, id, number, digest, sealed_file
"""
_DEPARTING = """
UPDATE payment SET status = 'sent', sent_at = $3 WHERE county = $1 AND batch = ANY ($2::uuid[]) AND status = 'batched' RETURNING id, fund, amount_fen
"""
_SENT = "UPDATE batch SET status = 'sent', sent_at = $3 WHERE county = $1 AND id = $2 AND status = 'sending'"


class Payable(msgspec.Struct, frozen=True):
    """An approved payment with what its line needs, still sealed."""

    id: UUID
    reference: str
    amount_fen: int
    bank: str
    aid: str
    incident: UUID
    seq: int
    drill: bool
    village: str
    person: UUID
    sealed_person: bytes
    account: UUID
    sealed_account: bytes


class Serial(msgspec.Struct, frozen=True):
    """How many batches a series has already."""

    project: str
    period: str
    bank: str
    batches: int


class Envelope(msgspec.Struct, frozen=True):
    """A batch as the three officers see it."""

    id: UUID
    number: str
    status: str
    lines: int
    total_fen: int
    digest: bytes


class Outgoing(msgspec.Struct, frozen=True):
    """A claimed batch with its sealed bytes."""

    county: str
    id: UUID
    number: str
    digest: bytes
    sealed_file: bytes


class Departing(msgspec.Struct, frozen=True):
    """A payment leaving the house."""

    id: UUID
    fund: UUID
    amount_fen: int


async def payable(tx: Tx, county: str, now: datetime, limit: int) -> list[Payable]:
    """Approved payments that nothing holds, locked; freezing runs one at a time per county so that numbers follow each other."""
    await run(tx, _SERIALISE, county)
    return await many(tx, _PAYABLE, Payable, county, now, limit)


async def serials(tx: Tx, county: str) -> dict[tuple[str, str, str], int]:
    """Batches so far per (project, period, bank)."""
    return {(s.project, s.period, s.bank): s.batches for s in await many(tx, _SERIALS, Serial, county)}


async def insert(tx: Tx, county: str, layout: str, now: datetime, rows: Sequence[tuple[Any, ...]]) -> None:
    """New frozen batches; tuples in the order of the statement."""
    await run(tx, _INSERT, county, layout, now, *[list(c) for c in zip(*rows, strict=True)])


async def fill(tx: Tx, county: str, lines: Sequence[tuple[UUID, UUID, int]]) -> int:
    """approved → batched for (payment, batch, line number); how many moved."""
    ids, batches, numbers = zip(*lines, strict=True)
    return await run(tx, _LINES, county, list(ids), list(batches), list(numbers))


async def sign_lines(tx: Tx, county: str, batches: Sequence[UUID], now: datetime) -> None:
    """Count in everybody who acted on a line before."""
    await run(tx, _LINE_SIGNERS, county, batches, now)


async def lock(tx: Tx, county: str, batches: Sequence[UUID]) -> list[Envelope]:
    """The batches, locked in the order of their ids."""
    return await many(tx, _LOCK, Envelope, county, batches)


async def move(tx: Tx, county: str, batches: Sequence[UUID], status: str, sources: Sequence[str]) -> int:
    """One guarded move; how many took it."""
    return await run(tx, _MOVE, county, batches, status, sources)


async def unbatch(tx: Tx, county: str, batches: Sequence[UUID]) -> int:
    """batched → approved again: the batch was voided before it left."""
    return await run(tx, _UNBATCH, county, batches)


async def claim(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int) -> list[Outgoing]:
    """authorised → sending, before anything is handed over; a drill is never claimed for a real channel."""
    return await many(tx, _CLAIM, Outgoing, now, now + lease, real, limit)


async def claim_stale(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int) -> list[Outgoing]:
    """Batches whose sender died or hung: their lease has run out, and the channel must be asked about them; no drill at a real channel."""
    return await many(tx, _CLAIM_STALE, Outgoing, now, now + lease, real, limit)


async def depart(tx: Tx, county: str, batches: Sequence[UUID], now: datetime) -> list[Departing]:
    """batched → sent for every line: from here on the money may be out."""
    return await many(tx, _DEPARTING, Departing, county, batches, now)


async def sent(tx: Tx, county: str, batch: UUID, now: datetime) -> int:
    """sending → sent."""
    return await run(tx, _SENT, county, batch, now)
