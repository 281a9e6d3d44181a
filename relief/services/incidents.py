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
from relief.store import alerts, audits, claims, incidents, matters, recoveries
from relief.store.db import Tx
from relief.store.incidents import Incident, Status
from relief.store.matters import Matter
from relief.store.recoveries import Foreseen

#: Working days in which a case of aid held twice must be answered.
CASE_WORKING_DAYS: Final = 10
#: What keeps an incident from being closed: kind → how it is said.
BARS: Final = {
    "response": ("响应未终止", "responses in force"),
    "final": ("县级核报未报", "counties owing the final report"),
    "payment": ("在途支付", "payments under way"),
}


class Merged(msgspec.Struct, frozen=True):
    """What a merge did: how many guards now stand under the survivor, how many claims were there twice."""

    survivor: UUID
    merged: list[UUID]
    guards: int
    cases: int


class Foresight(msgspec.Struct, frozen=True):
    """What a merge would do: how many guards would move, and which claims would become recovery cases (the first 200)."""

    guards: int
    cases: list[Foreseen]

    @property
    def total(self) -> int:
        """How many cases there would be."""
        return self.cases[0].total if self.cases else 0


async def move(tx: Tx, actor: Actor, incident: UUID, target: Status, now: datetime) -> None:
    """reported → active → recovery (once it is stable); Conflict where the incident is elsewhere. To close it, say why: `close`."""
    found = await incidents.lock(tx, incident)
    require(actor, "incident.move", found.county)
    if target == "closed":
        raise Invalid("reason", "结束须写明理由 · closing needs a reason", field="reason")
    if target == "recovery" and found.stable_at is None:
        raise Conflict("not_stable", "须先宣布灾情稳定，再转入恢复期 · declare it stable first; recovery follows")
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
    """End these incidents with one reason; all or none. Awards and later instalments stay and go on.

    Refused unless the actor answers for every county concerned. Conflict `still_open` while a response is in force, a county that
    reported owes its final report, or money is under way: `open` says which and how many.
    """
    said = check_reason(reason)
    found = await incidents.lock_all(tx, ids)
    _all_there(ids, found)
    require(actor, "incident.move", [*(i.county for i in found), *await incidents.counties(tx, ids)])
    if kept := [m for m in await matters.open_matters(tx, ids) if m.kind in BARS]:
        raise Conflict("still_open", _still_open(kept), open={m.kind: m.items for m in kept})
    if await incidents.close(tx, ids, said, now) != len(found):
        raise Conflict("incident_closed", "灾害事件已结束 · an incident is closed already")
    await audits.add(tx, audits.SHARED, actor, "incident.close", "incident", ids, now, {"from": sorted({i.status for i in found})})


def _still_open(kept: Sequence[Matter]) -> str:
    zh = "、".join(f"{BARS[m.kind][0]}{m.items}项" for m in kept)
    en = ", ".join(f"{m.items} {BARS[m.kind][1]}" for m in kept)
    return f"尚有{zh}，不能结束 · still open: {en}"


async def foresee(tx: Tx, actor: Actor, duplicates: Sequence[UUID], survivor: UUID) -> Foresight:
    """What `merge` would do, refused for the same reasons; nothing is done."""
    await _mergeable(tx, actor, duplicates, survivor, await incidents.find_all(tx, [*duplicates, survivor]))
    sides = await matters.sides(tx, duplicates)
    return Foresight(sum(s.guards for s in sides.values()), await recoveries.foresee(tx, duplicates, survivor))


async def merge(tx: Tx, actor: Actor, duplicates: Sequence[UUID], survivor: UUID, reason: str, now: datetime) -> Merged:
    """Close duplicates into the incident they are; whoever is entitled under one is from now on entitled under the survivor.

    Registrations, awards and payments stay where they are; alerts become news of the survivor. A person who has the same aid in two
    households keeps the survivor's; the other claim becomes a recovery case and its award is held. Refused unless the actor answers for
    every county concerned: cases are opened there. Conflict where a response is in force on a duplicate: it would be in force for ever.
    """
    said = check_reason(reason)
    await _mergeable(tx, actor, duplicates, survivor, await incidents.lock_all(tx, [*duplicates, survivor]))
    if await incidents.close(tx, duplicates, said, now, survivor) != len(set(duplicates)):
        raise Conflict("incident_closed", "要合并的灾害事件已结束 · an incident to be merged is closed already")
    await incidents.follow(tx, duplicates, survivor)
    await alerts.follow(tx, duplicates, survivor)
    due = add_working_days(beijing_day(now), CASE_WORKING_DAYS)
    done = await recoveries.rekey(tx, duplicates, survivor, actor.person, now, due)
    detail = {"survivor": str(survivor), "guards": done.guards, "cases": done.cases}
    await audits.add(tx, audits.SHARED, actor, "incident.merge", "incident", duplicates, now, detail)
    return Merged(survivor=survivor, merged=list(duplicates), guards=done.guards, cases=done.cases)


async def _mergeable(tx: Tx, actor: Actor, duplicates: Sequence[UUID], survivor: UUID, both: Sequence[Incident]) -> None:
    if survivor in duplicates or not duplicates:
        raise Invalid("same_incident", "不能并入自身 · an incident cannot be merged into itself", field="survivor")
    _all_there([*duplicates, survivor], both)
    if len({i.drill for i in both}) != 1:
        raise Invalid("drill_and_real", "演练不能与真实灾害合并 · a drill and a real incident are never one", field="survivor")
    require(actor, "incident.merge", [*await incidents.counties(tx, [i.id for i in both]), *await incidents.guarded(tx, duplicates)])
    by_id = {i.id: i for i in both}
    if by_id[survivor].status == "closed":
        raise _elsewhere(by_id[survivor])
    if any(by_id[d].status == "closed" for d in duplicates):
        raise Conflict("incident_closed", "要合并的灾害事件已结束 · an incident to be merged is closed already")
    if any(m.kind == "response" for m in await matters.open_matters(tx, duplicates)):
        raise Conflict(
            "response_in_force",
            "被合并的事件上仍有响应，请先终止，或改为保留该事件 · a response is in force on the duplicate: end it, or keep that incident",
        )


async def close_cases(tx: Tx, actor: Actor, county: str, cases: Sequence[UUID], answer: str, now: datetime, release: bool = False) -> None:
    """Answer recovery cases of a county. `release`: the claim was right after all, its award may be paid; else the hold stays for ever."""
    require(actor, "recovery.release" if release else "recovery.close", county)
    said = check_reason(answer)
    if await claims.outstanding(tx, county, cases):
        raise Conflict(
            "still_owed", "案件尚有未追回的金额，请先收回、抵扣或核销 · something is still owed: book it, set it off or write it off first"
        )
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
