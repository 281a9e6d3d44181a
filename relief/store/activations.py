"""Activations: playbook × zone version of an incident, and each county's own part, whose clock starts when it is activated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one, run, value

_LOCK_INCIDENT = "SELECT id, hazard, county, status, drill FROM incident WHERE id = $1 FOR UPDATE"
_INCIDENT = "SELECT id, hazard, county, status, drill FROM incident WHERE id = $1"
_INCIDENT_ACTIVE = "UPDATE incident SET status = 'active' WHERE id = $1 AND status = 'reported'"
_ZONE = "SELECT id, incident, version, status FROM zone WHERE id = $1"
_BANDS = "SELECT rank, label, level, geometry FROM zone_band WHERE zone = $1 ORDER BY rank"
_COUNTIES = """
SELECT z.county, r.name FROM zone_county z JOIN region r ON r.code = z.county WHERE z.zone = $1 ORDER BY z.county
"""
_LIVE = """
SELECT a.id FROM activation a JOIN playbook p ON p.id = a.playbook
WHERE a.incident = $1 AND a.status <> 'ended' AND p.key = (SELECT key FROM playbook WHERE id = $2) LIMIT 1
"""
_BESIDE = """
SELECT DISTINCT p.id, p.body FROM activation a JOIN playbook p ON p.id = a.playbook
WHERE a.incident = $1 AND a.status <> 'ended' AND p.key <> (SELECT key FROM playbook WHERE id = $2) ORDER BY p.id
"""
_INSERT = """
INSERT INTO activation (incident, zone, playbook, status, proposed_by, proposed_at) VALUES ($1, $2, $3, 'drafted', $4, $5) RETURNING id
"""
_GET = """
SELECT a.id, a.incident, a.zone, a.playbook, a.status, coalesce(i.merged_into, i.id) AS survivor
FROM activation a JOIN incident i ON i.id = a.incident WHERE a.id = $1
"""
# Shared with the other counties deciding now, but not with a merge, which moves the guards.
_GET_STEADY = """
SELECT a.id, a.incident, a.zone, a.playbook, a.status, coalesce(i.merged_into, i.id) AS survivor
FROM activation a JOIN incident i ON i.id = a.incident WHERE a.id = $1 FOR SHARE OF i
"""
_LOCK = "SELECT id, incident, zone, playbook, status FROM activation WHERE id = $1 FOR UPDATE"
_START = "UPDATE activation SET status = 'active' WHERE id = $1 AND status = 'drafted'"
_MOVE_BOTH = """
UPDATE activation SET zone = $4, playbook = $5 WHERE id = $1 AND zone = $2 AND playbook = $3 AND status IN ('drafted', 'active')
"""
_OPEN = "SELECT id, incident, zone, playbook, status FROM activation WHERE status <> 'ended' ORDER BY proposed_at, id"
_OPEN_IN = """
SELECT id, incident, zone, playbook, status FROM activation WHERE incident = $1 AND status <> 'ended' ORDER BY proposed_at, id
"""
_DRAFT = """
INSERT INTO county_activation (county, activation, status, document, cap_fen, drafted_by, drafted_at)
VALUES ($1, $2, 'drafted', $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT county_activation_once DO NOTHING RETURNING id
"""
_LOCK_PART = """
SELECT id, activation, status, document, cap_fen, drafted_by, activated_by, activated_at FROM county_activation
WHERE county = $1 AND id = $2 FOR UPDATE
"""
_LOCK_PART_OF = """
SELECT id, activation, status, document, cap_fen, drafted_by, activated_by, activated_at FROM county_activation
WHERE county = $1 AND activation = $2 FOR UPDATE
"""
_ACTIVATE = """
UPDATE county_activation SET status = 'active', activated_by = $3, activated_at = $4, response = $5 WHERE county = $1 AND id = $2 AND status = 'drafted'
"""
_FUNDS = """
SELECT county, purpose, sum(available_fen)::bigint AS available_fen, sum(reserved_fen + in_flight_fen + paid_fen)::bigint AS committed_fen FROM fund
WHERE county = ANY ($1::text[]) AND incident = $2 GROUP BY county, purpose
"""


class _Body(msgspec.Struct, frozen=True):
    id: UUID
    body: str


class Incident(msgspec.Struct, frozen=True):
    """What activation needs to know of an incident."""

    id: UUID
    hazard: str
    county: str
    status: str
    drill: bool


class Zone(msgspec.Struct, frozen=True):
    """A version of the zone."""

    id: UUID
    incident: UUID
    version: int
    status: str


class Band(msgspec.Struct, frozen=True):
    """One band: rank 0 is the most severe; the geometry is WKB in EPSG:4490."""

    rank: int
    label: str
    level: int
    geometry: bytes


class County(msgspec.Struct, frozen=True):
    """A county the zone touches."""

    county: str
    name: str


class Activation(msgspec.Struct, frozen=True):
    """Incident × zone version × playbook version. `survivor` is the incident under which people are guarded: another one after a merge."""

    id: UUID
    incident: UUID
    zone: UUID
    playbook: UUID
    status: str
    survivor: UUID | None = None


class Part(msgspec.Struct, frozen=True):
    """A county's part: its own document and cap (fen)."""

    id: UUID
    activation: UUID
    status: str
    document: str
    cap_fen: int
    drafted_by: UUID
    activated_by: UUID | None
    activated_at: datetime | None


class Money(msgspec.Struct, frozen=True):
    """Money of a county for an aid, in fen: what nobody has reserved yet, and what is reserved, in flight or paid."""

    county: str
    purpose: str
    available_fen: int
    committed_fen: int


async def incident(tx: Tx, incident: UUID) -> Incident:
    """The incident; NotFound when there is none."""
    return await one(tx, _INCIDENT, Incident, incident)


async def lock_incident(tx: Tx, incident: UUID) -> Incident:
    """The same, locked: proposals of one incident follow one another."""
    return await one(tx, _LOCK_INCIDENT, Incident, incident)


async def start_incident(tx: Tx, incident: UUID) -> int:
    """reported → active with its first county; how many moved (0: it was active already)."""
    return await run(tx, _INCIDENT_ACTIVE, incident)


async def zone(tx: Tx, zone: UUID) -> Zone:
    """The zone version; NotFound when there is none."""
    return await one(tx, _ZONE, Zone, zone)


async def bands(tx: Tx, zone: UUID) -> list[Band]:
    """Its bands, most severe first."""
    return await many(tx, _BANDS, Band, zone)


async def counties(tx: Tx, zone: UUID) -> list[County]:
    """The counties it touches."""
    return await many(tx, _COUNTIES, County, zone)


async def live(tx: Tx, incident: UUID, playbook: UUID) -> UUID | None:
    """An activation of the incident that has not ended, by any version of the same playbook."""
    found: UUID | None = await value(tx, _LIVE, incident, playbook)
    return found


async def beside(tx: Tx, incident: UUID, playbook: UUID) -> list[str]:
    """The texts of other playbooks by which the incident has activations that have not ended."""
    return [b.body for b in await many(tx, _BESIDE, _Body, incident, playbook)]


async def insert(tx: Tx, incident: UUID, zone: UUID, playbook: UUID, person: UUID, now: datetime) -> UUID:
    """A drafted activation."""
    made: UUID = await value(tx, _INSERT, incident, zone, playbook, person, now)
    return made


async def get(tx: Tx, activation: UUID) -> Activation:
    """One activation."""
    return await one(tx, _GET, Activation, activation)


async def get_steady(tx: Tx, activation: UUID) -> Activation:
    """The same; its incident is not merged until this transaction ends."""
    return await one(tx, _GET_STEADY, Activation, activation)


async def lock(tx: Tx, activation: UUID) -> Activation:
    """One activation, locked."""
    return await one(tx, _LOCK, Activation, activation)


async def start(tx: Tx, activation: UUID) -> None:
    """drafted → active with its first county."""
    await run(tx, _START, activation)


async def move_both(tx: Tx, activation: UUID, old: tuple[UUID, UUID], new: tuple[UUID, UUID]) -> int:
    """Point it to another (zone, playbook) version; how many moved."""
    return await run(tx, _MOVE_BOTH, activation, *old, *new)


async def open_(tx: Tx) -> list[Activation]:
    """Every activation that has not ended, oldest first."""
    return await many(tx, _OPEN, Activation)


async def open_in(tx: Tx, incident: UUID) -> list[Activation]:
    """Those of one incident that have not ended, oldest first."""
    return await many(tx, _OPEN_IN, Activation, incident)


async def draft(tx: Tx, county: str, activation: UUID, document: str, cap_fen: int, person: UUID, now: datetime) -> UUID | None:
    """A county's drafted part; None when the county has one already."""
    made: UUID | None = await value(tx, _DRAFT, county, activation, document, cap_fen, person, now)
    return made


async def lock_part(tx: Tx, county: str, part: UUID) -> Part:
    """A county's part, locked."""
    return await one(tx, _LOCK_PART, Part, county, part)


async def lock_part_of(tx: Tx, county: str, activation: UUID) -> Part | None:
    """The county's part of an activation, locked: what is decided for one county is decided one run at a time."""
    return await maybe(tx, _LOCK_PART_OF, Part, county, activation)


async def activate(tx: Tx, county: str, part: UUID, person: UUID, now: datetime, response: UUID | None) -> int:
    """drafted → active, resting on that response; how many moved."""
    return await run(tx, _ACTIVATE, county, part, person, now, response)


async def funds(tx: Tx, counties: Sequence[str], incident: UUID) -> list[Money]:
    """Money by county and purpose."""
    return await many(tx, _FUNDS, Money, counties, incident)
