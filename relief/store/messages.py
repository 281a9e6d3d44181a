"""Messages and what the carrier said about them. A batch is one statement, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

# Looked up payment by payment: a fresh database has no statistics yet, and a join it misjudges reads every person for every payment.
_FACTS = """
SELECT k.id AS payment, p.amount_fen, a.aid, a.mode, i.seq, n.drill,
       s.id AS person, s.sealed AS person_sealed, s.phone_hash, s.phone_route, c.id AS account, c.sealed AS account_sealed
FROM unnest($2::uuid[]) AS k (id)
CROSS JOIN LATERAL (
    SELECT amount_fen, award, instalment, household, account FROM payment WHERE county = $1 AND id = k.id AND status = 'paid' LIMIT 1) p
CROSS JOIN LATERAL (SELECT aid, mode, incident FROM award WHERE county = $1 AND id = p.award LIMIT 1) a
CROSS JOIN LATERAL (SELECT seq FROM instalment WHERE county = $1 AND id = p.instalment LIMIT 1) i
CROSS JOIN LATERAL (
    SELECT id, sealed, phone_hash, phone_route FROM person
    WHERE county = $1 AND household = p.household AND role = 'householder' AND phone_route <> 'none' LIMIT 1) s
CROSS JOIN LATERAL (SELECT id, sealed FROM account WHERE county = $1 AND id = p.account LIMIT 1) c
JOIN incident n ON n.id = a.incident
"""
_QUEUE = """
INSERT INTO message (county, id, payment, person, event, template, sealed, to_hash, route, short_code, status, due_at, queued_at, drill)
SELECT $1, id, payment, person, $2, template, sealed, to_hash, route, short_code, 'queued', $3, $3, drill
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::bool[])
    AS t (id, payment, person, template, sealed, to_hash, route, short_code, drill)
ON CONFLICT (county, payment, event) DO NOTHING
RETURNING county, id
"""
_REFUSE_DRILLS = """
UPDATE message SET status = 'failed', error = 'drill', ended_at = $1
WHERE status = 'queued' AND due_at <= $1 AND drill
RETURNING county, id
"""
_CLAIM = """
WITH picked AS (
    SELECT county, id FROM message WHERE status = 'queued' AND due_at <= $1 AND drill <> $4
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE message m SET status = 'sending', lease_until = $3, tries = m.tries + 1
FROM picked WHERE m.county = picked.county AND m.id = picked.id AND m.status = 'queued'
RETURNING m.county, m.id, m.sealed, m.queued_at
"""
_TO_ASK = """
WITH picked AS (
    SELECT county, id FROM message
    WHERE (status = 'sending' AND lease_until < $1) OR (status = 'unknown' AND due_at <= $1)
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE message m SET status = 'unknown', lease_until = NULL, due_at = $3
FROM picked WHERE m.county = picked.county AND m.id = picked.id AND m.status IN ('sending', 'unknown')
RETURNING m.county, m.id, m.sealed, m.queued_at
"""
# In the order of the sid's hash everywhere, so that two recorders never wait for each other in a circle.
_LOCK_SIDS = """
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(sid, 0) AS key FROM unnest($1::text[]) AS t (sid) ORDER BY key) AS keys
"""
_SENT = """
WITH word AS (SELECT word, status, rank FROM unnest($5::text[], $6::text[], $7::int[]) AS t (word, status, rank)),
given AS (SELECT county, id, sid, said, error FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $8::text[]) AS t (county, id, sid, said, error)),
heard AS (
    SELECT sid, said, error, $9::timestamptz AS at FROM given
    UNION ALL SELECT e.sid, e.status, e.error, e.at FROM message_event e JOIN given g ON g.sid = e.sid),
best AS (
    SELECT DISTINCT ON (h.sid) h.sid, w.status, h.error, h.at FROM heard h JOIN word w ON w.word = h.said ORDER BY h.sid, w.rank DESC, h.at)
UPDATE message m
SET status = coalesce(b.status, 'sent'), sid = g.sid, sent_at = $9, lease_until = NULL,
    error = CASE WHEN b.status = 'failed' THEN coalesce(b.error, 'failed') END,
    ended_at = CASE WHEN b.status IN ('delivered', 'failed') THEN b.at END
