"""情况变更: somebody moved, died, was found, built elsewhere. What could go to the wrong person waits until it was looked into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.domain.review import said
from relief.domain.rules import Text
from relief.domain.sealing import Keys
from relief.store import audits, changes, holds
from relief.store.db import Tx

#: What may have changed, and whether the household's money waits meanwhile. 'unchanged' is a recheck: nothing waits, nothing is asked.
KINDS: Final[Mapping[str, tuple[Text, bool]]] = {
    "moved_out": (Text("迁出或另行安置", "moved away, housed elsewhere"), True),
    "payee_died": (Text("领款人死亡", "the payee died"), True),
    "found": (Text("失踪人员找到", "a missing person was found"), True),
    "rebuilt_elsewhere": (Text("异地重建或购房", "built or bought elsewhere"), True),
    "unchanged": (Text("复查无变化", "looked at again, unchanged"), False),
}
ANSWER_WORKING_DAYS: Final = 3
#: A household whose aid goes on is looked at again after so long.
RECHECK_AFTER: Final = timedelta(days=90)


async def tell(tx: Tx, actor: Actor, county: str, household: UUID, kind: str, words: str, now: datetime, keys: Keys) -> UUID:
    """Write a change down. Its household's approvals and payments wait until it is answered, where the kind says so."""
    if kind not in KINDS:
        raise Invalid("change_kind", "请选择变更情况 · choose what has changed", field="kind")
    place = await changes.place(tx, county, household)
    require(actor, "change.report", place.village)
    id_, waits = uuid4(), KINDS[kind][1]
    sealed = keys.seal("change_report", id_, "sealed", said(words, "words").encode())
    due_on = add_working_days(beijing_day(now), ANSWER_WORKING_DAYS)
    status = "open" if waits else "closed"
    await changes.add(tx, county, id_, household, place.village, kind, status, due_on, sealed, actor.person, now)
    if waits:
        await holds.place(tx, "household", [(county, str(household), reason_of(id_))], actor.id, now)
    await audits.add(tx, county, actor, "change.report", "household", [household], now, {"kind": kind})
    return id_


async def answer(tx: Tx, actor: Actor, county: str, id_: UUID, words: str, now: datetime, keys: Keys) -> None:
    """It was looked into, by another person than told it; the household goes on. New facts are a reassessment of their own.

    Refused `own_report`; Conflict where it was answered.
    """
    found = await changes.lock(tx, county, id_)
    require(actor, "change.answer", found.village)
    if found.opened_by == actor.id:
        raise Refused("own_report", "变更由您本人报告，须由他人核实 · you reported it; somebody else looks into it")
    sealed = keys.seal("change_report", id_, "sealed_answer", said(words, "answer").encode())
    if not await changes.close(tx, county, id_, actor.person, now, sealed):
        raise Conflict("moved_on", "该变更已核实 · it was answered already")
    await holds.lift(tx, county, [reason_of(id_)], now)
    await audits.add(tx, county, actor, "change.answer", "household", [found.household], now, {"kind": found.kind})


def reason_of(change: UUID) -> str:
    """Why a household waits while a change is looked into."""
    return f"情况变更待核实 · change {change}"
