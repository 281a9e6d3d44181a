"""Complaints: taken with a receipt, given to a department, passed on, answered in writing, opened again. They move no money; they may hold it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import playbook
from relief.domain.complaint import (
    KINDS,
    MOST_REOPENED,
    REOPEN_WITHIN,
    STRANGERS,
    STRANGERS_WITHIN,
    Complaint,
    answer_of,
    department_of,
    kind_of,
    may_reopen,
    reference_of,
    words_of,
)
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.sealing import Keys
from relief.store import audits, complaints, db, holds, playbooks, regions, residents, staff
from relief.store.complaints import New, Opened, Standing, Told
from relief.store.db import Tx

_SYSTEM_ACT: Final = "complaint.open"


class Receipt(msgspec.Struct, frozen=True):
    """受理回执: the reference opens the complaint's own page; `due_at` is when it is answered at the latest."""

    county: str
    reference: str
    due_at: datetime


class Progress(msgspec.Struct, frozen=True):
    """A complaint as whoever made it sees it."""

    id: UUID
    kind: str
    status: str
    department: str
    due_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None
    answer: str | None
    may_reopen: bool


async def open_(tx: Tx, actor: Actor, items: Sequence[Complaint], now: datetime, keys: Keys | None = None) -> list[Opened]:
    """Open complaints that are not open yet, each with its department and deadline; returns the new ones.

    One about the money of a staged award holds its later stages where the playbook says so (`stops`: earlier_stage_disputed).
    """
    opened = await complaints.open_(tx, [_new(item, now, keys) for item in items], actor.id, now)
    sets: dict[str, list[UUID]] = {}
    for one in opened:
        sets.setdefault(one.county, []).append(one.id)
    if sets:
        await audits.add_each(tx, sets, actor, _SYSTEM_ACT, "complaint", now)
    await _hold_stages(tx, opened, actor, now)
    return opened


async def receive(tx: Tx, actor: Actor, item: Complaint, now: datetime, keys: Keys) -> Receipt:
    """Take one complaint that is told to a member of staff, at the desk or on the hotline."""
    require(actor, "complaint.take", item.village or item.county)
    return await _receive(tx, actor, item, now, keys)


async def from_stranger(tx: Tx, address: str, village: str, kind: str, words: str, now: datetime, keys: Keys) -> Receipt:
    """Take one complaint without a name. `address` is where it comes from: so many an hour, then Refused `throttled`; only its keyed hash is kept."""
    subject = "complaint:" + keys.index("complaint address", address).hex()[:32]
    await residents.lock(tx, subject)
    if await staff.failures(tx, subject, now - STRANGERS_WITHIN) >= STRANGERS:
        raise Refused("throttled", "提交过于频繁，请一小时后再试，或拨打12349 · too many at once, try again in an hour or call 12349")
    await staff.attempted(tx, subject, now, False)
    if not words_of(words):
        raise Invalid("complaint_words", "请写明要反映的情况 · please say what happened", field="words")
    return await _receive(tx, SYSTEM, Complaint(about_place(village), kind, "anonymous", village=village, words=words), now, keys)


async def _receive(tx: Tx, actor: Actor, item: Complaint, now: datetime, keys: Keys) -> Receipt:
    await regions.get(tx, item.village or item.county)
    new = _new(item, now, keys)
    opened = await complaints.open_(tx, [new], actor.id, now)
    await audits.add(tx, item.county, actor, _SYSTEM_ACT, "complaint", [o.id for o in opened], now, {"way": item.way})
    await _hold_stages(tx, opened, actor, now)
    return Receipt(item.county, new.reference or "", new.due_at)


def _new(item: Complaint, now: datetime, keys: Keys | None) -> New:
    kind, id_ = KINDS[kind_of(item.kind)], uuid4()
    words = words_of(item.words)
    if words and keys is None:
        raise TypeError("words are sealed: keys are needed")
    sealed = keys.seal("complaint", id_, "sealed", words.encode()) if words and keys else None
    # A township is only asked where the complaint names a place inside one.
    inside = item.household is not None or len(item.village or item.county) > 6
    department = kind.department if inside or kind.department != "township" else "county"
    reference = reference_of(id_, keys) if keys and item.household is None else None
    village = item.village or item.county
    return New(id_, item.county, item.payment, item.household, village, item.kind, department, now + kind.due, item.way, sealed, reference)


