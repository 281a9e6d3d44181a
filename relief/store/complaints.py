"""Complaints: open until somebody answers; one open complaint of a kind for each payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.confirmation import Complaint
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


class Opened(msgspec.Struct, frozen=True):
    """A complaint that has just been opened."""

    county: str
    id: UUID


async def open_(tx: Tx, complaints: Sequence[Complaint], owner: str, now: datetime) -> list[Opened]:
    """Open those that are not open already; returns the new ones."""
    return await many(
        tx, _OPEN, Opened, [c.county for c in complaints], [c.payment for c in complaints], [c.household for c in complaints],
        [c.kind for c in complaints], [c.due_at for c in complaints], owner, now,
    )  # fmt: skip
