"""Facts of households as packed columns: PostgreSQL appends bytes, numpy reads them in place, no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.store.db import Tx, many, one, run

# Every aggregate sees the rows in one order, so the columns fit together. Small numbers travel together in one of eight bytes: an
# aggregate costs more than the arithmetic; the county is sent only where there are several. A household without a location in that zone has rank -2; only of those points are sent.
_READ = """
SELECT count(*) AS rows,
       coalesce(string_agg(uuid_send(h.id), ''), '') AS id,
       coalesce(string_agg(int4send(h.county::int), '') FILTER (WHERE $6), '') AS county,
       coalesce(string_agg(int8send(
           h.members::int2::int8
           | (coalesce(h.adults, 255)::int2::int8 << 8)
           | (h.people_in_need::int2::int8 << 16)
           | (coalesce(array_position($4::text[], h.family_type), 0)::int8 << 24)
           | (h.circumstances::int8 << 32)), ''), '') AS family,
       coalesce(string_agg(int8send(
           h.dead::int2::int8 | (h.missing::int2::int8 << 16) | (h.injured::int2::int8 << 32)
           | ((coalesce(l.rank, -2)::int2 + 2)::int8 << 48)), ''), '') AS people,
       coalesce(string_agg(int8send(
           h.rooms_collapsed::int2::int8 | (h.rooms_severe::int2::int8 << 16) | (h.rooms_moderate::int2::int8 << 32)
           | ((coalesce(l.edge, false)::int | ((h.relocated <> 'none')::int << 1) | (h.only_home::int << 2) | (h.occupied::int << 3)
               | (coalesce(h.home_county <> h.county, false)::int << 4) | (h.checked::int << 5))::int8 << 48)), ''), '') AS home,
       coalesce(string_agg(float8send(h.lon), '') FILTER (WHERE l.rank IS NULL), '') AS lon,
       coalesce(string_agg(float8send(h.lat), '') FILTER (WHERE l.rank IS NULL), '') AS lat,
       coalesce(string_agg(float4send(h.accuracy_m), '') FILTER (WHERE l.rank IS NULL), '') AS accuracy_m
FROM household h
LEFT JOIN location l ON l.county = h.county AND l.zone = $3 AND l.household = h.id
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected') AND ($5::uuid[] IS NULL OR h.id = ANY ($5))
"""
# Of households written down before their adults were counted.
_ADULTS = """
SELECT h.id AS household, (SELECT count(*)::int FROM person p WHERE p.county = h.county AND p.household = h.id AND p.adult
        AND p.role IN ('householder', 'member')) AS adults
FROM household h WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.adults IS NULL
"""
# Few lack one, so these are found before their households are looked up.
_WITHOUT_ACCOUNT = """
WITH lacking AS MATERIALIZED (
    SELECT p.county, p.household FROM person p WHERE p.county = ANY ($1::text[]) AND p.role = 'householder'
    AND NOT EXISTS (SELECT FROM account c WHERE c.county = p.county AND c.person = p.id AND c.status = 'current')
)
SELECT h.county, count(*)::int AS households FROM lacking l JOIN household h ON h.county = l.county AND h.id = l.household
WHERE h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected') GROUP BY h.county
"""
# What the register knows of its duplicates already, by exact key, and how many it has not compared yet.
_REPEATED = """
SELECT h.county, count(DISTINCT h.id) FILTER (WHERE 'id' = ANY (s.keys))::int AS people,
       count(DISTINCT h.id) FILTER (WHERE 'account' = ANY (s.keys))::int AS accounts,
       count(DISTINCT h.id) FILTER (WHERE 'phone' = ANY (s.keys))::int AS phones, count(DISTINCT h.id) FILTER (WHERE s.waits)::int AS waiting
FROM (SELECT county, household, keys, false AS waits FROM suspicion WHERE status = 'open'
      UNION ALL SELECT other_county, other, keys, false FROM suspicion WHERE status = 'open'
      UNION ALL SELECT county, household, '{}', true FROM unmatched) s
