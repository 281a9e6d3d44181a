"""Households counted in squares of the map. Whoever comes or goes leaves a change of its own; changes are added up by and by.

So two registrations never wait for one row, and what a map shows is always squares plus changes: right at every moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from relief.store.db import Tx, run, value

#: Changes added up in one go.
MOST: Final = 50_000

_CAME = """
INSERT INTO square_change (county, incident, square, village, households, people, made_up)
SELECT county, incident, relief_square(lon, lat), village, count(*), sum(members), count(*) FILTER (WHERE synthetic)
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::bool[], $7::int[])
    AS t (county, incident, village, lon, lat, synthetic, members) GROUP BY 1, 2, 3, 4
"""
_WENT = """
INSERT INTO square_change (county, incident, square, village, households, people, made_up)
SELECT h.county, h.incident, relief_square(h.lon, h.lat), h.village, -count(*), -sum(h.members), -count(*) FILTER (WHERE h.synthetic_point)
FROM unnest($1::text[], $2::uuid[]) AS t (county, id) JOIN household h ON h.county = t.county AND h.id = t.id GROUP BY 1, 2, 3, 4
"""
_GREW = """
INSERT INTO square_change (county, incident, square, village, households, people, made_up)
SELECT county, incident, relief_square(lon, lat), village, 0, $3, 0 FROM household WHERE county = $1 AND id = $2
"""
# Counties in whose changes nobody else is at work; the lock is held to the end of the transaction.
_WAITING = """
WITH found AS MATERIALIZED (SELECT DISTINCT county FROM (SELECT county FROM square_change LIMIT 10000) AS seen)
SELECT county FROM found WHERE pg_try_advisory_xact_lock(hashtextextended('squares ' || county, 0)) LIMIT 1
"""
_GATHER = """
WITH taken AS (
    DELETE FROM square_change WHERE county = $1 AND id IN (SELECT id FROM square_change WHERE county = $1 LIMIT $2)
    RETURNING incident, square, village, households, people, made_up
), added AS (
    INSERT INTO square AS s (county, incident, level, square, area, households, people, made_up)
    SELECT $1, t.incident, l.level, t.square >> 2 * (16 - l.level), left(t.village, l.digits), sum(t.households), sum(t.people), sum(t.made_up)
    FROM taken t CROSS JOIN (VALUES (10, 9), (11, 9), (13, 12), (16, 12)) AS l (level, digits) GROUP BY 2, 3, 4, 5
    ON CONFLICT (county, incident, level, square, area) DO UPDATE
    SET households = s.households + excluded.households, people = s.people + excluded.people, made_up = s.made_up + excluded.made_up
)
SELECT count(*) FROM taken
"""


async def came(
    tx: Tx,
    county: Sequence[str],
    incident: Sequence[UUID],
    village: Sequence[str],
    lon: Sequence[float],
    lat: Sequence[float],
    synthetic: Sequence[bool],
    members: Sequence[int],
) -> None:
    """Count new households, given as columns."""
    await run(tx, _CAME, county, incident, village, lon, lat, synthetic, members)


async def went(tx: Tx, households: Sequence[tuple[str, UUID]]) -> None:
    """Count these households (county and id) no longer: they were struck out."""
    await run(tx, _WENT, [c for c, _ in households], [h for _, h in households])


async def grew(tx: Tx, county: str, household: UUID, people: int) -> None:
    """Count so many more people of a household."""
    await run(tx, _GREW, county, household, people)


async def waiting(tx: Tx) -> str | None:
    """A county with changes to add up, from now on this transaction's; None where there is none, or others have them."""
    found: str | None = await value(tx, _WAITING)
    return found


async def gather(tx: Tx, county: str) -> int:
    """Add up changes of a county got by `waiting`, at most MOST; how many."""
    return int(await value(tx, _GATHER, county, MOST))
