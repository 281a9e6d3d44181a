"""Tiles of counted households: the first one reads everybody, every other one is cut from what it read."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from statistics import quantiles

from relief.store.views import cells
from relief.web import tiles
from relief.web.grids import Grids
from tests.bench import world
from tests.bench.harness import Figure, Line, judge, place, watch

#: Promise for one tile, cold tiles included, over 1,000,000 households.
MOST_S = 0.2


async def run(rows: int) -> Sequence[Figure]:
    """Every tile of a zone from the whole province down to the finest squares, none asked twice; the first finds nothing in memory."""
    async with place() as here:
        at = await world.event(here.owner)
        await world.households(here.owner, at, rows, "located")
        grids, took = Grids(here.house), []
        with watch(here) as first:
            await grids.get(at.incident, ("%",), ("%",))
        for z in range(5, cells.FINEST - cells.ACROSS + 1):
            for x, y in _covering(z):
                started = time.perf_counter()
                tiles.encode(cells.tile(await grids.get(at.incident, ("%",), ("%",)), z, x, y))
                took.append(time.perf_counter() - started)
        slow = quantiles([first.seconds, *took], n=100)[94]
    return [
        Line(
            name=f"tile p95 of {len(took)}, none asked twice", rows=rows, seconds=round(slow, 4), rss_mb=round(first.rss_mb), unit="s",
            value=round(slow, 4), promise=f"≤ {MOST_S} s", kept=judge(slow <= MOST_S, rows, 1_000_000),
        ),
        Line(name="first tile of a process", rows=rows, seconds=round(first.seconds, 3), rss_mb=round(first.rss_mb), unit="s", value=round(first.seconds, 3)),
    ]  # fmt: skip


def _covering(z: int) -> list[tuple[int, int]]:
    """Tiles over the country where the households are."""
    west, south, east, north = world.BOX
    columns = range(int((west + 180) / 360 * 2**z), int((east + 180) / 360 * 2**z) + 1)
    rows = range(_row(north, z), _row(south, z) + 1)
    return [(x, y) for x in columns for y in rows]


def _row(lat: float, z: int) -> int:
    return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
