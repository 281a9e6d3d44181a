"""The calendar of coming payments: what is approved and not paid yet, by month, county and fund."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.domain import playbook as playbooks_
from relief.domain.coming import Due, Month, by_month, falls_due
from relief.domain.days import beijing_day
from relief.store import playbooks
from relief.store.db import Tx
from relief.store.views import standing


async def calendar(tx: Tx, counties: Sequence[str], now: datetime) -> list[Month]:
    """Sums by county, fund and month; month '' waits for evidence, so nobody can say when. What is due already counts for this month."""
    found = await standing.coming(tx, counties)
    days = {p: await _days(tx, p) for p in {s.playbook for s in found}}
    return by_month([_due(stage, days[stage.playbook]) for stage in found], beijing_day(now))


def _due(stage: standing.Stage, days: dict[tuple[str, int], int]) -> Due:
    after = days.get((stage.aid, stage.seq))
    waits = stage.status == "waiting" and (stage.condition != "none" or after is None)
    on = None if waits else falls_due(stage.approved_on, 0 if stage.status == "due" or after is None else after)
    return Due(stage.county, stage.fund, stage.aid, stage.seq, stage.condition, on, stage.stages, stage.amount_fen)


async def _days(tx: Tx, playbook: UUID) -> dict[tuple[str, int], int]:
    book = playbooks_.read((await playbooks.get(tx, playbook)).body)
    return {
        (a.code, seq): s.after_days
        for a in book.aids
        for seq, s in enumerate(a.stages, 1)
        if s.condition == "none" and s.after_days is not None
    }
