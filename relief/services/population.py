"""Give the number of people of counties, dated and with its source: what zones estimate by, never what anybody is paid by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from relief.domain import population
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.policy import Actor, require
from relief.domain.population import Population as Population
from relief.domain.population import read as read
from relief.store import audits, populations, regions
from relief.store.db import Tx


async def give(tx: Tx, actor: Actor, given: Sequence[Population], now: datetime) -> int:
    """Keep these figures, all or none; how many. Invalid names the first that is wrong; a code must be that of a county of today."""
    population.check(given, beijing_day(now))
    known = await regions.names(tx, [p.region for p in given])
    for number, p in enumerate(given, 1):
        if len(p.region) != 6 or p.region not in known:
            raise Invalid(
                "area_unknown", f"第{number}行：没有这个县级代码 · line {number}: no county has this code", field="region", row=number
            )
    require(actor, "population.give", [p.region for p in given])
    made = await populations.insert(tx, given, actor.id, now)
    await audits.add(
        tx, audits.SHARED, actor, "population.give", "region_population", made, now, {"counties": sorted({p.region for p in given})}
    )
    return len(made)
