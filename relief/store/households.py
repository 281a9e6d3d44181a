"""Households, their people and accounts: the register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store import squares
from relief.store.db import Tx, many, run

_GUARD = """
INSERT INTO device_guard (device_id, county, household, content_digest, received_at)
SELECT device_id, county, household, digest, $5 FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[]) AS t (device_id, county, household, digest)
ON CONFLICT (device_id) DO NOTHING
"""
_GUARDED = "SELECT device_id, county, household, content_digest FROM device_guard WHERE device_id = ANY ($1::uuid[])"

_INSERT_HOUSEHOLDS = """
INSERT INTO household (county, id, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type,
                       members, dead, missing, injured, rooms_collapsed, rooms_severe, rooms_moderate, relocated, only_home, occupied,
                       slip, slip_code_hash, captured_at, circumstances, people_in_need, home_county, adults, registered_by, received_at)
SELECT t.*, $29::uuid, $30::timestamptz
FROM (SELECT county, id, incident, device_id, digest, village, lon, lat, accuracy, synthetic, 'staged', family,
             members, dead, missing, injured, collapsed, severe, moderate, relocated, only_home, occupied, slip, code, captured,
             circumstances, in_need, home, adults
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::text[], $7::float8[], $8::float8[], $9::real[], $10::bool[],
                  $11::text[], $12::int[], $13::int[], $14::int[], $15::int[], $16::int[], $17::int[], $18::int[], $19::text[], $20::bool[],
                  $21::bool[], $22::text[], $23::bytea[], $24::timestamptz[], $25::int[], $26::int[], $27::text[], $28::int[])
        AS u (county, id, incident, device_id, digest, village, lon, lat, accuracy, synthetic, family, members, dead, missing, injured,
              collapsed, severe, moderate, relocated, only_home, occupied, slip, code, captured, circumstances, in_need, home, adults)) AS t
"""
_INSERT_PEOPLE = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult, provisional)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[], $8::text[], $9::bool[], $10::bool[])
"""
_INSERT_ACCOUNTS = """
INSERT INTO account (county, id, person, version, status, sealed, account_hash, bank, proposed_by, proposed_at)
SELECT county, id, person, 1, 'current', sealed, hash, bank, $7::uuid, $8::timestamptz
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[]) AS t (county, id, person, sealed, hash, bank)
"""
_VILLAGES = "SELECT code FROM region WHERE code = ANY ($1::text[]) AND level = 'village' AND valid_to IS NULL"
# A device may come home with records for an incident that was merged meanwhile: they are taken as long as its survivor is open.
_OPEN_INCIDENTS = """
SELECT i.id FROM incident i LEFT JOIN incident s ON s.id = i.merged_into
WHERE i.id = ANY ($1::uuid[]) AND coalesce(s.status, i.status) <> 'closed'
"""


class Guard(msgspec.Struct, frozen=True):
    """What a device id stands for."""

    device_id: UUID
    county: str
    household: UUID
    content_digest: bytes


class _Code(msgspec.Struct, frozen=True):
    code: str


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def guard(tx: Tx, guards: Sequence[Guard], now: datetime) -> dict[UUID, Guard]:
    """Claim the device ids; returns what each of them now stands for (ours, or what came earlier)."""
    ids = [g.device_id for g in guards]
    await run(tx, _GUARD, ids, [g.county for g in guards], [g.household for g in guards], [g.content_digest for g in guards], now)
    return {g.device_id: g for g in await many(tx, _GUARDED, Guard, ids)}


async def insert(
    tx: Tx,
    households: Sequence[tuple[Any, ...]],
    people: Sequence[tuple[Any, ...]],
    accounts: Sequence[tuple[Any, ...]],
    registrar: UUID,
    now: datetime,
) -> None:
    """Four statements for any number of rows; the tuples follow the column order of the statements (the adults are counted here)."""
    adults = Counter(family for _, _, family, *_, adult, _ in people if adult)
    columns = _columns(households, 27)
    await run(tx, _INSERT_HOUSEHOLDS, *columns, [adults[family] for _, family, *_ in households], registrar, now)
    await squares.came(tx, columns[0], columns[2], columns[5], columns[6], columns[7], columns[9], columns[11])
    await run(tx, _INSERT_PEOPLE, *_columns(people, 10))
    await run(tx, _INSERT_ACCOUNTS, *_columns(accounts, 6), registrar, now)


async def known_villages(tx: Tx, codes: Sequence[str]) -> set[str]:
    """Which of these 12-digit codes are villages today."""
    return {r.code for r in await many(tx, _VILLAGES, _Code, codes)}


async def open_incidents(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these incidents still take registrations."""
    return {r.id for r in await many(tx, _OPEN_INCIDENTS, _Id, ids)}


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(c) for c in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
