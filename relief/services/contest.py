"""异议: anybody may object to one line of a posted list, or say who was left out. The line's award is held, the village goes on."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec

from relief.domain.complaint import STRANGERS, STRANGERS_WITHIN
from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.review import ANSWER_WORKING_DAYS, Way, over, reference_of, said
from relief.domain.sealing import Keys
from relief.store import audits, holds, objections, residents, staff
from relief.store.db import Tx
from relief.store.objections import About, New, Told


class Objection(msgspec.Struct, frozen=True):
    """What is objected to: a line of a list, by its number on the paper; without one, that somebody is missing from it."""

    county: str
    notice: UUID
    words: str
    line: int | None = None


class Receipt(msgspec.Struct, frozen=True):
    """The reference opens the answer; `due_on` is its last day."""

    county: str
    reference: str
    due_on: date


class Answered(msgspec.Struct, frozen=True):
    """An objection as whoever made it sees it."""

    status: str
    due_on: date
    opened_at: datetime
    closed_at: datetime | None
    answer: str | None


async def take(tx: Tx, actor: Actor, given: Objection, way: Way, now: datetime, keys: Keys) -> Receipt:
    """Take one down that is told at the desk, on the hotline, or to the reporter in the village."""
    about = await objections.about(tx, given.county, given.notice, given.line)
    require(actor, "objection.take", about.village)
    return await _open(tx, actor, about, given, way, now, keys)


async def from_stranger(tx: Tx, address: str, given: Objection, now: datetime, keys: Keys) -> Receipt:
    """Take one without a login; so many an hour from one address, then Refused `throttled`. Only a keyed hash of the address is kept."""
    subject = "objection:" + keys.index("complaint address", address).hex()[:32]
    await residents.lock(tx, subject)
    if await staff.failures(tx, subject, now - STRANGERS_WITHIN) >= STRANGERS:
        raise Refused("throttled", "提交过于频繁，请一小时后再试，或拨打12349 · too many at once, try again in an hour or call 12349")
    await staff.attempted(tx, subject, now, False)
    return await _open(tx, SYSTEM, await objections.about(tx, given.county, given.notice, given.line), given, "page", now, keys)


async def _open(tx: Tx, actor: Actor, about: About, given: Objection, way: Way, now: datetime, keys: Keys) -> Receipt:
    words, today, id_ = said(given.words, "words"), beijing_day(now), uuid4()
    if about.status not in ("posted", "reported") or about.ends_on is None or over(about.ends_on, today):
        raise Conflict("notice_over", "不在公示期内；可另行投诉举报 · the notice is not running; a complaint is still possible")
    if given.line is not None and about.award is None:
        raise Invalid("line", "名单上没有这一行 · the list has no such line", field="line")
    due_on = add_working_days(today, ANSWER_WORKING_DAYS)
    reference = reference_of(id_, keys)
    sealed = keys.seal("objection", id_, "sealed", words.encode())
    await objections.open_(
        tx, about.county, New(id_, about.notice, about.award, about.village, way, reference, due_on, sealed), actor.id, now
    )
    if about.award is not None:
        await holds.place(tx, "award", [(about.county, str(about.award), reason_of(id_))], actor.id, now)
    await audits.add(tx, about.county, actor, "objection.open", "objection", [id_], now, {"way": way, "line": given.line is not None})
    return Receipt(about.county, reference, due_on)


async def answer(tx: Tx, actor: Actor, county: str, id_: UUID, outcome: str, words: str, now: datetime, keys: Keys) -> None:
    """Answer in writing. 'rejected': the award goes on. 'upheld': it stays held until the household was looked at again, or is withdrawn.

    Refused `own_case` for whoever registered the household; Conflict `moved_on` where it was answered.
    """
    found = await objections.lock(tx, county, [id_], actor.person)
    if not found:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "objection.answer", found[0].village)
    if outcome not in ("rejected", "upheld"):
        raise Invalid("outcome", "请选择异议是否成立 · say whether the objection holds", field="outcome")
    if found[0].own:
        raise Refused("own_case", "该户由您本人登记，须由他人核实答复 · you registered this household; somebody else answers")
    if outcome == "rejected" and found[0].unreviewed:
        raise Refused(
            "review_due", "有异议的须先经村民评议再答复 · it is disputed now: the villagers review it before the objection is rejected"
        )
    sealed = keys.seal("objection", id_, "sealed_answer", said(words, "answer").encode())
    if not await objections.close(tx, county, id_, outcome, actor.person, now, sealed):
        raise Conflict("moved_on", "该异议已答复 · it has been answered")
    if outcome == "rejected":
        await holds.lift(tx, county, [reason_of(id_)], now)
    await audits.add(tx, county, actor, "objection.answer", "objection", [id_], now, {"outcome": outcome})


async def look(tx: Tx, county: str, reference: str) -> Told:
    """The objection of a reference; NotFound where there is none."""
    found = await objections.by_reference(tx, county, reference)
    if found is None:
        raise NotFound("not_found", "没有这个受理编号 · there is no objection of that number")
    return found


def shown(told: Told, keys: Keys) -> Answered:
    """The answer opened."""
    words = keys.open("objection", told.id, "sealed_answer", told.sealed_answer).decode() if told.sealed_answer else None
    return Answered(told.status, told.due_on, told.opened_at, told.closed_at, words)


def reason_of(objection: UUID) -> str:
    """Why an award is held while it is objected to."""
    return f"公示异议 · objection {objection}"
