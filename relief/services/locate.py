"""Find the band of every household of a county, and whether its point is too near a border to be sure."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec
import numpy as np

from geo import locate as geometry
from relief.domain.policy import SYSTEM
from relief.store import audits, db, locations, zones
from relief.store.db import Tx


class Located(msgspec.Struct, frozen=True):
    """A county after a run. `by_rank` counts households by band rank (-1: outside every band), `edge` those near a border.

    `written` rows of places are new or changed and `moved` households left 'staged'; both are 0 when nothing changed since.
    """

    county: str
    zone: UUID
    households: int
    by_rank: dict[int, int]
    edge: int
    written: int
    moved: int


async def locate(tx: Tx, county: str, zone: UUID, now: datetime) -> Located:
    """Locate all households of the zone's incident in that county. The timetable's act: it can be repeated and changes nothing then."""
    version = await zones.get(tx, zone)
    bands = await zones.bands(tx, zone)
    await locations.lock(tx, county)
    found = await locations.places(tx, [county], version.incident, zone)
    await db.plan_for(tx, len(found.id))
    place = await asyncio.to_thread(geometry.ranks, [b.geometry for b in bands], found.lon, found.lat, found.accuracy_m)
    written = await locations.write(tx, county, zone, found, place.rank, place.edge)
    moved = await locations.move(tx, county, version.incident, zone) if found.staged.any() else 0
    located = Located(
        county=county,
        zone=zone,
        households=len(found.id),
        by_rank={r - 1: n for r, n in enumerate(np.bincount(place.rank + 1, minlength=len(bands) + 1).tolist())},
        edge=int(place.edge.sum()),
        written=written,
        moved=moved,
    )
    if written or moved:
        detail = {"households": located.households, "by_rank": {str(r): n for r, n in located.by_rank.items()}, "edge": located.edge}
        await audits.add(tx, county, SYSTEM, "household.locate", "zone", [zone], now, detail)
    return located


async def locate_all(tx: Tx, zone: UUID, now: datetime) -> list[Located]:
    """The same in every county the zone touches, among the households this transaction may see."""
    return [await locate(tx, touched.county, zone, now) for touched in await zones.counties(tx, zone)]
