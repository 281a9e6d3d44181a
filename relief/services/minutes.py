"""一事一议 (mode C): a meeting adopts an amount for one household, beyond what the other aids give; recorded by one person, adopted by a higher one.

What is adopted is paid exactly: an amount the rule would cut is refused when it is recorded, so that minutes and money never differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

import msgspec
import numpy as np

from relief.domain import playbook as playbooks_
from relief.domain.days import beijing_day
from relief.domain.entitlement import decide as entitle
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.facts import FAMILY_CODES
from relief.domain.money import display
from relief.domain.playbook import Aid, Playbook
from relief.domain.policy import Actor, require
from relief.domain.rules import Word
from relief.domain.sealing import Keys
from relief.services import decide
from relief.services.decide import Decided
from relief.store import activations, assessments, audits, facts, minutes, playbooks
from relief.store.activations import Activation
from relief.store.db import Tx

#: More than any cap: what is left of it is the cap.
_WITHOUT_END: Final = 10**13
Votes = Annotated[int, msgspec.Meta(ge=0, le=50)]


class NewMinutes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the minutes say. `participants` with name and office; `attachment` is the SHA-256 of the signed paper, in hex; the amount is in fen."""

    household: UUID
    activation: UUID
    aid: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2,12}$")]
    amount_fen: Annotated[int, msgspec.Meta(gt=0, le=10**12)]
    held_on: date
    participants: Annotated[list[Annotated[str, msgspec.Meta(min_length=2, max_length=60)]], msgspec.Meta(min_length=1, max_length=50)]
    votes_for: Votes
    votes_against: Votes
    votes_abstained: Votes
    reason: Annotated[str, msgspec.Meta(min_length=4, max_length=2000)]
    legal_basis: Word
    attachment: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Said(msgspec.Struct, frozen=True):
    """The sealed part."""

    participants: list[str]
    reason: str


async def record(tx: Tx, actor: Actor, county: str, new: NewMinutes, now: datetime, keys: Keys) -> UUID:
    """Keep the minutes; nothing is paid by them before a higher person adopts them.

    Invalid where the playbook's demands are not met: too few people, no majority, a vote that does not add up, a day to come, a household
    the clause does not cover, an amount above the cap (with the most it may be, in fen).
    """
    places = await assessments.places(tx, county, [new.household])
    if not places:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "minutes.record", places[0].village)
    act, aid, book = await _aid(tx, county, new, places[0].incident)
    _complete(new, aid, now)
    most = await _most(tx, county, act, book, aid, new.household, now)
    if new.amount_fen > most:
        raise Invalid(
            "above_cap",
            f"超过该项封顶 {display(most)} 元 · above the cap of this aid, {display(most)} yuan",
            field="amount_fen",
            most_fen=most,
        )
    made = uuid4()
    sealed = keys.seal("minutes", made, "sealed", msgspec.json.encode(Said(new.participants, new.reason)))
    row = minutes.New(
        id=made, household=new.household, incident=act.incident, activation=act.id, aid=aid.code, amount_fen=new.amount_fen, held_on=new.held_on,
        participants=len(new.participants), votes_for=new.votes_for, votes_against=new.votes_against, votes_abstained=new.votes_abstained,
        legal_basis=new.legal_basis, attachment=bytes.fromhex(new.attachment), sealed=sealed,
    )  # fmt: skip
    await minutes.insert(tx, county, row, actor.person, now)
    await audits.add(tx, county, actor, "minutes.record", "minutes", [made], now, {"amount_fen": new.amount_fen, "aid": aid.code})
    return made


async def _aid(tx: Tx, county: str, new: NewMinutes, incident: UUID) -> tuple[Activation, Aid, Playbook]:
    part = await activations.lock_part_of(tx, county, new.activation)
    if part is None or part.status != "active":
        raise Conflict("not_active", "本县尚未启动 · this county has not activated", county=county)
    act = await activations.get_steady(tx, new.activation)
    if act.incident != incident:
        raise Invalid("another_incident", "该启动不属于此户的灾害事件 · this activation is of another incident", field="activation")
    book = playbooks_.read((await playbooks.get(tx, act.playbook)).body)
    aid = next((a for a in book.aids if a.code == new.aid), None)
    if aid is None or aid.mode != "C" or aid.minutes is None:
        raise Invalid("not_by_meeting", "该项不由会议议定 · this aid is not decided by a meeting", field="aid")
    return act, aid, book


