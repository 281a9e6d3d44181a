"""Who is entitled to how much, and why. One rule for any size: columns in, columns out; no clock, no database.

Reasons are kept as a small table of distinct combinations and one index a row, so a million rows cost no Python objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import reasons
from relief.domain.facts import PREDICATES, Bools, Facts
from relief.domain.playbook import Aid, Gate, Playbook

#: Up to this many distinct reason codes the combinations are told apart by a table instead of by sorting.
_TABLE_BITS: Final = 22
_LEVELS: Final = 13  # intensity 0 (outside) … 12


class Verdict(msgspec.Struct, frozen=True):
    """One aid for every household: fen, and an index into the table of reason combinations."""

    amount_fen: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.int32]
    table: tuple[tuple[str, ...], ...]
    capped: Bools

    @property
    def granted(self) -> Bools:
        """Where something is given."""
        return self.amount_fen > 0

    def why(self, row: int) -> tuple[str, ...]:
        """The reason codes of one household, in the order they were met."""
        return self.table[int(self.reasons[row])]

    def count_reasons(self) -> Counter[str]:
        """How many households carry each reason."""
        counts: Counter[str] = Counter()
        for codes, rows in zip(self.table, np.bincount(self.reasons, minlength=len(self.table)), strict=True):
            counts.update({code: int(rows) for code in codes})
        return counts

    def outcomes(self) -> tuple[npt.NDArray[np.int64], list[int], list[tuple[str, ...]]]:
        """The few distinct (amount, reasons) pairs: an index a row, and the two columns of the pairs."""
        amounts, amount_of = np.unique(self.amount_fen, return_inverse=True)
        pairs, index = np.unique(amount_of * len(self.table) + self.reasons, return_inverse=True)
        return index, [int(amounts[p // len(self.table)]) for p in pairs], [self.table[p % len(self.table)] for p in pairs]


def decide(playbook: Playbook, figures: Mapping[str, int], facts: Facts) -> dict[str, Verdict]:
    """Every aid of the playbook for every household, by aid code. `figures` are amounts in fen by key."""
    holds: dict[str, Bools] = {}
    for name in {n for aid in playbook.aids for gate in aid.gates for n in gate.all + gate.any}:
        holds[name] = PREDICATES[name](facts)
    return {aid.code: _decide(aid, playbook, figures, facts, holds) for aid in playbook.aids}


class _Marks:
    """Reason codes being gathered: one bit a code, in the order the codes were met."""

    def __init__(self, rows: int) -> None:
        self.bits: dict[str, int] = {}
        self.mask: npt.NDArray[np.uint64 | np.uint32] = np.zeros(rows, np.uint32)

    def add(self, code: str, where: Bools) -> None:
        bit = self.bits.setdefault(code, len(self.bits))
        if bit == 32:
            self.mask = self.mask.astype(np.uint64)
        self.mask |= where.astype(self.mask.dtype) << self.mask.dtype.type(bit)

    def combinations(self) -> tuple[npt.NDArray[np.int32], tuple[tuple[str, ...], ...]]:
        """An index a row and the distinct combinations it points into."""
        if len(self.bits) <= _TABLE_BITS:
            seen = np.zeros(1 << len(self.bits), np.bool_)
            seen[self.mask] = True
            distinct: npt.NDArray[Any] = np.flatnonzero(seen)
            place = np.zeros(len(seen), np.int32)
            place[distinct] = np.arange(len(distinct), dtype=np.int32)
            index = place[self.mask]
        else:
            distinct, inverse = np.unique(self.mask, return_inverse=True)
            index = inverse.astype(np.int32)
        return index, tuple(tuple(c for c, b in self.bits.items() if int(m) >> b & 1) for m in distinct)


def _decide(aid: Aid, playbook: Playbook, figures: Mapping[str, int], facts: Facts, holds: Mapping[str, Bools]) -> Verdict:
    marks = _Marks(facts.rows)
    inside = facts.level > 0
    marks.add(reasons.OUTSIDE, ~inside)
    for band in playbook.bands:
        marks.add(f"band.{band.level}", facts.level == band.level)
    marks.add(reasons.EDGE, facts.edge)

    granted = np.zeros(facts.rows, np.bool_)
    gated = np.zeros(facts.rows, np.bool_)
    for gate in aid.gates:
        here = _at(gate, facts)
        gated |= here
        granted |= _pass(gate, here, holds, marks)
    marks.add(reasons.NO_GATE, inside & ~gated)

    amounts, caps = _amounts(aid, figures, int(facts.members.max(initial=0)))
    capped = np.zeros(facts.rows, np.bool_)
    for key, binds in caps.items():
        where = granted & binds[facts.members]
        marks.add(f"cap.{key}", where)
        capped |= where
    if aid.code in facts.held:
        held = granted & facts.held[aid.code]
        marks.add(reasons.HELD, held)
        granted &= ~held
        capped &= ~held
    index, table = marks.combinations()
    return Verdict(amount_fen=np.where(granted, amounts[facts.members], 0), reasons=index, table=table, capped=capped)


def _at(gate: Gate, facts: Facts) -> Bools:
    levels = np.zeros(_LEVELS, np.bool_)
    levels[list(gate.levels)] = True
    return levels[facts.level]


def _pass(gate: Gate, here: Bools, holds: Mapping[str, Bools], marks: _Marks) -> Bools:
    """Who passes this gate; what was met and what was lacking is marked on everyone it was asked of."""
    passed = here.copy()
    for name in gate.all:
        met = here & holds[name]
        marks.add(f"has.{name}", met)
        marks.add(f"lacks.{name}", here & ~met)
        passed &= met
    if gate.any:
        some = np.zeros_like(here)
        for name in gate.any:
            met = here & holds[name]
            marks.add(f"has.{name}", met)
            some |= met
        marks.add(reasons.NO_NEED, here & ~some)
        passed &= some
    return passed


def _amounts(aid: Aid, figures: Mapping[str, int], most: int) -> tuple[npt.NDArray[np.int64], dict[str, Bools]]:
    """Fen by number of members 0…most, and for each cap where it is what binds."""
    members = np.arange(most + 1, dtype=np.int64)
    full = figures[aid.figure] * aid.days * (members if aid.unit == "person" else np.ones_like(members))
    limits = {c.figure: figures[c.figure] * (members if c.per == "person" else np.ones_like(members)) for c in aid.caps}
    amount = np.minimum.reduce([full, *limits.values()])
    return amount, {key: (limit == amount) & (limit < full) for key, limit in limits.items()}
