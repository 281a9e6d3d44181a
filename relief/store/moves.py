"""Moves of running activations to other versions: what was, what shall be, who drafted and who confirmed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.moves import RULES, sources
from relief.store.db import Tx, maybe, one, run, value

_INSERT = """
INSERT INTO activation_move (activation, status, from_zone, from_playbook, zone, playbook, reason, drafted_by, drafted_at)
VALUES ($1, 'draft', $2, $3, $4, $5, $6, $7, $8) RETURNING id
"""
_GET = """
SELECT id, activation, status, from_zone, from_playbook, zone, playbook, reason, drafted_by, drafted_at FROM activation_move WHERE id = $1
"""
_LOCK = """
SELECT id, activation, status, from_zone, from_playbook, zone, playbook, reason, drafted_by, drafted_at FROM activation_move WHERE id = $1
FOR UPDATE
"""
_DRAFT_OF = """
SELECT id, activation, status, from_zone, from_playbook, zone, playbook, reason, drafted_by, drafted_at FROM activation_move
WHERE activation = $1 AND status = 'draft'
"""
_END = """
UPDATE activation_move SET status = $2, confirmed_by = CASE WHEN $2 = 'in force' THEN $3::uuid END,
       confirmed_at = CASE WHEN $2 = 'in force' THEN $4::timestamptz END
WHERE id = $1 AND status = ANY ($5::text[])
"""


class Move(msgspec.Struct, frozen=True):
    """One move; status is draft, in force or withdrawn."""

    id: UUID
    activation: UUID
    status: str
    from_zone: UUID
    from_playbook: UUID
    zone: UUID
    playbook: UUID
    reason: str
    drafted_by: UUID
    drafted_at: datetime


async def insert(
    tx: Tx, activation: UUID, from_zone: UUID, from_playbook: UUID, zone: UUID, playbook: UUID, reason: str, person: UUID, now: datetime
) -> UUID:
    """A draft; the database refuses a second one of the same activation."""
    made: UUID = await value(tx, _INSERT, activation, from_zone, from_playbook, zone, playbook, reason, person, now)
    return made


async def get(tx: Tx, move: UUID) -> Move:
    """One move; NotFound when there is none."""
    return await one(tx, _GET, Move, move)


async def lock(tx: Tx, move: UUID) -> Move:
    """The same, locked."""
    return await one(tx, _LOCK, Move, move)


async def draft_of(tx: Tx, activation: UUID) -> Move | None:
    """The draft of an activation, if one waits."""
    return await maybe(tx, _DRAFT_OF, Move, activation)


async def end(tx: Tx, move: UUID, target: str, person: UUID, now: datetime) -> int:
    """draft → in force, or draft → withdrawn; how many moved."""
    return await run(tx, _END, move, target, person, now, sources(RULES, target))
