"""What the bank's word does to money: payments, instalments, awards, batches and funds, each moved by one guarded statement.

Every statement starts from the rows of one bank file, so a file of 100,000 lines costs the same few statements as a file of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# Payment, transfer and instalment move together or not at all; what comes back is the sum per fund.
_PAY = """
WITH moved AS (
    UPDATE payment p SET status = 'paid', settled_at = $3, bank_ref = r.bank_ref
    FROM bank_row r
    WHERE r.county = $1 AND r.file = $2 AND r.disposition = 'matched' AND r.outcome = 'paid'
      AND p.county = $1 AND p.id = r.payment AND p.status = ANY ($5::text[])
    RETURNING p.id, p.fund, p.instalment, p.amount_fen
), ledger AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'in flight', 'paid', amount_fen, 'payment', id, $4, $3 FROM moved
), part AS (
    UPDATE instalment i SET status = 'settled' FROM moved m
    WHERE i.county = $1 AND i.id = m.instalment AND i.status = 'released' RETURNING i.id
)
SELECT m.fund, count(*) AS payments, sum(m.amount_fen)::bigint AS fen, (SELECT count(*) FROM part) AS instalments FROM moved m GROUP BY m.fund
"""
_RETURN = """
WITH moved AS (
    UPDATE payment p SET status = 'returned', settled_at = $3, bank_ref = r.bank_ref, reason = r.reason
    FROM bank_row r
    WHERE r.county = $1 AND r.file = $2 AND r.disposition = 'matched' AND r.outcome = 'returned'
      AND p.county = $1 AND p.id = r.payment AND p.status = ANY ($5::text[])
    RETURNING p.id, p.fund, p.amount_fen
), ledger AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'in flight', 'reserved', amount_fen, 'payment', id, $4, $3 FROM moved
)
SELECT m.fund, count(*) AS payments, sum(m.amount_fen)::bigint AS fen, 0 AS instalments FROM moved m GROUP BY m.fund
"""
# A 退票 may come before the 成功 it undoes: it waits as an open exception and is taken up by the file that brings the payment.
_REVERSE = """
WITH said AS (
    SELECT DISTINCT ON (payment) payment, reason FROM (
        SELECT payment, reason, row FROM bank_row
        WHERE county = $1 AND file = $2 AND disposition = 'matched' AND outcome = 'reversed'
        UNION ALL
        SELECT w.payment, w.reason, w.row FROM bank_row r
        JOIN bank_row w ON w.county = $1 AND w.payment = r.payment AND w.code = 'reversal_without_payment' AND w.closed_at IS NULL
        WHERE r.county = $1 AND r.file = $2 AND r.disposition = 'matched' AND r.outcome = 'paid'
    ) s ORDER BY payment, row
), moved AS (
    UPDATE payment p SET status = 'returned', settled_at = $3, reason = s.reason
    FROM said s WHERE p.county = $1 AND p.id = s.payment AND p.status = ANY ($5::text[])
    RETURNING p.id, p.fund, p.instalment, p.amount_fen
), ledger AS (
    INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, fund, 'paid', 'reserved', amount_fen, 'payment', id, $4, $3 FROM moved
), part AS (
    UPDATE instalment i SET status = 'released' FROM moved m
    WHERE i.county = $1 AND i.id = m.instalment AND i.status = 'settled' RETURNING i.id
), voided AS (
    UPDATE confirmation c SET status = 'void' FROM moved m
    WHERE c.county = $1 AND c.payment = m.id AND c.status = ANY ($6::text[]) RETURNING c.payment
), taken AS (
    UPDATE bank_row w SET closed_at = $3 FROM moved m
    WHERE w.county = $1 AND w.payment = m.id AND w.code = 'reversal_without_payment' AND w.closed_at IS NULL RETURNING w.row
)
SELECT m.fund, count(*) AS payments, sum(m.amount_fen)::bigint AS fen, (SELECT count(*) FROM part) AS instalments FROM moved m GROUP BY m.fund
"""
_LOCK_FUNDS = "SELECT id FROM fund WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE"
_BOOK = """
UPDATE fund f SET in_flight_fen = f.in_flight_fen - t.paid - t.returned, paid_fen = f.paid_fen + t.paid - t.reversed,
       reserved_fen = f.reserved_fen + t.returned + t.reversed
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS t (id, paid, returned, reversed)
WHERE f.county = $1 AND f.id = t.id AND f.in_flight_fen >= t.paid + t.returned AND f.paid_fen + t.paid >= t.reversed
"""
_COMPLETE = """
UPDATE award a SET status = 'completed'
WHERE a.county = $1 AND a.status = ANY ($3::text[])
  AND a.id IN (SELECT p.award FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
               WHERE r.county = $1 AND r.file = $2 AND r.disposition = 'matched' AND r.outcome = 'paid')
  AND NOT EXISTS (SELECT FROM instalment i WHERE i.county = $1 AND i.award = a.id AND i.status NOT IN ('settled', 'cancelled'))
