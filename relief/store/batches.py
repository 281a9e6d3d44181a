"""Batches: what is frozen, who signed it, and its way out of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from relief.store.db import Tx, flow, many, run

_SERIALISE = "SELECT pg_advisory_xact_lock(hashtextextended('batch ' || $1, 0))"
# Looked up payment by payment: a join the planner misjudges (nobody has counted the new rows yet) would read all for each. The order is
# made before the sealed columns are fetched, so what is sorted is small and rows may be read as they come.
_PAYABLE = """
WITH held AS MATERIALIZED (
    SELECT kind, subject FROM hold WHERE county = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
), doubtful AS MATERIALIZED (
    SELECT household, blocks FROM suspected WHERE county = $1
), ready AS MATERIALIZED (
    SELECT p.id, p.reference, p.amount_fen, p.bank, a.aid, a.incident, i.seq, a.village, p.payee, p.account
    FROM payable q
    CROSS JOIN LATERAL (
        SELECT id, reference, amount_fen, bank, award, instalment, household, payee, account, fund FROM payment
        WHERE county = $1 AND id = q.payment AND status = 'approved' LIMIT 1) p
    CROSS JOIN LATERAL (SELECT aid, incident, village, mode FROM award WHERE county = $1 AND id = p.award LIMIT 1) a
    CROSS JOIN LATERAL (SELECT seq FROM instalment WHERE county = $1 AND id = p.instalment LIMIT 1) i
    WHERE q.county = $1
      AND p.award::text NOT IN (SELECT subject FROM held WHERE kind = 'award')
      AND p.household::text NOT IN (SELECT subject FROM held WHERE kind = 'household')
      AND p.account::text NOT IN (SELECT subject FROM held WHERE kind = 'account')
      AND p.fund::text NOT IN (SELECT subject FROM held WHERE kind = 'fund')
      AND a.village NOT IN (SELECT subject FROM held WHERE kind = 'village')
      AND p.household NOT IN (SELECT household FROM doubtful WHERE blocks = 'payment')
      AND NOT ((a.mode <> 'A' OR i.seq > 1) AND p.household IN (SELECT household FROM doubtful))
    ORDER BY a.incident, a.aid, i.seq, p.bank, p.reference
    LIMIT $3
)
SELECT r.id, r.reference, r.amount_fen, r.bank, r.aid, r.incident, r.seq, n.drill, r.village, r.payee AS person, e.sealed AS sealed_person,
       r.account, c.sealed AS sealed_account
