"""Stages that wait for a day: transitional aid is approved once and paid by the month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.domain import playbook as playbooks_
from relief.domain.policy import SYSTEM
from relief.services.disburse import release_due
from relief.store import audits, instalments, playbooks
from relief.store.db import Tx
from relief.store.instalments import Day


async def fall_due(tx: Tx, now: datetime) -> int:
    """Let every instalment whose day has come fall due, and make its payment; how many payments. Run again it does nothing."""
    where = await instalments.waiting(tx)
    days = {p: await _days(tx, p) for p in {w.playbook for w in where}}
    made = 0
    for county in sorted({w.county for w in where}):
        stages = [day for w in where if w.county == county for day in days[w.playbook]]
        awards = await instalments.fall_due(tx, county, stages, now) if stages else []
        if awards:
            await audits.add(tx, county, SYSTEM, "instalment.due", "award", awards, now)
            made += await release_due(tx, county, awards, now) + await catch_up(tx, county, awards, now)
    return made


async def catch_up(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> int:
    """Let the stages of approved top-ups fall due that their first award has reached, for these awards and what tops them up; how many payments.

    What was proven or came due for the first award is not asked again for the difference.
    """
    behind = await instalments.catch_up(tx, county, awards, now)
    return await release_due(tx, county, sorted(set(behind)), now) if behind else 0


async def _days(tx: Tx, playbook: UUID) -> list[Day]:
    book = playbooks_.read((await playbooks.get(tx, playbook)).body)
    return [
        Day(playbook, aid.code, seq, stage.after_days)
        for aid in book.aids
        for seq, stage in enumerate(aid.stages, 1)
        if stage.condition == "none" and stage.after_days
    ]
