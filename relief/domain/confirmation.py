"""Did the money arrive? The resident says so once, whichever way: by message, on the page, or through the village reporter."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict, Invalid

Answer = Literal["confirmed", "disputed"]
Way = Literal["sms", "page", "reporter", "desk", "hotline"]

#: What a complaint can be about. 'not_received' comes with a disputed confirmation.
COMPLAINTS: Final = {
    "not_received": "没收到钱",
    "wrong_amount": "金额不对",
    "wrong_facts": "登记情况不对",
    "other": "其他",
}
COMPLAINT_OWNER: Final = "township_reviewer"
#: A complaint must be acted upon within this time.
COMPLAINT_DUE: Final = timedelta(days=1)
#: Characters an answer to a complaint may have.
ANSWER_LENGTH: Final = 500

#: Wrong codes for one slip before it is closed for the rest of the hour (six digits: 10 an hour is 11 years on average).
WRONG_CODES: Final = 10
WRONG_CODES_WITHIN: Final = timedelta(hours=1)

_SLIP = re.compile(r"[0-9]{6}-[0-9A-Z]{4,20}")
_CODE = re.compile(r"[0-9]{6}")


class Given(msgspec.Struct, frozen=True):
    """What became of a list of answers: how many were new, how many only repeated what stood already."""

    new: int
    repeated: int


class Complaint(msgspec.Struct, frozen=True):
    """A complaint to be opened."""

    county: str
    household: UUID
    payment: UUID | None
    kind: str
    due_at: datetime


def answered() -> Conflict:
    """Somebody has answered otherwise before."""
    return Conflict("answered", "此前已有不同的答复，如有错误请联系乡镇 · it was answered otherwise before; please turn to the township")


def kind_of_complaint(text: str) -> str:
    """One of the kinds, or a refusal."""
    if text not in COMPLAINTS:
        raise Invalid("complaint_kind", "请选择要反映的事项 · choose what it is about")
    return text


def answer_to_complaint(text: str) -> str:
    """What was found out and done, in writing, without the blanks around it."""
    text = text.strip()
    if not 1 <= len(text) <= ANSWER_LENGTH:
        raise Invalid(
            "complaint_answer", "请写明核实情况和处理结果，不超过500字 · say in writing what you found and did, in at most 500 characters"
        )
    return text


def plausible(slip: str, code: str) -> bool:
    """False for what cannot be a slip and its code: no need to look it up, no need to count it."""
    return _SLIP.fullmatch(slip) is not None and _CODE.fullmatch(code) is not None
