"""The money core holds its promises under every seed, a seed replays exactly, and every bug that can be named is found."""

from __future__ import annotations

import pytest

from relief.domain.sealing import Keys
from relief.store.db import Pool
from tests.faults import runs
from tests.faults.plants import PLANTS, Edited, Wrong

pytestmark = pytest.mark.slow

#: Seeds a mistake in the product may hide for.
LONG_ENOUGH = 30


@pytest.mark.timeout(1800)
async def test_two_hundred_seeds_hold_every_promise_and_come_to_their_end(pool: Pool, keys: Keys) -> None:
    start = await runs.begin(pool, keys)
    told = [t async for t in runs.run(pool, keys, start, 0, 200)]
    assert not [t for t in told if t.broken]
    seen = {act for t in told if t.story for act in t.story.acts}
    for wanted in ("crashed, batch", "crashed, answer", "crashed, messages", "bank_silent", "same_person", "fund_short"):
        assert any(wanted in act for act in seen), f"no seed met {wanted}"


async def test_a_seed_replays_exactly(pool: Pool, keys: Keys) -> None:
    start = await runs.begin(pool, keys)
    once, twice = [[t.story.digest async for t in runs.run(pool, keys, start, 7, 4) if t.story] for _ in range(2)]
    assert len(once) == 4
    assert once == twice
    assert len(set(once)) == 4


@pytest.mark.timeout(1800)
async def test_every_planted_bug_is_found_by_its_name(pool: Pool, keys: Keys) -> None:
    start = await runs.begin(pool, keys)
    missed = []
    for name, plant in PLANTS.items():
        found = None
        async for told in runs.run(pool, keys, start, 0, LONG_ENOUGH if isinstance(plant, Wrong) else 1, name):
            if told.broken:
                found = told.broken
                break
        if found is None or (isinstance(plant, Edited) and found != plant.finds):
            missed.append((name, found))
    assert not missed
