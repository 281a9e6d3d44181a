"""Village rosters 灾害信息员: who answers for which village; a county that opens with villages nobody answers for is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np

from geo import locate as geometry
from relief.domain.errors import Invalid
from relief.domain.policy import Actor, require
from relief.store import audits, changes, regions, zones
from relief.store.db import Tx

#: Households one reporter answers for at most: more are shown as too many.
MOST_HOUSEHOLDS: Final = 500


async def assign(tx: Tx, actor: Actor, county: str, villages: Sequence[str], person: UUID, now: datetime) -> int:
    """Give these villages to one reporter; how many. Invalid where the person holds no reporter's right in one of them."""
    wanted = sorted(set(villages))
    require(actor, "roster.set", wanted or [county])
    if not wanted or any(not v.startswith(county) or len(v) != 12 for v in wanted):
        raise Invalid("villages", "请选择本县的村（社区） · choose villages of this county", field="village")
    if not await changes.covers(tx, person, wanted, now):
        raise Invalid("reporter", "该人员不是这些村的灾害信息员 · that person is no reporter of all these villages", field="person")
    await changes.assign(tx, county, wanted, person, actor.person, now)
    await audits.add(tx, county, actor, "roster.set", "staff", [person], now, {"villages": len(wanted)})
    return len(wanted)


async def unstaffed(tx: Tx, county: str, zone: UUID) -> list[str]:
    """Names of the county's villages that lie in the zone and have no reporter on the roster, in the order of their codes."""
    found = await changes.unstaffed(tx, county)
    if not found:
        return []
    bands = await zones.bands(tx, zone)
    lon, lat = np.array([p.lon for p in found]), np.array([p.lat for p in found])
    place = await asyncio.to_thread(geometry.ranks, [b.geometry for b in bands], lon, lat, np.zeros(len(found)))
    inside = [p.code for p, rank in zip(found, place.rank.tolist(), strict=True) if rank >= 0]
    names = await regions.names(tx, inside)
    return [names[code] for code in inside]
