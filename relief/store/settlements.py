"""What the bank's word does to money: payments, instalments, awards, batches and funds, each moved by one guarded statement.

Every statement takes arrays, so a file of 100,000 lines costs the same few statements as a file of one; none joins where a list of
ids will do, so none depends on the planner's guess about tables that have just grown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_PAY = """
UPDATE payment p SET status = 'paid', settled_at = $4, bank_ref = t.bank_ref
FROM unnest($2::uuid[], $3::text[]) AS t (id, bank_ref)
WHERE p.county = $1 AND p.id = t.id AND p.id = ANY ($2::uuid[]) AND p.status = ANY ($5::text[])
"""
_RETURN = """
UPDATE payment p SET status = 'returned', settled_at = $4, reason = t.reason
FROM unnest($2::uuid[], $3::text[]) AS t (id, reason)
WHERE p.county = $1 AND p.id = t.id AND p.id = ANY ($2::uuid[]) AND p.status = ANY ($5::text[])
"""
_INSTALMENTS = "UPDATE instalment SET status = $3 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($4::text[])"
_LOCK_FUNDS = "SELECT id FROM fund WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE"
_BOOK = """
UPDATE fund f SET in_flight_fen = f.in_flight_fen - t.paid - t.returned, paid_fen = f.paid_fen + t.paid - t.reversed,
       reserved_fen = f.reserved_fen + t.returned + t.reversed
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS t (id, paid, returned, reversed)
WHERE f.county = $1 AND f.id = t.id AND f.in_flight_fen >= t.paid + t.returned AND f.paid_fen + t.paid >= t.reversed
"""
_COMPLETE = """
WITH unfinished AS (
    SELECT award FROM instalment WHERE county = $1 AND award = ANY ($2::uuid[]) AND status NOT IN ('settled', 'cancelled')
)
UPDATE award SET status = 'completed'
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($3::text[]) AND id NOT IN (SELECT award FROM unfinished)
"""
_AWAIT = """
INSERT INTO confirmation (county, payment, household, status, awaited_at)
SELECT $1, t.payment, t.household, 'awaited', $4 FROM unnest($2::uuid[], $3::uuid[]) AS t (payment, household)
ON CONFLICT (county, payment) DO NOTHING
"""
_VOID = "UPDATE confirmation SET status = 'void' WHERE county = $1 AND payment = ANY ($2::uuid[]) AND status = ANY ($3::text[])"
# A row that names a line of ours proves the batch arrived, whatever our own sender remembers.
_PROVEN = """
UPDATE batch SET status = 'sent', sent_at = coalesce(sent_at, $3), lease_until = NULL
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($4::text[])
"""
_ACKNOWLEDGE = "UPDATE batch SET status = 'acknowledged' WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($3::text[])"
_SETTLE = """
UPDATE batch b SET status = 'settled' WHERE b.county = $1 AND b.id = ANY ($2::uuid[]) AND b.status = ANY ($3::text[])
AND NOT EXISTS (SELECT FROM unnest(b.payments) AS l (id) CROSS JOIN LATERAL (
    SELECT FROM payment WHERE county = $1 AND id = l.id AND batch = b.id AND status IN ('sent', 'unknown') LIMIT 1) p)
"""
# The award is held, so nothing more is sent for it until a person has looked; the hold is placed by the system (nil id).
_FREEZE = """
INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
SELECT $1, 'award', t.award::text, 'bank_contradiction', '00000000-0000-0000-0000-000000000000'::uuid, $3::timestamptz
FROM unnest($2::uuid[]) AS t (award)
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.kind = 'award' AND h.subject = t.award::text
                  AND h.reason = 'bank_contradiction' AND (h.valid_to IS NULL OR h.valid_to > $3))
"""
# Line by line of each late batch.
_LATE = """
SELECT p.county, p.id FROM batch b
CROSS JOIN LATERAL unnest(b.payments) AS l (id)
CROSS JOIN LATERAL (
    SELECT county, id FROM payment WHERE county = b.county AND id = l.id AND batch = b.id AND status = ANY ($2::text[]) LIMIT 1 FOR UPDATE SKIP LOCKED) p