"""
# One that was confirmed void by a return and paid again under another attempt has another payment id.
_AWAIT = """
INSERT INTO confirmation (county, payment, household, status, awaited_at)
SELECT $1, p.id, p.household, 'awaited', $3
FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment AND p.status = 'paid'
WHERE r.county = $1 AND r.file = $2 AND r.disposition = 'matched' AND r.outcome = 'paid'
ON CONFLICT (county, payment) DO NOTHING RETURNING payment AS id
"""
# A row that names a line of ours proves the batch arrived, whatever our own sender remembers.
_PROVEN = """
UPDATE batch b SET status = 'sent', sent_at = coalesce(b.sent_at, $3), lease_until = NULL
WHERE b.county = $1 AND b.status = ANY ($4::text[])
  AND b.id IN (SELECT p.batch FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
               WHERE r.county = $1 AND r.file = $2 AND r.disposition <> 'exception')
"""
_ACKNOWLEDGE = """
UPDATE batch b SET status = 'acknowledged'
WHERE b.county = $1 AND b.status = ANY ($3::text[])
  AND b.id IN (SELECT p.batch FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
               WHERE r.county = $1 AND r.file = $2 AND r.disposition <> 'exception')
"""
_SETTLE = """
UPDATE batch b SET status = 'settled'
WHERE b.county = $1 AND b.status = ANY ($3::text[])
  AND b.id IN (SELECT p.batch FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
               WHERE r.county = $1 AND r.file = $2 AND r.disposition <> 'exception')
  AND NOT EXISTS (SELECT FROM payment p WHERE p.county = $1 AND p.batch = b.id AND p.status IN ('sent', 'unknown'))
"""
# The award is held, so nothing more is sent for it until a person has looked; the hold is placed by the system (nil id).
_FREEZE = """
INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
SELECT DISTINCT $1, 'award', p.award::text, 'bank_contradiction', '00000000-0000-0000-0000-000000000000'::uuid, $3::timestamptz
FROM bank_row r JOIN payment p ON p.county = $1 AND p.id = r.payment
WHERE r.county = $1 AND r.file = $2 AND r.code = ANY ($4::text[])
  AND NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.kind = 'award' AND h.subject = p.award::text
                  AND h.reason = 'bank_contradiction' AND (h.valid_to IS NULL OR h.valid_to > $3))
