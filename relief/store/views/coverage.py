"""Zones in force and how far their counties are covered: what leaves the house as maps. Counted by county, never by household."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe
from relief.store.views.cells import FEWEST

# An incident is shown to those who hold its county or one its zone touches; its bands are public to them as a whole.
_BANDS = """
SELECT i.id AS incident, i.name, i.drill, z.id AS zone, z.version, z.in_force_at, b.rank, b.label, b.level, b.geometry, b.area_km2
FROM zone z JOIN incident i ON i.id = z.incident JOIN zone_band b ON b.zone = z.id
WHERE z.status = 'in force' AND i.status <> 'closed' AND (i.county LIKE ANY ($1::text[]) OR EXISTS (
    SELECT FROM zone_county c WHERE c.zone = z.id AND c.county LIKE ANY ($1::text[])))
ORDER BY i.id, b.rank DESC
"""
_EXTENT = """
SELECT min(b.west) AS west, min(b.south) AS south, max(b.east) AS east, max(b.north) AS north
FROM zone z JOIN incident i ON i.id = z.incident JOIN zone_band b ON b.zone = z.id
WHERE z.status = 'in force' AND i.status <> 'closed' AND (i.county LIKE ANY ($1::text[]) OR EXISTS (
    SELECT FROM zone_county c WHERE c.zone = z.id AND c.county LIKE ANY ($1::text[])))
HAVING count(*) > 0
"""
# Both counts once for all counties; one that is small is withheld together with what it could be worked out from.
_COUNTIES = """
WITH seen AS (
    SELECT h.incident, h.county, count(*) AS registered,
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM payment p WHERE p.county = h.county AND p.household = h.id AND p.status = 'paid')) AS paid
    FROM household h JOIN incident i ON i.id = h.incident
    WHERE i.status <> 'closed' AND h.village LIKE ANY ($1::text[]) AND h.status NOT IN ('duplicate', 'rejected') GROUP BY h.incident, h.county
)
SELECT i.id AS incident, i.name AS incident_name, i.drill, c.county, r.name, c.area_km2, c.share,
       CASE WHEN s.registered >= $2 THEN s.registered END AS registered,
       CASE WHEN s.paid >= $2 AND (s.registered = s.paid OR s.registered - s.paid >= $2) THEN s.paid END AS paid
FROM zone z JOIN incident i ON i.id = z.incident JOIN zone_county c ON c.zone = z.id JOIN region r ON r.code = c.county
LEFT JOIN seen s ON s.incident = i.id AND s.county = c.county
WHERE z.status = 'in force' AND i.status <> 'closed' AND (c.county LIKE ANY ($1::text[]) OR EXISTS (
    SELECT FROM unnest($1::text[]) AS a (area) WHERE a.area LIKE c.county || '%'))
ORDER BY i.id, c.county
"""


class Band(msgspec.Struct, frozen=True):
    """A band of a zone in force, with its incident; WKB in EPSG:4490."""

    incident: UUID
    name: str
    drill: bool
    zone: UUID
    version: int
    in_force_at: datetime | None
    rank: int
    label: str
    level: int
    geometry: bytes
    area_km2: float


class Box(msgspec.Struct, frozen=True):
    """Degrees."""

    west: float
    south: float
    east: float
    north: float


class County(msgspec.Struct, frozen=True):
    """A county of a zone in force: km² and share inside, households registered and with money received; None where too few."""

    incident: UUID
    incident_name: str
    drill: bool
    county: str
    name: str
    area_km2: float
    share: float
    registered: int | None
    paid: int | None


async def bands(tx: Tx, areas: Sequence[str]) -> list[Band]:
    """Bands of every zone in force in or touching these areas (LIKE patterns), mildest first."""
    return await many(tx, _BANDS, Band, list(areas))


async def extent(tx: Tx, areas: Sequence[str]) -> Box | None:
    """Where they lie; None where there are none."""
    return await maybe(tx, _EXTENT, Box, list(areas))


async def counties(tx: Tx, areas: Sequence[str]) -> list[County]:
    """Counties of zones in force below (or around) these areas, with the households these areas hold."""
    return await many(tx, _COUNTIES, County, list(areas), FEWEST)
