"""The life of an incident after it was opened: it moves on, calms down, is closed, or turns out to be another one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid
from relief.domain.incident import check_reason
from relief.domain.policy import Actor, require
from relief.store import audits, incidents, recoveries
from relief.store.db import Tx
from relief.store.incidents import Incident, Status

#: Working days in which a case of aid held twice must be answered.
CASE_WORKING_DAYS: Final = 10


class Merged(msgspec.Struct, frozen=True):
    """What a merge did: how many guards now stand under the survivor, how many claims were there twice."""

    survivor: UUID
    merged: list[UUID]
    guards: int
    cases: int


async def move(tx: Tx, actor: Actor, incident: UUID, target: Status, now: datetime) -> None:
    """reported → active → recovery; Conflict where the incident is elsewhere. To close it, say why: `close`."""
    found = await incidents.lock(tx, incident)
    require(actor, "incident.move", found.county)
    if target == "closed":
        raise Invalid("reason", "结束须写明理由 · closing needs a reason", field="reason")
    if await incidents.move(tx, incident, target) != 1:
        raise _elsewhere(found)
    await audits.add(tx, audits.SHARED, actor, "incident.move", "incident", [incident], now, {"from": found.status, "to": target})


async def declare_stable(tx: Tx, actor: Actor, incident: UUID, at: datetime, now: datetime) -> None:
    """灾情稳定: zero reports end here and the final report falls due. Once; `at` lies between the event and now."""
    found = await incidents.lock(tx, incident)
    require(actor, "incident.move", found.county)
    if at.tzinfo is None or not found.occurred_at <= at <= now:
        raise Invalid(
            "stable_at", "灾情稳定时间须在发生之后、现在之前 · it calmed down after it happened and not in the future", field="at"
        )
    if await incidents.stable(tx, incident, at) != 1:
        raise Conflict("stable_already", "已宣布灾情稳定或灾害已结束 · declared stable already, or closed")
    await audits.add(tx, audits.SHARED, actor, "incident.stable", "incident", [incident], now, {"at": at.isoformat()})


async def close(tx: Tx, actor: Actor, ids: Sequence[UUID], reason: str, now: datetime) -> None:
    """End these incidents with one reason; all or none. Registrations, awards and payments stay and go on."""
    said = check_reason(reason)
    found = await incidents.lock_all(tx, ids)
    _all_there(ids, found)
    require(actor, "incident.move", {i.county for i in found})
    if await incidents.close(tx, ids, said, now) != len(found):
        raise Conflict("incident_closed", "灾害事件已结束 · an incident is closed already")
    await audits.add(tx, audits.SHARED, actor, "incident.close", "incident", ids, now, {"from": sorted({i.status for i in found})})


async def merge(tx: Tx, actor: Actor, duplicates: Sequence[UUID], survivor: UUID, reason: str, now: datetime) -> Merged:
    """Close duplicates into the incident they are; whoever is entitled under one is from now on entitled under the survivor.

    Registrations, awards and payments stay where they are. A person who has the same aid in two households keeps the survivor's; the other
    claim becomes a recovery case and its award is held. Refused unless the actor answers for every county concerned: cases are opened there.
    """
    said = check_reason(reason)
    if survivor in duplicates or not duplicates:
        raise Invalid("same_incident", "不能并入自身 · an incident cannot be merged into itself", field="survivor")
    found = {i.id: i for i in await incidents.lock_all(tx, [*duplicates, survivor])}
    _all_there([*duplicates, survivor], list(found.values()))
    if len({i.drill for i in found.values()}) != 1:
        raise Invalid("drill_and_real", "演练不能与真实灾害合并 · a drill and a real incident are never one", field="survivor")
    require(actor, "incident.merge", [*await incidents.counties(tx, list(found)), *await incidents.guarded(tx, duplicates)])
    if found[survivor].status == "closed":
        raise _elsewhere(found[survivor])
    if await incidents.close(tx, duplicates, said, now, survivor) != len(set(duplicates)):
        raise Conflict("incident_closed", "要合并的灾害事件已结束 · an incident to be merged is closed already")
    await incidents.follow(tx, duplicates, survivor)
    due = add_working_days(beijing_day(now), CASE_WORKING_DAYS)
    done = await recoveries.rekey(tx, duplicates, survivor, actor.person, now, due)
    detail = {"survivor": str(survivor), "guards": done.guards, "cases": done.cases}
    await audits.add(tx, audits.SHARED, actor, "incident.merge", "incident", duplicates, now, detail)
    return Merged(survivor=survivor, merged=list(duplicates), guards=done.guards, cases=done.cases)


async def close_cases(tx: Tx, actor: Actor, county: str, cases: Sequence[UUID], answer: str, now: datetime, release: bool = False) -> None:
    """Answer recovery cases of a county. `release`: the claim was right after all, its award may be paid; else the hold stays for ever."""
    require(actor, "recovery.release" if release else "recovery.close", county)
    said = check_reason(answer)
    if await recoveries.close(tx, county, cases, actor.person, now, said) != len(set(cases)):
        raise Conflict("case_closed", "有案件不存在或已办结 · a case does not exist or is closed already")
    lifted = await recoveries.lift(tx, county, cases, now) if release else 0
    await audits.add(tx, county, actor, "recovery.close", "recovery", cases, now, {"released": lifted})


def _all_there(ids: Sequence[UUID], found: Sequence[Incident]) -> None:
    if {i.id for i in found} != set(ids):
        raise Invalid("incident_unknown", "没有该灾害事件 · there is no such incident")


def _elsewhere(found: Incident) -> Conflict:
    return Conflict(
        "incident_moved",
        f"灾害事件现为“{found.status}”，不能如此变更 · the incident is {found.status}; it cannot go there",
        status=found.status,
    )
