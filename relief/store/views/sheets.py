"""Uploaded registers as the clerk sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one

_LIST = """
SELECT s.county, s.id, s.incident, i.name AS incident_name, i.drill, s.register, s.name, s.encoding, s.status, s.rows, s.households, s.faulty, s.skipped,
       s.words, s.loaded, s.seen, s.refused, s.left_out, s.staged_at, s.confirmed_at, s.ended_at, p.name AS stager, s.staged_by = $2 AS own,
       (SELECT count(*)::int FROM sheet_fault f WHERE f.county = s.county AND f.sheet = s.id) AS faults
FROM sheet s JOIN incident i ON i.id = s.incident JOIN staff p ON p.id = s.staged_by
WHERE s.county LIKE ANY ($1::text[]) AND ($3::uuid IS NULL OR s.id = $3) AND s.status <> 'dropped'
ORDER BY s.staged_at DESC, s.id LIMIT $4
"""
_FAULTS = "SELECT seq, row, place, code FROM sheet_fault WHERE county = $1 AND sheet = $2 AND seq > $3 ORDER BY seq LIMIT $4"
_NAMES = "SELECT code, name FROM region WHERE code = ANY ($1::text[])"
_FIRST = "SELECT part, sealed FROM sheet_part WHERE county = $1 AND sheet = $2 ORDER BY part LIMIT 1"


class Sheet(msgspec.Struct, frozen=True):
    """An uploaded register and how far it is."""

    county: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    register: str
    name: str
    encoding: str
    status: str
    rows: int
    households: int
    faulty: int
    skipped: list[int]
    words: dict[str, str]
    loaded: int
    seen: int
    refused: int
    left_out: list[int]
    staged_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    stager: str
    own: bool
    faults: int


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where."""

    seq: int
    row: int
    place: str
    code: str


class Part(msgspec.Struct, frozen=True):
    """The first households, sealed."""

    part: int
    sealed: bytes


async def sheets(tx: Tx, counties: Sequence[str], person: UUID | None, limit: int = 50) -> list[Sheet]:
    """Uploads of these county patterns, newest first."""
    return await many(tx, _LIST, Sheet, list(counties), person, None, limit)


async def sheet(tx: Tx, counties: Sequence[str], id_: UUID, person: UUID | None) -> Sheet:
    """One of them."""
    return await one(tx, _LIST, Sheet, list(counties), person, id_, 1)


async def faults(tx: Tx, county: str, id_: UUID, after: int, limit: int) -> list[Fault]:
    """Faults in the order of the file."""
    return await many(tx, _FAULTS, Fault, county, id_, after, limit)


async def first(tx: Tx, county: str, id_: UUID) -> Part | None:
    """The first portion, to look at before it is confirmed."""
    return await maybe(tx, _FIRST, Part, county, id_)


class _Named(msgspec.Struct, frozen=True):
    code: str
    name: str


async def county_names(tx: Tx, codes: Sequence[str]) -> dict[str, str]:
    """Names of these counties."""
    return {c.code: c.name for c in await many(tx, _NAMES, _Named, list(codes))}
