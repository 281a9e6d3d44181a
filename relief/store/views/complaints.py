"""Complaints as the people who answer them see them: what was said, and what the bank says of the same payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

# Who may read a complaint is written as patterns over 'department:place'. Whoever it is about never sees it.
_COMPLAINTS = """
SELECT c.county, c.id, i.drill, c.kind, c.status, c.owner AS department, c.way, c.due_at, c.opened_at, c.acknowledged_at, c.closed_at, c.reopened,
       c.answer, c.sealed_answer, c.sealed, c.household, v.name AS village_name, e.id AS person, e.sealed AS sealed_person, p.amount_fen,
       p.status AS payment_status, p.settled_at, right(p.bank_ref, 6) AS bank_ref_tail,
       coalesce(h.registered_by = $3, false) OR EXISTS (
           SELECT FROM award a JOIN signature s ON s.county = a.county AND s.subject = a.id AND s.person = $3
           WHERE a.county = c.county AND a.household = c.household AND (p.award IS NULL OR a.id = p.award)) AS own,
       count(*) OVER () AS total
FROM complaint c
JOIN region v ON v.code = c.village
LEFT JOIN household h ON h.county = c.county AND h.id = c.household LEFT JOIN incident i ON i.id = h.incident
LEFT JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
LEFT JOIN payment p ON p.county = c.county AND p.id = c.payment
WHERE c.owner || ':' || c.village LIKE ANY ($1::text[]) AND c.status = $2 AND c.about IS DISTINCT FROM $3 AND ($4::uuid IS NULL OR c.id = $4)
ORDER BY c.closed_at DESC, c.due_at, c.id LIMIT 200
"""
_EVENTS = """
SELECT e.id, e.act, e.department, s.name AS by_name, e.sealed, e.at
FROM complaint_event e LEFT JOIN staff s ON s.id = e.by_person WHERE e.county = $1 AND e.complaint = $2 ORDER BY e.at, e.id
"""
_STATISTICS = """
SELECT c.kind, count(*) AS complaints, count(*) FILTER (WHERE c.status = 'open') AS open,
       count(*) FILTER (WHERE c.status = 'open' AND c.due_at < $2) AS late,
       count(*) FILTER (WHERE c.reopened > 0) AS reopened,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.closed_at - c.opened_at)) FILTER (WHERE c.status = 'closed')) / 3600 AS median_hours
FROM complaint c WHERE c.owner || ':' || c.village LIKE ANY ($1::text[])
GROUP BY c.kind ORDER BY count(*) DESC, c.kind
"""
_HELD = """
SELECT id, kind, status, way, opened_at, closed_at, sealed, sealed_answer, answer FROM complaint WHERE county = $1 AND household = $2 ORDER BY opened_at
"""


class Held(msgspec.Struct, frozen=True):
    """A complaint of a household's file, sealed."""

    id: UUID
    kind: str
    status: str
    way: str
    opened_at: datetime
    closed_at: datetime | None
    sealed: bytes | None
    sealed_answer: bytes | None
    answer: str | None


class Complaint(msgspec.Struct, frozen=True):
    """A complaint, householder and words still sealed; `own` where the reader registered or signed the case; `total` of the whole list."""

    county: str
    id: UUID
    drill: bool | None
    kind: str
    status: str
    department: str
    way: str
    due_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None
    reopened: int
    answer: str | None
    sealed_answer: bytes | None
    sealed: bytes | None
    household: UUID | None
    village_name: str
    person: UUID | None
    sealed_person: bytes | None
    amount_fen: int | None
    payment_status: str | None
    settled_at: datetime | None
    bank_ref_tail: str | None
    own: bool
    total: int


class Event(msgspec.Struct, frozen=True):
    """One act on a complaint; `by_name` is None for the resident; the note is sealed."""

    id: UUID
    act: str
    department: str
    by_name: str | None
    sealed: bytes | None
    at: datetime


class Statistic(msgspec.Struct, frozen=True):
    """One kind: how many, how many open, late and opened again; hours to the answer in the median."""

    kind: str
    complaints: int
    open: int
    late: int
    reopened: int
    median_hours: float | None


async def complaints(tx: Tx, places: Sequence[str], status: str, person: UUID) -> list[Complaint]:
    """The first 200 'open' ones by deadline, or 'closed' ones, the latest first. `places`: patterns over 'department:place'."""
    return await many(tx, _COMPLAINTS, Complaint, list(places), status, person, None)


async def complaint(tx: Tx, places: Sequence[str], id_: UUID, person: UUID, status: str) -> Complaint:
    """One of them; NotFound elsewhere, and for whoever it is about."""
    return await one(tx, _COMPLAINTS, Complaint, list(places), status, person, id_)


async def events(tx: Tx, county: str, complaint: UUID) -> list[Event]:
    """What happened to it, in order."""
    return await many(tx, _EVENTS, Event, county, complaint)


async def statistics(tx: Tx, places: Sequence[str], now: datetime) -> list[Statistic]:
    """By kind, most frequent first."""
    return await many(tx, _STATISTICS, Statistic, list(places), now)


async def of_household(tx: Tx, county: str, household: UUID) -> list[Held]:
    """Every complaint of a household."""
    return await many(tx, _HELD, Held, county, household)
