"""A complaint is closed by an answer in writing, by somebody who had no hand in the case. It moves no money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.domain.confirmation import answer_to_complaint
from relief.domain.errors import Conflict, NotFound, Refused
from relief.domain.policy import Actor, require
from relief.store import audits, complaints, db
from relief.store.db import Tx


async def close(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], answer: str, now: datetime) -> int:
    """Close open complaints with one answer; returns how many. All of the list, or nothing.

    Raises NotFound outside the county, Refused `own_case` where the money is said not to have arrived and the actor registered
    the household or signed its award, Conflict `moved_on` where somebody closed one of them before.
    """
    text, wanted = answer_to_complaint(answer), sorted(set(ids))
    await db.plan_for(tx, len(wanted))
    found = await complaints.of_ids(tx, county, wanted, actor.person)
    if not found or len(found) != len(wanted):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "complaint.close", {f.village for f in found})
    if own := sum(f.own and f.kind == "not_received" for f in found):
        raise Refused(
            "own_case", f"其中 {own} 件由您本人登记或审批，须由他人办结 · you registered or approved {own} of them yourself", count=own
        )
    closed = await complaints.close(tx, county, wanted, text, now)
    if len(closed) != len(wanted):
        raise Conflict("moved_on", "部分反映已由他人办结，请刷新 · some complaints were closed meanwhile, refresh")
    await audits.add(tx, county, actor, "complaint.close", "complaint", wanted, now)
    return len(closed)
