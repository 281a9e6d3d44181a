"""Seeds, one after another, each in a transaction of its own that is rolled back; with a bug planted when asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext

import msgspec

from relief.domain.sealing import Keys
from relief.store import db, invariants
from relief.store.db import Pool, Tx
from tests.faults import acts, simulator
from tests.faults.plants import PLANTS, Edited, Wrong, mistaken
from tests.faults.simulator import Broken, Start, Story

_SCOPE = "SELECT set_config('relief.scope', '%', true)"


class Told(msgspec.Struct, frozen=True):
    """How a seed ended: its story, or the promise that was broken."""

    seed: int
    story: Story | None
    broken: str | None = None
    says: str | None = None


async def begin(pool: Pool, keys: Keys) -> Start:
    """Put the start in place, for every seed."""
    async with db.begin(pool) as tx:
        return await simulator.begin(tx, keys)


async def run(pool: Pool, keys: Keys, start: Start, first: int, seeds: int, plant: str | None = None) -> AsyncIterator[Told]:
    """`seeds` seeds from `first` on."""
    planted = PLANTS[plant] if plant else None
    for seed in range(first, first + seeds):
        async with pool.acquire() as tx:
            whole = tx.transaction()
            await whole.start()
            try:
                await tx.execute(_SCOPE)
                yield await _told(tx, keys, start, seed, planted)
            finally:
                await whole.rollback()


async def _told(tx: Tx, keys: Keys, start: Start, seed: int, planted: Wrong | Edited | None) -> Told:
    try:
        with mistaken(planted) if isinstance(planted, Wrong) else nullcontext():
            if isinstance(planted, Wrong):
                await _as_owner(tx, planted.without)
            story = await acts.play(tx, keys, start, seed)
            if isinstance(planted, Edited):
                await _edited(tx, planted, story)
    except Broken as broken:
        return Told(seed, None, broken.name, str(broken))
    return Told(seed, story)


async def _edited(tx: Tx, planted: Edited, story: Story) -> None:
    await _as_owner(tx, planted.sql)
    (wanted,) = (i for i in invariants.ALL if i.name == planted.finds)
    if rows := await tx.fetch(wanted.broken):
        raise Broken(wanted.name, [str(r["row"]) for r in rows], story.steps)


async def _as_owner(tx: Tx, statements: object) -> None:
    """The role goes back to the application's afterwards: what the house does, it does behind its walls."""
    assert isinstance(statements, list | tuple)
    await tx.execute("RESET ROLE")
    await tx.execute("SET LOCAL ROLE NONE")
    for sql in statements:
        await tx.execute(sql)
    await tx.execute("SET LOCAL ROLE relief_app")
