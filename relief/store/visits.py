"""Visits and their photos, and second versions of records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run

_INSERT = """
INSERT INTO visit (county, household, channel, presence, structure, place_by, needs, flags, sealed)
SELECT county, household, channel, presence, structure, place_by, string_to_array(needs, ' '), string_to_array(flags, ' '), sealed
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[])
    AS t (county, household, channel, presence, structure, place_by, needs, flags, sealed)
"""
_ANNOUNCE = """
INSERT INTO photo (county, id, household, digest, kind, size, status, taken_at, lon, lat, accuracy_m)
SELECT county, id, household, digest, kind, size, 'announced', taken, lon, lat, accuracy
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bytea[], $5::text[], $6::int[], $7::timestamptz[], $8::float8[], $9::float8[], $10::real[])
    AS t (county, id, household, digest, kind, size, taken, lon, lat, accuracy)
"""
_POINTS = "SELECT code, lon, lat FROM region WHERE code = ANY ($1::text[]) AND NOT synthetic AND lon IS NOT NULL AND lat IS NOT NULL"
# Announced by a record of this device's, or received before: whoever sends it again is told so.
_WANTED = """
SELECT p.county, p.id, p.household, p.size, p.status FROM photo p
JOIN device_record r ON r.place = p.county AND r.household = p.household AND r.county = $1 AND r.device = $2
WHERE p.digest = $3 ORDER BY p.status, p.county, p.id LIMIT 1
"""
_RECEIVED = """
UPDATE photo SET status = 'received', device = $3, received_at = $4 WHERE county = $1 AND id = $2 AND status = 'announced'
"""
_SECOND = """
INSERT INTO second_version (county, id, household, device, sent_by, digest, sealed, status, received_at)
SELECT county, id, household, $6, $7::uuid, digest, sealed, 'open', $8::timestamptz
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[]) AS t (county, id, household, digest, sealed)
ON CONFLICT ON CONSTRAINT second_version_once DO NOTHING
RETURNING county, household
"""
# Households of one incident that hold one and the same person.
_TWINS = """
SELECT DISTINCT h.county, h.id AS household, k.county AS other_county, k.id AS other
FROM unnest($1::text[], $2::uuid[]) AS t (county, id)
JOIN household h ON h.county = t.county AND h.id = t.id
JOIN person p ON p.county = h.county AND p.household = h.id
JOIN person o ON o.id_hash = p.id_hash AND o.household <> p.household
JOIN household k ON k.county = o.county AND k.id = o.household AND k.incident = h.incident AND k.status NOT IN ('duplicate', 'rejected')
"""


class Wanted(msgspec.Struct, frozen=True):
    """A photo a record of the device has announced."""

    county: str
    id: UUID
    household: UUID
    size: int
    status: str


class Twin(msgspec.Struct, frozen=True):
    """A household and another one with a person in common."""

    county: str
    household: UUID
    other_county: str
    other: UUID


class Side(msgspec.Struct, frozen=True):
    """A household."""

    county: str
    household: UUID


class _Point(msgspec.Struct):
    code: str
    lon: float
    lat: float


async def points(tx: Tx, villages: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the villages whose place is really known."""
    return {p.code: (p.lon, p.lat) for p in await many(tx, _POINTS, _Point, villages)}


async def insert(tx: Tx, visits: Sequence[tuple[Any, ...]], photos: Sequence[tuple[Any, ...]]) -> None:
    """What was seen, and the photos that will follow; tuples in the column order of the statements."""
    await run(tx, _INSERT, *(list(column) for column in zip(*visits, strict=True)))
    if photos:
        await run(tx, _ANNOUNCE, *(list(column) for column in zip(*photos, strict=True)))


async def wanted(tx: Tx, county: str, device: UUID, digest: bytes) -> Wanted | None:
    """The photo of that digest a record of this device has announced, the one still missing first."""
    return await maybe(tx, _WANTED, Wanted, county, device, digest)


async def received(tx: Tx, county: str, photo: UUID, device: UUID, now: datetime) -> int:
    """announced → received."""
    return await run(tx, _RECEIVED, county, photo, device, now)


async def second(tx: Tx, rows: Sequence[tuple[Any, ...]], device: UUID | None, sent_by: UUID, now: datetime) -> list[Side]:
    """Keep other contents of records that stand already, each once: (county, id, household, digest, sealed); those that are new."""
    return await many(tx, _SECOND, Side, *(list(column) for column in zip(*rows, strict=True)), device, sent_by, now)


async def twins(tx: Tx, households: Sequence[tuple[str, UUID]]) -> list[Twin]:
    """Which of these households hold a person another household of the incident, within the scope, holds too."""
    return await many(tx, _TWINS, Twin, [c for c, _ in households], [h for _, h in households])