FROM given g LEFT JOIN best b ON b.sid = g.sid
WHERE m.county = g.county AND m.id = g.id AND m.status IN ('queued', 'sending', 'unknown')
RETURNING m.county, m.id
"""
_REJECTED = """
WITH moved AS (
    UPDATE message m SET status = 'failed', error = g.code, ended_at = $4, lease_until = NULL
    FROM unnest($1::text[], $2::uuid[], $3::text[]) AS g (county, id, code)
    WHERE m.county = g.county AND m.id = g.id AND m.status IN ('sending', 'unknown')
    RETURNING m.county, m.id, m.person, m.error),
closed AS (
    UPDATE person s SET phone_route = 'none' FROM moved m
    WHERE s.county = m.county AND s.id = m.person AND m.error = ANY ($5::text[]) AND s.phone_route <> 'none')
SELECT county, id FROM moved
"""
_THROTTLED = """
UPDATE message m SET status = 'queued', due_at = $4::timestamptz + make_interval(secs => g.after_s), lease_until = NULL, tries = m.tries - 1
FROM unnest($1::text[], $2::uuid[], $3::float8[]) AS g (county, id, after_s)
WHERE m.county = g.county AND m.id = g.id AND m.status = 'sending'
RETURNING m.county, m.id
"""
_UNKNOWN = """
UPDATE message m SET status = 'unknown', due_at = $3, lease_until = NULL
FROM unnest($1::text[], $2::uuid[]) AS g (county, id)
WHERE m.county = g.county AND m.id = g.id AND m.status = 'sending'
RETURNING m.county, m.id
"""
_ABSENT = """
UPDATE message m
SET status = CASE WHEN m.tries < $4 THEN 'queued' ELSE 'failed' END, due_at = $3, lease_until = NULL,
    error = CASE WHEN m.tries < $4 THEN NULL ELSE 'absent' END, ended_at = CASE WHEN m.tries < $4 THEN NULL ELSE $3::timestamptz END
FROM unnest($1::text[], $2::uuid[]) AS g (county, id)
WHERE m.county = g.county AND m.id = g.id AND m.status = 'unknown'
RETURNING m.county, m.id
"""
# A message with a sid is at least 'sent', so the only move left is from there to one of the two ends; the first end stays.
_EVENTS = """
WITH given AS (
    SELECT sid, word, error, status, rank, place
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[]) WITH ORDINALITY AS t (sid, word, error, status, rank, place)),
kept AS (
    INSERT INTO message_event (sid, status, error, at) SELECT sid, word, error, $6 FROM given ORDER BY sid, word
    ON CONFLICT (sid, status) DO NOTHING),
best AS (SELECT DISTINCT ON (sid) sid, status, error FROM given ORDER BY sid, rank DESC, place),
moved AS (
    UPDATE message m SET status = b.status, ended_at = $6, error = CASE WHEN b.status = 'failed' THEN coalesce(b.error, 'failed') END
    FROM best b WHERE m.sid = b.sid AND m.status = 'sent' AND b.status IN ('delivered', 'failed'))
SELECT b.sid FROM best b WHERE NOT EXISTS (SELECT FROM message m WHERE m.sid = b.sid)
"""
_STOP = """
WITH closed AS (
    UPDATE person SET phone_route = 'none' WHERE phone_hash = $1 AND phone_route <> 'none' RETURNING county, id),
ended AS (
    UPDATE message SET status = 'failed', error = '21610', ended_at = $2 WHERE to_hash = $1 AND status = 'queued')
