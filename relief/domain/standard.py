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

    def digest(self) -> bytes:
        """SHA-256 of the figures used, kept with every decision."""
        ordered = sorted(self.standards, key=lambda s: s.key)
        return hashlib.sha256(msgspec.json.encode(ordered, order="deterministic")).digest()


def in_force(keys: Sequence[str], found: Sequence[Standard]) -> Figures:
    """The figures a playbook needs; raises Invalid `figure_missing` naming the keys that have no amount here and today."""
    if missing := sorted(set(keys) - {s.key for s in found}):
        raise Invalid("figure_missing", f"缺少标准：{'、'.join(missing)} · no amount is in force for: {', '.join(missing)}", keys=missing)
    return Figures(standards=tuple(found))


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
    named = [(s.key, s.area, s.valid_from) for s in read_]
    faults += [f"standards: {key} {area} {day} 重复 · stands twice" for key, area, day in sorted({n for n in named if named.count(n) > 1})]
    if faults:
        raise Invalid("standards", "\n".join(faults), faults=faults)
    return read_
