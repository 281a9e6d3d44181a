"""Who belongs to a household now: people join and leave; nobody is deleted, whoever left is only no member any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_PEOPLE = """
SELECT id, household, role, id_hash FROM person
WHERE county = $1 AND household = ANY ($2::uuid[]) AND role IN ('householder', 'member') ORDER BY household, role, id
"""
_JOIN = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
SELECT $1, id, household, 'member', sealed, id_hash, NULL, 'none', adult
FROM unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::bool[]) AS t (id, household, sealed, id_hash, adult)
"""
_LEAVE = "UPDATE person SET role = 'left' WHERE county = $1 AND id = ANY ($2::uuid[]) AND role = 'member'"
_COUNT = """
UPDATE household h SET members = t.members, adults = (
    SELECT count(*) FROM person p WHERE p.county = $1 AND p.household = h.id AND p.adult AND p.role IN ('householder', 'member'))
FROM unnest($2::uuid[], $3::int[]) AS t (id, members) WHERE h.county = $1 AND h.id = t.id
"""
_GREW = """
INSERT INTO square_change (county, incident, square, village, households, people, made_up)
SELECT h.county, h.incident, relief_square(h.lon, h.lat), h.village, 0, t.people, 0
FROM unnest($2::uuid[], $3::int[]) AS t (id, people) JOIN household h ON h.county = $1 AND h.id = t.id WHERE t.people <> 0
"""
# Approved money keeps its guard: whoever was paid here is not paid again elsewhere.
_RELEASE = """
DELETE FROM entitlement_guard e USING person p
WHERE p.county = $1 AND p.id = ANY ($2::uuid[]) AND e.id_hash = p.id_hash AND e.county = $1 AND e.household = p.household
  AND NOT EXISTS (SELECT FROM award a JOIN incident i ON i.id = a.incident WHERE a.county = $1 AND a.household = p.household AND a.aid = e.aid
                  AND a.period = e.period AND coalesce(i.merged_into, i.id) = e.incident AND a.status IN ('approved', 'completed'))
"""
_KEEP = """
INSERT INTO assessment (county, household, version, before, after, reason, person, at)
SELECT $1, t.id, 1 + coalesce((SELECT max(version) FROM assessment a WHERE a.county = $1 AND a.household = t.id), 0), t.before::jsonb, t.after::jsonb,
       t.reason, $6, $7
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (id, before, after, reason)
"""


class Person(msgspec.Struct, frozen=True):
    """A member, still sealed."""

    id: UUID
    household: UUID
    role: str
    id_hash: bytes


async def people(tx: Tx, county: str, households: Sequence[UUID]) -> list[Person]:
    """The members of these households, the householder first."""
    return await many(tx, _PEOPLE, Person, county, list(households))


async def join(tx: Tx, county: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, household, sealed, id hash, adult) of each newcomer."""
    if rows:
        await run(tx, _JOIN, county, *[list(c) for c in zip(*rows, strict=True)])


async def leave(tx: Tx, county: str, people: Sequence[UUID]) -> int:
    """member → left; what was only proposed with them is free for where they are now. How many left."""
    left = await run(tx, _LEAVE, county, list(people))
    await run(tx, _RELEASE, county, list(people))
    return left


async def count(tx: Tx, county: str, households: Sequence[tuple[UUID, int, int]]) -> None:
    """(household, members now, how many more than before): the register and the map follow."""
    ids = [h[0] for h in households]
    await run(tx, _COUNT, county, ids, [h[1] for h in households])
    await run(tx, _GREW, county, ids, [h[2] for h in households])


async def keep(tx: Tx, county: str, rows: Sequence[tuple[UUID, str, str, str]], person: UUID, now: datetime) -> None:
    """(household, before, after, reason) of each, as an assessment."""
    await run(tx, _KEEP, county, *[list(c) for c in zip(*rows, strict=True)], person, now)
