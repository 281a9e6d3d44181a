"""Spreadsheets on their way into the register: staged, confirmed, loaded a portion at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.moves import SHEET, sources
from relief.domain.sheet_form import Fault
from relief.store.db import Tx, many, maybe, run

_INSERT = """
INSERT INTO sheet (county, id, incident, register, name, digest, encoding, status, rows, households, faulty, skipped, words, staged_by, staged_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'staged', 0, 0, 0, '{}', '{}', $8, $9)
"""
_SUM_UP = "UPDATE sheet SET rows = $3, households = $4, faulty = $5, skipped = $6, words = $7 WHERE county = $1 AND id = $2"
_PART = "INSERT INTO sheet_part (county, sheet, part, households, sealed) VALUES ($1, $2, $3, $4, $5)"
_FAULTS = """
INSERT INTO sheet_fault (county, sheet, seq, row, place, code)
SELECT $1, $2, seq, row, place, code FROM unnest($3::int[], $4::int[], $5::text[], $6::text[]) AS t (seq, row, place, code)
"""
_ADD_FAULTS = """
INSERT INTO sheet_fault (county, sheet, seq, row, place, code)
SELECT $1, $2, (SELECT coalesce(max(seq), 0) FROM sheet_fault WHERE county = $1 AND sheet = $2) + n, row, '', code
FROM unnest($3::int[], $4::text[]) WITH ORDINALITY AS t (row, code, n)
"""
_LOCK = """
SELECT county, id, incident, status, households, faulty, staged_by FROM sheet WHERE county = $1 AND id = $2 FOR UPDATE
"""
_CONFIRM = """
UPDATE sheet SET status = 'loading', left_out = $3, confirmed_by = $4, confirmed_at = $5 WHERE county = $1 AND id = $2 AND status = ANY ($6::text[])
"""
_DROP = "UPDATE sheet SET status = 'dropped', ended_at = $3 WHERE county = $1 AND id = $2 AND status = ANY ($4::text[])"
_CLEAR = "DELETE FROM sheet_part WHERE county = $1 AND sheet = $2"
_CLAIM = """
SELECT county, id, incident, left_out, confirmed_by AS by_person FROM sheet WHERE status = 'loading' ORDER BY confirmed_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_TAKE = """
DELETE FROM sheet_part WHERE county = $1 AND sheet = $2 AND part = (SELECT min(part) FROM sheet_part WHERE county = $1 AND sheet = $2)
RETURNING part, sealed
"""
_COUNT = """
UPDATE sheet SET loaded = loaded + $3, seen = seen + $4, refused = refused + $5, words = words || $6 WHERE county = $1 AND id = $2
"""
_END = "UPDATE sheet SET status = 'loaded', ended_at = $3 WHERE county = $1 AND id = $2 AND status = 'loading'"
_GRANTS = """
SELECT p.name, g.role, g.area FROM staff p JOIN role_grant g ON g.person = p.id
WHERE p.id = $1 AND p.active AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
"""
_VILLAGES = "SELECT code, lon, lat, synthetic FROM region WHERE code LIKE $1 || '%' AND level = 'village' AND valid_to IS NULL"
_VILLAGE_NAMES = "SELECT code, name FROM region WHERE code LIKE $1 || '%' AND level = 'village' AND valid_to IS NULL ORDER BY code"
_REGISTERED = """
SELECT DISTINCT p.id_hash FROM person p JOIN household h ON h.county = p.county AND h.id = p.household
WHERE p.id_hash = ANY ($2::bytea[]) AND h.incident = $1 AND h.status NOT IN ('duplicate', 'rejected')
  AND p.role IN ('householder', 'member')
"""


class New(msgspec.Struct, frozen=True):
    """A file about to be staged."""

    county: str
    id: UUID
    incident: UUID
    register: str
    name: str
    digest: bytes
    encoding: str


class Waiting(msgspec.Struct, frozen=True):
    """A sheet, locked."""

    county: str
    id: UUID
    incident: UUID
    status: str
    households: int
    faulty: int
    staged_by: UUID


class Claimed(msgspec.Struct, frozen=True):
    """A sheet being loaded, locked by this worker."""

    county: str
    id: UUID
    incident: UUID
    left_out: list[int]
    by_person: UUID


class Part(msgspec.Struct, frozen=True):
    """Some households of a sheet, sealed."""

    part: int
    sealed: bytes


