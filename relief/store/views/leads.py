"""Leads as the desk sees them, by deadline; rosters of reporters; changes and rechecks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_LEADS = """
SELECT l.county, l.id, l.village, r.name AS village_name, l.kind, l.way, l.status, l.owner, l.reference, l.due_at, l.sealed, l.opened_at,
       o.name AS opened_by, t.name AS taken_by, l.household, l.closed_at, c.name AS closed_by, l.sealed_answer
FROM lead l JOIN region r ON r.code = l.village LEFT JOIN staff o ON o.id = l.opened_by LEFT JOIN staff t ON t.id = l.taken_by
LEFT JOIN staff c ON c.id = l.closed_by
WHERE l.village LIKE ANY ($1::text[]) AND l.status = ANY ($2::text[]) AND ($3::uuid IS NULL OR l.id = $3) ORDER BY l.due_at, l.id LIMIT $4
"""
_WAITING = """
SELECT (SELECT count(*) FROM lead WHERE village LIKE ANY ($1::text[]) AND status IN ('open', 'taken')) AS leads,
       (SELECT min(due_at) FROM lead WHERE village LIKE ANY ($1::text[]) AND status IN ('open', 'taken')) AS due,
       (SELECT count(*) FROM change_report WHERE village LIKE ANY ($2::text[]) AND status = 'open' AND opened_by <> $3) AS changes,
       (SELECT min(due_on) FROM change_report WHERE village LIKE ANY ($2::text[]) AND status = 'open' AND opened_by <> $3) AS changes_due
"""
# Villages of an area with the households registered there in this incident and the reporters who answer for them.
_ROSTER = """
SELECT v.code, v.name, v.lon, v.lat, w.name AS township_name,
       (SELECT count(*) FROM household h WHERE h.county = left(v.code, 6) AND h.incident = $2 AND h.village = v.code
        AND h.status NOT IN ('duplicate', 'rejected')) AS households,
       ARRAY(SELECT s.name FROM roster o JOIN staff s ON s.id = o.person WHERE o.county = left(v.code, 6) AND o.village = v.code AND o.until IS NULL
             ORDER BY o.since) AS reporters,
       ARRAY(SELECT o.person FROM roster o WHERE o.county = left(v.code, 6) AND o.village = v.code AND o.until IS NULL ORDER BY o.since) AS people
FROM region v LEFT JOIN region w ON w.code = left(v.code, 9)
WHERE v.level = 'village' AND v.code LIKE ANY ($1::text[]) AND v.valid_to IS NULL ORDER BY v.code LIMIT 5000
"""
_REPORTERS = """
SELECT DISTINCT s.id, s.name, g.area FROM role_grant g JOIN staff s ON s.id = g.person AND s.active
WHERE g.role = 'reporter' AND g.area LIKE ANY ($1::text[]) AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2) ORDER BY g.area, s.name
LIMIT 1000
"""
_CHANGES = """
SELECT c.county, c.id, c.household, c.village, v.name AS village_name, n.drill, c.kind, c.status, c.due_on, c.sealed, c.opened_at, o.name AS opened_by,
       c.opened_by = $3 AS mine, c.closed_at, s.name AS closed_by, c.sealed_answer, e.id AS person, e.sealed AS sealed_person
