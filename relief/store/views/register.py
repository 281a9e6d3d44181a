"""The register of incidents: the list, one record with its life, and the incidents it may be the same as."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from relief.store import audits
from relief.store.db import Tx, many, one
from relief.store.incidents import Status as Status
from relief.store.matters import Matter as Matter
from relief.store.matters import Side as Side
from relief.store.matters import open_matters as open_matters
from relief.store.matters import sides as sides

#: Two incidents this close to each other may be one.
NEAR: Final = timedelta(hours=72)
PAGE: Final = 100

# `levels`: of each kind of government the most severe level in force, widest first.
_LIST = """
SELECT i.id, i.name, i.hazard, i.county, r.name AS county_name, i.occurred_at, i.status, i.drill, s.name AS survivor, i.merged_into,
       (SELECT coalesce(array_agg(g.issuer || ' ' || g.level ORDER BY array_position(ARRAY['national', 'province', 'city', 'county'], g.issuer)), '{}')
        FROM (SELECT issuer, min(level) AS level
              FROM (SELECT DISTINCT ON (issuer, area) issuer, level FROM response WHERE incident = i.id ORDER BY issuer, area, seq DESC) c
              WHERE level IS NOT NULL GROUP BY issuer) g) AS levels
FROM incident i JOIN region r ON r.code = i.county LEFT JOIN incident s ON s.id = i.merged_into
WHERE (i.county LIKE ANY ($1::text[]) OR EXISTS (
        SELECT FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.incident = i.id AND c.county LIKE ANY ($1::text[])))
  AND ($2::boolean IS NULL OR (i.status <> 'closed') = $2) AND ($3::text IS NULL OR i.hazard = $3)
  AND ($4::timestamptz IS NULL OR (i.occurred_at, i.id) < ($4, $5))
ORDER BY i.occurred_at DESC, i.id DESC LIMIT $6
"""
_RECORD = """
SELECT i.id, i.name, i.hazard, i.county, r.name AS county_name, i.occurred_at, i.status, i.drill, i.opened_at, o.name AS opened_by, i.stable_at,
       i.closed_at, i.closed_reason, i.merged_into, s.name AS survivor
FROM incident i JOIN region r ON r.code = i.county JOIN staff o ON o.id = i.opened_by LEFT JOIN incident s ON s.id = i.merged_into
WHERE i.id = $1
"""
# Acts on one incident alone: their digest is that of its id.
_LIFE = """
SELECT a.at, a.act, s.name AS who, a.detail FROM audit a LEFT JOIN staff s ON s.id = a.actor
WHERE a.county = '000000' AND a.at >= $2 AND a.digest = $1 AND a.act LIKE 'incident.%' ORDER BY a.at, a.id LIMIT 200
"""
_MERGED = "SELECT id, name FROM incident WHERE merged_into = $1 ORDER BY name, id"
# Open incidents that may be the same one: near in time, in the same prefecture or with a zone that reaches the county.
_SIMILAR = """
SELECT i.id, i.name, i.hazard, i.county, r.name AS county_name, i.occurred_at, i.status, i.drill, NULL AS survivor, NULL::uuid AS merged_into,
       '{}'::text[] AS levels
FROM incident i JOIN region r ON r.code = i.county
WHERE i.status <> 'closed' AND i.occurred_at BETWEEN $2::timestamptz - $3::interval AND $2::timestamptz + $3::interval
  AND ($4::boolean IS NULL OR i.drill = $4) AND ($5::uuid IS NULL OR i.id <> $5)
  AND (left(i.county, 4) = left($1, 4) OR EXISTS (
        SELECT FROM zone z JOIN zone_county c ON c.zone = z.id WHERE z.incident = i.id AND c.county = $1 AND z.status = 'in force'))
ORDER BY abs(extract(epoch FROM i.occurred_at - $2::timestamptz)), i.id LIMIT 20
"""
_COUNTIES = """
SELECT code, name FROM region WHERE level = 'county' AND code LIKE ANY ($1::text[]) AND (valid_to IS NULL OR valid_to > $2::date) ORDER BY code
"""


class Line(msgspec.Struct, frozen=True):
    """One line of the register; `levels` are such as 'province 3', responses in force."""

    id: UUID
    name: str
    hazard: str
    county: str
    county_name: str
    occurred_at: datetime
    status: str
    drill: bool
    survivor: str | None
    merged_into: UUID | None
    levels: list[str]


class Record(msgspec.Struct, frozen=True):
    """One incident with the names around it."""

    id: UUID
    name: str
    hazard: str
    county: str
    county_name: str
    occurred_at: datetime
    status: str
    drill: bool
    opened_at: datetime
    opened_by: str
    stable_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None
    merged_into: UUID | None
    survivor: str | None


class Act(msgspec.Struct, frozen=True):
    """Something done to the incident."""

    at: datetime
    act: str
    who: str | None
    detail: dict[str, Any]


class Other(msgspec.Struct, frozen=True):
    """Another incident by name."""

    id: UUID
    name: str


class County(msgspec.Struct, frozen=True):
    """A county to choose."""

    code: str
    name: str


async def incidents(
    tx: Tx, areas: Sequence[str], is_open: bool | None, hazard: str | None, before: tuple[datetime, UUID] | None, limit: int = PAGE
) -> list[Line]:
    """Incidents in or touching these areas (LIKE patterns), the latest event first, from where the page before ended."""
    moment, last = before or (None, None)
    return await many(tx, _LIST, Line, list(areas), is_open, hazard, moment, last, limit)


async def record(tx: Tx, incident: UUID) -> Record:
    """One incident; NotFound when there is none."""
    return await one(tx, _RECORD, Record, incident)


async def life(tx: Tx, found: Record) -> list[Act]:
    """What was done to it alone, oldest first."""
    return await many(tx, _LIFE, Act, audits.digest([found.id.bytes]), found.opened_at)


async def merged(tx: Tx, incident: UUID) -> list[Other]:
    """What was merged into it."""
    return await many(tx, _MERGED, Other, incident)


async def similar(
    tx: Tx, county: str, at: datetime, drill: bool | None = None, but: UUID | None = None, within: timedelta = NEAR
) -> list[Line]:
    """Open incidents near that county and moment, the nearest in time first."""
    return await many(tx, _SIMILAR, Line, county, at, within, drill, but)


async def counties(tx: Tx, areas: Sequence[str], now: datetime) -> list[County]:
    """The counties of these areas (LIKE patterns)."""
    return await many(tx, _COUNTIES, County, list(areas), now)
