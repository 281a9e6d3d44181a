"""Complaints 投诉举报: what they are about, whose they are, by when they are answered, and who may never answer them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain import slip
from relief.domain.errors import Invalid
from relief.domain.rules import Text
from relief.domain.sealing import Keys

Way = Literal["page", "sms", "reporter", "desk", "hotline", "anonymous"]

#: Department → its name; who acts for it is in the policy table as `complaint.answer.<department>`.
DEPARTMENTS: Final[Mapping[str, Text]] = {
    "township": Text("乡镇", "township"),
    "county": Text("县应急管理局", "county emergency management"),
    "finance": Text("县财政局", "county finance"),
    "discipline": Text("纪检监察", "discipline inspection"),
}


class Kind(msgspec.Struct, frozen=True):
    """One kind: its name, who gets it first, by when it is answered; `money` holds the next stage, `conduct` is about how staff behaved."""

    name: Text
    department: str
    due: timedelta
    money: bool = False
    conduct: bool = False


_DAY: Final = timedelta(days=1)
#: What a complaint can be about. 'not_received' comes with a disputed confirmation.
KINDS: Final[Mapping[str, Kind]] = {
    "not_received": Kind(Text("没收到钱", "money not received"), "township", _DAY, money=True),
    "wrong_amount": Kind(Text("金额不对", "wrong amount"), "township", _DAY, money=True),
    "wrong_card": Kind(Text("发到了别人的卡", "paid to somebody else's card"), "township", _DAY, money=True),
    "wrong_facts": Kind(Text("登记情况不对", "registered wrongly"), "township", 2 * _DAY),
    "refused": Kind(Text("该登记不给登记、该受理不受理", "registration or application refused"), "county", 2 * _DAY, conduct=True),
    "bribe": Kind(Text("索要好处、截留、优亲厚友", "asked for a favour, kept money back, favoured relatives"), "discipline", 5 * _DAY, conduct=True),
    "insult": Kind(Text("态度恶劣", "treated with disrespect"), "county", 2 * _DAY, conduct=True),
    "other": Kind(Text("其他", "something else"), "township", 2 * _DAY),
}  # fmt: skip

#: Characters a complaint, a note or an answer may have.
LENGTH: Final = 500
#: A closed complaint may be opened again by whoever made it, so often and so long afterwards.
REOPEN_WITHIN: Final = timedelta(days=30)
MOST_REOPENED: Final = 3
#: A "no" must have an owner within this time (`relief check` names those that have not).
OWNED_WITHIN: Final = timedelta(minutes=5)
#: Complaints taken without a login from one address within an hour.
STRANGERS: Final = 5
STRANGERS_WITHIN: Final = timedelta(hours=1)


class Complaint(msgspec.Struct, frozen=True):
    """A complaint to be opened. Without a household it is anonymous and belongs to `village`, a code of any level below the province."""

    county: str
    kind: str
    way: Way
    household: UUID | None = None
    payment: UUID | None = None
    village: str | None = None
    words: str = ""


def kind_of(text: str) -> str:
    """One of the kinds; Invalid `complaint_kind` otherwise."""
    if text not in KINDS:
        raise Invalid("complaint_kind", "请选择要反映的事项 · choose what it is about", field="kind")
    return text


def department_of(text: str) -> str:
    """One of the departments; Invalid `complaint_department` otherwise."""
    if text not in DEPARTMENTS:
        raise Invalid("complaint_department", "请选择转办部门 · choose the department it is passed on to", field="department")
    return text


def words_of(text: str) -> str:
    """What is said, without the blanks around it; it may be nothing."""
    text = text.strip()
    if len(text) > LENGTH:
        raise Invalid("complaint_words", f"说明不超过{LENGTH}字 · at most {LENGTH} characters", field="words")
    return text


def answer_of(text: str) -> str:
    """What was found out and done, in writing, without the blanks around it."""
    text = text.strip()
    if not 1 <= len(text) <= LENGTH:
        raise Invalid(
            "complaint_answer", f"请写明核实情况和处理结果，不超过{LENGTH}字 · say in writing what you found and did, in at most {LENGTH} characters",
            field="answer",
        )  # fmt: skip
    return text


def reference_of(complaint: UUID, keys: Keys) -> str:
    """Twelve letters (59 bits) that open the complaint's own page and nothing else: who complains without a name has only these."""
    return slip.letters(keys.index("complaint", str(complaint)), 12)


def may_reopen(status: str, closed_at: datetime | None, reopened: int, now: datetime) -> bool:
    """Whoever complained is not satisfied: possible for a while, and not for ever."""
    return status == "closed" and closed_at is not None and now - closed_at <= REOPEN_WITHIN and reopened < MOST_REOPENED
