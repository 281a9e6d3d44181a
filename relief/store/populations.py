"""How many people live in an area, as published on a day; a figure given again for a day takes the place of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.population import Population
from relief.store.db import Tx, many


class _Id(msgspec.Struct, frozen=True):
    id: UUID


_INSERT = """
INSERT INTO region_population (region, people, counted_on, source, given_by, given_at)
SELECT region, people, counted_on, source, $5, $6 FROM unnest($1::text[], $2::int[], $3::date[], $4::text[]) AS t (region, people, counted_on, source)
RETURNING id
"""


async def insert(tx: Tx, given: Sequence[Population], person: UUID | None, now: datetime) -> list[UUID]:
    """Keep figures of known areas; their ids."""
    columns = [[getattr(p, name) for p in given] for name in ("region", "people", "counted_on", "source")]
    return [r.id for r in await many(tx, _INSERT, _Id, *columns, person, now)]


_NEWEST = """
SELECT DISTINCT ON (region) region, people, counted_on, source FROM region_population
WHERE region = ANY ($1::text[]) ORDER BY region, counted_on DESC, given_at DESC
"""


async def newest(tx: Tx, regions: Sequence[str]) -> dict[str, Population]:
    """Area → the figure of the latest day; areas without one are not there."""
    return {p.region: p for p in await many(tx, _NEWEST, Population, list(regions))}


_ALL = """
SELECT DISTINCT ON (region) region, people, counted_on, source FROM region_population ORDER BY region, counted_on DESC, given_at DESC
"""


async def all_(tx: Tx) -> list[Population]:
    """The newest figure of every area that has one, by code."""
    return await many(tx, _ALL, Population)
