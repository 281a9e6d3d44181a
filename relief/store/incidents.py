"""Incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from relief.domain.incident import NewIncident
from relief.domain.moves import INCIDENT, sources
from relief.store.db import Tx, many, one, run, value

Status = Literal["reported", "active", "recovery", "closed"]


class Incident(msgspec.Struct, frozen=True):
    """One disaster."""

    id: UUID
    name: str
    hazard: str
    county: str
    occurred_at: datetime
    status: Status
    drill: bool
    merged_into: UUID | None = None
    stable_at: datetime | None = None


_INSERT = """
INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at)
VALUES ($1, $2, $3, $4, 'reported', $5, $6, $7) RETURNING id
"""


async def insert(tx: Tx, name: str, new: NewIncident, person: UUID, now: datetime) -> UUID:
    """A new incident; the constraint `incident_name` refuses the same name twice."""
    made: UUID = await value(tx, _INSERT, name, new.hazard, new.county, new.occurred_at, new.drill, person, now)
    return made


_GET = "SELECT id, name, hazard, county, occurred_at, status, drill, merged_into, stable_at FROM incident WHERE id = $1"


async def get(tx: Tx, incident: UUID) -> Incident:
    """One incident; NotFound when there is none."""
    return await one(tx, _GET, Incident, incident)


_LOCK = "SELECT id, name, hazard, county, occurred_at, status, drill, merged_into, stable_at FROM incident WHERE id = $1 FOR UPDATE"


async def lock(tx: Tx, incident: UUID) -> Incident:
    """The same, locked: versions of its zone follow one another."""
    return await one(tx, _LOCK, Incident, incident)


_NAMED = """
SELECT id, name, hazard, county, occurred_at, status, drill, merged_into, stable_at FROM incident
WHERE drill = $2 AND (name = $1 OR name LIKE $1 || '（%）') ORDER BY opened_at, id
"""


async def named(tx: Tx, name: str, drill: bool) -> list[Incident]:
    """The incidents of that name, numbered ones too, oldest first."""
    return await many(tx, _NAMED, Incident, name, drill)


_LOCK_ALL = """
SELECT id, name, hazard, county, occurred_at, status, drill, merged_into, stable_at FROM incident
WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
"""


async def lock_all(tx: Tx, ids: Sequence[UUID]) -> list[Incident]:
    """These incidents, locked in the order of their ids, so that two merges cannot wait for each other."""
    return await many(tx, _LOCK_ALL, Incident, list(ids))


_FIND_ALL = """
SELECT id, name, hazard, county, occurred_at, status, drill, merged_into, stable_at FROM incident WHERE id = ANY ($1::uuid[]) ORDER BY id
"""


async def find_all(tx: Tx, ids: Sequence[UUID]) -> list[Incident]:
    """These incidents, to be looked at only."""
    return await many(tx, _FIND_ALL, Incident, list(ids))


_MOVE = "UPDATE incident SET status = $2 WHERE id = $1 AND status = ANY ($3::text[])"


async def move(tx: Tx, incident: UUID, target: Status) -> int:
    """To the next status of its life; how many moved."""
    return await run(tx, _MOVE, incident, target, sources(INCIDENT, target))


_CLOSE = """
UPDATE incident SET status = 'closed', closed_at = $2, closed_reason = $3, merged_into = $4
WHERE id = ANY ($1::uuid[]) AND status = ANY ($5::text[])
"""


async def close(tx: Tx, ids: Sequence[UUID], reason: str, now: datetime, survivor: UUID | None = None) -> int:
    """The end of these incidents, or their merging into a survivor; how many moved."""
    return await run(tx, _CLOSE, list(ids), now, reason, survivor, sources(INCIDENT, "closed"))


_FOLLOW = "UPDATE incident SET merged_into = $2 WHERE merged_into = ANY ($1::uuid[])"


async def follow(tx: Tx, ids: Sequence[UUID], survivor: UUID) -> int:
    """What was merged into these earlier now points to the survivor itself: one step is always enough."""
    return await run(tx, _FOLLOW, list(ids), survivor)


_STABLE = "UPDATE incident SET stable_at = $2 WHERE id = $1 AND stable_at IS NULL AND status <> 'closed'"


async def stable(tx: Tx, incident: UUID, at: datetime) -> int:
    """灾情稳定, once; how many moved."""
    return await run(tx, _STABLE, incident, at)


_TOUCHED = """
SELECT county FROM incident WHERE id = ANY ($1::uuid[])
UNION SELECT c.county FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.incident = ANY ($1::uuid[]) AND z.status = 'in force'
ORDER BY county
"""
# Reads the whole country's guards: for merges only, which move them anyway.
_GUARDED = "SELECT DISTINCT county FROM entitlement_guard WHERE incident = ANY ($1::uuid[]) ORDER BY county"


class _County(msgspec.Struct, frozen=True):
    county: str


async def counties(tx: Tx, ids: Sequence[UUID]) -> list[str]:
    """The counties these incidents concern: their own and those of their zones in force."""
    return [c.county for c in await many(tx, _TOUCHED, _County, list(ids))]


async def guarded(tx: Tx, ids: Sequence[UUID]) -> list[str]:
    """The counties whose people are entitled under these incidents, wherever they were hit."""
    return [c.county for c in await many(tx, _GUARDED, _County, list(ids))]
