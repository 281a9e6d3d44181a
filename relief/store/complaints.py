"""Complaints: open until somebody answers; one open complaint of a kind for each payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.confirmation import Complaint
from relief.domain.moves import COMPLAINT, sources
from relief.store.db import Tx, many

_OPEN = """
INSERT INTO complaint (county, payment, household, kind, status, owner, due_at, opened_at)
SELECT county, payment, household, kind, 'open', $6, due_at, $7
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) AS t (county, payment, household, kind, due_at)
WHERE t.payment IS NOT NULL OR NOT EXISTS (
    SELECT FROM complaint c WHERE c.county = t.county AND c.household = t.household AND c.kind = t.kind AND c.status = 'open' AND c.payment IS NULL)
ON CONFLICT (county, payment, kind) WHERE status = 'open' DO NOTHING
RETURNING county, id
"""
# `own`: this person registered the household, or signed the award the complaint is about (any of the household's where it names no payment).
_OF_IDS = """
SELECT c.id, c.kind, c.status, h.village,
       h.registered_by = $3 OR EXISTS (
           SELECT FROM award a JOIN signature s ON s.county = a.county AND s.subject = a.id AND s.person = $3
           WHERE a.county = c.county AND a.household = c.household AND (p.award IS NULL OR a.id = p.award)) AS own
FROM complaint c JOIN household h ON h.county = c.county AND h.id = c.household
LEFT JOIN payment p ON p.county = c.county AND p.id = c.payment
WHERE c.county = $1 AND c.id = ANY ($2::uuid[])
"""
_CLOSE = """
UPDATE complaint SET status = 'closed', answer = $3, closed_at = $4
WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = ANY ($5::text[])
RETURNING county, id
"""


class Moved(msgspec.Struct, frozen=True):
    """A complaint that has just been opened, or closed."""

    county: str
    id: UUID


class Standing(msgspec.Struct, frozen=True):
    """How a complaint stands, in which village; `own` where the reader registered the household or signed its award."""

    id: UUID
    kind: str
    status: str
    village: str
    own: bool


async def open_(tx: Tx, complaints: Sequence[Complaint], owner: str, now: datetime) -> list[Moved]:
    """Open those that are not open already; returns the new ones."""
    return await many(
        tx, _OPEN, Moved, [c.county for c in complaints], [c.payment for c in complaints], [c.household for c in complaints],
        [c.kind for c in complaints], [c.due_at for c in complaints], owner, now,
    )  # fmt: skip


async def of_ids(tx: Tx, county: str, ids: Sequence[UUID], person: UUID) -> list[Standing]:
    """How these complaints stand."""
    return await many(tx, _OF_IDS, Standing, county, list(ids), person)


async def close(tx: Tx, county: str, ids: Sequence[UUID], answer: str, now: datetime) -> list[Moved]:
    """Close those that are still open; returns them."""
    return await many(tx, _CLOSE, Moved, county, list(ids), answer, now, sources(COMPLAINT, "closed"))