class Granted(msgspec.Struct, frozen=True):
    """A role of a person in an area, valid now."""

    name: str
    role: str
    area: str


class Village(msgspec.Struct, frozen=True):
    """A village with its point (EPSG:4490), where it has one."""

    code: str
    lon: float | None
    lat: float | None
    synthetic: bool


class Named(msgspec.Struct, frozen=True):
    """A village by code and name."""

    code: str
    name: str


class _Hash(msgspec.Struct, frozen=True):
    id_hash: bytes


async def insert(tx: Tx, new: New, person: UUID, now: datetime) -> None:
    """Begin to stage; the same file for the same incident violates `sheet_once`."""
    await run(tx, _INSERT, new.county, new.id, new.incident, new.register, new.name, new.digest, new.encoding, person, now)


async def sum_up(
    tx: Tx, county: str, sheet: UUID, rows: int, households: int, faulty: int, skipped: Sequence[int], words: dict[str, str]
) -> None:
    """What was found in all."""
    await run(tx, _SUM_UP, county, sheet, rows, households, faulty, list(skipped), words)


async def add_part(tx: Tx, county: str, sheet: UUID, part: int, households: int, sealed: bytes) -> None:
    """Keep a portion."""
    await run(tx, _PART, county, sheet, part, households, sealed)


async def add_faults(tx: Tx, county: str, sheet: UUID, first: int, faults: Sequence[Fault]) -> None:
    """Keep faults, numbered from `first`."""
    columns: list[list[Any]] = [
        list(range(first, first + len(faults))), [f.row for f in faults], [f.place for f in faults], [f.code for f in faults]
    ]  # fmt: skip
    await run(tx, _FAULTS, county, sheet, *columns)


async def add_refusals(tx: Tx, county: str, sheet: UUID, rows: Sequence[tuple[int, str]]) -> None:
    """Keep what the register refused while loading: (row, code)."""
    await run(tx, _ADD_FAULTS, county, sheet, [r for r, _ in rows], [c for _, c in rows])


async def lock(tx: Tx, county: str, sheet: UUID) -> Waiting | None:
    """The sheet, locked."""
    return await maybe(tx, _LOCK, Waiting, county, sheet)


async def confirm(tx: Tx, county: str, sheet: UUID, left_out: Sequence[int], person: UUID, now: datetime) -> int:
    """staged → loading; how many moved."""
    return await run(tx, _CONFIRM, county, sheet, list(left_out), person, now, sources(SHEET, "loading"))


async def drop(tx: Tx, county: str, sheet: UUID, now: datetime) -> int:
    """staged → dropped, its households forgotten; how many moved."""
    moved = await run(tx, _DROP, county, sheet, now, sources(SHEET, "dropped"))
    if moved:
        await run(tx, _CLEAR, county, sheet)
    return moved


async def claim(tx: Tx) -> Claimed | None:
    """A confirmed sheet that nobody else is loading."""
    return await maybe(tx, _CLAIM, Claimed)


async def take(tx: Tx, county: str, sheet: UUID) -> Part | None:
    """The next portion; it is gone with this transaction."""
    return await maybe(tx, _TAKE, Part, county, sheet)


async def count(tx: Tx, county: str, sheet: UUID, loaded: int, seen: int, refused: int, words: dict[str, str]) -> None:
    """What became of a portion."""
    await run(tx, _COUNT, county, sheet, loaded, seen, refused, words)


async def end(tx: Tx, county: str, sheet: UUID, now: datetime) -> None:
    """loading → loaded."""
    await run(tx, _END, county, sheet, now)


async def grants(tx: Tx, person: UUID, now: datetime) -> list[Granted]:
    """What a person may do now."""
    return await many(tx, _GRANTS, Granted, person, now)


async def villages(tx: Tx, county: str) -> dict[str, Village]:
    """The villages of a county."""
    return {v.code: v for v in await many(tx, _VILLAGES, Village, county)}


async def village_names(tx: Tx, county: str) -> list[Named]:
    """The villages of a county by code."""
    return await many(tx, _VILLAGE_NAMES, Named, county)


async def registered(tx: Tx, incident: UUID, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these people are registered in the incident already, as far as this transaction sees."""
    return {h.id_hash for h in await many(tx, _REGISTERED, _Hash, incident, list(hashes))}
