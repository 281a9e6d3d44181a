"""Who is entitled to how much, and why. One rule for any size: columns in, columns out; no clock, no database.

Households of which a playbook knows the same are decided once (`grouping`), so a million rows cost little more than finding their groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, reduce
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from relief.domain import reasons
from relief.domain.facts import PREDICATES, QUANTITIES, Bools, Facts
from relief.domain.grouping import Index, distinct
from relief.domain.rules import MOST_MEMBERS, Aid, Extra, Gate, Playbook, Quantity, Rate

Fen = npt.NDArray[np.int64]


class Verdict(msgspec.Struct, frozen=True, dict=True):
    """One aid for every household. Rows of one group have the same facts: `fen`, `why_at` (place in `table`) and `cap_binds` are by group."""

    group: Index
    fen: Fen
    why_at: Index
    table: tuple[tuple[str, ...], ...]
    cap_binds: Bools

    @cached_property
    def amount_fen(self) -> Fen:
        """Fen of every household."""
        return self.fen[self.group]

    @cached_property
    def granted(self) -> Bools:
        """Where something is given."""
        return (self.fen > 0)[self.group]

    @cached_property
    def capped(self) -> Bools:
        """Where a cap is what binds."""
        return self.cap_binds[self.group]

    @cached_property
    def reasons(self) -> Index:
        """The place in `table` of every household's reasons."""
        return self.why_at[self.group]

    def why(self, row: int) -> tuple[str, ...]:
        """The reason codes of one household, in the order they were met."""
        return self.table[int(self.why_at[self.group[row]])]

    def count_reasons(self) -> Counter[str]:
        """How many households carry each reason."""
        counts: Counter[str] = Counter()
        for codes, rows in zip(self.table, np.bincount(self.reasons, minlength=len(self.table)).tolist(), strict=True):
            for code in codes:
                counts[code] += rows
        return counts

    def outcomes(self) -> tuple[Index, list[int], list[tuple[str, ...]]]:
        """The few distinct (amount, reasons) pairs: an index a row, and the two columns of the pairs."""
        amounts, amount_at = np.unique(self.fen, return_inverse=True)
        pair, one = distinct((amount_at, self.why_at), len(self.fen))
        return pair[self.group], amounts[amount_at[one]].tolist(), [self.table[i] for i in self.why_at[one].tolist()]


def decide(playbook: Playbook, figures: Mapping[str, int], facts: Facts) -> dict[str, Verdict]:
    """Every aid of the playbook for every household, by aid code. `figures` are amounts in fen by key."""
    asked = sorted(set(_asked(playbook)))
    group, one = distinct(_columns(playbook, asked, facts), facts.rows)
    few = facts.take(one)
    holds = {name: PREDICATES[name](few) for name in asked}
    return {aid.code: _decide(aid, playbook, figures, few, holds, group) for aid in playbook.aids}


def _asked(playbook: Playbook) -> Iterator[str]:
    """The name of every fact some rule asks for."""
    for aid in playbook.aids:
        for gate in aid.gates:
            yield from gate.all + gate.any + gate.none
        for rate in aid.rates:
            yield from rate.all + rate.any
        for extra in aid.extras:
            yield from extra.all + extra.any


def _rests_on_check(aid: Aid) -> bool:
    """Whether the visit is left out for whoever was checked (核对)."""
    return aid.procedure is not None and aid.procedure.visit == "skip_if_checked"


def _columns(playbook: Playbook, asked: Sequence[str], facts: Facts) -> Iterator[npt.NDArray[Any]]:
    """All that this playbook can tell two households apart by."""
    yield facts.level
    yield facts.members
    yield facts.edge
    yield facts.away
    if any(_rests_on_check(aid) for aid in playbook.aids):
        yield facts.checked
    for name in asked:
        yield PREDICATES[name](facts)
    used: set[Quantity] = {a.unit for a in playbook.aids}
    used |= {e.per for a in playbook.aids for e in a.extras} | {c.per for a in playbook.aids for c in a.caps}
    for quantity in sorted(used - {"person", "household"}):
        yield QUANTITIES[quantity](facts)
    yield from (facts.held[aid.code] for aid in playbook.aids if aid.code in facts.held)
    yield from (facts.adopted[aid.code] for aid in playbook.aids if aid.code in facts.adopted)


class _Marks:
    """Reason codes being gathered, in the order they are met, each with the groups that carry it."""

    def __init__(self, rows: int) -> None:
        self.codes: dict[str, Bools] = {}
        self.rows = rows

    def add(self, code: str, where: Bools) -> None:
        before = self.codes.get(code)
        self.codes[code] = where if before is None else before | where

    def combinations(self) -> tuple[Index, tuple[tuple[str, ...], ...]]:
        """The place of every row's codes among the distinct combinations, and these."""
        names, marked = list(self.codes), np.array(list(self.codes.values()))
        place, one = distinct(np.packbits(marked, axis=0), self.rows)
        return place, tuple(tuple(names[i] for i in np.flatnonzero(marked[:, row])) for row in one)


