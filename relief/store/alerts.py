"""What feeds said: every message once, who speaks of whom, and what officers made of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from relief.domain.alert import Kind, Message, Nature, Source, Status
from relief.domain.moves import ALERT, sources
from relief.store.db import Tx, many, one, run

_KNOWN = "SELECT link FROM alert WHERE source = $1 AND received_at > $2"
_INSERT = """
INSERT INTO alert (source, sender, identifier, sent, nature, kind, event, headline, severity, urgency, certainty, hazard, area, areas, lon, lat,
                   magnitude, occurred_at, expires_at, digest, body, link, status, why, received_at)
SELECT source, sender, identifier, sent, nature, kind, event, headline, severity, urgency, certainty, hazard, area,
       string_to_array(areas, ','), lon, lat, magnitude, occurred_at, expires_at, digest, body, link, status, why, $25
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::text[], $12::text[], $13::text[], $14::text[], $15::float8[], $16::float8[], $17::float8[], $18::timestamptz[],
            $19::timestamptz[], $20::bytea[], $21::bytea[], $22::text[], $23::text[], $24::text[])
    AS t (source, sender, identifier, sent, nature, kind, event, headline, severity, urgency, certainty, hazard, area, areas, lon, lat,
          magnitude, occurred_at, expires_at, digest, body, link, status, why)
ON CONFLICT ON CONSTRAINT alert_once DO NOTHING RETURNING id, sender, identifier, sent
"""
_REFER = """
INSERT INTO alert_reference (alert, sender, identifier, sent)
SELECT alert, sender, identifier, sent FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS t (alert, sender, identifier, sent)
ON CONFLICT DO NOTHING
"""
# The same name with other content is a case, once for each content.
_CLASH = """
INSERT INTO alert_conflict (alert, digest, body, received_at, status)
SELECT a.id, t.digest, t.body, $7, 'open'
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[], $6::bytea[]) AS t (source, sender, identifier, sent, digest, body)
JOIN alert a ON (a.source, a.sender, a.identifier, a.sent) = (t.source, t.sender, t.identifier, t.sent)
WHERE a.digest <> t.digest ON CONFLICT ON CONSTRAINT alert_conflict_once DO NOTHING
"""
# News of something an officer has already opened an incident for is news of that incident.
_LINK = """
UPDATE alert y SET incident = s.incident
FROM (SELECT DISTINCT ON (s.later) s.later, x.incident FROM alert_succession s JOIN alert x ON x.id = s.earlier
      WHERE x.incident IS NOT NULL ORDER BY s.later, x.sent DESC) s
WHERE y.id = s.later AND y.incident IS NULL AND y.status IN ('parked', 'proposed')
"""
# The latest word on a message counts: superseded by an update, withdrawn by a cancel. What an officer decided stays decided.
_SUCCEED = """
UPDATE alert x SET status = CASE s.kind WHEN 'cancel' THEN 'withdrawn' ELSE 'superseded' END
FROM (SELECT DISTINCT ON (s.earlier) s.earlier, s.kind FROM alert_succession s JOIN alert y ON y.id = s.later
      ORDER BY s.earlier, y.sent DESC) s
WHERE x.id = s.earlier AND x.status = ANY ($1::text[])
"""
# Parked until what it speaks of is there, or for as long as patience lasts. A cancel does nothing more by itself, unless an incident
# was opened on the strength of what it cancels: then an officer must see it.
_RELEASE = """
WITH ripe AS (
    SELECT y.id, y.kind, y.incident, y.expires_at, EXISTS (
               SELECT FROM alert_reference r JOIN alert x ON (x.sender, x.identifier, x.sent) = (r.sender, r.identifier, r.sent) AND x.source = y.source
               WHERE r.alert = y.id)
           OR EXISTS (SELECT FROM alert_succession s WHERE s.later = y.id) AS known
    FROM alert y WHERE y.status = 'parked'
)
UPDATE alert y SET
    status = CASE WHEN r.kind = 'cancel' AND r.incident IS NULL OR r.expires_at <= $1 THEN 'noted' ELSE 'proposed' END,
    why = CASE WHEN r.kind = 'cancel' AND r.incident IS NULL THEN CASE WHEN r.known THEN 'applied' ELSE 'no_original' END
               WHEN r.expires_at <= $1 THEN 'expired' END
FROM ripe r WHERE y.id = r.id AND (r.known OR y.received_at <= $2) AND y.status = ANY ($3::text[])
"""
_LOCK = """
SELECT id, source, sender, identifier, sent, nature, kind, event, headline, severity, hazard, area, areas, lon, lat, magnitude, occurred_at,
       status, why, incident, received_at
FROM alert WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
"""
_WAITING = """
SELECT id, source, sender, identifier, sent, nature, kind, event, headline, severity, hazard, area, areas, lon, lat, magnitude, occurred_at,
       status, why, incident, received_at