FROM ready r
CROSS JOIN LATERAL (SELECT drill FROM incident WHERE id = r.incident LIMIT 1) n
CROSS JOIN LATERAL (SELECT sealed FROM person WHERE county = $1 AND id = r.payee LIMIT 1) e
CROSS JOIN LATERAL (SELECT sealed FROM account WHERE county = $1 AND id = r.account LIMIT 1) c
"""
_SERIALS = "SELECT project, period, bank, count(*) AS batches FROM batch WHERE county = $1 GROUP BY project, period, bank"
_INSERT = """
INSERT INTO batch (county, id, number, incident, project, period, bank, drill, layout, status, lines, total_fen, digest, sealed_file, frozen_at, payments)
VALUES ($1, $4, $5, $6, $7, $8, $9, $10, $2, 'frozen', $11, $12, $13, $14, $3, $15)
"""
_LINES = """
WITH line AS (
    SELECT id, line FROM unnest($2::uuid[]) WITH ORDINALITY AS t (id, line)
), taken AS (
    DELETE FROM payable WHERE county = $1 AND payment = ANY ($2::uuid[])
)
UPDATE payment p SET status = 'batched', batch = $3, line = t.line
FROM line t WHERE p.county = $1 AND p.id = t.id AND p.id = ANY ($2::uuid[]) AND p.status = 'approved'
"""
# Whoever registered or approved a line has acted on the batch already; the signature key keeps them from acting on it again.
_LINE_SIGNERS = """
INSERT INTO signature (county, subject, kind, step, person, digest, signed_at)
SELECT DISTINCT ON (b.id, s.person) $1, b.id, 'batch', 'line', s.person, b.digest, $3
FROM batch b
CROSS JOIN LATERAL unnest(b.payments) AS l (payment)
CROSS JOIN LATERAL (SELECT award, account FROM payment WHERE county = $1 AND id = l.payment LIMIT 1) p
CROSS JOIN LATERAL (SELECT person FROM signature WHERE county = $1 AND subject IN (p.award, p.account) OFFSET 0) s
WHERE b.county = $1 AND b.id = ANY ($2::uuid[])
"""
_LOCK = """
SELECT id, number, status, lines, total_fen, digest FROM batch
WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE
"""
_MOVE = "UPDATE batch SET status = $3 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($4::text[])"
_UNBATCH = """
WITH line AS (
    SELECT unnest(payments) AS id FROM batch WHERE county = $1 AND id = ANY ($2::uuid[])
), freed AS (
    UPDATE payment p SET status = 'approved', batch = NULL, line = NULL
    FROM line l WHERE p.county = $1 AND p.id = l.id AND p.batch = ANY ($2::uuid[]) AND p.status = 'batched'
    RETURNING p.id
)
INSERT INTO payable (county, payment) SELECT $1, id FROM freed
"""
_CLAIM = """
UPDATE batch SET status = 'sending', claimed_at = $1, lease_until = $2
WHERE (county, id) IN (
    SELECT county, id FROM batch b WHERE status = 'authorised' AND drill <> $3 AND NOT EXISTS (
        SELECT FROM hold o WHERE o.county = b.county AND o.kind = 'batch' AND o.subject = b.id::text
        AND o.valid_from <= $1 AND (o.valid_to IS NULL OR o.valid_to > $1))
    ORDER BY frozen_at, number LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING county, id, number, lines, digest, sealed_file
"""
_CLAIM_STALE = """
UPDATE batch SET lease_until = $2
WHERE (county, id) IN (
    SELECT county, id FROM batch WHERE status = 'sending' AND lease_until < $1 AND drill <> $3
    ORDER BY lease_until, number LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING county, id, number, lines, digest, sealed_file
"""
_DEPARTING = """
WITH line AS (
    SELECT unnest(payments) AS id FROM batch WHERE county = $1 AND id = ANY ($2::uuid[])
), sent AS (
    UPDATE payment p SET status = 'sent', sent_at = $3
    FROM line l WHERE p.county = $1 AND p.id = l.id AND p.batch = ANY ($2::uuid[]) AND p.status = 'batched'
    RETURNING p.id, p.fund, p.amount_fen
), moved AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'reserved', 'in flight', amount_fen, 'payment', id, $4, $3 FROM sent
)
SELECT fund, count(*)::int AS payments, sum(amount_fen)::bigint AS amount_fen FROM sent GROUP BY fund
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
    lines: int
    digest: bytes
    sealed_file: bytes


class Departed(msgspec.Struct, frozen=True):
    """What left the house from one fund."""

    fund: UUID
    payments: int
    amount_fen: int


class Draft(msgspec.Struct, frozen=True):
    """A batch about to be frozen, its file sealed; `payments` stand in the order of its lines."""

    id: UUID
    number: str
    incident: UUID
    project: str
    period: str
    bank: str
    drill: bool
    total_fen: int
    digest: bytes
    sealed_file: bytes
    payments: list[UUID]


async def queue(tx: Tx, county: str) -> None:
    """Freezing runs one at a time per county, so that numbers follow each other."""
    await run(tx, _SERIALISE, county)


def payable(tx: Tx, county: str, now: datetime, limit: int, ahead: int) -> AsyncIterator[Payable]:
    """Approved payments that nothing holds, by incident, aid, stage and bank, read `ahead` rows at a time."""
    return flow(tx, _PAYABLE, Payable, ahead, county, now, limit)


async def serials(tx: Tx, county: str) -> dict[tuple[str, str, str], int]:
    """Batches so far per (project, period, bank)."""
    return {(s.project, s.period, s.bank): s.batches for s in await many(tx, _SERIALS, Serial, county)}


async def insert(tx: Tx, county: str, layout: str, now: datetime, d: Draft) -> None:
    """A new frozen batch."""
    await run(
        tx, _INSERT, county, layout, now, d.id, d.number, d.incident, d.project, d.period, d.bank, d.drill, len(d.payments), d.total_fen,
        d.digest, d.sealed_file, d.payments,
    )  # fmt: skip


async def fill(tx: Tx, county: str, batch: UUID, payments: Sequence[UUID]) -> int:
    """approved → batched, line by line, and out of the queue; how many moved."""
    return await run(tx, _LINES, county, payments, batch)


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
    """authorised → sending, before anything is handed over; a drill is never claimed for a real channel, nor real money for a twin."""
    return _in_order(await many(tx, _CLAIM, Outgoing, now, now + lease, real, limit))


async def claim_stale(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int) -> list[Outgoing]:
    """Batches whose sender died or hung: their lease has run out, and the channel must be asked about them; no drill at a real channel."""
    return _in_order(await many(tx, _CLAIM_STALE, Outgoing, now, now + lease, real, limit))


def _in_order(claimed: list[Outgoing]) -> list[Outgoing]:
    """In the order of their numbers: an update gives its rows back in none."""
    return sorted(claimed, key=lambda b: b.number)


async def depart(tx: Tx, county: str, batches: Sequence[UUID], act: UUID, now: datetime) -> list[Departed]:
    """batched → sent for every line, its money reserved → in flight: from here on it may be out. What left, per fund."""
    return await many(tx, _DEPARTING, Departed, county, batches, now, act)


async def sent(tx: Tx, county: str, batch: UUID, now: datetime) -> int:
    """sending → sent."""
    return await run(tx, _SENT, county, batch, now)
