"""Papers that follow an advance, as townships and counties see them: what is overdue first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one

_LIST = """
SELECT w.county, w.award, w.due_on, w.status, w.closed_at, a.aid, a.household, a.amount_fen, a.village, v.name AS village_name, n.drill,
       e.id AS person, e.sealed AS sealed_person, coalesce(s.papers, '{}') AS papers, coalesce(h.registered_by = $3, false) AS own,
       ARRAY(SELECT DISTINCT d.kind FROM document d WHERE d.county = a.county AND d.household = a.household ORDER BY d.kind) AS handed_in,
       EXISTS (SELECT FROM hold o WHERE o.county = a.county AND o.kind = 'advances' AND o.subject = a.village AND o.valid_to IS NULL) AS paused
FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award JOIN decision c ON c.county = a.county AND c.id = a.decision
JOIN incident n ON n.id = a.incident JOIN region v ON v.code = a.village
JOIN household h ON h.county = a.county AND h.id = a.household JOIN person e ON e.county = a.county AND e.id = a.payee
LEFT JOIN step_rule s ON s.playbook = c.playbook AND s.aid = a.aid
WHERE a.village LIKE ANY ($1::text[]) AND w.status = $2 AND a.status IN ('approved', 'completed') ORDER BY w.due_on, a.village, w.award LIMIT $4
"""
_COUNTS = """
SELECT count(*) AS open, count(*) FILTER (WHERE w.due_on < $2) AS overdue, count(*) FILTER (WHERE w.due_on BETWEEN $2 AND $3) AS soon,
       min(w.due_on) AS first, count(DISTINCT a.village) FILTER (WHERE EXISTS (
           SELECT FROM hold o WHERE o.county = a.county AND o.kind = 'advances' AND o.subject = a.village AND o.valid_to IS NULL)) AS paused
FROM paperwork w JOIN award a ON a.county = w.county AND a.id = w.award
WHERE a.village LIKE ANY ($1::text[]) AND w.status = 'open' AND a.status IN ('approved', 'completed')
"""
_VILLAGE = "SELECT village FROM household WHERE county = $1 AND id = $2"


class Due(msgspec.Struct, frozen=True):
    """One advance whose papers are owed, or were; the name sealed."""

    county: str
    award: UUID
    due_on: date
    status: str
    closed_at: datetime | None
    aid: str
    household: UUID
    amount_fen: int
    village: str
    village_name: str
    drill: bool
    person: UUID
    sealed_person: bytes
    papers: list[str]
    own: bool
    handed_in: list[str]
    paused: bool

    @property
    def missing(self) -> list[str]:
        """Documents its playbook asks for that are not there."""
        return [p for p in self.papers if p not in self.handed_in]


class Counts(msgspec.Struct, frozen=True):
    """How many are owed, how many of them late or due within the days of a reminder, and in how many villages advances are paused."""

    open: int
    overdue: int
    soon: int
    first: date | None
    paused: int


class _Village(msgspec.Struct, frozen=True):
    village: str


async def listed(tx: Tx, villages: Sequence[str], status: str, person: UUID, most: int = 200) -> list[Due]:
    """The first of them by their day."""
    return await many(tx, _LIST, Due, list(villages), status, person, most)


async def counts(tx: Tx, villages: Sequence[str], today: date, until: date) -> Counts:
    """How many are owed in an area."""
    return (await many(tx, _COUNTS, Counts, list(villages), today, until))[0]


async def village(tx: Tx, county: str, household: UUID) -> str:
    """Where a household lives; NotFound where there is none."""
    return (await one(tx, _VILLAGE, _Village, county, household)).village
