"""异议: to one line of a posted list, or that somebody was left out; opened once, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import OBJECTION, sources
from relief.store.db import Tx, many, maybe, one, run

# Which list it is about, and whether its days are still running. A line is named by its number on the paper.
_ABOUT = """
SELECT n.county, n.id AS notice, n.village, n.status, n.ends_on, i.award FROM notice n
LEFT JOIN notice_item i ON i.county = n.county AND i.notice = n.id AND i.line = $3
WHERE n.county = $1 AND n.id = $2
"""
_OPEN = """
INSERT INTO objection (county, id, notice, award, village, way, reference, status, due_on, sealed, opened_by, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11)
"""
# `own`: the asker registered the household that is objected to. `unreviewed`: its review was left out because nobody disputed it.
_LOCK = """
SELECT o.id, o.status, o.village, o.award, o.notice, coalesce(h.registered_by = $3, false) AS own,
       EXISTS (SELECT FROM decision d JOIN step_rule s ON s.playbook = d.playbook AND s.aid = a.aid AND s.review = 'skip_if_undisputed'
               WHERE d.county = a.county AND d.id = a.decision AND a.status = 'proposed'
                 AND NOT EXISTS (SELECT FROM review_item i WHERE i.county = a.county AND i.award = a.id AND i.supported)) AS unreviewed
FROM objection o
LEFT JOIN award a ON a.county = o.county AND a.id = o.award LEFT JOIN household h ON h.county = a.county AND h.id = a.household
WHERE o.county = $1 AND o.id = ANY ($2::uuid[]) FOR UPDATE OF o
"""
_CLOSE = """
UPDATE objection SET status = $3, closed_by = $4, closed_at = $5, sealed_answer = $6 WHERE county = $1 AND id = $2 AND status = ANY ($7::text[])
"""
_BY_REFERENCE = """
SELECT county, id, status, due_on, opened_at, closed_at, sealed_answer FROM objection WHERE county = $1 AND reference = $2
"""


class About(msgspec.Struct, frozen=True):
    """The list and line an objection speaks of."""

    county: str
    notice: UUID
    village: str
    status: str
    ends_on: date | None
    award: UUID | None


class New(msgspec.Struct, frozen=True):
    """An objection to be kept, its words sealed."""

    id: UUID
    notice: UUID
    award: UUID | None
    village: str
    way: str
    reference: str
    due_on: date
    sealed: bytes


class Standing(msgspec.Struct, frozen=True):
    """How an objection stands."""

    id: UUID
    status: str
    village: str
    award: UUID | None
    notice: UUID
    own: bool
    unreviewed: bool


class Told(msgspec.Struct, frozen=True):
    """An objection as whoever made it sees it, the answer sealed."""

    county: str
    id: UUID
    status: str
    due_on: date
    opened_at: datetime
    closed_at: datetime | None
    sealed_answer: bytes | None


async def about(tx: Tx, county: str, notice: UUID, line: int | None) -> About:
    """The list, and the award of that line where one is named."""
    return await one(tx, _ABOUT, About, county, notice, line)


async def open_(tx: Tx, county: str, new: New, person: UUID | None, now: datetime) -> None:
    """Keep a new objection."""
    o = new
    await run(tx, _OPEN, county, o.id, o.notice, o.award, o.village, o.way, o.reference, o.due_on, o.sealed, person, now)


async def lock(tx: Tx, county: str, ids: Sequence[UUID], person: UUID) -> list[Standing]:
    """How these stand, locked until the end of the transaction."""
    return await many(tx, _LOCK, Standing, county, list(ids), person)


async def close(tx: Tx, county: str, id_: UUID, outcome: str, person: UUID, now: datetime, answer: bytes) -> bool:
    """open → rejected or upheld, with the sealed answer; False where it is not open."""
    return await run(tx, _CLOSE, county, id_, outcome, person, now, answer, sources(OBJECTION, outcome)) == 1


async def by_reference(tx: Tx, county: str, reference: str) -> Told | None:
    """The objection whose maker holds this reference."""
    return await maybe(tx, _BY_REFERENCE, Told, county, reference)
