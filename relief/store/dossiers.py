"""Exports of case files: numbered, remembered by their digest, never replaced."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one, run

_NEXT = """
SELECT h.village, 1 + coalesce((SELECT max(serial) FROM dossier_export d WHERE d.county = h.county AND d.household = h.id), 0) AS serial
FROM household h WHERE h.county = $1 AND h.id = $2 FOR NO KEY UPDATE OF h
"""
_ADD = "INSERT INTO dossier_export (county, household, serial, digest, files, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
_OF = """
SELECT d.serial, d.digest, d.files, d.made_at, s.name AS made_by FROM dossier_export d LEFT JOIN staff s ON s.id = d.made_by
WHERE d.county = $1 AND d.household = $2 ORDER BY d.serial DESC LIMIT 50
"""


class Next(msgspec.Struct, frozen=True):
    """Where the household is, and which number the next export has."""

    village: str
    serial: int


class Export(msgspec.Struct, frozen=True):
    """One export: its number, the SHA-256 of its ZIP, how many files."""

    serial: int
    digest: bytes
    files: int
    made_at: datetime
    made_by: str | None


async def next_(tx: Tx, county: str, household: UUID) -> Next:
    """The next number, locked until the end of the transaction; NotFound where there is no such household."""
    return await one(tx, _NEXT, Next, county, household)


async def add(tx: Tx, county: str, household: UUID, serial: int, digest: bytes, files: int, person: UUID, now: datetime) -> None:
    """Remember an export."""
    await run(tx, _ADD, county, household, serial, digest, files, person, now)


async def of_household(tx: Tx, county: str, household: UUID) -> list[Export]:
    """Its exports, the latest first."""
    return await many(tx, _OF, Export, county, household)
