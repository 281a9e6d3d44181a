"""Short messages: the texts, what the carrier's words mean, and how a resident's answer is read.

Mainland numbers (+86) get no answer instruction, no amount and no link: carriers there allow no two-way messages and restrict
finance texts, and every text must fit one segment. Money never waits for a message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain import slip
from relief.domain.money import display
from relief.domain.moves import MESSAGE_RANK
from relief.domain.sealing import Keys

#: The one event that is told by message so far.
PAID: Final = "paid"

#: The signature 签名 every text begins with; a drill signs as one. Both are four letters, so a text has the same length.
SIGNATURE: Final = "四川救灾"
DRILL_SIGNATURE: Final = "救灾演练"

#: Key and version → text. A changed text is a new key, because the carrier registers every one of them.
TEMPLATES: Final[Mapping[str, str]] = {
    "paid.two_way.1": "【{sign}】{name}您好，{aid}{amount}元已发放到尾号{tail}的社会保障卡。编号{code}，咨询12349。收到请回1，未收到请回2",
    "paid.one_way.1": "【{sign}】{name}您好，{aid}已发到尾号{tail}社保卡，请查收。未到账找村灾害信息员或12349。编号{code}",
}

#: Aid codes as residents know them; an aid without a name of its own is called 救灾资金.
AIDS: Final[Mapping[str, str]] = {
    "EMERG": "应急救助金",
    "TRANS": "过渡期生活救助金",
    "DROUGHT": "旱灾生活救助金",
    "WINTER": "冬春救助金",
    "HOUSE": "住房重建补助",
    "SOLACE": "抚慰金",
    "REPAIR": "住房维修补助",
    "TEMP": "临时救助金",
    "CASE": "临时救助金",
    "PRICE": "价格临时补贴",
}

_NAME_LIMIT: Final = 8  # letters of a name in a text: longer ones are cut so that one segment is kept

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€\f")

#: The carrier's word → our status. Inbound words and words we have never heard of are not here.
WORDS: Final[Mapping[str, str]] = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

Disposition = Literal["permanent", "stop", "retry"]

#: The number itself is unusable, or its owner has asked for silence: nothing more is sent to it.
_STOP = frozenset({21211, 21214, 21217, 21610, 21614, 21635})
#: Our account, sender or speed is at fault, the message was never taken: the same message may be tried again.
_RETRY = frozenset({20003, 20005, 20008, 20404, 20429, 21212, 21603, 21606, 21611, 21659, 21660, 30001, 30002, 30022, 30023, 63038})


class Facts(msgspec.Struct, frozen=True):
    """What a text about a paid instalment may say. `tail` is the account's last four digits; amount in whole fen."""

    name: str
    aid: str
    amount_fen: int
    tail: str
    short_code: str
    stage: int | None = None  # number of the instalment where there are several
    drill: bool = False


class Outgoing(msgspec.Struct, frozen=True):
    """One claimed message: it may be sent until `lease_until`, not later."""

    county: str
    id: UUID
    to: str
    text: str
    lease_until: datetime
    since: datetime  # nothing of it can be at the carrier before


class Sent(msgspec.Struct, frozen=True):
    """The carrier has it under this sid; `status` is the carrier's word."""

    sid: str
    status: str
    error: str | None = None


class Rejected(msgspec.Struct, frozen=True):
    """The carrier refused it for good (its error code): surely not sent."""

    code: str


class Throttled(msgspec.Struct, frozen=True):
    """Surely not sent; may be tried again after so many seconds."""

    after_s: float


class Unknown(msgspec.Struct, frozen=True):
    """It may have been sent: never sent again before the carrier has been asked."""

    why: str


class Absent(msgspec.Struct, frozen=True):
    """The carrier was asked and has no such message."""


Outcome = Sent | Rejected | Throttled | Unknown | Absent


def compose(route: str, facts: Facts) -> tuple[str, str]:
    """Template key and text for a number that can answer ('two way') or cannot ('one way')."""
    key = "paid.two_way.1" if route == "two way" else "paid.one_way.1"
    name = facts.name if len(facts.name) <= _NAME_LIMIT else facts.name[: _NAME_LIMIT - 1] + "…"
    aid = AIDS.get(facts.aid, "救灾资金") + (f"第{facts.stage}期" if facts.stage else "")
    sign = DRILL_SIGNATURE if facts.drill else SIGNATURE
    return key, TEMPLATES[key].format(
        sign=sign, name=name, aid=aid, amount=display(facts.amount_fen), tail=facts.tail, code=facts.short_code
    )


def short_code(payment: UUID, keys: Keys) -> str:
    """Four readable letters that tell one payment's message from another's on the same number."""
    return slip.letters(keys.index("short code", str(payment)), 4)


def segments(text: str) -> int:
    """How many segments the carrier bills: 160/153 septets in GSM-7, else 70/67 UTF-16 units."""
    if all(c in _GSM or c in _GSM_DOUBLE for c in text):
        size, single, part = sum(2 if c in _GSM_DOUBLE else 1 for c in text), 160, 153
    else:
        size, single, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= single else -(-size // part)


def forward(current: str, word: str) -> str:
    """The status after hearing the carrier's `word`: rank only rises, and of two ends the first one stays."""
    heard = WORDS.get(word)
    return heard if heard is not None and MESSAGE_RANK[heard] > MESSAGE_RANK[current] else current


def disposition(code: int) -> Disposition:
    """What an error code of the carrier means for the message: refused for good, refused and the number closed, or try again."""
    if code in _STOP:
        return "stop"
    return "retry" if code in _RETRY else "permanent"


class Reply(msgspec.Struct, frozen=True):
    """A resident's message, read. `short_code` is None when none was given."""

    meaning: Literal["received", "not received", "stop", "start", "unclear"]
    short_code: str | None = None


_RECEIVED = "1|收到了?|已收到|Y"
_NOT_RECEIVED = "2|(?:没|未|没有)收到|N"
_CODE = f"[{slip.ALPHABET}]{{4}}"
_ANSWER = re.compile(rf"(?:(?P<before>{_CODE})\s*)?(?:(?P<yes>{_RECEIVED})|(?P<no>{_NOT_RECEIVED}))(?:\s*(?P<after>{_CODE}))?")
_STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE", "TD", "退订"})
_START_WORDS = frozenset({"START", "UNSTOP", "恢复"})


def read_reply(body: str) -> Reply:
    """Read '1', '１', '收到', '2', '没收到', '1 K7P2', 'STOP' … however it was typed; anything else is unclear."""
    text = re.sub(r"[\s,.;:!'\"。、，．；：！]+", " ", unicodedata.normalize("NFKC", body)).strip().upper()
    if text in _STOP_WORDS:
        return Reply("stop")
    if text in _START_WORDS:
        return Reply("start")
    match = _ANSWER.fullmatch(text)
    if match is None or (match["before"] and match["after"]):
        return Reply("unclear")
    return Reply("received" if match["yes"] else "not received", match["before"] or match["after"])
