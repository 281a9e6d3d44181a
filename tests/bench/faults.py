"""The simulator of the money core over as many seeds as are asked for: one figure, or the promise that was broken and its seed."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from tests.bench.harness import Figure, Line, place
from tests.faults import runs

#: Seeds when nobody says how many.
SEEDS = 200


def of(first: int, plant: str | None) -> Callable[[int], Awaitable[Sequence[Figure]]]:
    """The benchmark's function for seeds from `first` on, with that bug planted."""

    async def run(seeds: int) -> Sequence[Figure]:
        started, steps, broken = time.perf_counter(), 0, list[str]()
        async with place() as here:
            start = await runs.begin(here.house.pool, here.house.keys)
            async for told in runs.run(here.house.pool, here.house.keys, start, first, seeds, plant):
                steps += told.story.steps if told.story else 0
                if told.broken:
                    broken.append(told.broken)
                    sys.stderr.write(f"seed {told.seed}: {told.says}\n")
                    break
        spent = time.perf_counter() - started
        return [
            Line(name="faults: promises broken", rows=seeds, seconds=round(spent, 1), unit="seeds", value=len(broken), promise="none", kept=not broken),
            Line(name="faults: steps examined", rows=seeds, seconds=round(spent, 1), unit="steps", value=steps),
        ]  # fmt: skip

    return run
