"""Playbooks as imported: text that never changes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, maybe, one, value

_BY_DIGEST = "SELECT id FROM playbook WHERE digest = $1"
_INSERT = """
INSERT INTO playbook (key, version, digest, body, imported_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id
"""
_GET = "SELECT id, key, version, body FROM playbook WHERE id = $1"
_LATEST = "SELECT id, key, version, body FROM playbook WHERE key = $1 ORDER BY imported_at DESC LIMIT 1"


class Stored(msgspec.Struct, frozen=True):
    """A playbook's text and name."""

    id: UUID
    key: str
    version: str
    body: str


async def by_digest(tx: Tx, digest: bytes) -> UUID | None:
    """The playbook with exactly this text."""
    found: UUID | None = await value(tx, _BY_DIGEST, digest)
    return found


async def insert(tx: Tx, key: str, version: str, digest: bytes, body: str, now: datetime) -> UUID | None:
    """Keep it; None when this key and version stand for another text."""
    made: UUID | None = await value(tx, _INSERT, key, version, digest, body, now)
    return made


async def get(tx: Tx, playbook: UUID) -> Stored:
    """One playbook; NotFound when there is none."""
    return await one(tx, _GET, Stored, playbook)


async def latest(tx: Tx, key: str) -> Stored | None:
    """The newest version under a key."""
    return await maybe(tx, _LATEST, Stored, key)
