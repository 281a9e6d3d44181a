"""The three-way balance of a county at a moment: what the ledger, the files and the bank say of every line that left; and days closed on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run

# Line by line, so that what disagrees has a name. A line ends once: back if anything gave it back, else paid if anything paid it.
_STANDING = """
WITH line AS (
    SELECT b.id AS batch, b.number, b.drill, b.total_fen, b.lines, l.id AS payment, p.fund, p.amount_fen
    FROM batch b CROSS JOIN LATERAL unnest(b.payments) AS l (id)
    JOIN payment p ON p.county = $1 AND p.id = l.id AND p.batch = b.id
    WHERE b.county = $1 AND b.claimed_at <= $2
), booked AS (
    SELECT subject_id AS payment, sum(amount_fen) FILTER (WHERE source = 'reserved' AND target = 'in flight') AS out,
           sum(amount_fen * ((target = 'paid')::int - (source = 'paid')::int)) AS paid,
           sum(amount_fen) FILTER (WHERE target = 'reserved') AS back
    FROM transfer WHERE county = $1 AND subject = 'payment' AND at <= $2 GROUP BY subject_id
), word AS (
    SELECT r.payment, r.outcome = 'paid' AS paid, r.outcome <> 'paid' AS back, f.kind = 'statement' AS stated
    FROM bank_row r JOIN bank_file f ON f.county = $1 AND f.id = r.file
    WHERE r.county = $1 AND f.received_at <= $2 AND r.payment IS NOT NULL AND (
        r.disposition = 'matched' OR r.code = 'reversal_without_payment' AND r.closed_at <= $2
        AND NOT EXISTS (SELECT FROM bank_row_answer a WHERE a.county = $1 AND a.file = r.file AND a.row = r.row))
    UNION ALL
    SELECT r.payment, false, false, true FROM bank_row r JOIN bank_file f ON f.county = $1 AND f.id = r.file
    WHERE r.county = $1 AND f.received_at <= $2 AND f.kind = 'statement' AND r.disposition = 'repeat'
    UNION ALL
    SELECT payment, outcome = 'paid', outcome <> 'paid', true FROM verdict WHERE county = $1 AND status = 'confirmed' AND decided_at <= $2
), said AS (
    SELECT payment, bool_or(paid) AS paid, bool_or(back) AS back, bool_or(stated) AS stated FROM word GROUP BY payment
), judged AS (
    SELECT l.batch, l.number, l.drill, l.total_fen, l.lines, l.payment, l.fund, l.amount_fen, coalesce(k.out, 0) AS out, coalesce(k.paid, 0) AS paid,
           coalesce(k.back, 0) AS back, CASE WHEN s.back THEN 'back' WHEN s.paid THEN 'paid' ELSE 'open' END AS word, coalesce(s.stated, false) AS stated
    FROM line l LEFT JOIN booked k ON k.payment = l.payment LEFT JOIN said s ON s.payment = l.payment
), told AS (
    SELECT j.batch, j.number, j.drill, j.total_fen, j.lines, j.payment, j.fund, j.amount_fen, j.out, j.paid, j.back, j.word, j.stated,
           j.out <> j.amount_fen OR j.paid <> CASE WHEN j.word = 'paid' THEN j.amount_fen ELSE 0 END
           OR j.back <> CASE WHEN j.word = 'back' THEN j.amount_fen ELSE 0 END AS differs
    FROM judged j
)
SELECT t.batch, t.number, t.drill, t.fund, f.document, count(*) AS lines, min(t.lines) AS file_lines, min(t.total_fen) AS file_fen,
       sum(t.amount_fen)::bigint AS line_fen, sum(t.out)::bigint AS ledger_out_fen, sum(t.paid)::bigint AS ledger_paid_fen, sum(t.back)::bigint AS ledger_back_fen,
       coalesce(sum(t.amount_fen) FILTER (WHERE t.word = 'paid'), 0)::bigint AS bank_paid_fen,
       coalesce(sum(t.amount_fen) FILTER (WHERE t.word = 'back'), 0)::bigint AS bank_back_fen,
       coalesce(sum(t.amount_fen) FILTER (WHERE t.word = 'open'), 0)::bigint AS open_fen,
       count(*) FILTER (WHERE t.word = 'open') AS open_lines, count(*) FILTER (WHERE t.word = 'paid' AND NOT t.stated) AS unstated,
       coalesce((array_agg(t.payment ORDER BY t.payment) FILTER (WHERE t.differs))[1:20], '{}') AS differing, count(*) FILTER (WHERE t.differs) AS differ
