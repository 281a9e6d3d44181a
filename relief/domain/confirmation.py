"""Did the money arrive? The resident says so once, whichever way: by message, on the page, or through the village reporter."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Literal

import msgspec

from relief.domain.errors import Conflict

Answer = Literal["confirmed", "disputed"]
Way = Literal["sms", "page", "reporter", "desk", "hotline"]

#: Wrong codes for one slip before it is closed for the rest of the hour (six digits: 10 an hour is 11 years on average).
WRONG_CODES: Final = 10
WRONG_CODES_WITHIN: Final = timedelta(hours=1)

_SLIP = re.compile(r"[0-9]{6}-[0-9A-Z]{4,20}")
_CODE = re.compile(r"[0-9]{6}")


class Given(msgspec.Struct, frozen=True):
    """What became of a list of answers: how many were new, how many only repeated what stood already."""

    new: int
    repeated: int


def answered() -> Conflict:
    """Somebody has answered otherwise before."""
    return Conflict("answered", "此前已有不同的答复，如有错误请联系乡镇 · it was answered otherwise before; please turn to the township")


def plausible(slip: str, code: str) -> bool:
    """False for what cannot be a slip and its code: no need to look it up, no need to count it."""
    return _SLIP.fullmatch(slip) is not None and _CODE.fullmatch(code) is not None
