"""Complaints: open until somebody answers; one open complaint of a kind for each payment; every act an event that stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.moves import COMPLAINT, sources
from relief.store.db import Tx, many, maybe

_OPEN = """
WITH given AS (
    SELECT g.id, g.county, g.payment, g.household, coalesce(h.village, g.village) AS village, g.kind, g.department, g.due_at, g.way, g.sealed, g.reference
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::bytea[], $11::text[])
         AS g (id, county, payment, household, village, kind, department, due_at, way, sealed, reference)
    LEFT JOIN household h ON h.county = g.county AND h.id = g.household
), opened AS (
    INSERT INTO complaint (county, id, payment, household, village, kind, status, owner, due_at, opened_at, way, sealed, reference)
    SELECT county, id, payment, household, village, kind, 'open', department, due_at, $12, way, sealed, reference FROM given t
    WHERE t.payment IS NOT NULL OR t.household IS NULL OR NOT EXISTS (
        SELECT FROM complaint c
        WHERE c.county = t.county AND c.household = t.household AND c.kind = t.kind AND c.status = 'open' AND c.payment IS NULL)
    ON CONFLICT (county, payment, kind) WHERE status = 'open' DO NOTHING
    RETURNING county, id, owner, payment, kind
), told AS (
    INSERT INTO complaint_event (county, complaint, act, department, by_person, at) SELECT county, id, 'opened', owner, $13, $12 FROM opened
)
SELECT county, id, payment, kind FROM opened
"""
# `own`: this person registered the household, or signed the award the complaint is about (any of the household's where it names no payment).
_OF_IDS = """
SELECT c.id, c.kind, c.status, c.owner, c.village, c.payment, c.household, c.closed_at, c.reopened, c.about = $3 AS about_me,
       coalesce(h.registered_by = $3, false) OR EXISTS (
           SELECT FROM award a JOIN signature s ON s.county = a.county AND s.subject = a.id AND s.person = $3
           WHERE a.county = c.county AND a.household = c.household AND (p.award IS NULL OR a.id = p.award)) AS own
