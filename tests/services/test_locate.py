"""Households of a county get their band, once, in a fixed number of statements."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from geo import data
from relief.domain.errors import NotFound
from relief.services import locate
from relief.store import db, locations
from relief.store.db import Tx
from tests import make
from tests.geo.shapes import LAT, LON, file, one, square
from tests.make import LUDING, NOW, SHIMIAN
from tests.services.test_zoning import boxes, draft, forced, household


async def place(tx: Tx, zone: UUID, household: UUID) -> tuple[int, bool] | None:
    row = await tx.fetchrow("SELECT rank, edge FROM location WHERE zone = $1 AND household = $2", zone, household)
    return None if row is None else (row["rank"], row["edge"])


async def status(tx: Tx, household: UUID) -> str:
    found: str = await tx.fetchval("SELECT status FROM household WHERE id = $1", household)
    return found


async def test_every_household_of_the_county_gets_its_band_and_becomes_located(tx: Tx) -> None:
    incident = await make.incident(tx)
    worst, mild, outside = [await household(tx, incident, LON + d, LAT + 0.05) for d in (0.05, 0.15, 0.5)]
    elsewhere = await household(tx, incident, LON + 0.05, LAT + 0.05, county=SHIMIAN)
    zone = await forced(tx, incident, boxes(0.1, 0.2))
    done = await locate.locate(tx, LUDING, zone, NOW)
    assert (done.households, done.by_rank, done.edge, done.written, done.moved) == (3, {-1: 1, 0: 1, 1: 1}, 0, 3, 3)
    assert [await place(tx, zone, h) for h in (worst, mild, outside, elsewhere)] == [(0, False), (1, False), (-1, False), None]
    assert [await status(tx, h) for h in (worst, mild, outside, elsewhere)] == ["located"] * 3 + ["staged"]


async def test_a_household_on_a_border_is_in_the_higher_band_and_doubtful(tx: Tx) -> None:
    incident = await make.incident(tx)
    on = await household(tx, incident, LON + 0.5, LAT + 0.25)
    zone = await draft(tx, incident, boxes(0.5, 1.0))
    assert (await locate.locate(tx, LUDING, zone, NOW)).edge == 1
    assert await place(tx, zone, on) == (0, True)


async def test_locating_again_changes_and_writes_nothing(tx: Tx) -> None:
    incident = await make.incident(tx)
    await household(tx, incident, LON + 0.05, LAT + 0.05)
    zone = await forced(tx, incident, boxes(0.1))
    first, again = await locate.locate(tx, LUDING, zone, NOW), await locate.locate(tx, LUDING, zone, NOW)
    assert (first.written, first.moved, again.written, again.moved) == (1, 1, 0, 0)
    assert again.by_rank == first.by_rank
    assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'household.locate'") == 1


async def test_a_corrected_point_moves_and_a_newcomer_is_added(tx: Tx) -> None:
    incident = await make.incident(tx)
    wrong = await household(tx, incident, LON + 0.5, LAT + 0.5)
    zone = await forced(tx, incident, boxes(0.1, 0.2))
    await locate.locate(tx, LUDING, zone, NOW)
    await tx.execute("UPDATE household SET lon = $2, lat = $3 WHERE id = $1", wrong, LON + 0.05, LAT + 0.05)
    late = await household(tx, incident, LON + 0.15, LAT + 0.05)
    done = await locate.locate(tx, LUDING, zone, NOW)
    assert (done.written, done.moved) == (2, 1)
    assert [await place(tx, zone, h) for h in (wrong, late)] == [(0, False), (1, False)]


async def test_duplicates_and_rejected_are_left_alone_and_verified_stay_verified(tx: Tx) -> None:
    incident = await make.incident(tx)
    ids = [await household(tx, incident, LON + 0.05, LAT + 0.05) for _ in range(3)]
    for one_, word in zip(ids, ("duplicate", "rejected", "verified"), strict=True):
        await tx.execute("UPDATE household SET status = $2 WHERE id = $1", one_, word)
    zone = await forced(tx, incident, boxes(0.1))
    assert (await locate.locate(tx, LUDING, zone, NOW)).by_rank == {-1: 0, 0: 1}
    assert [await place(tx, zone, h) for h in ids] == [None, None, (0, False)]
    assert [await status(tx, h) for h in ids] == ["duplicate", "rejected", "verified"]


async def test_each_version_keeps_its_own_places(tx: Tx) -> None:
    incident = await make.incident(tx)
    one_ = await household(tx, incident, LON + 0.15, LAT + 0.05)
    old = await forced(tx, incident, boxes(0.1))
    await locate.locate(tx, LUDING, old, NOW)
    new = await forced(tx, incident, boxes(0.2))
    await locate.locate(tx, LUDING, new, NOW)
    assert [await place(tx, z, one_) for z in (old, new)] == [(-1, False), (0, False)]


async def test_a_county_without_households_is_located_in_no_time(tx: Tx) -> None:
    zone = await forced(tx, await make.incident(tx), boxes(0.1))
    done = await locate.locate(tx, LUDING, zone, NOW)
    assert (done.households, done.by_rank, done.written) == (0, {-1: 0, 0: 0}, 0)


async def test_an_unknown_zone_is_not_found(tx: Tx) -> None:
    with pytest.raises(NotFound):
        await locate.locate(tx, LUDING, UUID(int=5), NOW)


class _Counted:
    """Counts what goes to the server through a connection."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.statements = 0

    def __getattr__(self, name: str) -> object:
        self.statements += name in ("fetch", "fetchrow", "fetchval", "execute", "copy_from_query")
        return getattr(self.tx, name)


