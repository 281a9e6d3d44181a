"""Playbooks as imported: text that never changes; only whether it is in force does, once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.moves import RULES, sources
from relief.store.db import Tx, maybe, one, run, value

_BY_DIGEST = "SELECT id FROM playbook WHERE digest = $1"
_INSERT = """
INSERT INTO playbook (key, version, digest, body, imported_at, status, drafted_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING id
"""
_GET = "SELECT id, key, version, body, status, drafted_by FROM playbook WHERE id = $1"
_NAMED = "SELECT id, key, version, body, status, drafted_by FROM playbook WHERE key = $1 AND version = $2"
_LATEST = """
SELECT id, key, version, body, status, drafted_by FROM playbook WHERE key = $1 AND status = 'in force' ORDER BY imported_at DESC LIMIT 1
"""
_MOVE = """
UPDATE playbook SET status = $2, approved_by = CASE WHEN $2 = 'in force' THEN $3::uuid END, in_force_at = CASE WHEN $2 = 'in force' THEN $4::timestamptz END
WHERE id = $1 AND status = ANY ($5::text[])
"""


class Stored(msgspec.Struct, frozen=True):
    """A playbook's text and name; status is draft, in force or withdrawn."""

    id: UUID
    key: str
    version: str
    body: str
    status: str
    drafted_by: UUID | None


async def by_digest(tx: Tx, digest: bytes) -> UUID | None:
    """The playbook with exactly this text."""
    found: UUID | None = await value(tx, _BY_DIGEST, digest)
    return found


async def insert(
    tx: Tx, key: str, version: str, digest: bytes, body: str, now: datetime, status: str = "in force", person: UUID | None = None
) -> UUID | None:
    """Keep it; None when this key and version stand for another text."""
    made: UUID | None = await value(tx, _INSERT, key, version, digest, body, now, status, person)
    return made


async def get(tx: Tx, playbook: UUID) -> Stored:
    """One playbook; NotFound when there is none."""
    return await one(tx, _GET, Stored, playbook)


async def named(tx: Tx, key: str, version: str) -> Stored:
    """The version of that name; NotFound when there is none."""
    return await one(tx, _NAMED, Stored, key, version)


async def latest(tx: Tx, key: str) -> Stored | None:
    """The newest version in force under a key."""
    return await maybe(tx, _LATEST, Stored, key)


async def move(tx: Tx, playbook: UUID, target: str, person: UUID, now: datetime) -> int:
    """draft → in force, or draft → withdrawn; how many moved."""
    return await run(tx, _MOVE, playbook, target, person, now, sources(RULES, target))
