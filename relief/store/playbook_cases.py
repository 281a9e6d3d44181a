"""Worked cases of playbook versions: text that never changes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, maybe, run

_INSERT = "INSERT INTO playbook_cases (playbook, body, added_by, added_at) VALUES ($1, $2, $3, $4) ON CONFLICT (playbook) DO NOTHING"
# A version without cases of its own is tried with those of the newest version of its name that has some.
_OF = """
SELECT c.playbook, p.version, c.body FROM playbook_cases c JOIN playbook p ON p.id = c.playbook
WHERE p.key = (SELECT key FROM playbook WHERE id = $1) ORDER BY c.playbook = $1 DESC, c.added_at DESC LIMIT 1
"""


class Kept(msgspec.Struct, frozen=True):
    """Cases and the version they were brought with."""

    playbook: UUID
    version: str
    body: str


async def insert(tx: Tx, playbook: UUID, body: str, person: UUID | None, now: datetime) -> int:
    """Keep them; 0 where the version has cases already."""
    return await run(tx, _INSERT, playbook, body, person, now)


async def of(tx: Tx, playbook: UUID) -> Kept | None:
    """The version's own cases, else the newest brought with another version of its name."""
    return await maybe(tx, _OF, Kept, playbook)
