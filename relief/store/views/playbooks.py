"""Playbook versions and dated figures, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, one
from relief.store.regions import Named
from relief.store.standards import in_force

__all__ = ["Named", "Version", "counties", "in_force", "version", "versions"]

_LIST = "SELECT id, key, version, digest, body, imported_at FROM playbook ORDER BY key, imported_at DESC"
_ONE = "SELECT id, key, version, digest, body, imported_at FROM playbook WHERE id = $1"
_COUNTIES = """
SELECT code, name FROM region WHERE level = 'county' AND code LIKE ANY ($1::text[]) AND valid_to IS NULL ORDER BY code
"""


class Version(msgspec.Struct, frozen=True):
    """A version as imported: its text never changes."""

    id: UUID
    key: str
    version: str
    digest: bytes
    body: str
    imported_at: datetime


async def versions(tx: Tx) -> list[Version]:
    """Every version, newest of each key first."""
    return await many(tx, _LIST, Version)


async def version(tx: Tx, id_: UUID) -> Version:
    """One version."""
    return await one(tx, _ONE, Version, id_)


async def counties(tx: Tx, patterns: Sequence[str]) -> list[Named]:
    """The counties of these areas (LIKE patterns)."""
    return await many(tx, _COUNTIES, Named, list(patterns))
