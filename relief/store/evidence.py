"""Stage evidence: what shows that an instalment's condition is met, and who accepted it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, run

_STAGES = """
SELECT i.id, i.award, i.condition, a.village FROM instalment i JOIN award a ON a.county = i.county AND a.id = i.award
WHERE i.county = $1 AND i.id = ANY ($2::uuid[]) AND i.status = 'waiting' AND a.status = 'approved'
ORDER BY i.id FOR UPDATE OF i
"""
_SUBMIT = """
INSERT INTO evidence (county, id, instalment, kind, digest, note, status, submitted_by, submitted_at)
SELECT $1, id, instalment, kind, digest, note, 'submitted', $2, $3
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::text[]) AS t (id, instalment, kind, digest, note)
"""
# An earlier stage that is not settled holds this one.
_OPEN = """
SELECT e.id, e.instalment, i.award, a.village, e.kind = i.condition AS fits,
       EXISTS (SELECT FROM instalment b WHERE b.county = i.county AND b.award = i.award AND b.seq < i.seq AND b.status <> 'settled') AS early,
       EXISTS (SELECT FROM signature s WHERE s.county = i.county AND s.subject = i.award AND s.step = 'register' AND s.person = $3) AS own
FROM evidence e
JOIN instalment i ON i.county = e.county AND i.id = e.instalment AND i.status = 'waiting'
JOIN award a ON a.county = i.county AND a.id = i.award AND a.status = 'approved'
WHERE e.county = $1 AND e.id = ANY ($2::uuid[]) AND e.status = 'submitted' ORDER BY e.id FOR UPDATE OF e, i
"""
_ACCEPT = """
UPDATE evidence SET status = 'accepted', accepted_by = $3, accepted_at = $4 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'submitted'
"""
_DUE = "UPDATE instalment SET status = 'due', due_at = $3 WHERE county = $1 AND id = ANY ($2::uuid[]) AND status = 'waiting'"


class Stage(msgspec.Struct, frozen=True):
    """An instalment waiting for its condition."""

    id: UUID
    award: UUID
    condition: str
    village: str


class OpenEvidence(msgspec.Struct, frozen=True):
    """Submitted evidence with what decides whether it may be accepted."""

    id: UUID
    instalment: UUID
    award: UUID
    village: str
    fits: bool
    early: bool
    own: bool


async def stages(tx: Tx, county: str, instalments: Sequence[UUID]) -> list[Stage]:
    """Those of the instalments that wait, locked."""
    return await many(tx, _STAGES, Stage, county, instalments)


async def submit(tx: Tx, county: str, person: UUID, now: datetime, rows: Sequence[tuple[Any, ...]]) -> None:
    """(id, instalment, kind, digest, note) of each piece."""
    await run(tx, _SUBMIT, county, person, now, *[list(c) for c in zip(*rows, strict=True)])


async def open_for(tx: Tx, county: str, pieces: Sequence[UUID], person: UUID) -> list[OpenEvidence]:
    """Those still submitted, locked, as seen by the person who would accept them."""
    return await many(tx, _OPEN, OpenEvidence, county, pieces, person)


async def accept(tx: Tx, county: str, pieces: Sequence[UUID], instalments: Sequence[UUID], person: UUID, now: datetime) -> int:
    """submitted → accepted, and the instalments fall due; how many pieces moved."""
    moved = await run(tx, _ACCEPT, county, pieces, person, now)
    await run(tx, _DUE, county, instalments, now)
    return moved
