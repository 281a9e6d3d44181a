"""Changes of a household's situation, and which reporter answers for which village."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import CHANGE, sources
from relief.store.db import Tx, many, one, run

_PLACE = """
SELECT h.village, EXISTS (SELECT FROM award a WHERE a.county = h.county AND a.household = h.id AND a.status IN ('proposed', 'approved')) AS awarded
FROM household h WHERE h.county = $1 AND h.id = $2 FOR SHARE OF h
"""
_ADD = """
INSERT INTO change_report (county, id, household, village, kind, status, due_on, sealed, opened_by, opened_at, closed_by, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $6 = 'closed' THEN $9::uuid END, CASE WHEN $6 = 'closed' THEN $10::timestamptz END)
"""
_LOCK = "SELECT id, household, village, kind, status, opened_by FROM change_report WHERE county = $1 AND id = $2 FOR UPDATE"
_CLOSE = """
UPDATE change_report SET status = 'closed', closed_by = $3, closed_at = $4, sealed_answer = $5 WHERE county = $1 AND id = $2 AND status = ANY ($6::text[])
"""
_END = "UPDATE roster SET until = $3 WHERE county = $1 AND village = ANY ($2::text[]) AND until IS NULL"
_ASSIGN = """
INSERT INTO roster (county, village, person, since, set_by) SELECT $1, v, $3, $4, $5 FROM unnest($2::text[]) AS t (v)
"""
_COVERS = """
SELECT EXISTS (SELECT FROM role_grant g JOIN staff s ON s.id = g.person AND s.active WHERE g.person = $1 AND g.role = 'reporter' AND v LIKE g.area || '%'
               AND g.valid_from <= $3 AND (g.valid_to IS NULL OR g.valid_to > $3)) AS covered
FROM unnest($2::text[]) AS t (v)
"""
_UNSTAFFED = """
SELECT v.code, v.lon, v.lat FROM region v WHERE v.level = 'village' AND v.code LIKE $1 AND v.valid_to IS NULL AND v.lon IS NOT NULL AND NOT EXISTS (
    SELECT FROM roster o WHERE o.county = left(v.code, 6) AND o.village = v.code AND o.until IS NULL)
ORDER BY v.code
"""


class Place(msgspec.Struct, frozen=True):
    """Where a household is, and whether any aid of it is proposed or approved."""

    village: str
    awarded: bool


class Standing(msgspec.Struct, frozen=True):
    """How a change stands."""

    id: UUID
    household: UUID
    village: str
    kind: str
    status: str
    opened_by: UUID


class Point(msgspec.Struct, frozen=True):
    """A village and its point (degrees)."""

    code: str
    lon: float
    lat: float


class _Covered(msgspec.Struct, frozen=True):
    covered: bool


async def place(tx: Tx, county: str, household: UUID) -> Place:
    """Where the household is; NotFound where there is none."""
    return await one(tx, _PLACE, Place, county, household)


async def add(
    tx: Tx,
    county: str,
    id_: UUID,
    household: UUID,
    village: str,
    kind: str,
    status: str,
    due_on: date,
    sealed: bytes,
    person: UUID,
    now: datetime,
) -> None:
    """Keep a change; one that needs no answer is closed at once."""
    await run(tx, _ADD, county, id_, household, village, kind, status, due_on, sealed, person, now)


async def lock(tx: Tx, county: str, id_: UUID) -> Standing:
    """How it stands, locked; NotFound where there is none."""
    return await one(tx, _LOCK, Standing, county, id_)


async def close(tx: Tx, county: str, id_: UUID, person: UUID, now: datetime, answer: bytes) -> bool:
    """open → closed; False where it is not open."""
    return await run(tx, _CLOSE, county, id_, person, now, answer, sources(CHANGE, "closed")) == 1


async def assign(tx: Tx, county: str, villages: Sequence[str], person: UUID, set_by: UUID, now: datetime) -> None:
    """From now on this person, and nobody else, answers for these villages."""
    await run(tx, _END, county, list(villages), now)
    await run(tx, _ASSIGN, county, list(villages), person, now, set_by)


async def covers(tx: Tx, person: UUID, villages: Sequence[str], now: datetime) -> bool:
    """Whether a person is a reporter of all these villages."""
    return all(r.covered for r in await many(tx, _COVERS, _Covered, person, list(villages), now))


async def unstaffed(tx: Tx, county: str) -> list[Point]:
    """Villages of a county without a reporter on the roster."""
    return await many(tx, _UNSTAFFED, Point, county + "%")
