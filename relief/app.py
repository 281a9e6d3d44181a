"""Composition root: settings → database, keys → the house that every process works in. Nobody imports it but the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from relief import keyring
from relief.house import House
from relief.settings import Settings
from relief.store import db, ready


def clock() -> datetime:
    """The one place where the time comes from."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_house(settings: Settings, pool_size: int = 10, development: bool = False) -> AsyncIterator[House]:
    """Database ready, keys loaded, pool open."""
    database = await ready.make_ready(settings)
    keys = keyring.load_or_make(settings.home, settings.cipher, may_make=not database.sealed)
    pool = await db.open_pool(database.app_url, pool_size)
    try:
        yield House(pool=pool, keys=keys, settings=settings, clock=clock, development=development)
    finally:
        await pool.close()
