"""先救助后补手续: the papers of an advance follow within their working days, or the household waits, and the village with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, NotFound, Refused
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.review import REMIND_DAYS
from relief.store import audits, holds, papers
from relief.store.db import Tx


class Chased(msgspec.Struct, frozen=True):
    """What a round did: reminded, newly overdue, households held, villages paused, villages that go on."""

    reminded: int
    overdue: int
    held: int
    paused: int
    resumed: int


async def accept(tx: Tx, actor: Actor, county: str, awards: Sequence[UUID], now: datetime) -> int:
    """The papers of these advances are complete; all of them, or none. What waited for them goes on.

    Refused `own_registration` for whoever registered one of the households, `papers_missing` where a document of the playbook is not there.
    """
    found = await papers.lock(tx, county, sorted(set(awards)), actor.person)
    if not found or len(found) != len(set(awards)):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "papers.accept", {f.village for f in found})
    if own := sum(f.own for f in found):
        raise Refused("own_registration", f"其中 {own} 户由您本人登记，须由他人核收 · you registered {own} of them yourself", count=own)
    if missing := sum(bool(f.missing) for f in found):
        raise Refused("papers_missing", f"其中 {missing} 户材料不齐 · documents of {missing} of them are missing", count=missing)
    if await papers.close(tx, county, [f.award for f in found], actor.person, now) != len(found):
        raise Conflict("moved_on", "部分手续已核收，请刷新 · some papers were accepted meanwhile, refresh")
    await holds.lift(tx, county, [f"补手续逾期 · papers overdue of {f.award}" for f in found], now)
    await papers.resume(tx, now)
    await audits.add(tx, county, actor, "papers.accept", "award", [f.award for f in found], now)
    return len(found)


async def chase(tx: Tx, now: datetime) -> Chased:
    """Remind, mark what is overdue, stop what has to stop, let go on what may. Done again it does nothing. Needs every county."""
    today = beijing_day(now)
    reminded = await papers.remind(tx, now, today + timedelta(days=REMIND_DAYS))
    late = await papers.overdue(tx, now, today)
    held, paused = await papers.stop(tx, now)
    resumed = await papers.resume(tx, now)
    for act, rows in (("papers.remind", reminded), ("papers.overdue", late)):
        sets: dict[str, list[UUID]] = {}
        for county, award in rows:
            sets.setdefault(county, []).append(award)
        if sets:
            await audits.add_each(tx, sets, SYSTEM, act, "award", now)
    return Chased(len(reminded), len(late), held, paused, resumed)
