"""Zone versions, their bands and the counties they touch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from relief.domain.moves import ZONE, sources
from relief.store.db import Tx, many, maybe, one, run, value


class Zone(msgspec.Struct, frozen=True):
    """One version; the area is in km²."""

    id: UUID
    incident: UUID
    version: int
    status: Literal["draft", "in force", "superseded", "discarded"]
    title: str
    reason: str
    area_km2: float
    drafted_by: UUID
    drafted_at: datetime
    approved_by: UUID | None
    in_force_at: datetime | None


class Band(msgspec.Struct, frozen=True):
    """One band: rank 0 is the most severe; WKB in EPSG:4490, bounds in degrees."""

    rank: int
    label: str
    level: int
    geometry: bytes
    west: float
    south: float
    east: float
    north: float
    area_km2: float


class TouchedCounty(msgspec.Struct, frozen=True):
    """A county, how much of it lies in the zone in km², and as a share of the county."""

    county: str
    name: str
    area_km2: float
    share: float


_INSERT = """
INSERT INTO zone (incident, version, status, title, reason, source_digest, area_km2, drafted_by, drafted_at)
SELECT $1, coalesce(max(version), 0) + 1, 'draft', $2, $3, $4, $5, $6, $7 FROM zone WHERE incident = $1
RETURNING id
"""


async def insert(tx: Tx, incident: UUID, title: str, reason: str, digest: bytes, area_km2: float, person: UUID, now: datetime) -> UUID:
    """The next version, as a draft. The incident must be locked."""
    made: UUID = await value(tx, _INSERT, incident, title, reason, digest, area_km2, person, now)
    return made


_BANDS_IN = """
INSERT INTO zone_band (zone, rank, label, level, geometry, west, south, east, north, area_km2)
SELECT $1, rank, label, level, geometry, west, south, east, north, area_km2
FROM unnest($2::int[], $3::text[], $4::int[], $5::bytea[], $6::float8[], $7::float8[], $8::float8[], $9::float8[], $10::float8[])
    AS t (rank, label, level, geometry, west, south, east, north, area_km2)
"""


async def insert_bands(tx: Tx, zone: UUID, new: Sequence[Band]) -> None:
    """The bands of a fresh version."""
    columns = [[getattr(b, name) for b in new] for name in Band.__struct_fields__]
    await run(tx, _BANDS_IN, zone, *columns)


_COUNTIES_IN = """
INSERT INTO zone_county (zone, county, area_km2, share)
SELECT $1, county, area_km2, share FROM unnest($2::text[], $3::float8[], $4::float8[]) AS t (county, area_km2, share)
"""


async def insert_counties(tx: Tx, zone: UUID, touched: Sequence[tuple[str, float, float]]) -> None:
    """The counties a fresh version touches: code, km², share."""
    await run(tx, _COUNTIES_IN, zone, *([t[i] for t in touched] for i in range(3)))


_GET = """
SELECT id, incident, version, status, title, reason, area_km2, drafted_by, drafted_at, approved_by, in_force_at FROM zone WHERE id = $1
"""


async def get(tx: Tx, zone: UUID) -> Zone:
    """One version; NotFound when there is none."""
    return await one(tx, _GET, Zone, zone)


_VERSIONS = """
SELECT id, incident, version, status, title, reason, area_km2, drafted_by, drafted_at, approved_by, in_force_at FROM zone
WHERE incident = $1 ORDER BY version DESC
"""


async def versions(tx: Tx, incident: UUID) -> list[Zone]:
    """Every version of an incident, newest first."""
    return await many(tx, _VERSIONS, Zone, incident)


_IN_FORCE = """
SELECT id, incident, version, status, title, reason, area_km2, drafted_by, drafted_at, approved_by, in_force_at FROM zone
WHERE incident = $1 AND status = 'in force'
"""


async def in_force(tx: Tx, incident: UUID) -> Zone | None:
    """The version in force, if there is one."""
    return await maybe(tx, _IN_FORCE, Zone, incident)


_SAME_FILE = """
SELECT version FROM zone WHERE incident = $1 AND source_digest = $2 AND status IN ('draft', 'in force') ORDER BY version DESC LIMIT 1
"""


async def same_file(tx: Tx, incident: UUID, digest: bytes) -> int | None:
    """The living version made from the very same file."""
    found: int | None = await value(tx, _SAME_FILE, incident, digest)
    return found


_SUPERSEDE = "UPDATE zone SET status = 'superseded' WHERE incident = $1 AND status = ANY ($2::text[])"


async def supersede(tx: Tx, incident: UUID) -> int:
    """in force → superseded; how many moved (none for the first version)."""
    return await run(tx, _SUPERSEDE, incident, sources(ZONE, "superseded"))


_FORCE = "UPDATE zone SET status = 'in force', approved_by = $2, in_force_at = $3 WHERE id = $1 AND status = ANY ($4::text[])"


async def force(tx: Tx, zone: UUID, person: UUID, now: datetime) -> int:
    """draft → in force; how many moved."""
    return await run(tx, _FORCE, zone, person, now, sources(ZONE, "in force"))


_DISCARD = """
UPDATE zone SET status = 'discarded', discard_reason = $2, discarded_by = $3, discarded_at = $4 WHERE id = $1 AND status = ANY ($5::text[])
"""


async def discard(tx: Tx, zone: UUID, reason: str, person: UUID, now: datetime) -> int:
    """draft → discarded; how many moved."""
    return await run(tx, _DISCARD, zone, reason, person, now, sources(ZONE, "discarded"))


_BANDS = """
SELECT rank, label, level, geometry, west, south, east, north, area_km2 FROM zone_band WHERE zone = $1 ORDER BY rank
"""


async def bands(tx: Tx, zone: UUID) -> list[Band]:
    """Its bands, most severe first."""
    return await many(tx, _BANDS, Band, zone)


_COUNTIES = """
SELECT z.county, r.name, z.area_km2, z.share FROM zone_county z JOIN region r ON r.code = z.county WHERE z.zone = $1 ORDER BY z.county
"""


async def counties(tx: Tx, zone: UUID) -> list[TouchedCounty]:
    """The counties it touches, by code."""
    return await many(tx, _COUNTIES, TouchedCounty, zone)


class Village(msgspec.Struct, frozen=True):
    """A village of a county that the zone touches; its point is made up where `synthetic`."""

    code: str
    name: str
    lon: float
    lat: float
    synthetic: bool
    county: str
    county_name: str
    township_name: str


_VILLAGES = """
SELECT v.code, v.name, v.lon, v.lat, v.synthetic, c.code AS county, c.name AS county_name, t.name AS township_name
FROM zone_county z
JOIN region c ON c.code = z.county
JOIN region t ON t.parent = c.code
JOIN region v ON v.parent = t.code
WHERE z.zone = $1 AND v.level = 'village' AND v.lon IS NOT NULL AND v.lat IS NOT NULL AND (v.valid_to IS NULL OR v.valid_to > $2)
ORDER BY v.code
"""


async def villages(tx: Tx, zone: UUID, day: date) -> list[Village]:
    """All villages of the counties a version touches, inside or not, by code."""
    return await many(tx, _VILLAGES, Village, zone, day)