"""
_OVERDUE = """
WITH late AS (
    SELECT p.county, p.id FROM batch b
    JOIN payment p ON p.county = b.county AND p.batch = b.id AND p.status = ANY ($2::text[])
    WHERE b.status IN ('sent', 'unknown', 'acknowledged') AND coalesce(b.sent_at, b.claimed_at) < $1
    ORDER BY p.county, p.id FOR UPDATE OF p SKIP LOCKED
)
UPDATE payment p SET status = 'unknown' FROM late l WHERE p.county = l.county AND p.id = l.id AND p.status = ANY ($2::text[])
RETURNING p.county, p.id
"""
_ACTS = """
INSERT INTO audit (county, at, actor, act, subject, count, digest, detail)
SELECT t.county, $1, NULL, $2, 'payment', t.count, t.digest, '{}'::jsonb FROM unnest($3::text[], $4::int[], $5::bytea[]) AS t (county, count, digest)
"""


class Moved(msgspec.Struct, frozen=True):
    """What one move did in one fund. `instalments` is that of the whole move, repeated on each row."""

    fund: UUID
    payments: int
    fen: int
    instalments: int


class Late(msgspec.Struct, frozen=True):
    """A payment the bank has not answered in time."""

    county: str
    id: UUID


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def pay(tx: Tx, county: str, file: UUID, now: datetime, act: UUID, sources: Sequence[str]) -> list[Moved]:
    """Matched 成功: payment → paid, instalment → settled, in flight → paid in the ledger."""
    return await many(tx, _PAY, Moved, county, file, now, act, sources)


async def give_back(tx: Tx, county: str, file: UUID, now: datetime, act: UUID, sources: Sequence[str]) -> list[Moved]:
    """Matched 失败: payment → returned, in flight → reserved in the ledger; the instalment stays released for the next attempt."""
    return await many(tx, _RETURN, Moved, county, file, now, act, sources)


async def reverse(
    tx: Tx, county: str, file: UUID, now: datetime, act: UUID, sources: Sequence[str], voidable: Sequence[str]
) -> list[Moved]:
    """Matched 退票, this file's or one that waited for its payment: paid → returned, paid → reserved, confirmation void."""
    return await many(tx, _REVERSE, Moved, county, file, now, act, sources, voidable)


async def book(tx: Tx, county: str, sums: Sequence[tuple[UUID, int, int, int]]) -> int:
    """Move fund balances by (fund, paid, returned, reversed) fen; how many funds took it. Locked in one fixed order."""
    funds, paid, returned, reversed_ = (list(column) for column in zip(*sums, strict=True))
    await run(tx, _LOCK_FUNDS, county, funds)
    return await run(tx, _BOOK, county, funds, paid, returned, reversed_)


async def complete(tx: Tx, county: str, file: UUID, sources: Sequence[str]) -> int:
    """Awards of this file whose instalments are all settled or cancelled; how many."""
    return await run(tx, _COMPLETE, county, file, sources)


async def await_confirmation(tx: Tx, county: str, file: UUID, now: datetime) -> list[UUID]:
    """Payments of this file that are paid now: each awaits its resident's word."""
    return [r.id for r in await many(tx, _AWAIT, _Id, county, file, now)]


async def proven_sent(tx: Tx, county: str, file: UUID, now: datetime, sources: Sequence[str]) -> int:
    """Batches the bank evidently has."""
    return await run(tx, _PROVEN, county, file, now, sources)


async def acknowledge(tx: Tx, county: str, file: UUID, sources: Sequence[str]) -> int:
    """Batches with a first answer."""
    return await run(tx, _ACKNOWLEDGE, county, file, sources)


async def settle(tx: Tx, county: str, file: UUID, sources: Sequence[str]) -> int:
    """Batches without an open line."""
    return await run(tx, _SETTLE, county, file, sources)


async def freeze(tx: Tx, county: str, file: UUID, now: datetime, codes: Sequence[str]) -> int:
    """Hold the awards of lines about which the bank contradicts itself; how many new holds."""
    return await run(tx, _FREEZE, county, file, now, codes)


async def overdue(tx: Tx, before: datetime, sources: Sequence[str]) -> list[Late]:
    """sent → unknown where the batch was sent before that moment."""
    return await many(tx, _OVERDUE, Late, before, sources)


async def note(tx: Tx, now: datetime, act: str, acts: Sequence[tuple[str, int, bytes]]) -> None:
    """One audit row a county, in one statement: (county, count, digest of the ids)."""
    counties, counts, digests = (list(column) for column in zip(*acts, strict=True))
    await run(tx, _ACTS, now, act, counties, counts, digests)
