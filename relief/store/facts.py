"""Facts of households as packed columns: PostgreSQL appends bytes, numpy reads them in place, no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.store.db import Tx, many, one

# Every aggregate sees the rows in one order, so the columns fit together. A household without a location in that zone has rank -2.
_READ = """
SELECT count(*) AS rows,
       coalesce(string_agg(uuid_send(h.id), ''), '') AS id,
       coalesce(string_agg(int4send(h.county::int), ''), '') AS county,
       coalesce(string_agg(int2send(coalesce(l.rank, -2)::int2), ''), '') AS rank,
       coalesce(string_agg(boolsend(coalesce(l.edge, false)), ''), '') AS edge,
       coalesce(string_agg(float8send(h.lon), ''), '') AS lon,
       coalesce(string_agg(float8send(h.lat), ''), '') AS lat,
       coalesce(string_agg(float4send(h.accuracy_m), ''), '') AS accuracy_m,
       coalesce(string_agg(int2send(h.members::int2), ''), '') AS members,
       coalesce(string_agg(int2send(coalesce(a.adults, 0)::int2), ''), '') AS adults,
       coalesce(string_agg(int2send(h.dead::int2), ''), '') AS dead,
       coalesce(string_agg(int2send(h.missing::int2), ''), '') AS missing,
       coalesce(string_agg(int2send(h.injured::int2), ''), '') AS injured,
       coalesce(string_agg(int2send(h.rooms_collapsed::int2), ''), '') AS rooms_collapsed,
       coalesce(string_agg(int2send(h.rooms_severe::int2), ''), '') AS rooms_severe,
       coalesce(string_agg(int2send(h.rooms_moderate::int2), ''), '') AS rooms_moderate,
       coalesce(string_agg(boolsend(h.relocated <> 'none'), ''), '') AS relocated,
       coalesce(string_agg(boolsend(h.only_home), ''), '') AS only_home,
       coalesce(string_agg(boolsend(h.occupied), ''), '') AS occupied,
       coalesce(string_agg(int2send(coalesce(array_position($4::text[], h.family_type) - 1, -1)::int2), ''), '') AS family,
       coalesce(string_agg(int4send(h.circumstances), ''), '') AS circumstances,
       coalesce(string_agg(int2send(h.people_in_need::int2), ''), '') AS in_need,
       coalesce(string_agg(boolsend(coalesce(h.home_county <> h.county, false)), ''), '') AS away
FROM household h
LEFT JOIN location l ON l.county = h.county AND l.zone = $3 AND l.household = h.id
LEFT JOIN (SELECT county, household, count(*) AS adults FROM person
           WHERE county = ANY ($1::text[]) AND adult AND ($5::uuid[] IS NULL OR household = ANY ($5)) GROUP BY county, household) a
    ON a.county = h.county AND a.household = h.id
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected') AND ($5::uuid[] IS NULL OR h.id = ANY ($5))
"""
_WITHOUT_ACCOUNT = """
SELECT h.county, count(*) AS households FROM household h
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected') AND NOT EXISTS (
    SELECT FROM person p JOIN account c ON c.county = p.county AND c.person = p.id AND c.status = 'current'
    WHERE p.county = h.county AND p.household = h.id AND p.role = 'householder')
GROUP BY h.county
"""

# Eight bytes of each keyed hash (they are random) and the county: enough to find what stands twice without comparing rows in the database.
_MARKS = """
SELECT coalesce(string_agg(int4send(p.county::int), ''), '') AS county,
       coalesce(string_agg(substr(p.id_hash, 1, 8), ''), '') AS identity,
       coalesce(string_agg(substr(coalesce(p.phone_hash, '\\x0000000000000000'), 1, 8), ''), '') AS phone