FROM change_report c JOIN region v ON v.code = c.village JOIN household h ON h.county = c.county AND h.id = c.household
JOIN incident n ON n.id = h.incident JOIN person e ON e.county = c.county AND e.household = c.household AND e.role = 'householder'
LEFT JOIN staff o ON o.id = c.opened_by LEFT JOIN staff s ON s.id = c.closed_by
WHERE c.village LIKE ANY ($1::text[]) AND c.status = $2 AND c.kind <> 'unchanged' ORDER BY c.due_on, c.id LIMIT 200
"""
# Households whose aid is not all paid and at which nobody has looked for so long.
_RECHECK = """
SELECT h.county, h.id AS household, h.village, v.name AS village_name, n.drill, q.last, e.id AS person, e.sealed AS sealed_person FROM (
    SELECT a.county, a.household, greatest(min(a.approved_at),
           (SELECT max(s.at) FROM assessment s WHERE s.county = a.county AND s.household = a.household),
           (SELECT max(c.opened_at) FROM change_report c WHERE c.county = a.county AND c.household = a.household)) AS last
    FROM award a WHERE a.village LIKE ANY ($1::text[]) AND a.status = 'approved' AND a.mode <> 'A' GROUP BY a.county, a.household
) q JOIN household h ON h.county = q.county AND h.id = q.household JOIN region v ON v.code = h.village JOIN incident n ON n.id = h.incident
JOIN person e ON e.county = h.county AND e.household = h.id AND e.role = 'householder'
WHERE q.last < $2 ORDER BY q.last LIMIT 200
"""


class Lead(msgspec.Struct, frozen=True):
    """A lead, what was told still sealed."""

    county: str
    id: UUID
    village: str
    village_name: str
    kind: str
    way: str
    status: str
    owner: str
    reference: str
    due_at: datetime
    sealed: bytes
    opened_at: datetime
    opened_by: str | None
    taken_by: str | None
    household: UUID | None
    closed_at: datetime | None
    closed_by: str | None
    sealed_answer: bytes | None


class Waiting(msgspec.Struct, frozen=True):
    """Leads and changes that wait, and the first deadline of each."""

    leads: int
    due: datetime | None
    changes: int
    changes_due: date | None


class Village(msgspec.Struct, frozen=True):
    """A village, its households in the register of one incident, and the reporters who answer for it."""

    code: str
    name: str
    lon: float | None
    lat: float | None
    township_name: str | None
    households: int
    reporters: list[str]
    people: list[UUID]


class Reporter(msgspec.Struct, frozen=True):
    """Somebody who may be put on a roster."""

    id: UUID
    name: str
    area: str


class Change(msgspec.Struct, frozen=True):
    """A change somebody told of; words, answer and name sealed. `mine`: the reader told it."""

    county: str
    id: UUID
    household: UUID
    village: str
    village_name: str
    drill: bool
    kind: str
    status: str
    due_on: date
    sealed: bytes
    opened_at: datetime
    opened_by: str | None
    mine: bool
    closed_at: datetime | None
    closed_by: str | None
    sealed_answer: bytes | None
    person: UUID
    sealed_person: bytes


class Recheck(msgspec.Struct, frozen=True):
    """A household to look at again; when somebody last did."""

    county: str
    household: UUID
    village: str
    village_name: str
    drill: bool
    last: datetime
    person: UUID
    sealed_person: bytes


async def leads(tx: Tx, villages: Sequence[str], statuses: Sequence[str], id_: UUID | None = None, most: int = 200) -> list[Lead]:
    """The first of them by deadline."""
    return await many(tx, _LEADS, Lead, list(villages), list(statuses), id_, most)


async def waiting(tx: Tx, leads: Sequence[str], changes: Sequence[str], person: UUID) -> Waiting:
    """How many wait in these areas."""
    return await one(tx, _WAITING, Waiting, list(leads), list(changes), person)


async def roster(tx: Tx, villages: Sequence[str], incident: UUID) -> list[Village]:
    """Villages of an area as they stand in one incident."""
    return await many(tx, _ROSTER, Village, list(villages), incident)


async def reporters(tx: Tx, areas: Sequence[str], now: datetime) -> list[Reporter]:
    """Who may be put on a roster there."""
    return await many(tx, _REPORTERS, Reporter, list(areas), now)


async def changes(tx: Tx, villages: Sequence[str], status: str, person: UUID) -> list[Change]:
    """Changes by their day."""
    return await many(tx, _CHANGES, Change, list(villages), status, person)


async def recheck(tx: Tx, villages: Sequence[str], before: datetime) -> list[Recheck]:
    """Households nobody has looked at since that moment although their aid goes on, the longest first."""
    return await many(tx, _RECHECK, Recheck, list(villages), before)