def _complete(new: NewMinutes, aid: Aid, now: datetime) -> None:
    """What the playbook's `minutes` demands, and that the vote carries."""
    least = aid.minutes.participants if aid.minutes else 3
    if len(set(new.participants)) < least:
        raise Invalid(
            "too_few", f"参会人员不足 {least} 人（不重复） · fewer than {least} different participants", field="participants", least=least
        )
    if new.votes_for + new.votes_against + new.votes_abstained != len(new.participants):
        raise Invalid("votes", "票数与参会人数不符 · the votes do not add up to the participants", field="votes_for")
    if new.votes_for * 2 <= len(new.participants):
        raise Invalid("no_majority", "未过半数，不能采纳 · no majority, nothing was adopted", field="votes_for")
    if new.held_on > beijing_day(now):
        raise Invalid("held_on", "会议日期在今天之后 · the meeting lies in the future", field="held_on")


async def _most(tx: Tx, county: str, act: Activation, book: Playbook, aid: Aid, household: UUID, now: datetime) -> int:
    """The most a meeting may adopt for this household by the rule (fen); Invalid with the reasons where the clause does not cover it."""
    columns = await facts.read(tx, [county], act.incident, act.zone, FAMILY_CODES, [household])
    known = decide.facts_of(columns, await activations.bands(tx, act.zone), {})
    known = msgspec.structs.replace(known, adopted={aid.code: np.full(known.rows, _WITHOUT_END, np.int64)})
    figures = await decide.figures_of(tx, county, book, now)
    verdict = entitle(book, figures.amounts, known)[aid.code]
    if known.rows != 1 or not verdict.granted[0]:
        why = list(verdict.why(0)) if known.rows else []
        raise Invalid("not_covered", "此户不符合该项条款 · the clause does not cover this household", field="household", reasons=why)
    return int(verdict.amount_fen[0])


async def adopt(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> dict[str, Decided]:
    """A higher person adopts the minutes, and the households are decided at once; by activation.

    Refused to whoever recorded them and to whoever registered or assessed the household.
    """
    found = await minutes.lock(tx, county, sorted(set(ids)), actor.person)
    if not found or len(found) != len(set(ids)):
        raise Conflict("moved_on", "部分纪要已被处理，请刷新 · some minutes were dealt with meanwhile, refresh")
    require(actor, "minutes.adopt", {m.village for m in found})
    if own := sum(m.own for m in found):
        raise Refused("own_registration", f"其中 {own} 户由您本人登记 · you registered {own} of them yourself", count=own)
    if any(m.recorded_by == actor.person for m in found):
        raise Refused("same_person", "纪要须由记录人以外的人采纳 · somebody other than the recorder must adopt")
    chosen = [m.id for m in found]
    if await minutes.adopt(tx, county, chosen, actor.person, now) != len(chosen):
        raise Conflict("moved_on", "部分纪要已被处理，请刷新 · some minutes were dealt with meanwhile, refresh")
    detail = {"amount_fen": sum(m.amount_fen for m in found)}
    await audits.add(tx, county, actor, "minutes.adopt", "minutes", chosen, now, detail)
    acts = sorted({m.activation for m in found})
    return {str(a): await decide.run(tx, actor, county, a, now, [m.household for m in found if m.activation == a]) for a in acts}


async def withdraw(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> None:
    """Whoever recorded minutes takes them back before they are adopted."""
    require(actor, "minutes.record", county)
    if await minutes.withdraw(tx, county, sorted(set(ids)), actor.person) != len(set(ids)):
        raise Conflict("moved_on", "部分纪要已被处理，或由他人记录 · some minutes were dealt with, or recorded by somebody else")
    await audits.add(tx, county, actor, "minutes.withdraw", "minutes", ids, now)