FROM household h JOIN person p ON p.county = h.county AND p.household = h.id
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected')
"""
_CARDS = """
SELECT coalesce(string_agg(int4send(c.county::int), ''), '') AS county, coalesce(string_agg(substr(c.account_hash, 1, 8), ''), '') AS account
FROM household h JOIN person p ON p.county = h.county AND p.household = h.id AND p.role = 'householder'
JOIN account c ON c.county = p.county AND c.person = p.id AND c.status = 'current'
WHERE h.county = ANY ($1::text[]) AND h.incident = $2 AND h.status NOT IN ('duplicate', 'rejected')
"""

#: How the bytes of a column are read: big-endian, as PostgreSQL sends them.
_KINDS = {"id": "V16", "county": ">i4", "lon": ">f8", "lat": ">f8", "accuracy_m": ">f4", "circumstances": ">i4"}
_FLAGS = ("edge", "relocated", "only_home", "occupied", "away")
#: Rank of a household that has no location in the zone yet.
UNLOCATED = -2


class _Packed(msgspec.Struct, frozen=True):
    rows: int
    id: bytes
    county: bytes
    rank: bytes
    edge: bytes
    lon: bytes
    lat: bytes
    accuracy_m: bytes
    members: bytes
    adults: bytes
    dead: bytes
    missing: bytes
    injured: bytes
    rooms_collapsed: bytes
    rooms_severe: bytes
    rooms_moderate: bytes
    relocated: bytes
    only_home: bytes
    occupied: bytes
    family: bytes
    circumstances: bytes
    in_need: bytes
    away: bytes


class CountyCount(msgspec.Struct, frozen=True):
    """A number of households in a county."""

    county: str
    households: int


Columns = dict[str, npt.NDArray[Any]]


async def read(
    tx: Tx, counties: Sequence[str], incident: UUID, zone: UUID, families: Sequence[str], households: Sequence[UUID] | None = None
) -> Columns:
    """Every household of the incident in these counties (or those named) that is neither a duplicate nor rejected, as columns of one length.

    Ids are 16 raw bytes, counties numbers, points degrees (EPSG:4490), `accuracy_m` metres; `rank` is that of the location in this
    zone, -1 outside, UNLOCATED where there is none yet; `family` is the place in `families`.
    """
    packed = await one(tx, _READ, _Packed, counties, incident, zone, families, households)
    return {name: _column(name, getattr(packed, name)) for name in _Packed.__struct_fields__[1:]}


def _column(name: str, raw: bytes) -> npt.NDArray[Any]:
    if name in _FLAGS:
        return np.frombuffer(raw, np.bool_)
    column = np.frombuffer(raw, _KINDS.get(name, ">i2"))
    return column if name == "id" else column.astype(column.dtype.newbyteorder("="))


class _Marks(msgspec.Struct, frozen=True):
    county: bytes
    identity: bytes
    phone: bytes


class _Cards(msgspec.Struct, frozen=True):
    county: bytes
    account: bytes


class Repeated(msgspec.Struct, frozen=True):
    """In a county: how many people, accounts and phones stand in a household and also in another one (of any of the counties asked)."""

    county: str
    people: int
    accounts: int
    phones: int


async def repeated(tx: Tx, counties: Sequence[str], incident: UUID) -> list[Repeated]:
    """What stands in more than one household, by exact hash; only counties where something does."""
    marks, cards = await one(tx, _MARKS, _Marks, counties, incident), await one(tx, _CARDS, _Cards, counties, incident)
    found = [
        _twice(county, raw)
        for county, raw in ((marks.county, marks.identity), (cards.county, cards.account), (marks.county, marks.phone))
    ]  # fmt: skip
    return [Repeated(f"{c:06d}", *(f.get(c, 0) for f in found)) for c in sorted(set().union(*found))]


def _twice(counties: bytes, raw: bytes) -> dict[int, int]:
    """County → how many of its hashes stand more than once; a hash of zeros is none."""
    hashes, where = np.frombuffer(raw, np.uint64), np.frombuffer(counties, ">i4")
    ordered = np.sort(hashes)
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    here, many_ = np.unique(where[np.isin(hashes, again[again != 0])], return_counts=True)
    return {int(c): int(n) for c, n in zip(here, many_, strict=True)}


async def without_account(tx: Tx, counties: Sequence[str], incident: UUID) -> list[CountyCount]:
    """Households whose householder has no current account: nothing can be paid to them yet."""
    return await many(tx, _WITHOUT_ACCOUNT, CountyCount, counties, incident)
