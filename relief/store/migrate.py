"""Applies migrations/*.sql in order: forward only, one transaction each, under an advisory lock, digest kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec

from relief.domain.errors import Conflict

_LOCK = "SELECT pg_advisory_lock(hashtext('relief.migrate'))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('relief.migrate'))"
_TABLE = """
CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""
_APPLIED = "SELECT name, digest FROM migration"
_RECORD = "INSERT INTO migration (name, digest) VALUES ($1, $2)"


class Applied(msgspec.Struct, frozen=True):
    """What a run did."""

    new: list[str]
    already: int


def read(folder: Path) -> list[tuple[str, str]]:
    """Name and text of every migration, in order."""
    return [(path.name, path.read_text("utf-8")) for path in sorted(folder.glob("[0-9]*.sql"))]


async def migrate(connection: asyncpg.Connection[asyncpg.Record], files: Sequence[tuple[str, str]]) -> Applied:
    """Bring the database to the newest state; refuse when an applied file was edited afterwards."""
    await connection.execute(_LOCK)
    try:
        await connection.execute(_TABLE)
        applied = {r["name"]: r["digest"] for r in await connection.fetch(_APPLIED)}
        new = []
        for name, text in files:
            digest = hashlib.sha256(text.encode()).hexdigest()
            if name in applied:
                if applied[name] != digest:
                    raise Conflict("migration_edited", f"{name} was changed after it had been applied; add a new file instead")
                continue
            async with connection.transaction():
                await connection.execute(text)
                await connection.execute(_RECORD, name, digest)
            new.append(name)
        return Applied(new=new, already=len(applied))
    finally:
        await connection.execute(_UNLOCK)
