"""一门受理: what is told at the desk, on the hotline or on the public page, before anybody is registered for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain import identity, slip
from relief.domain.errors import Invalid
from relief.domain.rules import Text
from relief.domain.sealing import Keys

Way = Literal["page", "desk", "hotline", "reporter"]

#: Within so many hours somebody must have looked: 急难 cases cannot wait for a working day.
_URGENT: Final = timedelta(hours=24)
_USUAL: Final = timedelta(hours=72)


class Kind(msgspec.Struct, frozen=True):
    """What has happened, and by when somebody acts."""

    name: Text
    due: timedelta


KINDS: Final[Mapping[str, Kind]] = {
    "disaster": Kind(Text("自然灾害受灾", "hit by a disaster"), _URGENT),
    "fire": Kind(Text("火灾", "fire"), _URGENT),
    "accident": Kind(Text("交通事故等意外", "accident"), _URGENT),
    "illness": Kind(Text("突发重病", "sudden illness"), _URGENT),
    "stranded": Kind(Text("临时遇困（流动人口、无证件）", "stranded: traveller, without papers"), _URGENT),
    "hardship": Kind(Text("生活困难", "hardship"), _USUAL),
    "other": Kind(Text("其他", "something else"), _USUAL),
}
#: Characters of what is said, and of an answer.
LENGTH: Final = 500


class Told(msgspec.Struct, frozen=True):
    """Who it is about and what happened, as sealed."""

    name: str
    phone: str | None
    words: str


def told(name: str, phone: str, words: str) -> Told:
    """The same in one form; Invalid naming the field. A name and what happened are needed, a telephone where there is one."""
    words = words.strip()
    if not 1 <= len(words) <= LENGTH:
        raise Invalid("lead_words", f"请写明情况，不超过{LENGTH}字 · say what happened, in at most {LENGTH} characters", field="words")
    return Told(identity.person_name(name), identity.phone(phone) if phone.strip() else None, words)


def kind_of(text: str) -> str:
    """One of the kinds; Invalid `lead_kind` otherwise."""
    if text not in KINDS:
        raise Invalid("lead_kind", "请选择遇到的困难 · choose what has happened", field="kind")
    return text


def reference_of(lead: UUID, keys: Keys) -> str:
    """Twelve letters that open the lead's own page and nothing else."""
    return slip.letters(keys.index("lead", str(lead)), 12)