FROM alert WHERE status = 'proposed' AND (area IS NULL OR area LIKE ANY ($1::text[])) ORDER BY received_at DESC, id LIMIT $2
"""
_BODY = "SELECT source, body FROM alert WHERE id = $1"
_DECIDE = """
UPDATE alert SET status = $2, incident = coalesce($3, incident), decided_by = $4, decided_at = $5, reason = $6
WHERE id = ANY ($1::uuid[]) AND status = ANY ($7::text[])
"""
_FOLLOW = "UPDATE alert SET incident = $2 WHERE incident = ANY ($1::uuid[])"
_CONFLICTS = """
SELECT c.id, c.alert, a.sender, a.identifier, a.sent, a.headline, c.received_at FROM alert_conflict c JOIN alert a ON a.id = c.alert
WHERE c.status = 'open' ORDER BY c.received_at, c.id LIMIT $1
"""
_CLOSE_CONFLICTS = """
UPDATE alert_conflict SET status = 'closed', closed_by = $2, closed_at = $3, answer = $4 WHERE id = ANY ($1::uuid[]) AND status = 'open'
"""


class Placed(msgspec.Struct, frozen=True):
    """A message with what the house made of it: the county it most concerns, every county, and its first status."""

    message: Message
    area: str | None
    areas: tuple[str, ...]
    status: Status
    why: str | None


class Alert(msgspec.Struct, frozen=True):
    """One kept message. `incident` is what it is news of, or what was opened for it."""

    id: UUID
    source: Source
    sender: str
    identifier: str
    sent: datetime
    nature: Nature
    kind: Kind
    event: str
    headline: str
    severity: str
    hazard: str | None
    area: str | None
    areas: list[str]
    lon: float | None
    lat: float | None
    magnitude: float | None
    occurred_at: datetime
    status: Status
    why: str | None
    incident: UUID | None
    received_at: datetime


class Body(msgspec.Struct, frozen=True):
    """A message as received."""

    source: Source
    body: bytes


class Conflict(msgspec.Struct, frozen=True):
    """Two contents under one name."""

    id: UUID
    alert: UUID
    sender: str
    identifier: str
    sent: datetime
    headline: str
    received_at: datetime


class Counts(msgspec.Struct, frozen=True):
    """How many were new, and how many said something else than the message of the same name."""

    new: int
    conflicts: int


class _Made(msgspec.Struct, frozen=True):
    id: UUID
    sender: str
    identifier: str
    sent: datetime


class _Link(msgspec.Struct, frozen=True):
    link: str


async def known(tx: Tx, source: Source, since: datetime) -> frozenset[str]:
    """The feed's own names of what was received since then."""
    return frozenset(row.link for row in await many(tx, _KNOWN, _Link, source, since))


async def keep(tx: Tx, placed: Sequence[Placed], now: datetime) -> Counts:
    """Keep every message once, with what it refers to; other content under the same name becomes a case."""
    rows = [(p, p.message) for p in placed]
    made = await many(
        tx, _INSERT, _Made,
        *([getattr(m, n) for _, m in rows] for n in ("source", "sender", "identifier", "sent", "nature", "kind", "event", "headline", "severity", "urgency", "certainty", "hazard")),
        [p.area for p, _ in rows], [",".join(p.areas) for p, _ in rows],
        *([getattr(m, n) for _, m in rows] for n in ("lon", "lat", "magnitude", "occurred_at", "expires_at")),
        [m.digest() for _, m in rows], *([getattr(m, n) for _, m in rows] for n in ("body", "link")),
        [p.status for p, _ in rows], [p.why for p, _ in rows], now,
    )  # fmt: skip
    by_name = {(a.sender, a.identifier, a.sent): a.id for a in made}
    first = {(m.sender, m.identifier, m.sent): m for _, m in reversed(rows)}
    refers = [(by_name[name], r) for name, m in first.items() if name in by_name for r in m.references]
    await run(
        tx, _REFER, [a for a, _ in refers], [r.sender for _, r in refers], [r.identifier for _, r in refers], [r.sent for _, r in refers]
    )
    clashes = await run(
        tx, _CLASH, *([getattr(m, n) for _, m in rows] for n in ("source", "sender", "identifier", "sent")),
        [m.digest() for _, m in rows], [m.body for _, m in rows], now,
    )  # fmt: skip
    return Counts(new=len(made), conflicts=clashes)


async def settle(tx: Tx, now: datetime, patience: timedelta) -> None:
    """Let later messages act on earlier ones, whichever came first, and release what has waited long enough."""
    await run(tx, _LINK)
    await run(tx, _SUCCEED, sorted(set(sources(ALERT, "superseded")) & set(sources(ALERT, "withdrawn"))))
    await run(tx, _RELEASE, now, now - patience, sources(ALERT, "noted"))


async def lock(tx: Tx, ids: Sequence[UUID]) -> list[Alert]:
    """These messages, locked."""
    return await many(tx, _LOCK, Alert, list(ids))


async def waiting(tx: Tx, areas: Sequence[str], most: int = 100) -> list[Alert]:
    """What is proposed in these areas or without a known one, newest first."""
    return await many(tx, _WAITING, Alert, [a + "%" for a in areas], most)


async def body(tx: Tx, alert: UUID) -> Body:
    """The message as it was received, to make a zone of; NotFound when there is none."""
    return await one(tx, _BODY, Body, alert)


async def decide(
    tx: Tx, ids: Sequence[UUID], target: Status, incident: UUID | None, person: UUID, now: datetime, reason: str | None
) -> int:
    """proposed → accepted or dismissed; how many moved."""
    return await run(tx, _DECIDE, list(ids), target, incident, person, now, reason, sources(ALERT, target))


async def follow(tx: Tx, merged: Sequence[UUID], survivor: UUID) -> int:
    """What was news of a merged incident is news of its survivor; how many."""
    return await run(tx, _FOLLOW, list(merged), survivor)


async def conflicts(tx: Tx, most: int = 100) -> list[Conflict]:
    """Open cases, oldest first."""
    return await many(tx, _CONFLICTS, Conflict, most)


async def close_conflicts(tx: Tx, ids: Sequence[UUID], person: UUID, now: datetime, answer: str) -> int:
    """open → closed; how many moved."""
    return await run(tx, _CLOSE_CONFLICTS, list(ids), person, now, answer)
