"""A database ready for work: embedded or given, migrated, with the country's divisions in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

import asyncpg
import msgspec

from relief.settings import CHECKOUT, Settings
from relief.store import db, embedded, migrate, regions, reviews

#: A register grows in bursts: fresh statistics matter more than a quiet disk.
_EMBEDDED = (
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "max_connections=200",
    "autovacuum_naptime=5s",
    "autovacuum_analyze_scale_factor=0.02",
)
_ANALYZE = "ANALYZE"
_CREATE = "CREATE DATABASE relief"
_SEALED = "SELECT EXISTS (SELECT FROM person)"
_DROP = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"


class Database(msgspec.Struct, frozen=True):
    """Where to connect as owner (set-up) and as application, what a migration run did, and whether people are in it already."""

    owner_url: str
    app_url: str
    applied: migrate.Applied
    sealed: bool


async def make_ready(settings: Settings) -> Database:
    """Start the embedded server if none is given, apply migrations, load the divisions. Safe to run in many processes at once."""
    owner_url = settings.database_url or await _embedded(settings)
    owner = await db.connect_owner(owner_url)
    try:
        applied = await migrate.migrate(owner, migrate.read(CHECKOUT / "migrations"))
        await regions.load_if_empty(owner)
        await reviews.keep_missing(cast("db.Tx", owner), datetime.now(UTC))
        sealed = bool(await owner.fetchval(_SEALED))
    finally:
        await owner.close()
    return Database(owner_url=owner_url, app_url=settings.app_database_url or owner_url, applied=applied, sealed=sealed)


async def _embedded(settings: Settings) -> str:
    server = await asyncio.to_thread(embedded.start, settings.home / "pg", _EMBEDDED)
    owner = await db.connect_owner(server)
    try:
        await owner.execute(_CREATE)
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # it is there already, or another process has just made it
    finally:
        await owner.close()
    return db.with_database(server, "relief")


async def analyze(database: Database) -> None:
    """Fresh statistics after a bulk load; the autovacuum does the same a little later."""
    owner = await db.connect_owner(database.owner_url)
    try:
        await owner.execute(_ANALYZE)
    finally:
        await owner.close()


async def empty(database: Database) -> None:
    """Remove everything and build it anew: for drills only; the caller has made sure that nothing real is in it."""
    owner = await db.connect_owner(database.owner_url)
    try:
        await owner.execute(_DROP)
        await migrate.migrate(owner, migrate.read(CHECKOUT / "migrations"))
        await regions.load_if_empty(owner)
    finally:
        await owner.close()