FROM told t JOIN fund f ON f.county = $1 AND f.id = t.fund
GROUP BY t.batch, t.number, t.drill, t.fund, f.document ORDER BY t.number, t.fund
"""
_DIFFERING = """
SELECT p.id AS payment, p.reference, p.household, p.amount_fen, p.status, b.number FROM payment p JOIN batch b ON b.county = p.county AND b.id = p.batch
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) ORDER BY p.reference
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('day close ' || $1, 0))"
_LATEST = """
SELECT d.day, d.turn, d.until, d.batches, d.ledger_fen, d.files_fen, d.bank_fen, d.returns_fen, d.digest, d.closed_by, s.name AS closed_by_name, d.closed_at,
       r.name AS reopened_by_name, d.reopened_at, d.reopen_reason
FROM day_close d JOIN staff s ON s.id = d.closed_by LEFT JOIN staff r ON r.id = d.reopened_by
WHERE d.county = $1 AND d.day = $2 ORDER BY d.turn DESC LIMIT 1
"""
_RECENT = """
SELECT d.day, d.turn, d.until, d.batches, d.ledger_fen, d.files_fen, d.bank_fen, d.returns_fen, d.digest, d.closed_by, s.name AS closed_by_name, d.closed_at,
       r.name AS reopened_by_name, d.reopened_at, d.reopen_reason
FROM day_close d JOIN staff s ON s.id = d.closed_by LEFT JOIN staff r ON r.id = d.reopened_by
WHERE d.county = $1 ORDER BY d.day DESC, d.turn DESC LIMIT $2
"""
_CLOSE = """
INSERT INTO day_close (county, day, turn, until, batches, ledger_fen, files_fen, bank_fen, returns_fen, digest, closed_by, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_REOPEN = """
UPDATE day_close SET reopened_by = $3, reopened_at = $4, reopen_reason = $5 WHERE county = $1 AND day = $2 AND reopened_at IS NULL
"""


class Line(msgspec.Struct, frozen=True):
    """One batch's part in one fund. `line_fen` are its lines in our books, `file_fen` and `file_lines` what the signed file says of the whole batch;
    `ledger_…` what our transfers moved, `bank_…` what the bank's rows and documents say; `unstated` paid lines no statement has shown yet.
    """

    batch: UUID
    number: str
    drill: bool
    fund: UUID
    document: str
    lines: int
    file_lines: int
    file_fen: int
    line_fen: int
    ledger_out_fen: int
    ledger_paid_fen: int
    ledger_back_fen: int
    bank_paid_fen: int
    bank_back_fen: int
    open_fen: int
    open_lines: int
    unstated: int
    differing: list[UUID]
    differ: int


class Differing(msgspec.Struct, frozen=True):
    """A line about which ledger and bank tell different stories."""

    payment: UUID
    reference: str
    household: UUID
    amount_fen: int
    status: str
    number: str


class Day(msgspec.Struct, frozen=True):
    """A day closed, and perhaps opened again."""

    day: date
    turn: int
    until: datetime
    batches: int
    ledger_fen: int
    files_fen: int
    bank_fen: int
    returns_fen: int
    digest: bytes
    closed_by: UUID
    closed_by_name: str
    closed_at: datetime
    reopened_by_name: str | None
    reopened_at: datetime | None
    reopen_reason: str | None


async def standing(tx: Tx, county: str, until: datetime) -> list[Line]:
    """Every batch that had left by then, per fund."""
    return await many(tx, _STANDING, Line, county, until)


async def differing(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Differing]:
    """Those lines, named."""
    return await many(tx, _DIFFERING, Differing, county, list(payments))


async def lock(tx: Tx, county: str) -> None:
    """Days of a county are closed and opened one at a time."""
    await run(tx, _LOCK, county)


async def latest(tx: Tx, county: str, day: date) -> Day | None:
    """The last time that day was closed."""
    return await maybe(tx, _LATEST, Day, county, day)


async def recent(tx: Tx, county: str, most: int = 14) -> list[Day]:
    """Days closed, the latest first."""
    return await many(tx, _RECENT, Day, county, most)


async def close(
    tx: Tx, county: str, day: date, turn: int, until: datetime, figures: Sequence[int], digest: bytes, person: UUID, now: datetime
) -> None:
    """`figures`: batches, ledger, files, bank and returns."""
    await run(tx, _CLOSE, county, day, turn, until, *figures, digest, person, now)


async def reopen(tx: Tx, county: str, day: date, person: UUID, now: datetime, reason: str) -> int:
    """The day stands open again; 0 when it was not closed."""
    return await run(tx, _REOPEN, county, day, person, now, reason)
