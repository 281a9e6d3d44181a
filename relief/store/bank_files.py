"""What the bank said, kept raw and once: files, and rows judged against our payments in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.batch import ResultRow
from relief.store.db import Tx, many, maybe, run, value

# Whoever imports for a batch holds it until the end, so two files of one batch never judge the same payments at once.
_LOCK_BATCHES = "SELECT county, id, number FROM batch WHERE number = ANY ($1::text[]) ORDER BY county, id FOR UPDATE"
_ADD = """
INSERT INTO bank_file (county, id, batch, kind, name, digest, sealed, status, code, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT bank_file_once DO NOTHING RETURNING id
"""
_SEEN = """
SELECT f.id, f.status, f.code, (SELECT count(*) FROM bank_row r WHERE r.county = f.county AND r.file = f.id) AS rows
FROM bank_file f WHERE f.county = $1 AND f.digest = $2
"""
_NAME_REUSED = "SELECT EXISTS (SELECT FROM bank_file WHERE county = $1 AND name = $2 AND digest <> $3)"
# One row gets one verdict: matched, repeat, pending, or the code of the exception. Banks stamp whole seconds on clocks of
# their own, hence the quarter of an hour; a row is a repeat only when the bank's own serial does not contradict it.
_JUDGE = """
WITH given AS (
    SELECT t.row, t.number, t.reference, t.outcome, t.amount_fen, t.reason, t.bank_ref, t.account_hash, t.at, t.code
    FROM unnest($4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::bytea[], $12::timestamptz[], $13::text[])
         AS t (row, number, reference, outcome, amount_fen, reason, bank_ref, account_hash, at, code)
), known AS (
    SELECT g.row, g.reference, g.outcome, g.amount_fen, g.reason, g.bank_ref, p.id AS payment, p.status, p.bank_ref AS booked,
           p.batch, p.fund, p.award, p.instalment, p.household,
           CASE WHEN g.code IS NOT NULL THEN g.code
                WHEN b.id IS NULL THEN 'unknown_batch'
                WHEN p.id IS NULL THEN 'unknown_line'
                WHEN p.batch IS DISTINCT FROM b.id THEN 'other_batch'
                WHEN p.status IN ('approved', 'batched', 'cancelled') THEN 'not_sent'
                WHEN g.amount_fen <> p.amount_fen THEN 'amount_differs'
                WHEN g.account_hash <> a.account_hash THEN 'account_differs'
                WHEN bool_or(g.outcome = 'paid') OVER same AND bool_or(g.outcome = 'returned') OVER same THEN 'twice_in_file'
                WHEN g.at < p.sent_at - interval '15 minutes' THEN 'dated_before_sending'
                WHEN g.at > $3::timestamptz + interval '1 day' THEN 'dated_in_future'
                WHEN g.at > p.sent_at + interval '30 days' THEN 'dated_late'
           END AS fault
    FROM given g
    LEFT JOIN batch b ON b.county = $1 AND b.number = g.number
    LEFT JOIN payment p ON p.county = $1 AND p.reference = g.reference AND p.reference = ANY ($6::text[])
    LEFT JOIN account a ON a.county = $1 AND a.id = p.account
    WINDOW same AS (PARTITION BY g.reference)
), counted AS (
    SELECT k.row, k.reference, k.outcome, k.amount_fen, k.reason, k.bank_ref, k.payment, k.status, k.booked, k.fault,
           k.batch, k.fund, k.award, k.instalment, k.household,
           row_number() OVER alike AS nth, first_value(k.bank_ref) OVER alike AS first_ref
    FROM known k WINDOW alike AS (PARTITION BY k.reference, k.outcome, k.fault ORDER BY k.row)
), judged AS (
    SELECT c.row, c.reference, c.outcome, c.amount_fen, c.reason, c.bank_ref, c.payment, c.batch, c.fund, c.award, c.instalment,
           c.household,
           CASE WHEN c.fault IS NOT NULL THEN c.fault
                WHEN c.outcome = 'pending' THEN CASE WHEN c.status IN ('sent', 'unknown') THEN 'pending' ELSE 'repeat' END
                WHEN c.outcome = 'paid' AND c.status IN ('sent', 'unknown') THEN
                     CASE WHEN c.nth = 1 THEN 'matched' WHEN c.bank_ref <> c.first_ref THEN 'paid_twice' ELSE 'repeat' END
                WHEN c.outcome = 'paid' AND c.status = 'paid' THEN CASE WHEN c.bank_ref <> c.booked THEN 'paid_twice' ELSE 'repeat' END
                WHEN c.outcome = 'paid' THEN
                     CASE WHEN EXISTS (SELECT FROM bank_row e WHERE e.county = $1 AND e.payment = c.payment AND e.outcome = 'paid'
                                       AND e.disposition = 'matched' AND (e.bank_ref = c.bank_ref OR e.bank_ref IS NULL OR c.bank_ref IS NULL))
                          THEN 'repeat' ELSE 'success_after_fail' END
                WHEN c.outcome = 'returned' AND c.status = 'paid' THEN 'fail_after_success'
                WHEN c.outcome = 'returned' AND c.status IN ('sent', 'unknown') AND c.nth = 1 THEN 'matched'
                WHEN c.outcome = 'returned' THEN 'repeat'
                WHEN c.outcome = 'reversed' AND c.status IN ('sent', 'unknown') THEN 'reversal_without_payment'
                WHEN c.outcome = 'reversed' AND c.status = 'paid' AND c.nth = 1 THEN 'matched'
                ELSE 'repeat'
           END AS verdict
    FROM counted c
), kept AS (
    INSERT INTO bank_row (county, file, row, reference, outcome, amount_fen, reason, bank_ref, payment, disposition, code)
    SELECT $1, $2, j.row, j.reference, j.outcome, j.amount_fen, j.reason, j.bank_ref, j.payment,
           CASE WHEN j.verdict IN ('matched', 'repeat', 'pending') THEN j.verdict ELSE 'exception' END,
           CASE WHEN j.verdict IN ('matched', 'repeat', 'pending') THEN NULL ELSE j.verdict END
    FROM judged j
)
SELECT j.verdict, j.outcome, j.amount_fen, j.reason, j.bank_ref, j.payment, j.batch, j.fund, j.award, j.instalment, j.household
FROM judged j WHERE j.payment IS NOT NULL ORDER BY j.row
"""
_PARKED = """
SELECT DISTINCT ON (r.payment) r.payment, r.reason FROM bank_row r
WHERE r.county = $1 AND r.payment = ANY ($2::uuid[]) AND r.code = 'reversal_without_payment' AND r.closed_at IS NULL
ORDER BY r.payment, r.row
"""
_CLOSE_PARKED = """
UPDATE bank_row SET closed_at = $3
WHERE county = $1 AND payment = ANY ($2::uuid[]) AND code = 'reversal_without_payment' AND closed_at IS NULL
"""
_OPEN_CASES = "SELECT count(*) FROM bank_row WHERE county = $1 AND file = $2 AND disposition = 'exception' AND closed_at IS NULL"


class Known(msgspec.Struct, frozen=True):
    """A batch we sent, or at least numbered."""

    county: str
    id: UUID
    number: str


class Seen(msgspec.Struct, frozen=True):
    """The same bytes, imported or refused before."""

    id: UUID
    status: str
    code: str | None
    rows: int


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A row that names a payment of ours, with what its verdict will move. `verdict` is a disposition or the code of a case."""

    verdict: str
    outcome: str
    amount_fen: int
    reason: str | None
    bank_ref: str | None
    payment: UUID
    batch: UUID | None
    fund: UUID
    award: UUID
    instalment: UUID
    household: UUID


class Parked(msgspec.Struct, frozen=True):
    """A 退票 that came before the 成功 it undoes."""

    payment: UUID
    reason: str | None


async def lock_batches(tx: Tx, numbers: Sequence[str]) -> list[Known]:
    """The batches of these numbers, locked in one fixed order."""
    return await many(tx, _LOCK_BATCHES, Known, numbers)


async def add(
    tx: Tx, county: str, file: UUID, batch: UUID | None, kind: str, name: str, digest: bytes, sealed: bytes, status: str, code: str | None,
    now: datetime,
) -> bool:  # fmt: skip
    """Keep a file; False when the county has these very bytes already."""
    return await value(tx, _ADD, county, file, batch, kind, name, digest, sealed, status, code, now) is not None


async def seen(tx: Tx, county: str, digest: bytes) -> Seen | None:
    """The earlier import of the same bytes."""
    return await maybe(tx, _SEEN, Seen, county, digest)


async def name_reused(tx: Tx, county: str, name: str, digest: bytes) -> bool:
    """True when other bytes came under this name before."""
    return bool(await value(tx, _NAME_REUSED, county, name, digest))


async def judge(
    tx: Tx, county: str, file: UUID, rows: Sequence[ResultRow], account_hashes: Sequence[bytes | None], now: datetime
) -> list[Judged]:
    """Keep every row with its verdict; no money moves here. Rows that name no payment of ours are kept and not returned."""
    return await many(
        tx, _JUDGE, Judged, county, file, now, [r.row for r in rows], [r.batch_number for r in rows], [r.reference for r in rows],
        [r.outcome for r in rows], [r.amount_fen for r in rows], [r.reason for r in rows], [r.bank_ref for r in rows], account_hashes,
        [r.at for r in rows], [r.code for r in rows],
    )  # fmt: skip


async def parked(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Parked]:
    """Open 退票 rows of these payments, from any file."""
    return await many(tx, _PARKED, Parked, county, payments)


async def close_parked(tx: Tx, county: str, payments: Sequence[UUID], now: datetime) -> int:
    """They have been taken up."""
    return await run(tx, _CLOSE_PARKED, county, payments, now)


async def open_cases(tx: Tx, county: str, file: UUID) -> int:
    """Rows of this file that wait for a person."""
    return int(await value(tx, _OPEN_CASES, county, file))