def _decide(aid: Aid, playbook: Playbook, figures: Mapping[str, int], facts: Facts, holds: Mapping[str, Bools], group: Index) -> Verdict:
    marks = _Marks(facts.rows)
    inside = facts.level > 0
    marks.add(reasons.OUTSIDE, ~inside)
    for band in playbook.bands:
        marks.add(f"band.{band.level}", facts.level == band.level)
    marks.add(reasons.EDGE, facts.edge)

    granted, gated = np.zeros(facts.rows, np.bool_), np.zeros(facts.rows, np.bool_)
    for gate in aid.gates:
        here = np.isin(facts.level, gate.levels)
        gated |= here
        granted |= _pass(gate, here, holds, marks)
    marks.add(reasons.NO_GATE, inside & ~gated)

    full = _adopted(aid, facts, granted, marks) if aid.mode == "C" else _full(aid, figures, facts, holds, granted, marks)
    amount, binds = _capped(aid, figures, facts, full, granted, marks)
    marks.add(reasons.NOTHING, granted & (amount == 0) & ((full > 0) | (aid.mode != "C")))
    held = granted & facts.held[aid.code] if aid.code in facts.held else np.zeros(facts.rows, np.bool_)
    marks.add(reasons.HELD, held)
    marks.add(reasons.AWAY, granted & facts.away)
    if _rests_on_check(aid):
        marks.add(reasons.CHECKED, granted & facts.checked)
    given = granted & ~held
    place, table = marks.combinations()
    return Verdict(group=group, fen=np.where(given, amount, 0), why_at=place, table=table, cap_binds=binds & given)


def _pass(gate: Gate, here: Bools, holds: Mapping[str, Bools], marks: _Marks) -> Bools:
    """Who passes this gate; what was met, lacking or in the way is marked on everyone it was asked of."""
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
    for name in gate.none:
        barred = here & holds[name]
        marks.add(f"barred.{name}", barred)
        passed &= ~barred
    return passed


def _full(aid: Aid, figures: Mapping[str, int], facts: Facts, holds: Mapping[str, Bools], granted: Bools, marks: _Marks) -> Fen:
    """Fen before the caps: the first rate that fits (else the aid's own figure) × days × quantity, and every extra that fits."""
    rate = np.full(facts.rows, figures[aid.figure], np.int64)
    left = granted.copy()
    for special in aid.rates:
        here = left & _fits(special, facts, holds)
        rate[here] = figures[special.figure]
        marks.add(f"rate.{special.figure}", here)
        left &= ~here
    full: Fen = rate * aid.days * QUANTITIES[aid.unit](facts).astype(np.int64)
    for extra in aid.extras:
        more = QUANTITIES[extra.per](facts).astype(np.int64) * figures[extra.figure] * extra.times
        here = granted & _fits(extra, facts, holds) & (more > 0)
        full = full + np.where(here, more, 0)
        marks.add(f"extra.{extra.figure}", here)
    return full


def _adopted(aid: Aid, facts: Facts, granted: Bools, marks: _Marks) -> Fen:
    """What the minutes of a meeting adopted: in mode C nothing is given without."""
    adopted = facts.adopted[aid.code].astype(np.int64) if aid.code in facts.adopted else np.zeros(facts.rows, np.int64)
    marks.add(reasons.MINUTES, granted & (adopted > 0))
    marks.add(reasons.NO_MINUTES, granted & (adopted == 0))
    return adopted


def _fits(rule: Rate | Extra, facts: Facts, holds: Mapping[str, Bools]) -> Bools:
    fits: Bools = (facts.members >= rule.members_from) & ((facts.members <= rule.members_to) | (rule.members_to == MOST_MEMBERS))
    for name in rule.all:
        fits = fits & holds[name]
    return fits & reduce(np.logical_or, (holds[n] for n in rule.any)) if rule.any else fits


def _capped(aid: Aid, figures: Mapping[str, int], facts: Facts, full: Fen, granted: Bools, marks: _Marks) -> tuple[Fen, Bools]:
    """Fen after the caps, and where some cap is what binds."""
    limits = {c.figure: QUANTITIES[c.per](facts).astype(np.int64) * figures[c.figure] * c.times for c in aid.caps}
    amount: Fen = reduce(np.minimum, limits.values(), full)
    binds = np.zeros(facts.rows, np.bool_)
    for key, limit in limits.items():
        here = granted & (limit == amount) & (limit < full)
        marks.add(f"cap.{key}", here)
        binds |= here
    return amount, binds
