"""Households counted on the map: right at every moment, for every reader, at every zoom, and never a number that points at a family."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from relief.domain.sealing import Keys
from relief.services.register import register
from relief.store import db, invariants, squares
from relief.store.db import Tx
from relief.store.views import cells
from relief.store.views.cells import Cell
from tests import make
from tests.make import LUDING, MOXI, NOW

Place = tuple[float, float]
#: Villages of two townships.
VILLAGES = ("513322103205", "513322103210", "513322100001")
SQUARES = next(i for i in invariants.ALL if i.name == "squares_count_households")


def column(lon: float, across: int) -> int:
    return int((lon + 180) / 360 * across)


def line(lat: float, across: int) -> int:
    return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * across)


def counted(places: Sequence[Place], z: int, x: int, y: int) -> dict[tuple[int, int], int]:
    """Households in the cells of a tile, counted one by one."""
    across = 2 ** (z + cells.ACROSS)
    found = Counter((column(lon, across) - x * 16, line(lat, across) - y * 16) for lon, lat in places)
    return {(a, b): n - n % 5 for (a, b), n in found.items() if 0 <= a < 16 and 0 <= b < 16 and n >= 5}


def shown(tile: Sequence[Cell]) -> dict[tuple[int, int], int]:
    return {(c.column, c.row): c.households for c in tile}


def tiles_of(places: Sequence[Place]) -> Iterator[tuple[int, int, int]]:
    """Every tile of every zoom that somebody lives in."""
    for z in range(cells.FINEST - cells.ACROSS + 1):
        yield from {(z, column(lon, 2**z), line(lat, 2**z)) for lon, lat in places}


async def settle(tx: Tx, incident: UUID, keys: Keys, villages: Sequence[str], places: Sequence[Place], first: int = 0) -> list[UUID]:
    reporter = await make.staff(tx, ("reporter", LUDING))
    new = [
        make.registration(first + n, incident=incident, village=v, lon=lon, lat=lat, members=1)
        for n, (v, (lon, lat)) in enumerate(zip(villages, places, strict=True))
    ]
    receipts = await register(tx, reporter, new, NOW, keys)
    assert {r.outcome for r in receipts} == {"new"}, receipts
    return [r.household for r in receipts if r.household]


@pytest.mark.parametrize("seed", range(2))
async def test_tiles_count_what_is_there_before_and_after_adding_up(tx: Tx, keys: Keys, seed: int) -> None:
    """Crowded hamlets, lonely farms, and households struck out; part of it added up already."""
    draw = random.Random(seed)
    incident = await make.incident(tx)
    hamlets = [(102.1 + draw.random() * 0.4, 29.5 + draw.random() * 0.4) for _ in range(6)]
    places = [(h[0] + draw.gauss(0, 0.004), h[1] + draw.gauss(0, 0.004)) for h in draw.choices(hamlets, k=90)]
    villages = draw.choices(VILLAGES, k=90)
    made = await settle(tx, incident, keys, villages[:50], places[:50])
    assert await squares.waiting(tx) == LUDING
    assert await squares.gather(tx, LUDING) > 0
    made += await settle(tx, incident, keys, villages[50:], places[50:], first=50)
    gone = set(draw.sample(range(90), 20))
    struck = [made[n] for n in sorted(gone)]
    await squares.went(tx, [(LUDING, s) for s in struck])
    await tx.execute("UPDATE household SET status = 'rejected' WHERE id = ANY ($1::uuid[])", struck)
    for _ in range(2):
        for areas in (["%"], [f"{MOXI}%"], [VILLAGES[1]]):
            left = [p for n, p in enumerate(places) if n not in gone and (areas == ["%"] or villages[n].startswith(areas[0].rstrip("%")))]
            for z, x, y in tiles_of(places):
                assert shown(await cells.tile(tx, incident, areas, z, x, y)) == counted(left, z, x, y)
        await squares.gather(tx, LUDING)
        assert await squares.waiting(tx) is None
    assert (await invariants.examine(tx, SQUARES)).broken == 0


async def test_a_household_struck_out_and_still_counted_is_found(tx: Tx, keys: Keys) -> None:
    (made,) = await settle(tx, await make.incident(tx), keys, VILLAGES[:1], [(102.1, 29.6)])
    await tx.execute("UPDATE household SET status = 'duplicate' WHERE id = $1", made)
    assert (await invariants.examine(tx, SQUARES)).broken == 4  # at every size
    await squares.went(tx, [(LUDING, made)])
    assert (await invariants.examine(tx, SQUARES)).broken == 0


async def test_another_county_and_another_incident_are_not_counted(tx: Tx, keys: Keys) -> None:
    incident = await make.incident(tx)
    await settle(tx, incident, keys, VILLAGES[:1] * 5, [(102.1, 29.6)] * 5)
    at = 12, column(102.1, 2**12), line(29.6, 2**12)
    assert [c.households for c in await cells.tile(tx, incident, ["%"], *at)] == [5]
    assert await cells.tile(tx, await make.incident(tx), ["%"], *at) == []
    await tx.execute("SELECT set_config('relief.scope', '511824', true)")
    assert await cells.tile(tx, incident, ["%"], *at) == []


@pytest.mark.slow
async def test_registrations_of_one_square_do_not_wait_for_each_other_nor_for_the_adding_up(pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        await settle(tx, incident, keys, VILLAGES[:1] * 4, [(102.1, 29.6)] * 4)
    async with db.begin(pool) as first, db.begin(pool) as second, db.begin(pool) as third:
        async with asyncio.timeout(20):
            assert await squares.waiting(first) == LUDING
            await squares.gather(first, LUDING)
            assert await squares.waiting(second) is None  # somebody is at it
            await settle(second, incident, keys, VILLAGES[:1], [(102.1, 29.6)], first=10)
            await settle(third, incident, keys, VILLAGES[:1], [(102.1, 29.6)], first=20)
    async with db.begin(pool) as tx:
        await squares.waiting(tx)
        await squares.gather(tx, LUDING)
        (cell,) = await cells.tile(tx, incident, ["%"], 12, column(102.1, 2**12), line(29.6, 2**12))
        assert (cell.households, cell.people) == (5, 5)
        assert await db.value(tx, "SELECT households FROM square WHERE level = 16") == 6
        assert (await invariants.examine(tx, SQUARES)).broken == 0
