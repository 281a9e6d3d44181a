"""Residents say whether the money arrived, once, whichever way: by message, on the page with their slip, or through the reporter."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import identity, policy
from relief.domain import slip as slips
from relief.domain.complaint import Complaint, kind_of
from relief.domain.confirmation import WRONG_CODES, WRONG_CODES_WITHIN, Answer, Given, Way, answered, plausible
from relief.domain.errors import NotFound
from relief.domain.message import read_reply
from relief.domain.policy import SYSTEM, Actor
from relief.domain.sealing import Keys
from relief.services import complain
from relief.services.complain import Progress
from relief.store import audits, complaints, confirmations, db, messages, residents, staff
from relief.store.confirmations import Answered, OfNumber, Standing
from relief.store.db import Tx
from relief.store.residents import Household, Line

_OPEN: Final = frozenset({"awaited", "silent"})


class Said(msgspec.Struct, frozen=True):
    """How we answer a resident's message: a stable code, and the text (None: nothing is sent)."""

    code: str
    text: str | None


class Instalment(msgspec.Struct, frozen=True):
    """One instalment as its household sees it. `tail`: last four digits of the account; amounts in whole fen."""

    seq: int
    amount_fen: int
    status: str
    condition: str
    payment: UUID | None
    payment_status: str | None
    settled_at: datetime | None
    tail: str | None
    confirmation: str | None
    given_at: datetime | None


class Award(msgspec.Struct, frozen=True):
    """One award as its household sees it."""

    aid: str
    mode: str
    amount_fen: int
    instalments: list[Instalment]


class Page(msgspec.Struct, frozen=True):
    """What a household sees: no name, no number beyond the account's tail."""

    slip: str
    incident: str
    drill: bool
    place: str
    status: str
    awards: list[Award]
    complaints: list[Progress]


class Turned(msgspec.Struct, frozen=True):
    """Not let in: 'wrong_code' or 'throttled'. A value, not an error: the count of wrong codes must be kept, not rolled back."""

    code: str
    message: str


_WRONG = Turned("wrong_code", "回执编号或六位码不对 · the slip number or its code is wrong")
_THROTTLED = Turned("throttled", "输错次数过多，请一小时后再试，或联系村灾害信息员 · too many wrong codes, try again in an hour")

_SAYINGS: Final = {
    "confirmed": Said("confirmed", "已登记：您已收到救灾资金。谢谢！"),
    "disputed": Said("disputed", "已登记：您没有收到救灾资金，乡镇将在一天内联系您。"),
    "answered": Said("answered", "此前已有不同答复，如有错误请联系乡镇或拨打12349。"),
    "ask_code": Said("ask_code", "您有多笔款项待确认，请回复：1或2，加短信中的四位编号，例如 1 K7P2"),
    "nothing_open": Said("nothing_open", "没有待您确认的款项。如有疑问请拨打12349。"),
    "unclear": Said("unclear", "没有看懂。收到请回1，未收到请回2。"),
    "stop": Said("stop", None),
    "start": Said("start", "已恢复短信通知。"),
}


async def by_sms(tx: Tx, from_number: str, body: str, now: datetime, keys: Keys) -> Said:
    """A resident's message: bind it to the only open payment of that number, or ask for the short code. Never raises for its content."""
    to_hash, reply = keys.index("phone", from_number), read_reply(body)
    if reply.meaning == "stop":
        await _audit(tx, "message.stop", "person", [(k.county, k.id) for k in await messages.stop(tx, to_hash, now)], now)
        return _SAYINGS["stop"]
    if reply.meaning == "start":
        opened = await messages.start(tx, to_hash, identity.phone_route(from_number))
        await _audit(tx, "message.start", "person", [(k.county, k.id) for k in opened], now)
        return _SAYINGS["start"]
    told = await confirmations.of_number(tx, to_hash)
    if reply.meaning == "unclear":
        return _SAYINGS["unclear"] if told else _SAYINGS["nothing_open"]
    answer: Answer = "confirmed" if reply.meaning == "received" else "disputed"
    bound = _bind([t for t in told if t.status != "void"], reply.short_code)
    if isinstance(bound, Said):
        return bound
    if bound.status in _OPEN and await _give(tx, bound.county, [bound.payment], answer, "sms", SYSTEM, now):
        return _SAYINGS[answer]
    standing = await confirmations.of_payments(tx, bound.county, [bound.payment])
    return _SAYINGS[answer if all(s.status == answer for s in standing) else "answered"]


def _bind(told: Sequence[OfNumber], short_code: str | None) -> OfNumber | Said:
    """The one payment an answer is about: by its code, else the only open one, else the only one there ever was."""
    if short_code is not None:
        told = [t for t in told if t.short_code == short_code]
    open_ = [t for t in told if t.status in _OPEN]
    if len(open_) == 1 or len(told) == 1:
        return (open_ or list(told))[0]
    if open_ and short_code is None:
        return _SAYINGS["ask_code"]
    return _SAYINGS["nothing_open"]


async def page(tx: Tx, slip: str, code: str, now: datetime, keys: Keys) -> Page | Turned:
    """What the household of this slip sees."""
    found = await _enter(tx, slip, code, now, keys)
    if isinstance(found, Turned):
        return found
    return await _page(tx, slip, found, now, keys)


