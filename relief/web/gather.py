"""Callbacks that arrive together are applied together: while one transaction runs, the next ones gather and share the following one.

Nothing waits for company: a callback that comes alone is applied at once. Each is answered after the commit it was part of.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from relief.services import notify
from relief.services.notify import Heard
from relief.store import db
from relief.store.db import Pool

#: Callbacks in one transaction at most.
MOST: Final = 200


class Gatherer:
    """One for each process; belongs to its event loop."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._waiting: deque[tuple[Heard, asyncio.Future[None]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def apply(self, heard: Heard) -> None:
        """Returns when it is committed; raises what its transaction raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((heard, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            try:
                async with db.begin(self._pool) as tx:
                    await notify.apply_events(tx, [h for h, _ in batch], self._clock())
            except Exception as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
