"""A standard is a figure's amount: dated, for an area, by a document, verified or not. The most specific area wins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final

import msgspec

from relief.domain.errors import Invalid
from relief.domain.money import parse_yuan
from relief.domain.toml import decode

#: No figure is larger (fen): an amount for thirty people and a year of days stays far inside 64 bits.
LARGEST_FEN: Final = 10**11


class Standard(msgspec.Struct, frozen=True):
    """One amount in fen. `valid_to` is the last day it holds; `verified` is false for a placeholder."""

    key: str
    area: str
    amount_fen: int
    valid_from: date
    valid_to: date | None
    document: str
    verified: bool


class Figures(msgspec.Struct, frozen=True):
    """The standards in force for one county on one day, by key."""

    standards: tuple[Standard, ...]

    @property
    def amounts(self) -> Mapping[str, int]:
        """Key → fen."""
        return {s.key: s.amount_fen for s in self.standards}

    @property
    def unverified(self) -> list[Standard]:
        """Those nobody has compared with their document yet."""
        return [s for s in self.standards if not s.verified]

    def written(self) -> str:
        """The figures as JSON, always the same for the same figures: what is kept so that a decision can be taken again."""
        return msgspec.json.encode(sorted(self.standards, key=lambda s: s.key), order="deterministic").decode()

    def digest(self) -> bytes:
        """SHA-256 of the figures as written, kept with every decision."""
        return hashlib.sha256(self.written().encode()).digest()


def in_force(keys: Sequence[str], found: Sequence[Standard]) -> Figures:
    """The figures a playbook needs; raises Invalid `figure_missing` naming the keys that have no amount here and today."""
    if missing := sorted(set(keys) - {s.key for s in found}):
        raise Invalid("figure_missing", f"缺少标准：{'、'.join(missing)} · no amount is in force for: {', '.join(missing)}", keys=missing)
    return Figures(standards=tuple(found))


def check(standards: Sequence[Standard]) -> None:
    """Refuse (Invalid `standards`, `path: sentence` lines) what a file of standards would be refused for: amounts, dates, doubles, no document."""
    faults = [
        f"standards[{i}].{path}: {sentence}"
        for i, s in enumerate(standards)
        for path, sentence, wrong in (
            ("amount", "金额须为零至上限 · the amount is negative or too large", not 0 <= s.amount_fen <= LARGEST_FEN),
            ("valid_to", "失效日早于生效日 · it ends before it begins", s.valid_to is not None and s.valid_to < s.valid_from),
            ("document", "须写明文号 · name the document", not s.document.strip()),
        )
        if wrong
    ]
    faults += _doubles(standards)
    if faults:
        raise Invalid("standards", "\n".join(faults), faults=faults)


def _doubles(standards: Sequence[Standard]) -> list[str]:
    """What contradicts an earlier line: the same figure, area and day again, or dates of which both say that they hold."""
    faults = []
    for i, s in enumerate(standards):
        others = [o for o in standards[:i] if (o.key, o.area) == (s.key, s.area)]
        if any(o.valid_from == s.valid_from for o in others):
            faults.append(f"standards[{i}]: {s.key} {s.area} {s.valid_from} 重复 · stands twice")
        elif any(_overlap(o, s) for o in others):
            faults.append(f"standards[{i}].valid_from: {s.key} {s.area} 有效期重叠 · its dates overlap those of an earlier line")
    return faults


def _overlap(one: Standard, other: Standard) -> bool:
    """A figure without an end gives way to a later one; one with an end must end before the next begins."""
    first, then = sorted((one, other), key=lambda s: s.valid_from)
    return first.valid_to is not None and first.valid_to >= then.valid_from


def again(written: str) -> Figures:
    """Figures read back from what `Figures.written` made of them."""
    return Figures(standards=tuple(msgspec.json.decode(written, type=list[Standard])))


def laid_over(found: Sequence[Standard], drafts: Sequence[Standard], county: str, day: date) -> list[Standard]:
    """The figures of a county on that day if the drafts were in force too: the most specific area wins, then the later day."""
    best = {s.key: s for s in found}
    for s in drafts:
        holds = county.startswith(s.area) and s.valid_from <= day and (s.valid_to is None or s.valid_to >= day)
        known = best.get(s.key)
        if holds and (known is None or (len(s.area), s.valid_from) >= (len(known.area), known.valid_from)):
            best[s.key] = s
    return list(best.values())


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A standard as people write it: the amount is yuan with two decimals, as text ("20.00"); a number is refused."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+(\.[a-z_]+)+$")]
    area: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}([0-9]{2}){0,2}$")]
    amount: str
    valid_from: date
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    verified: bool
    valid_to: date | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standards: Annotated[list[_Written], msgspec.Meta(min_length=1)]


def read(text: str) -> list[Standard]:
    """Decode a file of standards; raises Invalid `standards` with `path: sentence` lines."""
    read_, faults = [], []
    for i, w in enumerate(decode(text, _File, "standards").standards):
        try:
            amount = parse_yuan(w.amount)
            if amount > LARGEST_FEN:
                raise Invalid("amount", "金额过大 · the amount is too large")
            if w.valid_to is not None and w.valid_to < w.valid_from:
                raise Invalid("valid_to", "失效日早于生效日 · it ends before it begins")
            read_.append(Standard(w.key, w.area, amount, w.valid_from, w.valid_to, w.document, w.verified))
        except Invalid as error:
            faults.append(f"standards[{i}].{error.code}: {error.message}")
    faults = faults or _doubles(read_)
    if faults:
        raise Invalid("standards", "\n".join(faults), faults=faults)
    return read_