FROM complaint c LEFT JOIN household h ON h.county = c.county AND h.id = c.household
LEFT JOIN payment p ON p.county = c.county AND p.id = c.payment
WHERE c.county = $1 AND c.id = ANY ($2::uuid[])
FOR UPDATE OF c
"""
_CLOSE = """
WITH closed AS (
    UPDATE complaint c SET status = 'closed', closed_at = $4, closed_by = $5, sealed_answer = t.sealed,
           acknowledged_at = coalesce(c.acknowledged_at, $4), acknowledged_by = coalesce(c.acknowledged_by, $5)
    FROM unnest($2::uuid[], $3::bytea[]) AS t (id, sealed)
    WHERE c.county = $1 AND c.id = t.id AND c.status = ANY ($6::text[])
    RETURNING c.id, c.owner, c.sealed_answer
), told AS (
    INSERT INTO complaint_event (county, complaint, act, department, by_person, sealed, at)
    SELECT $1, id, 'answered', owner, $5, sealed_answer, $4 FROM closed
)
SELECT id FROM closed
"""
_ACKNOWLEDGE = """
WITH taken AS (
    UPDATE complaint SET acknowledged_at = $4, acknowledged_by = $3
    WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'open' AND acknowledged_at IS NULL RETURNING id, owner
), told AS (
    INSERT INTO complaint_event (county, complaint, act, department, by_person, at) SELECT $1, id, 'acknowledged', owner, $3, $4 FROM taken
)
SELECT id FROM taken
"""
# 转办: another department, a new deadline, and nobody has taken it up there yet.
_PASS = """
WITH passed AS (
    UPDATE complaint SET owner = $3, due_at = $4, about = coalesce($5, about), acknowledged_at = NULL, acknowledged_by = NULL
    WHERE county = $1 AND id = $2 AND status = 'open' AND owner <> $3 RETURNING id
), told AS (
    INSERT INTO complaint_event (county, complaint, act, department, by_person, sealed, at) SELECT $1, id, 'passed on', $3, $6, $7, $8 FROM passed
)
SELECT id FROM passed
"""
_REOPEN = """
WITH again AS (
    UPDATE complaint SET status = 'open', due_at = $3, reopened = reopened + 1, closed_at = NULL, closed_by = NULL, acknowledged_at = NULL,
           acknowledged_by = NULL
    WHERE county = $1 AND id = $2 AND status = ANY ($6::text[]) RETURNING id, owner
), told AS (
    INSERT INTO complaint_event (county, complaint, act, department, by_person, sealed, at) SELECT $1, id, 'reopened', owner, NULL, $4, $5 FROM again
)
SELECT id FROM again
"""
# Staged awards these complaints are about, whose later stages are still to come, and the playbook they rest on.
_STAGED = """
SELECT p.county, p.id AS payment, a.id AS award, a.aid, v.playbook
FROM unnest($1::text[], $2::uuid[]) AS t (county, payment)
JOIN payment p ON p.county = t.county AND p.id = t.payment
JOIN award a ON a.county = p.county AND a.id = p.award AND a.status = 'approved' AND a.mode <> 'A'
JOIN activation v ON v.id = a.activation
"""
_BY_REFERENCE = """
SELECT county, id, kind, status, owner, due_at, opened_at, acknowledged_at, closed_at, sealed_answer, answer, reopened
FROM complaint WHERE county = $1 AND reference = $2
"""
_OF_HOUSEHOLD = """
SELECT county, id, kind, status, owner, due_at, opened_at, acknowledged_at, closed_at, sealed_answer, answer, reopened
FROM complaint WHERE county = $1 AND household = $2 ORDER BY opened_at DESC LIMIT 20
"""


class New(msgspec.Struct, frozen=True):
    """A complaint to be kept. `village`: its place where there is no household; `sealed`: the words."""

    id: UUID
    county: str
    payment: UUID | None
    household: UUID | None
    village: str | None
    kind: str
    department: str
    due_at: datetime
    way: str
    sealed: bytes | None
    reference: str | None


class Opened(msgspec.Struct, frozen=True):
    """A complaint that has just been opened."""

    county: str
    id: UUID
    payment: UUID | None
    kind: str


class Standing(msgspec.Struct, frozen=True):
    """How a complaint stands; `own` where the asker registered the household or signed its award, `about_me` where it is about them."""

    id: UUID
    kind: str
    status: str
    owner: str
    village: str
    payment: UUID | None
    household: UUID | None
    closed_at: datetime | None
    reopened: int
    about_me: bool | None
    own: bool


class Told(msgspec.Struct, frozen=True):
    """A complaint as whoever made it sees it, the answer still sealed (`answer`: kept in clear before answers were sealed)."""

    county: str
    id: UUID
    kind: str
    status: str
    owner: str
    due_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None
    sealed_answer: bytes | None
    answer: str | None
    reopened: int


class Staged(msgspec.Struct, frozen=True):
    """An approved staged award of a disputed payment."""

    county: str
    payment: UUID
    award: UUID
    aid: str
    playbook: UUID


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def open_(tx: Tx, new: Sequence[New], person: UUID | None, now: datetime) -> list[Opened]:
    """Open those that are not open already; returns the new ones."""
    return await many(
        tx, _OPEN, Opened, [c.id for c in new], [c.county for c in new], [c.payment for c in new], [c.household for c in new],
        [c.village for c in new], [c.kind for c in new], [c.department for c in new], [c.due_at for c in new], [c.way for c in new],
        [c.sealed for c in new], [c.reference for c in new], now, person,
    )  # fmt: skip


async def of_ids(tx: Tx, county: str, ids: Sequence[UUID], person: UUID | None) -> list[Standing]:
    """How these complaints stand, locked until the end of the transaction."""
    return await many(tx, _OF_IDS, Standing, county, list(ids), person)


async def close(tx: Tx, county: str, sealed: Sequence[tuple[UUID, bytes]], person: UUID, now: datetime) -> list[UUID]:
    """Close those that are still open, each with its sealed answer; returns them."""
    rows = await many(tx, _CLOSE, _Id, county, [i for i, _ in sealed], [s for _, s in sealed], now, person, sources(COMPLAINT, "closed"))
    return [r.id for r in rows]


async def acknowledge(tx: Tx, county: str, ids: Sequence[UUID], person: UUID, now: datetime) -> list[UUID]:
    """Take up open complaints nobody has taken up; returns them."""
    return [r.id for r in await many(tx, _ACKNOWLEDGE, _Id, county, list(ids), person, now)]


async def pass_on(
    tx: Tx, county: str, id_: UUID, department: str, due_at: datetime, about: UUID | None, person: UUID, note: bytes | None, now: datetime
) -> bool:
    """Give an open complaint to another department; False where it is not open, or there already."""
    return await maybe(tx, _PASS, _Id, county, id_, department, due_at, about, person, note, now) is not None


async def reopen(tx: Tx, county: str, id_: UUID, due_at: datetime, words: bytes | None, now: datetime) -> bool:
    """Open a closed complaint again; False where it is not closed."""
    return await maybe(tx, _REOPEN, _Id, county, id_, due_at, words, now, sources(COMPLAINT, "open")) is not None


async def staged(tx: Tx, disputed: Sequence[tuple[str, UUID]]) -> list[Staged]:
    """The approved staged awards of these (county, payment) pairs."""
    return await many(tx, _STAGED, Staged, [c for c, _ in disputed], [p for _, p in disputed])


async def by_reference(tx: Tx, county: str, reference: str) -> Told | None:
    """The complaint whose maker holds this reference."""
    return await maybe(tx, _BY_REFERENCE, Told, county, reference)


async def of_household(tx: Tx, county: str, household: UUID) -> list[Told]:
    """The twenty latest complaints of a household."""
    return await many(tx, _OF_HOUSEHOLD, Told, county, household)
