"""Recovery cases as a work list: what was claimed twice or granted too much, by deadline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_CASES = """
SELECT c.county, r.name AS county_name, c.id, c.incident, i.name AS incident_name, i.drill, c.household, c.aid, c.holder_county, c.holder, c.people,
       c.reason, c.status, c.due_on, c.opened_at, a.status AS award_status, coalesce(c.amount_fen, a.amount_fen) AS amount_fen,
       coalesce((SELECT sum(p.amount_fen)::bigint FROM payment p WHERE p.county = c.county AND p.award = c.award AND p.status = 'paid'), 0) AS paid_fen,
       c.answer, s.name AS closed_by, c.closed_at, count(*) OVER () AS total
FROM recovery_case c JOIN region r ON r.code = c.county JOIN incident i ON i.id = c.incident
LEFT JOIN award a ON a.county = c.county AND a.id = c.award LEFT JOIN staff s ON s.id = c.closed_by
WHERE c.county LIKE ANY ($1::text[]) AND c.status = $2
ORDER BY CASE WHEN c.status = 'open' THEN c.due_on END, c.closed_at DESC, c.county, c.id LIMIT $3
"""
_WAITING = "SELECT count(*) AS items, min(due_on) AS first FROM recovery_case WHERE status = 'open' AND county LIKE ANY ($1::text[])"


class Case(msgspec.Struct, frozen=True):
    """One case: the claim in question, who keeps the entitlement, what was awarded and what of it has been paid, in fen."""

    county: str
    county_name: str
    id: UUID
    incident: UUID
    incident_name: str
    drill: bool
    household: UUID
    aid: str
    holder_county: str
    holder: UUID
    people: int
    reason: str
    status: str
    due_on: date
    opened_at: datetime
    award_status: str | None
    amount_fen: int | None
    paid_fen: int
    answer: str | None
    closed_by: str | None
    closed_at: datetime | None
    total: int


class Waiting(msgspec.Struct, frozen=True):
    """How many are open, and the earliest deadline."""

    items: int
    first: date | None


async def cases(tx: Tx, counties: Sequence[str], status: str, most: int = 100) -> list[Case]:
    """Open cases by deadline, or closed ones, the latest first."""
    return await many(tx, _CASES, Case, list(counties), status, most)


async def waiting(tx: Tx, counties: Sequence[str]) -> Waiting:
    """How many wait in these counties (LIKE patterns)."""
    return await one(tx, _WAITING, Waiting, list(counties))
