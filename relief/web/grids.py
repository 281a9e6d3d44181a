"""The counted squares of incidents, held for a short while: reading a million households takes a second, a tile of them a millisecond.

What is held was read within the reader's own area; another area is another grid. A grid older than FRESH is shown once more while
a new one is read behind it; one older than KEPT is not shown at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from relief.store import db
from relief.store.views import cells
from relief.store.views.cells import Grid
from relief.web.house import House

FRESH: Final = timedelta(seconds=10)
KEPT: Final = timedelta(minutes=2)
#: Incidents × areas held at once.
MOST: Final = 64

Key = tuple[UUID, tuple[str, ...], tuple[str, ...]]


class Held(msgspec.Struct, frozen=True):
    """A grid, when it was asked for, and the task that reads or has read it."""

    since: datetime
    reading: asyncio.Task[Grid]


class Grids:
    """One for each process; belongs to its event loop."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._held: dict[Key, Held] = {}
        self._next: dict[Key, Held] = {}
        self._warming: set[asyncio.Task[Grid]] = set()

    def warm(self, incident: UUID, villages: Sequence[str], scope: Sequence[str]) -> None:
        """Begin to read while the page that will ask is still on its way."""
        task = asyncio.create_task(self.get(incident, villages, scope))
        self._warming.add(task)
        task.add_done_callback(self._warmed)

    def _warmed(self, task: asyncio.Task[Grid]) -> None:
        self._warming.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asks for the tile is told

    async def get(self, incident: UUID, villages: Sequence[str], scope: Sequence[str]) -> Grid:
        """The grid of an incident within these areas."""
        key: Key = (incident, tuple(villages), tuple(scope))
        now = self.house.clock()
        self._promote(key)
        held = self._held.get(key)
        if held is None or not timedelta(0) <= now - held.since <= KEPT or _failed(held):
            held = self._held[key] = self._read(key, now)
            self._forget()
        elif now - held.since > FRESH and held.reading.done() and key not in self._next:
            self._next[key] = self._read(key, now)
        return await asyncio.shield(held.reading)

    def _promote(self, key: Key) -> None:
        coming = self._next.get(key)
        if coming is not None and coming.reading.done():
            del self._next[key]
            if not _failed(coming):
                self._held[key] = coming

    def _read(self, key: Key, now: datetime) -> Held:
        return Held(now, asyncio.create_task(self._load(key)))

    async def _load(self, key: Key) -> Grid:
        incident, villages, scope = key
        async with db.read(self.house.pool, scope) as tx:
            return await cells.grid(tx, incident, villages)

    def _forget(self) -> None:
        while len(self._held) > MOST:
            self._held.pop(next(iter(self._held)))


def _failed(held: Held) -> bool:
    return held.reading.done() and (held.reading.cancelled() or held.reading.exception() is not None)
