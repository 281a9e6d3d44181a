"""Reporters' phones, and what became of every sequence number they sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.moves import DEVICE, sources
from relief.store.db import Tx, many, maybe, one, run

_ENROL = """
INSERT INTO device (county, id, person, area, name, token_hash, status, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, 'enrolled', $7)
ON CONFLICT DO NOTHING
"""
# The rights are those of the person today: a device has none of its own.
_FIND = """
SELECT d.county, d.id, d.person, d.status, d.wipe, d.wiped_at, d.token_hash, p.login, p.name, p.active,
       coalesce(array_agg(g.role ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS roles,
       coalesce(array_agg(g.area ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS areas
FROM device d JOIN staff p ON p.id = d.person
LEFT JOIN role_grant g ON g.person = d.person AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
WHERE d.id = $1
GROUP BY d.county, d.id, p.id
"""
_TOUCH = "UPDATE device SET seen_at = $3, version = $4, waiting = $5 WHERE county = $1 AND id = $2 AND status = 'enrolled'"
_WIPED = "UPDATE device SET wiped_at = $3 WHERE county = $1 AND id = $2 AND wipe AND wiped_at IS NULL"
_REVOKE = """
UPDATE device SET status = 'revoked', wipe = $3, reason = $4, revoked_by = $5, revoked_at = $6
WHERE county = $1 AND id = $2 AND status = ANY ($7::text[])
"""
_OWNER = "SELECT person, area FROM device WHERE county = $1 AND id = $2"
_KNOWN = "SELECT seq, record, outcome, code FROM device_record WHERE county = $1 AND device = $2 AND seq = ANY ($3::bigint[])"
# A record that was refused may come again under its number once it can be taken; one that was taken keeps what it got.
_KEEP = """
WITH kept AS (
    INSERT INTO device_record (county, device, seq, record, outcome, code, field, place, household, received_at)
    SELECT $1, $2, seq, record, outcome, code, field, place, household, $10
    FROM unnest($3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[])
        AS t (seq, record, outcome, code, field, place, household)
    ON CONFLICT (county, device, seq) DO UPDATE
        SET outcome = excluded.outcome, code = excluded.code, field = excluded.field, place = excluded.place,
            household = excluded.household, received_at = excluded.received_at
        WHERE device_record.outcome = 'refused' AND device_record.record = excluded.record
    RETURNING (xmax = 0) AS fresh, seq
)
UPDATE device SET records = records + (SELECT count(*) FROM kept WHERE fresh), highest = greatest(highest, (SELECT coalesce(max(seq), 0) FROM kept))
WHERE county = $1 AND id = $2
"""


class Device(msgspec.Struct, frozen=True):
    """A device with its person and that person's rights of the moment (two parallel lists)."""

    county: str
    id: UUID
    person: UUID
    status: str
    wipe: bool
    wiped_at: datetime | None
    token_hash: bytes
    login: str
    name: str
    active: bool
    roles: list[str]
    areas: list[str]


class Known(msgspec.Struct, frozen=True):
    """A sequence number that came before, the record it stood for and what became of it."""

    seq: int
    record: UUID
    outcome: str
    code: str | None


class Owner(msgspec.Struct, frozen=True):
    """Whose device it is, and where they register."""

    person: UUID
    area: str


async def enrol(tx: Tx, county: str, device: UUID, person: UUID, area: str, name: str, token_hash: bytes, now: datetime) -> int:
    """Keep a new device; 0 when its id is taken."""
    return await run(tx, _ENROL, county, device, person, area, name, token_hash, now)


async def owner(tx: Tx, county: str, device: UUID) -> Owner:
    """Whose it is; NotFound where there is none."""
    return await one(tx, _OWNER, Owner, county, device)


async def find(tx: Tx, device: UUID, now: datetime) -> Device | None:
    """The device of that id, wherever it is: needs a scope over every county."""
    return await maybe(tx, _FIND, Device, device, now)


async def touch(tx: Tx, county: str, device: UUID, now: datetime, version: int, waiting: int) -> int:
    """It was heard; locks the row until the end of the transaction, so that one device pushes once at a time. 0: no longer enrolled."""
    return await run(tx, _TOUCH, county, device, now, version, waiting)


async def wiped(tx: Tx, county: str, device: UUID, now: datetime) -> int:
    """It was told to empty itself; 1 the first time."""
    return await run(tx, _WIPED, county, device, now)


async def revoke(tx: Tx, county: str, device: UUID, wipe: bool, reason: str, by: UUID | None, now: datetime) -> int:
    """enrolled → revoked; how many moved."""
    return await run(tx, _REVOKE, county, device, wipe, reason, by, now, sources(DEVICE, "revoked"))


async def known(tx: Tx, county: str, device: UUID, seqs: Sequence[int]) -> dict[int, Known]:
    """Which of these sequence numbers came before."""
    return {k.seq: k for k in await many(tx, _KNOWN, Known, county, device, seqs)}


async def keep(tx: Tx, county: str, device: UUID, rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """What became of records: (seq, record, outcome, code, field, county, household); the device's counts move along."""
    await run(tx, _KEEP, county, device, *(list(column) for column in zip(*rows, strict=True)), now)
