"""Households assessed again: the register holds what is known now, `assessment` every state before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.assessment import Known
from relief.store.db import Tx, many, run

_WHERE = "SELECT id, incident, village, status FROM household WHERE county = $1 AND id = ANY ($2::uuid[]) ORDER BY id"
# Deciding and approving hold these first and touch households afterwards; so does an assessment.
_PARTS = """
SELECT c.activation FROM county_activation c JOIN activation a ON a.id = c.activation
WHERE c.county = $1 AND a.incident = ANY ($2::uuid[]) AND c.status = 'active' ORDER BY c.id FOR UPDATE OF c
"""
_LOCK = """
SELECT id, incident, village, members, family_type, dead, missing, injured, rooms_collapsed, rooms_severe, rooms_moderate, relocated, only_home,
       occupied, circumstances, people_in_need
FROM household WHERE county = $1 AND id = ANY ($2::uuid[]) AND status IN ('staged', 'located', 'verified') ORDER BY id FOR UPDATE
"""
_WRITE = """
WITH given AS (
    SELECT id, before::jsonb AS before, after::jsonb AS after, reason
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (id, before, after, reason)
), kept AS (
    INSERT INTO assessment (county, household, version, before, after, reason, person, at)
    SELECT $1, g.id, 1 + coalesce((SELECT max(version) FROM assessment a WHERE a.county = $1 AND a.household = g.id), 0), g.before, g.after, g.reason, $6, $7
    FROM given g
)
UPDATE household h SET family_type = g.after ->> 'family_type', dead = (g.after ->> 'dead')::int, missing = (g.after ->> 'missing')::int,
       injured = (g.after ->> 'injured')::int, rooms_collapsed = (g.after ->> 'rooms_collapsed')::int,
       rooms_severe = (g.after ->> 'rooms_severe')::int, rooms_moderate = (g.after ->> 'rooms_moderate')::int,
       relocated = g.after ->> 'relocated', only_home = (g.after ->> 'only_home')::bool, occupied = (g.after ->> 'occupied')::bool,
       circumstances = (g.after ->> 'circumstances')::int, people_in_need = (g.after ->> 'people_in_need')::int
FROM given g WHERE h.county = $1 AND h.id = g.id
"""
_HISTORY = """
SELECT a.version, a.before, a.after, a.reason, s.name AS who, a.at FROM assessment a JOIN staff s ON s.id = a.person
WHERE a.county = $1 AND a.household = $2 ORDER BY a.version
"""


class Place(msgspec.Struct, frozen=True):
    """Where a household is and whether it counts."""

    id: UUID
    incident: UUID
    village: str
    status: str


class Standing(msgspec.Struct, frozen=True):
    """A household as the register holds it."""

    id: UUID
    incident: UUID
    village: str
    members: int
    known: Known


class Assessment(msgspec.Struct, frozen=True):
    """One look: what was known before, what is known since, why, by whom, when."""

    version: int
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    who: str
    at: datetime


class _Row(Known, frozen=True, kw_only=True):
    id: UUID
    incident: UUID
    village: str
    members: int


class _Part(msgspec.Struct, frozen=True):
    activation: UUID


async def places(tx: Tx, county: str, households: Sequence[UUID]) -> list[Place]:
    """Those of the households that exist, by id."""
    return await many(tx, _WHERE, Place, county, list(households))


async def hold_parts(tx: Tx, county: str, incidents: Sequence[UUID]) -> list[UUID]:
    """The activations that are active in the county for these incidents; nothing else is decided or approved there until this ends."""
    return [p.activation for p in await many(tx, _PARTS, _Part, county, list(incidents))]


async def lock(tx: Tx, county: str, households: Sequence[UUID]) -> list[Standing]:
    """Those of the households that are neither duplicates nor rejected, locked."""
    names = Known.__struct_fields__
    return [
        Standing(r.id, r.incident, r.village, r.members, Known(**{n: getattr(r, n) for n in names}))
        for r in await many(tx, _LOCK, _Row, county, list(households))
    ]  # fmt: skip


async def write(tx: Tx, county: str, rows: Sequence[tuple[UUID, Known, Known, str]], person: UUID, now: datetime) -> int:
    """(household, before, after, reason) of each: kept, and the register follows; how many rows it changed."""
    ids, before, after, reasons = ([r[i] for r in rows] for i in range(4))
    encode = msgspec.json.encode
    return await run(
        tx, _WRITE, county, ids, [encode(b).decode() for b in before], [encode(a).decode() for a in after], reasons, person, now
    )  # fmt: skip


async def history(tx: Tx, county: str, household: UUID) -> list[Assessment]:
    """Every look at a household after its registration, the first one first."""
    return await many(tx, _HISTORY, Assessment, county, household)