WHERE b.status IN ('sent', 'unknown', 'acknowledged') AND coalesce(b.sent_at, b.claimed_at) < $1
"""
_OVERDUE = """
UPDATE payment SET status = 'unknown'
WHERE county = ANY ($1::text[]) AND id = ANY ($2::uuid[]) AND status = ANY ($3::text[])
RETURNING county, id
"""
_ACTS = """
WITH a AS (
    INSERT INTO audit (county, at, actor, act, subject, count, digest, detail)
    SELECT t.county, $1, NULL, $2, 'payment', t.count, t.digest, '{}'::jsonb FROM unnest($3::text[], $4::int[], $5::bytea[]) AS t (county, count, digest)
    RETURNING county, id)
INSERT INTO audit_pending (county, id) SELECT county, id FROM a
"""


class Late(msgspec.Struct, frozen=True):
    """A payment the bank has not answered in time."""

    county: str
    id: UUID


async def pay(tx: Tx, county: str, payments: Sequence[UUID], bank_refs: Sequence[str | None], now: datetime, sources: Sequence[str]) -> int:
    """→ paid with the bank's serials; how many took it."""
    return await run(tx, _PAY, county, payments, bank_refs, now, sources)


async def give_back(
    tx: Tx, county: str, payments: Sequence[UUID], reasons: Sequence[str | None], now: datetime, sources: Sequence[str]
) -> int:
    """→ returned with reasons (F01–F99); how many took it. The serial of an earlier credit stays."""
    return await run(tx, _RETURN, county, payments, reasons, now, sources)


async def move_instalments(tx: Tx, county: str, instalments: Sequence[UUID], status: str, sources: Sequence[str]) -> int:
    """One guarded move; how many took it."""
    return await run(tx, _INSTALMENTS, county, instalments, status, sources)


async def book(tx: Tx, county: str, sums: Mapping[UUID, Sequence[int]]) -> int:
    """Move balances by fund → (paid, returned, reversed) fen; how many funds took it. Locked in one fixed order."""
    await run(tx, _LOCK_FUNDS, county, list(sums))
    return await run(tx, _BOOK, county, list(sums), *([three[place] for three in sums.values()] for place in range(3)))


async def complete(tx: Tx, county: str, awards: Sequence[UUID], sources: Sequence[str]) -> int:
    """→ completed for those of these awards whose instalments are all settled or cancelled; how many."""
    return await run(tx, _COMPLETE, county, awards, sources)


async def await_confirmation(tx: Tx, county: str, payments: Sequence[UUID], households: Sequence[UUID], now: datetime) -> int:
    """Each paid payment awaits its resident's word, once."""
    return await run(tx, _AWAIT, county, payments, households, now)


async def void_confirmation(tx: Tx, county: str, payments: Sequence[UUID], sources: Sequence[str]) -> int:
    """The money is not there after all."""
    return await run(tx, _VOID, county, payments, sources)


async def proven_sent(tx: Tx, county: str, batches: Sequence[UUID], now: datetime, sources: Sequence[str]) -> int:
    """→ sent for batches the bank evidently has."""
    return await run(tx, _PROVEN, county, batches, now, sources)


async def acknowledge(tx: Tx, county: str, batches: Sequence[UUID], sources: Sequence[str]) -> int:
    """→ acknowledged: there is a first answer."""
    return await run(tx, _ACKNOWLEDGE, county, batches, sources)


async def settle(tx: Tx, county: str, batches: Sequence[UUID], sources: Sequence[str]) -> int:
    """→ settled for those of these batches without an open line."""
    return await run(tx, _SETTLE, county, batches, sources)


async def freeze(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> int:
    """Hold awards about which the bank contradicts itself, once each; how many new holds."""
    return await run(tx, _FREEZE, county, awards, now)


async def overdue(tx: Tx, before: datetime, sources: Sequence[str]) -> list[Late]:
    """sent → unknown where the batch was sent before that moment."""
    late = await many(tx, _LATE, Late, before, sources)
    return await many(tx, _OVERDUE, Late, sorted({one.county for one in late}), [one.id for one in late], sources) if late else []


async def note(tx: Tx, now: datetime, act: str, acts: Sequence[tuple[str, int, bytes]]) -> None:
    """One audit row a county, in one statement: (county, count, digest of the ids)."""
    counties, counts, digests = (list(column) for column in zip(*acts, strict=True))
    await run(tx, _ACTS, now, act, counties, counts, digests)