async def acknowledge(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> int:
    """受理: say that somebody has it in hand; returns how many are newly so."""
    await _mine(tx, actor, county, ids)
    taken = await complaints.acknowledge(tx, county, ids, actor.person, now)
    if taken:
        await audits.add(tx, county, actor, "complaint.acknowledge", "complaint", taken, now)
    return len(taken)


async def pass_on(
    tx: Tx, actor: Actor, county: str, id_: UUID, department: str, note: str, now: datetime, keys: Keys, about: UUID | None = None
) -> None:
    """转办 to another department with a note; its time begins anew. `about` names the member of staff it turned out to be about.

    Raises Conflict `moved_on` where it is closed or there already.
    """
    to, text = department_of(department), words_of(note)
    [found] = await _mine(tx, actor, county, [id_])
    sealed = keys.seal("complaint_event", id_, "sealed", text.encode()) if text else None
    if not await complaints.pass_on(tx, county, id_, to, now + KINDS[found.kind].due, about, actor.person, sealed, now):
        raise Conflict("moved_on", "该反映已办结或已在该部门 · it is closed, or with that department already")
    await audits.add(tx, county, actor, "complaint.pass_on", "complaint", [id_], now, {"from": found.owner, "to": to})


async def close(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], answer: str, now: datetime, keys: Keys) -> int:
    """Close open complaints with one answer in writing; returns how many. All of the list, or nothing.

    Raises NotFound outside the county, Refused `own_case` where it is about the actor, or about money or conduct in a case the actor
    registered or signed, Conflict `moved_on` where somebody closed one of them before.
    """
    text, wanted = answer_of(answer), sorted(set(ids))
    await db.plan_for(tx, len(wanted))
    await _mine(tx, actor, county, wanted)
    sealed = [(i, keys.seal("complaint", i, "sealed_answer", text.encode())) for i in wanted]
    closed = await complaints.close(tx, county, sealed, actor.person, now)
    if len(closed) != len(wanted):
        raise Conflict("moved_on", "部分反映已由他人办结，请刷新 · some complaints were closed meanwhile, refresh")
    await holds.lift(tx, county, [_reason(i) for i in wanted], now)
    await audits.add(tx, county, actor, "complaint.close", "complaint", wanted, now)
    return len(closed)


async def _mine(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID]) -> list[Standing]:
    """The complaints, where all are in the hands of a department the actor acts for and none touches the actor."""
    found = await complaints.of_ids(tx, county, sorted(set(ids)), actor.person)
    if not found or len(found) != len(set(ids)):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    for department in sorted({f.owner for f in found}):
        require(actor, f"complaint.answer.{department}", {f.village for f in found if f.owner == department})
    if own := sum(bool(f.about_me) or (f.own and hands_off(f.kind)) for f in found):
        raise Refused(
            "own_case",
            f"其中 {own} 件涉及您本人或由您本人登记、审批，须由他人办理 · {own} of them concern you or a case you handled",
            count=own,
        )
    return found


def hands_off(kind: str) -> bool:
    """True where whoever registered or approved the case may not answer: it is about its money or about how they behaved."""
    return KINDS[kind].money or KINDS[kind].conduct


async def reopen(tx: Tx, told: Told, words: str, now: datetime, keys: Keys) -> None:
    """Whoever complained is not satisfied. Conflict `not_again` where it is too late, or was opened again often enough."""
    if not may_reopen(told.status, told.closed_at, told.reopened, now):
        raise Conflict(
            "not_again",
            f"答复后{REOPEN_WITHIN.days}天内可以再次反映，最多{MOST_REOPENED}次 · it may be opened again within {REOPEN_WITHIN.days} days, {MOST_REOPENED} times",
        )
    text = words_of(words)
    sealed = keys.seal("complaint_event", told.id, "sealed", text.encode()) if text else None
    if not await complaints.reopen(tx, told.county, told.id, now + KINDS[told.kind].due, sealed, now):
        raise Conflict("moved_on", "该反映正在办理 · it is open already")
    await audits.add(tx, told.county, SYSTEM, "complaint.reopen", "complaint", [told.id], now)


async def look(tx: Tx, county: str, reference: str) -> Told:
    """The complaint of a reference; NotFound where there is none."""
    found = await complaints.by_reference(tx, county, reference)
    if found is None:
        raise NotFound("not_found", "没有这个受理编号 · there is no complaint of that number")
    return found


def shown(told: Told, now: datetime, keys: Keys) -> Progress:
    """As whoever complained sees it: the answer opened."""
    answer = told.answer
    if told.status == "closed" and told.sealed_answer is not None:
        answer = keys.open("complaint", told.id, "sealed_answer", told.sealed_answer).decode()
    again = may_reopen(told.status, told.closed_at, told.reopened, now)
    return Progress(
        told.id, told.kind, told.status, told.owner, told.due_at, told.opened_at, told.acknowledged_at, told.closed_at,
        answer if told.status == "closed" else None, again,
    )  # fmt: skip


async def _hold_stages(tx: Tx, opened: Sequence[Opened], actor: Actor, now: datetime) -> None:
    """An earlier stage is disputed: the award's later stages wait for the answer, where its playbook says so."""
    disputed = {(o.county, o.payment): o.id for o in opened if o.payment is not None and KINDS[o.kind].money}
    if not disputed:
        return
    found = await complaints.staged(tx, [(c, p) for c, p in disputed if p is not None])
    books = {i: playbook.read((await playbooks.get(tx, i)).body) for i in sorted({f.playbook for f in found})}
    held = [
        (f.county, str(f.award), _reason(disputed[f.county, f.payment]))
        for f in found
        if any(s.when == "earlier_stage_disputed" and s.does == "hold_stage" for s in books[f.playbook].aid(f.aid).stops)
    ]
    if held:
        await holds.place(tx, "award", held, actor.id, now)


def _reason(complaint: UUID) -> str:
    return f"投诉待办 · complaint {complaint}"


def about_place(village: str) -> str:
    """The county of a place named by a stranger; Invalid `place` where it is not one of 6 to 12 digits."""
    if not (village.isascii() and village.isdigit() and len(village) in (6, 9, 12)):
        raise Invalid("place", "请选择县（市、区）和乡镇 · choose the county and township", field="village")
    return village[:6]