SELECT county, id FROM closed
"""
_START = "UPDATE person SET phone_route = $2 WHERE phone_hash = $1 AND phone_route = 'none' RETURNING county, id"


class Paid(msgspec.Struct, frozen=True):
    """What is needed to tell a householder with a phone that an instalment was paid."""

    payment: UUID
    amount_fen: int
    aid: str
    mode: str
    seq: int
    drill: bool
    person: UUID
    person_sealed: bytes
    phone_hash: bytes
    phone_route: str
    account: UUID
    account_sealed: bytes


class Queued(msgspec.Struct, frozen=True):
    """A message to be kept."""

    id: UUID
    payment: UUID
    person: UUID
    template: str
    sealed: bytes
    to_hash: bytes
    route: str
    short_code: str
    drill: bool


class Claimed(msgspec.Struct, frozen=True):
    """A message taken for sending or asking."""

    county: str
    id: UUID
    sealed: bytes
    queued_at: datetime


class Key(msgspec.Struct, frozen=True):
    """Which row."""

    county: str
    id: UUID


class Event(msgspec.Struct, frozen=True):
    """One callback of the carrier: its word, and what that means to us (`status`, `rank`)."""

    sid: str
    word: str
    error: str | None
    status: str
    rank: int


class _Sid(msgspec.Struct, frozen=True):
    sid: str


async def paid(tx: Tx, county: str, payments: Sequence[UUID]) -> list[Paid]:
    """The paid ones of these payments whose householder can be reached by message."""
    return await many(tx, _FACTS, Paid, county, payments)


async def queue(tx: Tx, county: str, event: str, rows: Sequence[Queued], now: datetime) -> list[Key]:
    """Keep messages; a payment is told of an event once, so a repeat adds nothing. Returns the new ones."""
    return await many(
        tx, _QUEUE, Key, county, event, now, [r.id for r in rows], [r.payment for r in rows], [r.person for r in rows], [r.template for r in rows],
        [r.sealed for r in rows], [r.to_hash for r in rows], [r.route for r in rows], [r.short_code for r in rows], [r.drill for r in rows],
    )  # fmt: skip


async def refuse_drills(tx: Tx, now: datetime) -> list[Key]:
    """End every drill message that is due: asked for where the channel is real."""
    return await many(tx, _REFUSE_DRILLS, Key, now)


async def claim(tx: Tx, limit: int, now: datetime, lease_until: datetime, real: bool) -> list[Claimed]:
    """queued → sending for at most `limit` due messages nobody else is taking: drills for a twin, the others for a real channel."""
    return await many(tx, _CLAIM, Claimed, now, limit, lease_until, real)


async def to_ask(tx: Tx, limit: int, now: datetime, again_at: datetime) -> list[Claimed]:
    """Messages that may have been sent: unknown ones that are due, and sending ones whose lease ran out. Asked again at `again_at`."""
    return await many(tx, _TO_ASK, Claimed, now, limit, again_at)


async def lock_sids(tx: Tx, sids: Sequence[str]) -> None:
    """Until the end of the transaction, nobody else records or first hears of these sids."""
    await run(tx, _LOCK_SIDS, sids)


async def sent(
    tx: Tx, keys: Sequence[Key], sids: Sequence[str], words: Sequence[str], errors: Sequence[str | None],
    meaning: Mapping[str, str], ranks: Mapping[str, int], now: datetime,
) -> list[Key]:  # fmt: skip
    """Write the sids down, together with whatever callbacks came before us. `meaning` is the carrier's word → our status."""
    return await many(
        tx,
        _SENT,
        Key,
        *_columns(keys),
        sids,
        words,
        list(meaning),
        list(meaning.values()),
        [ranks[s] for s in meaning.values()],
        errors,
        now,
    )


async def rejected(tx: Tx, keys: Sequence[Key], codes: Sequence[str], closing: Sequence[str], now: datetime) -> list[Key]:
    """Surely not sent, for good. A code among `closing` also closes the person's number to messages."""
    return await many(tx, _REJECTED, Key, *_columns(keys), codes, now, closing)


async def throttled(tx: Tx, keys: Sequence[Key], after_s: Sequence[float], now: datetime) -> list[Key]:
    """Surely not sent: back to the queue, and the try does not count."""
    return await many(tx, _THROTTLED, Key, *_columns(keys), after_s, now)


async def unknown(tx: Tx, keys: Sequence[Key], ask_at: datetime) -> list[Key]:
    """May have been sent: to be asked at `ask_at`."""
    return await many(tx, _UNKNOWN, Key, *_columns(keys), ask_at)


async def absent(tx: Tx, keys: Sequence[Key], tries: int, now: datetime) -> list[Key]:
    """The carrier has no such message: queued once more below `tries` tries, else failed."""
    return await many(tx, _ABSENT, Key, *_columns(keys), now, tries)


async def events(tx: Tx, given: Sequence[Event], now: datetime) -> list[str]:
    """Keep callbacks once and move their messages forward. Returns the sids no message bears (yet)."""
    rows = await many(
        tx, _EVENTS, _Sid, [e.sid for e in given], [e.word for e in given], [e.error for e in given], [e.status for e in given],
        [e.rank for e in given], now,
    )  # fmt: skip
    return [r.sid for r in rows]


async def stop(tx: Tx, to_hash: bytes, now: datetime) -> list[Key]:
    """The owner of this number wants silence: nothing more is queued for it, and what waits is ended."""
    return await many(tx, _STOP, Key, to_hash, now)


async def start(tx: Tx, to_hash: bytes, route: str) -> list[Key]:
    """The owner of this number wants messages again."""
    return await many(tx, _START, Key, to_hash, route)


def _columns(keys: Sequence[Key]) -> tuple[list[str], list[UUID]]:
    return [k.county for k in keys], [k.id for k in keys]
