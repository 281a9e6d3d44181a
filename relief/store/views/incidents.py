"""Incidents, their zones, bands and activations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one, value

_LIST = """
SELECT i.id, i.name, i.hazard, i.county, r.name AS county_name, i.occurred_at, i.status, i.drill, i.opened_at
FROM incident i JOIN region r ON r.code = i.county
WHERE i.county LIKE ANY ($1::text[]) OR EXISTS (
    SELECT FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.incident = i.id AND c.county LIKE ANY ($1::text[]))
ORDER BY i.status = 'closed', i.opened_at DESC, i.id
LIMIT 100
"""
_ONE = """
SELECT i.id, i.name, i.hazard, i.county, r.name AS county_name, i.occurred_at, i.status, i.drill, i.opened_at
FROM incident i JOIN region r ON r.code = i.county WHERE i.id = $1
"""
_ZONES = """
SELECT z.id, z.version, z.status, z.title, z.reason, z.area_km2, z.source_digest, z.drafted_at, d.name AS drafted_by, z.drafted_by AS drafter,
       z.in_force_at, a.name AS approved_by, z.discard_reason, z.discarded_at, x.name AS discarded_by
FROM zone z JOIN staff d ON d.id = z.drafted_by LEFT JOIN staff a ON a.id = z.approved_by LEFT JOIN staff x ON x.id = z.discarded_by
WHERE z.incident = $1 ORDER BY z.version DESC
"""
_BANDS = """
SELECT zone, rank, label, level, geometry, west, south, east, north, area_km2 FROM zone_band WHERE zone = $1 ORDER BY rank DESC
"""
_COUNTIES = """
SELECT c.county, r.name, c.area_km2, c.share FROM zone_county c JOIN region r ON r.code = c.county WHERE c.zone = $1 ORDER BY c.area_km2 DESC
"""
_TOWNSHIPS = """
SELECT t.name, t.lon, t.lat, t.synthetic FROM zone_county c JOIN region t ON t.parent = c.county
WHERE c.zone = $1 AND t.level = 'township' AND t.lon IS NOT NULL AND t.lat IS NOT NULL ORDER BY t.code
"""
_ACTIVATIONS = """
SELECT a.id, a.status, a.zone, z.version AS zone_version, a.playbook, p.key, p.version, p.body, s.name AS proposed_by, a.proposed_at
FROM activation a
JOIN zone z ON z.id = a.zone JOIN playbook p ON p.id = a.playbook JOIN staff s ON s.id = a.proposed_by
WHERE a.incident = $1 ORDER BY a.proposed_at DESC
"""
_PARTS = """
SELECT c.county, r.name AS county_name, c.id, c.activation, c.status, c.document, c.cap_fen, d.name AS drafted_by, c.drafted_by AS drafter,
       c.drafted_at, a.name AS activated_by, c.activated_at, q.level AS response_level, q.document AS response_document
FROM county_activation c LEFT JOIN response q ON q.id = c.response
JOIN activation v ON v.id = c.activation
JOIN region r ON r.code = c.county JOIN staff d ON d.id = c.drafted_by LEFT JOIN staff a ON a.id = c.activated_by
WHERE v.incident = $1 ORDER BY c.county
"""
_PERSON = "SELECT name FROM staff WHERE id = $1"
_PLAYBOOKS = "SELECT id, key, version, body FROM playbook ORDER BY key, imported_at DESC"


class Incident(msgspec.Struct, frozen=True):
    """An incident with the name of its county."""

    id: UUID
    name: str
    hazard: str
    county: str
    county_name: str
    occurred_at: datetime
    status: str
    drill: bool
    opened_at: datetime


class Zone(msgspec.Struct, frozen=True):
    """A zone version and who stands behind it."""

    id: UUID
    version: int
    status: str
    title: str
    reason: str
    area_km2: float
    source_digest: bytes
    drafted_at: datetime
    drafted_by: str
    drafter: UUID
    in_force_at: datetime | None
    approved_by: str | None
    discard_reason: str | None = None
    discarded_at: datetime | None = None
    discarded_by: str | None = None


class Band(msgspec.Struct, frozen=True):
    """A band with its shape (WKB, EPSG:4490) and bounds in degrees."""

    zone: UUID
    rank: int
    label: str
    level: int
    geometry: bytes
    west: float
    south: float
    east: float
    north: float
    area_km2: float


class County(msgspec.Struct, frozen=True):
    """How much of a county lies in the zone."""

    county: str
    name: str
    area_km2: float
    share: float


class Township(msgspec.Struct, frozen=True):
    """A township's name and place; the place is made up where `synthetic`."""

    name: str
    lon: float
    lat: float
    synthetic: bool


class Activation(msgspec.Struct, frozen=True):
    """A proposed or running activation; `body` is the playbook's text."""

    id: UUID
    status: str
    zone: UUID
    zone_version: int
    playbook: UUID
    key: str
    version: str
    body: str
    proposed_by: str
    proposed_at: datetime


class Part(msgspec.Struct, frozen=True):
    """A county's part; its clock runs from `activated_at`. `response_level` and document are of the response it rests on, if one was in force."""

    county: str
    county_name: str
    id: UUID
    activation: UUID
    status: str
    document: str
    cap_fen: int
    drafted_by: str
    drafter: UUID
    drafted_at: datetime
    activated_by: str | None
    activated_at: datetime | None
    response_level: int | None
    response_document: str | None


class Playbook(msgspec.Struct, frozen=True):
    """An imported playbook."""

    id: UUID
    key: str
    version: str
    body: str


async def incidents(tx: Tx, counties: Sequence[str]) -> list[Incident]:
    """Incidents in or touching these areas (LIKE patterns), open ones first, newest first."""
    return await many(tx, _LIST, Incident, list(counties))


async def incident(tx: Tx, id_: UUID) -> Incident:
    """One incident."""
    return await one(tx, _ONE, Incident, id_)


async def find(tx: Tx, id_: UUID) -> Incident | None:
    """One incident, or none."""
    return await maybe(tx, _ONE, Incident, id_)


async def zones(tx: Tx, incident_: UUID) -> list[Zone]:
    """Its zone versions, newest first."""
    return await many(tx, _ZONES, Zone, incident_)


async def bands(tx: Tx, zone: UUID) -> list[Band]:
    """Its bands, the mildest first, so that the most severe is drawn on top."""
    return await many(tx, _BANDS, Band, zone)


async def counties(tx: Tx, zone: UUID) -> list[County]:
    """Counties the zone touches, largest part first."""
    return await many(tx, _COUNTIES, County, zone)


async def townships(tx: Tx, zone: UUID) -> list[Township]:
    """Townships of the counties the zone touches."""
    return await many(tx, _TOWNSHIPS, Township, zone)


async def activations(tx: Tx, incident_: UUID) -> list[Activation]:
    """Its activations, newest first."""
    return await many(tx, _ACTIVATIONS, Activation, incident_)


async def parts(tx: Tx, incident_: UUID) -> list[Part]:
    """The counties' parts the reader may see."""
    return await many(tx, _PARTS, Part, incident_)


async def playbooks(tx: Tx) -> list[Playbook]:
    """Every imported playbook, newest of each key first."""
    return await many(tx, _PLAYBOOKS, Playbook)


async def person(tx: Tx, id_: UUID) -> str:
    """The name of a member of staff."""
    return str(await value(tx, _PERSON, id_))
