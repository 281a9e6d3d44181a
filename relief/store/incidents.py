"""Incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from relief.domain.incident import NewIncident
from relief.store.db import Tx, many, maybe, one, value

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


_INSERT = """
INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at)
VALUES ($1, $2, $3, $4, 'reported', $5, $6, $7) RETURNING id
"""


async def insert(tx: Tx, name: str, new: NewIncident, person: UUID, now: datetime) -> UUID:
    """A new incident; the constraint `incident_name` refuses the same name twice."""
    made: UUID = await value(tx, _INSERT, name, new.hazard, new.county, new.occurred_at, new.drill, person, now)
    return made


_GET = "SELECT id, name, hazard, county, occurred_at, status, drill FROM incident WHERE id = $1"


async def get(tx: Tx, incident: UUID) -> Incident:
    """One incident; NotFound when there is none."""
    return await one(tx, _GET, Incident, incident)


_LOCK = "SELECT id, name, hazard, county, occurred_at, status, drill FROM incident WHERE id = $1 FOR UPDATE"


async def lock(tx: Tx, incident: UUID) -> Incident:
    """The same, locked: versions of its zone follow one another."""
    return await one(tx, _LOCK, Incident, incident)


_NAMED = "SELECT id, name, hazard, county, occurred_at, status, drill FROM incident WHERE name = $1 AND drill = $2"


async def named(tx: Tx, name: str, drill: bool) -> Incident | None:
    """The incident of that name."""
    return await maybe(tx, _NAMED, Incident, name, drill)


_OPEN = """
SELECT id, name, hazard, county, occurred_at, status, drill FROM incident WHERE status <> 'closed' ORDER BY occurred_at DESC, id
"""


async def open_ones(tx: Tx) -> list[Incident]:
    """Everything not closed, newest first."""
    return await many(tx, _OPEN, Incident)
