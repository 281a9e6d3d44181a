"""Where households lie in a zone. Packed columns both ways: PostgreSQL appends bytes, numpy reads and writes them, no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain.moves import REGISTRATION, sources
from relief.store.db import Tx, one, run

Column = npt.NDArray[Any]

# The rows come in the order of the index, and every aggregate sees them in that one order.
_PLACES = """
SELECT count(*) AS rows,
       coalesce(string_agg(uuid_send(id), ''), '') AS id,
       coalesce(string_agg(int4send(county::int), ''), '') AS county,
       coalesce(string_agg(float8send(lon), ''), '') AS lon,
       coalesce(string_agg(float8send(lat), ''), '') AS lat,
       coalesce(string_agg(float4send(accuracy_m), ''), '') AS accuracy_m
FROM (
    SELECT county, id, lon, lat, accuracy_m FROM household
    WHERE county = ANY ($1::text[]) AND incident = $2 AND status NOT IN ('duplicate', 'rejected') ORDER BY county, id
) AS h
"""


class _Packed(msgspec.Struct, frozen=True):
    rows: int
    id: bytes
    county: bytes
    lon: bytes
    lat: bytes
    accuracy_m: bytes


class Places(msgspec.Struct, frozen=True):
    """Columns of one length: ids as 16 raw bytes, counties as numbers, degrees (EPSG:4490), metres."""

    id: Column
    county: Column
    lon: Column
    lat: Column
    accuracy_m: Column

    def ids(self, chosen: Column) -> list[UUID]:
        """The chosen households by name."""
        return [UUID(bytes=i.tobytes()) for i in self.id[chosen]]


async def places(tx: Tx, counties: Sequence[str], incident: UUID) -> Places:
    """Every household of the incident in these counties that is neither a duplicate nor rejected, by county and id."""
    packed = await one(tx, _PLACES, _Packed, list(counties), incident)
    return Places(
        id=np.frombuffer(packed.id, "V16"),
        county=np.frombuffer(packed.county, ">i4").astype(np.int32),
        lon=np.frombuffer(packed.lon, ">f8").astype(np.float64),
        lat=np.frombuffer(packed.lat, ">f8").astype(np.float64),
        accuracy_m=np.frombuffer(packed.accuracy_m, ">f4").astype(np.float64),
    )


# Seventeen bytes a household: its id, then rank + 1 with the highest bit for an edge. What is right already is not written again.
_WRITE = """
WITH given AS MATERIALIZED (
    SELECT encode(substr($3::bytea, i * 17 + 1, 16), 'hex')::uuid AS household, get_byte($3, i * 17 + 16) AS place
    FROM generate_series(0, length($3::bytea) / 17 - 1) AS t (i)
)
INSERT INTO location (county, zone, household, rank, edge)
SELECT $1, $2, household, (place & 127) - 1, place >= 128 FROM given
ON CONFLICT (county, zone, household) DO UPDATE SET rank = excluded.rank, edge = excluded.edge
WHERE (location.rank, location.edge) IS DISTINCT FROM (excluded.rank, excluded.edge)
"""


async def write(tx: Tx, county: str, zone: UUID, ids: Column, rank: Column, edge: Column) -> int:
    """Keep the places of a county's households in a zone (ranks up to 126); how many rows are new or changed."""
    rows = np.empty(len(ids), np.dtype([("id", "V16"), ("place", "u1")]))
    rows["id"] = ids
    rows["place"] = (rank + 1).astype(np.uint8) | (edge.astype(np.uint8) << 7)
    return await run(tx, _WRITE, county, zone, rows.tobytes())


_MOVE = """
UPDATE household h SET status = 'located' FROM location l
WHERE h.county = $1 AND h.incident = $2 AND h.status = ANY ($4::text[]) AND l.county = $1 AND l.zone = $3 AND l.household = h.id
"""


async def move(tx: Tx, county: str, incident: UUID, zone: UUID) -> int:
    """staged → located for every household with a place in the zone; how many moved."""
    return await run(tx, _MOVE, county, incident, zone, sources(REGISTRATION, "located"))
