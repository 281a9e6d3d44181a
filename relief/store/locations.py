"""Where households lie in a zone. Packed both ways: numpy reads what PostgreSQL copies out, and writes bytes it unpacks; no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain.moves import REGISTRATION, sources
from relief.store.db import Tx, many, run

Column = npt.NDArray[Any]

# A household without a place in that zone has rank -2.
_PLACES = """
SELECT h.id, h.county::int, h.lon, h.lat, h.accuracy_m, coalesce(l.rank, -2)::int2, coalesce(l.edge, false), h.status = 'staged'
FROM household h
LEFT JOIN location l ON l.county = h.county AND l.zone = $3 AND l.household = h.id
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected')
"""

#: A row of binary COPY: how many fields, then length and value of each, big-endian; 19 bytes go before the rows, 2 after.
_ROW = np.dtype([
    ("fields", ">i2"), ("n1", ">i4"), ("id", "V16"), ("n2", ">i4"), ("county", ">i4"), ("n3", ">i4"), ("lon", ">f8"), ("n4", ">i4"),
    ("lat", ">f8"), ("n5", ">i4"), ("accuracy_m", ">f4"), ("n6", ">i4"), ("rank", ">i2"), ("n7", ">i4"), ("edge", "?"),
    ("n8", ">i4"), ("staged", "?"),
])  # fmt: skip
_HEAD, _TAIL = 19, 2

#: Rank of a household that has no place in the zone yet.
UNLOCATED = -2


class Places(msgspec.Struct, frozen=True):
    """Columns of one length: ids as 16 raw bytes, counties as numbers, degrees (EPSG:4490), metres; rank and edge as stored for the zone."""

    id: Column
    county: Column
    lon: Column
    lat: Column
    accuracy_m: Column
    rank: Column
    edge: Column
    staged: Column

    def ids(self, chosen: Column) -> list[UUID]:
        """The chosen households by name."""
        return [UUID(bytes=i.tobytes()) for i in self.id[chosen]]


async def places(tx: Tx, counties: Sequence[str], incident: UUID, zone: UUID) -> Places:
    """Every household of the incident in these counties that is neither a duplicate nor rejected, in no order."""
    raw = bytearray()

    async def keep(chunk: bytes) -> None:
        raw.extend(chunk)

    await tx.copy_from_query(_PLACES, list(counties), incident, zone, output=keep, format="binary")
    rows = np.frombuffer(raw, _ROW, (len(raw) - _HEAD - _TAIL) // _ROW.itemsize, _HEAD)
    return Places(
        id=rows["id"],
        county=rows["county"].astype(np.int32),
        lon=rows["lon"].astype(np.float64),
        lat=rows["lat"].astype(np.float64),
        accuracy_m=rows["accuracy_m"].astype(np.float64),
        rank=rows["rank"].astype(np.int32),
        edge=rows["edge"],
        staged=rows["staged"],
    )


# A household that has no place in the zone yet has rank -2.
_COUNTED = """
SELECT h.county, coalesce(l.rank, -2) AS rank, count(*)::int AS households
FROM household h LEFT JOIN location l ON l.county = h.county AND l.zone = $3 AND l.household = h.id
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected') GROUP BY 1, 2
"""


class Counted(msgspec.Struct, frozen=True):
    """Households of a county in a band of a zone."""

    county: str
    rank: int
    households: int


async def counted(tx: Tx, counties: Sequence[str], incident: UUID, zone: UUID) -> list[Counted]:
    """What is stored of a zone, added up; UNLOCATED where some household was never located in it."""
    return await many(tx, _COUNTED, Counted, list(counties), incident, zone)


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('location ' || $1, 0))"


async def lock(tx: Tx, county: str) -> None:
    """Runs of one county follow one another; held to the end of the transaction."""
    await run(tx, _LOCK, county)


# Seventeen bytes a household: its id, then rank + 1 with the highest bit for an edge.
_ADD = """
INSERT INTO location (county, zone, household, rank, edge)
SELECT $1, $2, encode(substr($3::bytea, i * 17 + 1, 16), 'hex')::uuid, (get_byte($3, i * 17 + 16) & 127) - 1, get_byte($3, i * 17 + 16) >= 128
FROM generate_series(0, length($3::bytea) / 17 - 1) AS t (i)
"""
_CHANGE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($3::bytea, i * 17 + 1, 16), 'hex')::uuid AS household, get_byte($3, i * 17 + 16) AS place
    FROM generate_series(0, length($3::bytea) / 17 - 1) AS t (i)
)
UPDATE location l SET rank = (g.place & 127) - 1, edge = g.place >= 128 FROM given g
WHERE l.county = $1 AND l.zone = $2 AND l.household = g.household
"""


async def write(tx: Tx, county: str, zone: UUID, before: Places, rank: Column, edge: Column) -> int:
    """Keep the places of a locked county's households in a zone (ranks up to 126); how many rows are new or changed."""
    rows = np.empty(len(rank), np.dtype([("id", "V16"), ("place", "u1")]))
    rows["id"] = before.id
    rows["place"] = (rank + 1).astype(np.uint8) | (edge.astype(np.uint8) << 7)
    new = before.rank == UNLOCATED
    changed = ~new & ((before.rank != rank) | (before.edge != edge))
    added = await run(tx, _ADD, county, zone, _by_id(rows[new]).tobytes())
    return added + await run(tx, _CHANGE, county, zone, rows[changed].tobytes())


def _by_id(rows: Column) -> Column:
    """New places enter their index in its own order, which is much the cheapest; sorting them here is cheaper than in the database."""
    halves = np.ascontiguousarray(rows["id"]).view(">u8").reshape(-1, 2)
    return rows[np.lexsort((halves[:, 1], halves[:, 0]))]


_MOVE = """
UPDATE household h SET status = 'located' FROM location l
WHERE h.county = $1 AND h.incident = $2 AND h.status = ANY ($4::text[]) AND l.county = $1 AND l.zone = $3 AND l.household = h.id
"""


async def move(tx: Tx, county: str, incident: UUID, zone: UUID) -> int:
    """staged → located for every household with a place in the zone; how many moved."""
    return await run(tx, _MOVE, county, incident, zone, sources(REGISTRATION, "located"))
