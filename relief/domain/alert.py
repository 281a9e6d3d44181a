"""What a hazard feed says, and what becomes of it. An alert only ever proposes; an officer opens the incident.

CAP 1.2: a message is named by sender, identifier and sent; Update and Cancel speak of earlier ones by that name; Test, Exercise, System and
Draft are kept and never acted on. A catalogue event (USGS ComCat) is named the same way, its `sent` being the moment it was updated.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

Source = Literal["cap", "comcat"]
Nature = Literal["actual", "exercise", "system", "test", "draft"]
Kind = Literal["alert", "update", "cancel", "ack", "error"]
Status = Literal["parked", "proposed", "accepted", "dismissed", "superseded", "withdrawn", "noted"]

#: An Update or Cancel waits this long for the message it speaks of.
PATIENCE: Final = timedelta(minutes=10)
#: Below this magnitude an earthquake is kept, but nobody is asked about it.
SMALLEST_MAGNITUDE: Final = 4.0

#: A feed that was not heard for so long is dead to whoever relies on it.
PATIENCE_WITH_FEED: Final = timedelta(minutes=10)

#: Words of an event (Chinese, English) → GB/T 28921; the first that is found counts, so the narrower words stand first.
_WORDS: Final = (
    ("泥石流 debris mudflow mudslide", "020500"),
    ("滑坡 landslide 地质灾害", "020400"),
    ("崩塌 rockfall", "020300"),
    ("海啸 tsunami", "030400"),
    ("地震 earthquake", "020100"),
    ("台风 typhoon hurricane", "010300"),
    ("森林火 草原火 wildfire", "040600"),
    ("山洪 洪水 洪涝 flood", "010200"),
    ("暴雨 rainstorm rainfall", "010400"),
    ("冰雹 hail", "010600"),
    ("雷电 thunder", "010700"),
    ("暴雪 冰冻 道路结冰 snow blizzard", "010900"),
    ("寒潮 低温 霜冻 frost freeze", "010800"),
    ("沙尘 dust", "011100"),
    ("大风 wind", "010500"),
    ("高温 heat", "011000"),
    ("大雾 fog", "011200"),
    ("干旱 drought", "010100"),
)
#: Event codes of the Chinese profile begin with 11C for earthquakes; the other groups hold several kinds.
_CODES: Final = (("11C", "020100"),)


class Reference(msgspec.Struct, frozen=True):
    """The name of an earlier message."""

    sender: str
    identifier: str
    sent: datetime


class Message(msgspec.Struct, frozen=True):
    """One message. Moments are aware; the point is EPSG:4490; `codes` are GB/T 2260 codes it names; `body` is what was received.

    `link` is the feed's own name of the entry, so that it is fetched once.
    """

    source: Source
    sender: str
    identifier: str
    sent: datetime
    nature: Nature
    kind: Kind
    event: str
    headline: str
    occurred_at: datetime
    body: bytes
    link: str
    severity: str = ""
    urgency: str = ""
    certainty: str = ""
    hazard: str | None = None
    codes: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None
    magnitude: float | None = None
    expires_at: datetime | None = None
    references: tuple[Reference, ...] = ()

    def digest(self) -> bytes:
        """SHA-256 of what it says: the same message fetched again, differently wrapped, says the same."""
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(self, body=b"", link=""), order="deterministic")).digest()


#: The namespace of every XML signature.
_SIGNATURE: Final = b"http://www.w3.org/2000/09/xmldsig#"


def signed(source: Source, body: bytes) -> bool:
    """Whether a CAP message as received carries a signature at all (it is not verified). A catalogue's events are never signed: there the
    configured address is what is trusted."""
    return source == "comcat" or _SIGNATURE in body


class Birth(msgspec.Struct, frozen=True):
    """What a message becomes when it arrives, and why where it is only noted."""

    status: Literal["parked", "proposed", "noted"]
    why: str | None = None


def birth(message: Message, area: str | None, now: datetime) -> Birth:
    """Propose only what is actual, new, still true, of a size, and in a county we know (`area`); everything else is kept and noted."""
    if message.nature != "actual":
        return Birth("noted", message.nature)
    if message.kind in ("ack", "error"):
        return Birth("noted", message.kind)
    if message.kind == "cancel":
        return Birth("parked") if message.references or message.source == "comcat" else Birth("noted", "no_original")
    if (why := _unfit(message, area, now)) is not None:
        return Birth("noted", why)
    return Birth("parked") if message.kind == "update" and message.references else Birth("proposed")


def _unfit(message: Message, area: str | None, now: datetime) -> str | None:
    if message.expires_at is not None and message.expires_at <= now:
        return "expired"
    if message.source == "comcat" and message.hazard is None:
        return "other_event"
    if message.magnitude is not None and message.magnitude < SMALLEST_MAGNITUDE:
        return "small"
    return "outside" if area is None else None


def guess_hazard(event: str, codes: tuple[str, ...] = ()) -> str | None:
    """The GB/T 28921 code the event's words or codes speak of; None where the officer must say."""
    for prefix, hazard in _CODES:
        if any(c.upper().startswith(prefix) for c in codes):
            return hazard
    lower = event.lower()
    return next((hazard for words, hazard in _WORDS if any(w in lower for w in words.split())), None)


class FeedState(msgspec.Struct, frozen=True):
    """When a feed was asked and heard, how many visits in a row brought nothing readable, and the code of its last fault."""

    source: Source
    asked_at: datetime
    heard_at: datetime | None
    silent: int
    fault: str | None
    fault_at: datetime | None


def feed_health(state: FeedState | None, now: datetime, every: timedelta) -> Literal["never", "unasked", "dead", "well"]:
    """`unasked`: nobody asks it any more (no `relief work`); `dead`: asked in vain; each after ten minutes or five rounds."""
    if state is None:
        return "never"
    patience = max(PATIENCE_WITH_FEED, 5 * every)
    if now - state.asked_at > patience:
        return "unasked"
    if state.heard_at is None:
        return "dead"
    return "dead" if now - state.heard_at > patience else "well"
