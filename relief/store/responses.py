"""Response plans as imported, and what each government decided on an incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.plan import Issuer, Plan
from relief.domain.response import Act
from relief.store.db import Tx, many, value

_IMPORT = """
INSERT INTO response_plan (key, version, issuer, area, valid_from, valid_to, verified, digest, body, imported_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id
"""
_BY_DIGEST = "SELECT id FROM response_plan WHERE digest = $1"
# Of each plan the version that began last and still holds on that day.
_IN_FORCE = """
SELECT DISTINCT ON (issuer, area) id, body FROM response_plan
WHERE (issuer = 'national' OR area = ANY ($1::text[])) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)
ORDER BY issuer, area, valid_from DESC, imported_at DESC
"""
_CURRENT = """
SELECT DISTINCT ON (issuer, area) id, issuer, area, seq, act, level, document FROM response WHERE incident = $1 ORDER BY issuer, area, seq DESC
"""
_ADD = """
INSERT INTO response (incident, issuer, area, seq, act, level, plan, indicator, proposed, figures, document, decided_by, reason, person,
                      decided_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id
"""
_HISTORY = """
SELECT r.id, r.issuer, r.area, g.name AS area_name, r.seq, r.act, r.level, r.plan, p.verified, r.indicator, r.proposed, r.figures, r.document,
       r.decided_by, r.reason, s.name AS person, r.decided_at
FROM response r JOIN region g ON g.code = r.area JOIN staff s ON s.id = r.person LEFT JOIN response_plan p ON p.id = r.plan
WHERE r.incident = $1 ORDER BY r.decided_at, r.issuer, r.area, r.seq
"""


class StoredPlan(msgspec.Struct, frozen=True):
    """A plan's text."""

    id: UUID
    body: str


class InForce(msgspec.Struct, frozen=True):
    """The last decision of a government; its level is in force unless it ended."""

    id: UUID
    issuer: Issuer
    area: str
    seq: int
    act: Act
    level: int | None
    document: str


class Row(msgspec.Struct, frozen=True):
    """A decision to be kept."""

    incident: UUID
    issuer: Issuer
    area: str
    seq: int
    act: Act
    level: int | None
    plan: UUID | None
    indicator: str | None
    proposed: int | None
    figures: dict[str, str]
    document: str
    decided_by: str
    reason: str
    person: UUID
    decided_at: datetime


class Response(msgspec.Struct, frozen=True):
    """A decision with the names screens need."""

    id: UUID
    issuer: Issuer
    area: str
    area_name: str
    seq: int
    act: Act
    level: int | None
    plan: UUID | None
    verified: bool | None
    indicator: str | None
    proposed: int | None
    figures: dict[str, str]
    document: str
    decided_by: str
    reason: str
    person: str
    decided_at: datetime


async def import_plan(tx: Tx, plan: Plan, digest: bytes, body: str, now: datetime) -> UUID | None:
    """Keep it; None when this text, or this key and version, is there already."""
    made: UUID | None = await value(
        tx, _IMPORT, plan.key, plan.version, plan.issuer, plan.area, plan.valid_from, plan.valid_to, plan.verified, digest, body, now
    )
    return made


async def by_digest(tx: Tx, digest: bytes) -> UUID | None:
    """The plan with exactly this text."""
    found: UUID | None = await value(tx, _BY_DIGEST, digest)
    return found


async def in_force(tx: Tx, areas: Sequence[str], day: date) -> list[StoredPlan]:
    """The plans that hold on a day: the nation's and those of these very areas."""
    return await many(tx, _IN_FORCE, StoredPlan, list(areas), day)


async def current(tx: Tx, incident: UUID) -> list[InForce]:
    """The last decision of every government on an incident."""
    return await many(tx, _CURRENT, InForce, incident)


async def add(tx: Tx, row: Row, now: datetime) -> UUID:
    """Keep a decision; the constraint `response_seq` refuses two at once."""
    made: UUID = await value(tx, _ADD, *(getattr(row, n) for n in Row.__struct_fields__), now)
    return made


async def history(tx: Tx, incident: UUID) -> list[Response]:
    """Every decision on an incident, in the order they were made."""
    return await many(tx, _HISTORY, Response, incident)
