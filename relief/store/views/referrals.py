"""Referrals as departments and the county see them, by deadline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

# Who may read a referral is written as patterns over 'department:place'.
_REFERRALS = """
SELECT r.county, r.id, n.drill, n.name AS incident_name, r.household, r.department, r.reason, r.legal_basis, r.urgent, r.status, r.village, r.opened_at, r.due_on,
       r.accepted_at, r.closed_at, s.name AS closed_by, r.sealed_note, r.sealed_answer, v.name AS village_name, w.name AS township_name,
       e.id AS person, e.sealed AS sealed_person, h.members, count(*) OVER () AS total
FROM referral r
JOIN household h ON h.county = r.county AND h.id = r.household JOIN incident n ON n.id = h.incident
JOIN region v ON v.code = r.village LEFT JOIN region w ON w.code = left(r.village, 9)
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
LEFT JOIN staff s ON s.id = r.closed_by
WHERE r.department || ':' || r.village LIKE ANY ($1::text[]) AND r.status = ANY ($2::text[]) AND ($3::text IS NULL OR r.department = $3)
  AND ($4::uuid[] IS NULL OR r.id = ANY ($4))
ORDER BY r.urgent DESC, r.due_on, r.county, r.id LIMIT $5
"""
_COUNTS = """
SELECT r.department, count(*) FILTER (WHERE r.status = 'open') AS open, count(*) FILTER (WHERE r.status = 'accepted') AS accepted,
       count(*) FILTER (WHERE r.status = 'returned') AS returned, count(*) FILTER (WHERE r.status = 'closed') AS closed,
       count(*) FILTER (WHERE r.status <> 'closed' AND r.due_on < $2) AS late
FROM referral r WHERE r.department || ':' || r.village LIKE ANY ($1::text[]) GROUP BY r.department ORDER BY r.department
"""


class Referral(msgspec.Struct, frozen=True):
    """A household passed on; the person still sealed; `total` of the whole list."""

    county: str
    id: UUID
    drill: bool
    incident_name: str
    household: UUID
    department: str
    reason: str
    legal_basis: str
    urgent: bool
    status: str
    village: str
    opened_at: datetime
    due_on: date
    accepted_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    sealed_note: bytes | None
    sealed_answer: bytes | None
    village_name: str
    township_name: str | None
    person: UUID
    sealed_person: bytes
    members: int
    total: int


class Count(msgspec.Struct, frozen=True):
    """One department: how many in each state, how many beyond their day."""

    department: str
    open: int
    accepted: int
    returned: int
    closed: int
    late: int


async def referrals(
    tx: Tx, places: Sequence[str], statuses: Sequence[str], department: str | None, ids: Sequence[UUID] | None = None, most: int = 200
) -> list[Referral]:
    """The first of them: urgent ones before the others, then by day. `places`: patterns over 'department:place'."""
    return await many(tx, _REFERRALS, Referral, list(places), list(statuses), department, list(ids) if ids is not None else None, most)


async def counts(tx: Tx, places: Sequence[str], today: date) -> list[Count]:
    """By department."""
    return await many(tx, _COUNTS, Count, list(places), today)
