"""Areas: province, cities, counties, townships and villages with their statistical codes."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

import asyncpg
import msgspec

from relief.settings import CHECKOUT
from relief.store.db import Tx, many, one, value

#: The divisions that travel with the product, and the day they describe (geo/data/SOURCES.md).
DIVISIONS: Final = CHECKOUT / "geo" / "data" / "divisions.csv.gz"
VALID_FROM: Final = date(2023, 6, 30)

Level = Literal["province", "city", "county", "township", "village"]


class Region(msgspec.Struct, frozen=True):
    """One area; the point is EPSG:4490 and made up (`synthetic`) for townships and villages."""

    code: str
    name: str
    level: Level
    parent: str | None
    lon: float | None
    lat: float | None
    synthetic: bool


class Named(msgspec.Struct, frozen=True):
    """An area's code and name."""

    code: str
    name: str


_LOCK = "LOCK TABLE region IN SHARE ROW EXCLUSIVE MODE"
_ANY = "SELECT EXISTS (SELECT FROM region)"
_STAGE = """
CREATE TEMPORARY TABLE region_file (
    code text, name text, level text, parent text, lon double precision, lat double precision
) ON COMMIT DROP
"""
_LOAD = """
INSERT INTO region (code, name, level, parent, lon, lat, synthetic, valid_from)
SELECT code, name, level, parent, lon, lat, level IN ('township', 'village'), $1::date FROM region_file
"""


async def load_if_empty(connection: asyncpg.Connection[asyncpg.Record], source: Path = DIVISIONS) -> int:
    """Fill the table from the file on the owner's connection, once; how many rows were added (0 when it was filled before)."""
    async with connection.transaction():
        await connection.execute(_LOCK)
        if await connection.fetchval(_ANY):
            return 0
        await connection.execute(_STAGE)
        await connection.copy_to_table("region_file", source=_unpacked(source), format="csv", header=True)
        status: str = await connection.execute(_LOAD, VALID_FROM)
    return int(status.rsplit(" ", 1)[-1])


def _unpacked(source: Path) -> io.BytesIO:
    return io.BytesIO(gzip.decompress(source.read_bytes()))


_NAMES = "SELECT code, name FROM region WHERE code = ANY ($1::text[])"


async def names(tx: Tx, codes: Sequence[str]) -> dict[str, str]:
    """Code → name of those that exist."""
    return {r.code: r.name for r in await many(tx, _NAMES, Named, list(codes))}


_CHILDREN = """
SELECT code, name, level, parent, lon, lat, synthetic FROM region
WHERE parent = $1 AND (valid_to IS NULL OR valid_to > $2) ORDER BY code
"""


async def children(tx: Tx, parent: str, day: date) -> list[Region]:
    """The areas directly below that are valid on that day, by code."""
    return await many(tx, _CHILDREN, Region, parent, day)


_GET = "SELECT code, name, level, parent, lon, lat, synthetic FROM region WHERE code = $1"


async def get(tx: Tx, code: str) -> Region:
    """One area; NotFound when the code is unknown."""
    return await one(tx, _GET, Region, code)


_VILLAGES = """
SELECT code, name, level, parent, lon, lat, synthetic FROM region
WHERE level = 'village' AND code >= $1 AND code < $1 || 'A' AND (valid_to IS NULL OR valid_to > $2) ORDER BY code
"""


async def villages(tx: Tx, area: str, day: date) -> list[Region]:
    """Every village below an area of any level (codes are digits, so the area's prefix is a range), by code."""
    return await many(tx, _VILLAGES, Region, area, day)


_COUNT = "SELECT count(*) FROM region WHERE level = $1"


async def count(tx: Tx, level: Level) -> int:
    """How many areas of a level are known."""
    found: int = await value(tx, _COUNT, level)
    return found