JOIN household h ON h.county = s.county AND h.id = s.household
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected')
GROUP BY h.county ORDER BY h.county
"""
# A million households are joined as sets, in memory.
_IN_MEMORY = "SELECT set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true)"

#: Rank of a household that has no location in the zone yet.
UNLOCATED = -2
_UNCOUNTED: Final = 255


class _Packed(msgspec.Struct, frozen=True):
    rows: int
    id: bytes
    county: bytes
    family: bytes
    people: bytes
    home: bytes
    lon: bytes
    lat: bytes
    accuracy_m: bytes


class _Adults(msgspec.Struct, frozen=True):
    household: UUID
    adults: int


class _CountyCount(msgspec.Struct, frozen=True):
    county: str
    households: int


class Repeated(msgspec.Struct, frozen=True):
    """In a county: households of which a person, the account or the phone stands in another household too, as far as nobody has decided
    about it; and how many households have not been compared yet."""

    county: str
    people: int
    accounts: int
    phones: int
    waiting: int


class Weak(msgspec.Struct, frozen=True):
    """What is weak in a register: what stands more than once, and by county the households to whom nothing can be paid yet."""

    repeated: list[Repeated]
    without_account: dict[str, int]


Columns = dict[str, npt.NDArray[Any]]


async def in_memory(tx: Tx) -> None:
    """For the rest of this transaction whole tables are joined, as a dry run over everybody needs it."""
    await run(tx, _IN_MEMORY)


async def read(
    tx: Tx, counties: Sequence[str], incident: UUID, zone: UUID, families: Sequence[str], households: Sequence[UUID] | None = None
) -> Columns:
    """Every household of the incident in these counties (or those named) that is neither a duplicate nor rejected, as columns of one length.

    Ids are 16 raw bytes, counties numbers; `rank` is that of the location in this zone, -1 outside, UNLOCATED where there is none yet;
    `family` is the place in `families`. Only `lon`, `lat` (degrees, EPSG:4490) and `accuracy_m` are shorter: those of the unlocated, in order.
    """
    packed = await one(tx, _READ, _Packed, counties, incident, zone, families, households, len(counties) > 1)
    family, people, home = (np.frombuffer(raw, ">i8").astype(np.int64) for raw in (packed.family, packed.people, packed.home))
    flags = home >> 48
    return {
        "id": np.frombuffer(packed.id, "V16"),
        "county": _county(counties, packed.county, packed.rows),
        "members": _small(family, 0, 8),
        "adults": await _adults(tx, counties, incident, packed.id, _small(family, 8, 8)),
        "in_need": _small(family, 16, 8),
        "family": _small(family, 24, 8) - np.int16(1),
        "circumstances": (family >> 32).astype(np.int32),
        "dead": _small(people, 0, 16),
        "missing": _small(people, 16, 16),
        "injured": _small(people, 32, 16),
        "rank": _small(people, 48, 16) - np.int16(2),
        "rooms_collapsed": _small(home, 0, 16),
        "rooms_severe": _small(home, 16, 16),
        "rooms_moderate": _small(home, 32, 16),
        **{
            name: (flags >> bit & 1).astype(np.bool_)
            for bit, name in enumerate(("edge", "relocated", "only_home", "occupied", "away", "checked"))
        },
        "lon": np.frombuffer(packed.lon, ">f8").astype(np.float64),
        "lat": np.frombuffer(packed.lat, ">f8").astype(np.float64),
        "accuracy_m": np.frombuffer(packed.accuracy_m, ">f4").astype(np.float32),
    }


def _county(counties: Sequence[str], sent: bytes, rows: int) -> npt.NDArray[np.int32]:
    return (
        np.frombuffer(sent, ">i4").astype(np.int32) if len(counties) > 1 else np.full(rows, int(counties[0]) if counties else 0, np.int32)
    )


async def _adults(
    tx: Tx, counties: Sequence[str], incident: UUID, ids: bytes, counted: npt.NDArray[np.int16]
) -> npt.NDArray[np.int16]:  # fmt: skip
    """The adults as counted at registration, and counted now where nobody did."""
    missing = np.flatnonzero(counted == _UNCOUNTED)
    if len(missing):
        found = {r.household: r.adults for r in await many(tx, _ADULTS, _Adults, counties, incident)}
        counted[missing] = [found[UUID(bytes=ids[16 * i : 16 * i + 16])] for i in missing.tolist()]
    return counted


def _small(packed: npt.NDArray[np.int64], shift: int, bits: int) -> npt.NDArray[np.int16]:
    return (packed >> shift & ((1 << bits) - 1)).astype(np.int16)


async def weak(tx: Tx, counties: Sequence[str], incident: UUID) -> Weak:
    """What stands in more than one household, by exact key, and who has no current account; only counties where there is something."""
    without = await many(tx, _WITHOUT_ACCOUNT, _CountyCount, counties, incident)
    return Weak(await many(tx, _REPEATED, Repeated, counties, incident), {c.county: c.households for c in without})
