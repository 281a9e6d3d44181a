"""Versions of what was reported of an incident, county by county; nothing here is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from relief.domain.reporting import Version
from relief.store.db import Tx, many, run

Kind = Literal["first", "follow-up", "final"]

# One statement for any number of counties. The key refuses a version that somebody else wrote in the meantime.
_INSERT = """
INSERT INTO incident_report (county, incident, version, kind, zero, indicators, source, note, as_of, reported_at, author)
SELECT county, $1, version, kind, zero, indicators::jsonb, source, note, as_of, $10, $11
FROM unnest($2::text[], $3::int[], $4::text[], $5::bool[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
    AS t (county, version, kind, zero, indicators, source, note, as_of)
"""
_LATEST = """
SELECT DISTINCT ON (county) county, version, kind, zero, indicators, source, note, as_of, reported_at, author
FROM incident_report WHERE incident = $1 AND county LIKE ANY ($2::text[]) ORDER BY county, version DESC
"""
_HISTORY = """
SELECT county, version, kind, zero, indicators, source, note, as_of, reported_at, author
FROM incident_report WHERE incident = $1 AND county = $2 ORDER BY version
"""
_EVERY = """
SELECT county, version, kind, zero, indicators, source, note, as_of, reported_at, author
FROM incident_report WHERE incident = $1 ORDER BY county, version
"""
_RELAY = """
INSERT INTO report_relay (county, incident, version, level, person, at)
SELECT county, $1, version, $4, $5, $6 FROM unnest($2::text[], $3::int[]) AS t (county, version)
ON CONFLICT DO NOTHING
"""
# The counties that owe reports: the incident's own, those of the zone in force, and those that have reported; within sight only.
_COURSES = """
WITH concerned AS (
    SELECT id AS incident, county FROM incident WHERE status <> 'closed' AND ($1::uuid IS NULL OR id = $1)
    UNION SELECT z.incident, c.county FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.status = 'in force'
    UNION SELECT r.incident, r.county FROM incident_report r JOIN incident o ON o.id = r.incident
          WHERE o.status <> 'closed' AND ($1::uuid IS NULL OR o.id = $1)
), told AS (
    SELECT r.incident, r.county, jsonb_agg(jsonb_build_object(
        'version', r.version, 'kind', r.kind, 'as_of', r.as_of, 'reported_at', r.reported_at,
        'dead_missing', coalesce((r.indicators->'deaths'->>'value')::bigint, 0) + coalesce((r.indicators->'missing'->>'value')::bigint, 0),
        'relays', (SELECT coalesce(jsonb_agg(l.level), '[]') FROM report_relay l
                   WHERE l.county = r.county AND l.incident = r.incident AND l.version = r.version)) ORDER BY r.version) AS versions
    FROM incident_report r JOIN incident o ON o.id = r.incident AND o.status <> 'closed' AND ($1::uuid IS NULL OR o.id = $1)
    GROUP BY r.incident, r.county
)
SELECT i.id AS incident, i.name, i.drill, i.hazard, i.occurred_at, i.stable_at, c.county, g.name AS county_name, coalesce(t.versions, '[]') AS told
FROM concerned c JOIN incident i ON i.id = c.incident JOIN region g ON g.code = c.county
LEFT JOIN told t ON t.incident = c.incident AND t.county = c.county
WHERE i.status <> 'closed' AND c.county LIKE ANY ((SELECT relief_scope())::text[]) AND ($1::uuid IS NULL OR i.id = $1)
ORDER BY i.occurred_at, i.id, c.county
"""
_NAMED = """
SELECT r.county, r.version, g.name AS county_name, s.name AS author, r.reported_at,
       (SELECT coalesce(array_agg(l.level || ' ' || p.name ORDER BY l.at), '{}') FROM report_relay l JOIN staff p ON p.id = l.person
        WHERE (l.county, l.incident, l.version) = (r.county, r.incident, r.version)) AS relays
FROM incident_report r JOIN region g ON g.code = r.county JOIN staff s ON s.id = r.author
WHERE r.incident = $1 AND ($2::text IS NULL OR r.county = $2) ORDER BY r.county, r.version
"""
_MISSED = """
SELECT m.county, g.name AS county_name, m.level, m.duty, m.due_at, m.noticed_at FROM report_reminder m JOIN region g ON g.code = m.county
WHERE m.incident = $1 ORDER BY m.due_at DESC, m.county LIMIT 200
"""
_REMIND = """
INSERT INTO report_reminder (county, incident, level, duty, due_at, noticed_at)
SELECT county, incident, level, duty, due_at, $6 FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS t (county, incident, level, duty, due_at)
ON CONFLICT DO NOTHING RETURNING county, incident, level, duty, due_at
"""


class Report(msgspec.Struct, frozen=True):
    """One version. `indicators` is as kept: number and unit, both text."""

    county: str
    version: int
    kind: Kind
    zero: bool
    indicators: dict[str, dict[str, str]]
    source: str
    note: str
    as_of: datetime
    reported_at: datetime
    author: UUID


class Row(msgspec.Struct, frozen=True):
    """One version to be kept; `indicators` is JSON text."""

    county: str
    version: int
    kind: Kind
    zero: bool
    indicators: str
    source: str
    note: str
    as_of: datetime


class Running(msgspec.Struct, frozen=True):
    """An open incident in one county, with what deadlines need to know."""

    incident: UUID
    name: str
    drill: bool
    hazard: str
    occurred_at: datetime
    stable_at: datetime | None
    county: str
    county_name: str
    told: list[dict[str, Any]]

    @property
    def versions(self) -> tuple[Version, ...]:
        """Decoded from JSON, where moments are text."""
        return msgspec.convert(self.told, tuple[Version, ...])


class Reminder(msgspec.Struct, frozen=True):
    """A deadline that passed unmet."""

    county: str
    incident: UUID
    level: str
    duty: str
    due_at: datetime


class Named(msgspec.Struct, frozen=True):
    """Who reported a version, and who passed it on ('city 王演示')."""

    county: str
    version: int
    county_name: str
    author: str
    reported_at: datetime
    relays: list[str]


class Missed(msgspec.Struct, frozen=True):
    """A deadline that passed unmet, as it was written down."""

    county: str
    county_name: str
    level: str
    duty: str
    due_at: datetime
    noticed_at: datetime


async def named(tx: Tx, incident: UUID, county: str | None = None) -> list[Named]:
    """Who stands behind every version of an incident (or of one county), within sight."""
    return await many(tx, _NAMED, Named, incident, county)


async def missed(tx: Tx, incident: UUID) -> list[Missed]:
    """Deadlines that passed unmet, the latest first."""
    return await many(tx, _MISSED, Missed, incident)


async def insert(tx: Tx, incident: UUID, rows: Sequence[Row], author: UUID, now: datetime) -> None:
    """Keep one version for each of these counties."""
    await run(tx, _INSERT, incident, *([getattr(r, n) for r in rows] for n in Row.__struct_fields__), now, author)


async def latest(tx: Tx, incident: UUID, areas: Sequence[str]) -> dict[str, Report]:
    """The newest version of every county below these areas, by county."""
    return {r.county: r for r in await many(tx, _LATEST, Report, incident, [a + "%" for a in areas])}


async def history(tx: Tx, incident: UUID, county: str) -> list[Report]:
    """Every version of a county, oldest first."""
    return await many(tx, _HISTORY, Report, incident, county)


async def every(tx: Tx, incident: UUID) -> list[Report]:
    """Every version of every county within sight, oldest first."""
    return await many(tx, _EVERY, Report, incident)


async def relay(tx: Tx, incident: UUID, versions: Sequence[tuple[str, int]], level: str, person: UUID, now: datetime) -> int:
    """Pass (county, version) on; how many were not passed on before."""
    return await run(tx, _RELAY, incident, [v[0] for v in versions], [v[1] for v in versions], level, person, now)


async def running(tx: Tx, incident: UUID | None = None) -> list[Running]:
    """Every open incident (or this one) in every county it concerns and this transaction may see."""
    return await many(tx, _COURSES, Running, incident)


async def remind(tx: Tx, missed: Sequence[Reminder], now: datetime) -> list[Reminder]:
    """Write down missed deadlines; those noticed for the first time come back."""
    columns = [[getattr(m, n) for m in missed] for n in Reminder.__struct_fields__]
    return await many(tx, _REMIND, Reminder, *columns, now)