class OnPage(msgspec.Struct, frozen=True):
    """What was pressed on the page: 'confirmed' or 'disputed' a payment, 'complaint' of a kind, 'reopen' a closed complaint."""

    answer: str
    payment: UUID | None = None
    kind: str = "other"
    words: str = ""
    complaint: UUID | None = None


async def by_page(tx: Tx, slip: str, code: str, said: OnPage, now: datetime, keys: Keys) -> Page | Turned:
    """An answer on the page; a complaint is about a payment, or about the household as a whole."""
    found = await _enter(tx, slip, code, now, keys)
    if isinstance(found, Turned):
        return found
    lines = await residents.lines(tx, found.county, found.id)
    if said.payment is not None and said.payment not in {line.payment for line in lines}:
        raise _not_found()
    if said.answer == "complaint":
        wrong = Complaint(found.county, kind_of(said.kind), "page", household=found.id, payment=said.payment, words=said.words)
        await complain.open_(tx, SYSTEM, [wrong], now, keys)
    elif said.answer == "reopen":
        told = {t.id: t for t in await complaints.of_household(tx, found.county, found.id)}
        if said.complaint not in told:
            raise _not_found()
        await complain.reopen(tx, told[said.complaint], said.words, now, keys)
    elif said.answer in ("confirmed", "disputed") and said.payment is not None:
        await _answer(tx, found.county, [said.payment], "confirmed" if said.answer == "confirmed" else "disputed", "page", SYSTEM, now)
    else:
        raise _not_found()
    return await _page(tx, slip, found, now, keys)


async def by_reporter(tx: Tx, actor: Actor, county: str, payments: Sequence[UUID], answer: Answer, now: datetime) -> Given:
    """A reporter or township says what the households said. All of the list, or nothing: Conflict `answered` where one was answered otherwise."""
    await db.plan_for(tx, len(payments))
    standing = await confirmations.of_payments(tx, county, payments)
    if {s.payment for s in standing} != set(payments):
        raise _not_found()
    policy.require(actor, "confirm.report", {s.village for s in standing})
    return await _answer(tx, county, payments, answer, "reporter", actor, now)


async def _answer(tx: Tx, county: str, payments: Sequence[UUID], answer: Answer, way: Way, actor: Actor, now: datetime) -> Given:
    given = await _give(tx, county, payments, answer, way, actor, now)
    new = {g.payment for g in given}
    rest: list[Standing] = [s for s in await confirmations.of_payments(tx, county, payments) if s.payment not in new]
    if any(s.status != answer for s in rest):
        raise answered()
    if len(new) + len(rest) != len(set(payments)):
        raise _not_found()
    return Given(new=len(new), repeated=len(rest))


async def _give(tx: Tx, county: str, payments: Sequence[UUID], answer: Answer, way: Way, actor: Actor, now: datetime) -> list[Answered]:
    given = await confirmations.give(tx, county, payments, answer, way, actor.id, now)
    if given:
        await audits.add(tx, county, actor, f"confirm.{answer}", "payment", [g.payment for g in given], now, {"way": way})
        if answer == "disputed":
            await complain.open_(tx, actor, [Complaint(g.county, "not_received", way, g.household, g.payment) for g in given], now)
    return given


async def _audit(tx: Tx, act: str, subject: str, done: Sequence[tuple[str, UUID]], now: datetime) -> None:
    sets: dict[str, list[UUID]] = {}
    for county, row in done:
        sets.setdefault(county, []).append(row)
    if sets:
        await audits.add_each(tx, sets, SYSTEM, act, subject, now)


async def _enter(tx: Tx, slip: str, code: str, now: datetime, keys: Keys) -> Household | Turned:
    """The household, if slip and code belong together. A slip that does not exist is answered and counted like a wrong code."""
    if not plausible(slip, code):
        return _WRONG
    subject = "slip:" + slip
    await residents.lock(tx, subject)
    if await staff.failures(tx, subject, now - WRONG_CODES_WITHIN) >= WRONG_CODES:
        return _THROTTLED
    found = await residents.by_slip(tx, slip.partition("-")[0], slip)
    given = slips.code_hash(slip, code, keys)
    right = hmac.compare_digest(given, found.slip_code_hash if found else bytes(len(given))) and found is not None
    await staff.attempted(tx, subject, now, right)
    return found if right and found is not None else _WRONG


async def _page(tx: Tx, slip: str, found: Household, now: datetime, keys: Keys) -> Page:
    lines = await residents.lines(tx, found.county, found.id)
    told = [complain.shown(c, now, keys) for c in await complaints.of_household(tx, found.county, found.id)]
    awards = [
        Award(rows[0].aid, rows[0].mode, rows[0].award_fen, [_instalment(r, keys) for r in rows])
        for rows in (list(group) for _, group in groupby(lines, key=lambda line: line.award))
    ]
    return Page(slip, found.incident, found.drill, found.place, found.status, awards, told)


def _instalment(line: Line, keys: Keys) -> Instalment:
    tail = None
    if line.account is not None and line.account_sealed is not None:
        account = msgspec.json.decode(keys.open("account", line.account, "sealed", line.account_sealed))
        tail = identity.mask_account(account["number"])
    return Instalment(
        line.seq, line.amount_fen, line.status, line.condition, line.payment, line.payment_status, line.settled_at, tail,
        line.confirmation, line.given_at,
    )  # fmt: skip


def _not_found() -> NotFound:
    return NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