async def test_the_number_of_statements_is_the_same_for_one_and_for_a_thousand(tx: Tx) -> None:
    counts = []
    for households in (1, 1_000):
        incident = await make.incident(tx)
        first = await household(tx, incident, LON + 0.05, LAT + 0.05)
        await tx.execute(
            "INSERT INTO household (county, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status,"
            " family_type, members, only_home, occupied, slip, slip_code_hash, registered_by, captured_at, received_at)"
            " SELECT county, incident, gen_random_uuid(), '', village, lon + n * 1e-4, lat, accuracy_m, true, 'staged', family_type, 3, true, true,"
            " gen_random_uuid()::text, '', registered_by, captured_at, received_at FROM household, generate_series(2, $2) AS n WHERE id = $1",
            first, households,
        )  # fmt: skip
        zone = await forced(tx, incident, boxes(0.07, 0.1))
        counted = _Counted(tx)
        done = await locate.locate(counted, LUDING, zone, NOW)  # type: ignore[arg-type]
        assert (done.households, done.moved) == (households, households)
        counts.append(counted.statements)
    assert counts[0] == counts[1]


async def test_two_runs_of_one_county_at_the_same_time_agree(pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        for i in range(50):
            await household(tx, incident, LON + i * 0.004, LAT + 0.05)
        zone = await forced(tx, incident, boxes(0.1))

    async def run() -> locate.Located:
        async with db.begin(pool) as tx:
            return await locate.locate(tx, LUDING, zone, NOW)

    first, second = await asyncio.gather(run(), run())
    assert first.by_rank == second.by_rank
    assert sorted((first.written, second.written)) == [0, 50]
    assert sorted((first.moved, second.moved)) == [0, 50]


async def test_another_county_s_scope_sees_and_locates_nothing(pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        await household(tx, incident, LON + 0.05, LAT + 0.05)
        zone = await forced(tx, incident, boxes(0.1))
    async with db.begin(pool, [SHIMIAN]) as tx:
        assert (await locate.locate(tx, LUDING, zone, NOW)).households == 0


async def test_the_real_zone_places_the_epicentre_in_the_worst_band(tx: Tx) -> None:
    incident = await make.incident(tx)
    worst = await household(tx, incident, 102.08, 29.59)
    zone = await forced(tx, incident, data.LUDING_V1.read_bytes())
    await locate.locate(tx, LUDING, zone, NOW)
    assert await place(tx, zone, worst) == (0, False)


async def test_thirty_two_bands_fit_the_packed_rank(tx: Tx) -> None:
    incident = await make.incident(tx)
    last = await household(tx, incident, LON + 0.01 * 31 + 0.002, LAT + 0.002)
    strips = file(*[{"type": "Feature", "properties": {"level": 40 - i}, "geometry": _strip(i)} for i in range(32)])
    zone = await forced(tx, incident, strips)
    await locate.locate(tx, LUDING, zone, NOW)
    assert await place(tx, zone, last) == (31, False)
    found = await locations.places(tx, [LUDING], incident, zone)
    assert (found.rank.tolist(), found.edge.tolist(), found.staged.tolist()) == ([31], [False], [False])
    assert found.ids(found.rank == 31) == [last]


def _strip(i: int) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [square(0.005, lon=LON + 0.01 * i)]}


async def test_a_zone_of_one_shape_has_one_band(tx: Tx) -> None:
    incident = await make.incident(tx)
    inside = await household(tx, incident, LON + 0.05, LAT + 0.05)
    zone = await forced(tx, incident, one(square(0.1)))
    assert (await locate.locate(tx, LUDING, zone, NOW)).by_rank == {-1: 0, 0: 1}
    assert await place(tx, zone, inside) == (0, False)
