"""Locating: a county's points against a zone of four bands, the result stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from relief.services.locate import locate
from relief.store import db
from tests.bench import postgis, visible, world
from tests.bench.harness import Figure, Omitted, Owner, compared, like, place, watch
from tests.make import LUDING, NOW

PEER = "shapely.contains_xy and COPY"


async def run(rows: int) -> Sequence[Figure]:
    """The first time, which also moves every household on from 'staged', and once more for a zone that was never asked."""
    async with place() as here:
        at = await world.event(here.owner)
        await world.households(here.owner, at, rows, "staged")
        await here.owner.execute("CHECKPOINT")
        with watch(here) as first:
            async with db.begin(here.house.pool) as tx:
                await locate(tx, LUDING, at.zone, NOW)
        await here.owner.execute("DELETE FROM location; CHECKPOINT")
        with watch(here) as again:
            async with db.begin(here.house.pool) as tx:
                done = await locate(tx, LUDING, at.zone, NOW)
        assert done.written == rows
        await like(here.owner, "location")
        await here.owner.execute("CHECKPOINT")
        with watch(here) as bare:
            await _bare(here.owner, world.bands())
        peer = await postgis.located(here, world.bands())
    lines: list[Figure] = [
        compared("locate", rows, again, PEER, bare, 3.0),
        compared("locate and move from staged", rows, first, PEER, bare, None),
    ]
    name = "locate against PostGIS ST_Covers with GiST"
    if isinstance(peer, str):
        lines.append(Omitted(name, rows, peer))
    else:
        theirs, inside = peer
        assert inside == sum(n for rank, n in done.by_rank.items() if rank >= 0)
        lines.append(compared(name, rows, again, "PostGIS", theirs, 0.7))
    return [*lines, await visible.line(min(rows, visible.MADE_FOR))]


async def _bare(owner: Owner, wkb: Sequence[bytes]) -> None:
    """Points out of the database, each band asked for every point, and COPY of the answer into a table of the same key."""
    raw = bytearray()

    async def keep(chunk: bytes) -> None:
        raw.extend(chunk)

    await owner.copy_from_query("SELECT id, lon, lat FROM household ORDER BY id", output=keep, format="binary")
    points = np.frombuffer(raw, _POINT, (len(raw) - 21) // _POINT.itemsize, 19)
    lon, lat = points["lon"].astype(np.float64), points["lat"].astype(np.float64)
    rank: npt.NDArray[Any] = np.full(len(points), -1, np.int32)
    for place_, band in reversed(list(enumerate(wkb))):
        shape = shapely.from_wkb(band)
        shapely.prepare(shape)
        rank[shapely.contains_xy(shape, lon, lat)] = place_
    zone = await owner.fetchval("SELECT id FROM zone")
    await owner.copy_to_table("location", schema_name="bare", source=_rows(points["id"], zone.bytes, rank), format="binary")


_POINT = np.dtype([("fields", ">i2"), ("n1", ">i4"), ("id", "V16"), ("n2", ">i4"), ("lon", ">f8"), ("n3", ">i4"), ("lat", ">f8")])
_PLACE = np.dtype([
    ("fields", ">i2"), ("n1", ">i4"), ("county", "S6"), ("n2", ">i4"), ("zone", "V16"), ("n3", ">i4"), ("household", "V16"),
    ("n4", ">i4"), ("rank", ">i4"), ("n5", ">i4"), ("edge", "u1"),
])  # fmt: skip


async def _rows(ids: npt.NDArray[Any], zone: bytes, rank: npt.NDArray[Any]) -> Any:
    """Binary COPY: the strongest bare peer there is."""
    rows = np.zeros(len(ids), _PLACE)
    rows["fields"], rows["n1"], rows["n2"], rows["n3"], rows["n4"], rows["n5"] = 5, 6, 16, 16, 4, 1
    rows["county"], rows["zone"], rows["household"], rows["rank"] = LUDING.encode(), np.void(zone), ids, rank
    yield b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"
