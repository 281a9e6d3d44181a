"""Worked cases beside a playbook: a household, what it is given and why. They are its tests, and stand in the console beside the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import numpy as np

from relief.domain import floors
from relief.domain.entitlement import decide
from relief.domain.errors import Invalid
from relief.domain.facts import COLUMNS, FAMILY_CODES, FLAGS, Facts, facts
from relief.domain.household import CIRCUMSTANCES, Circumstance, Count, FamilyType, Rooms
from relief.domain.money import parse_yuan, split, yuan
from relief.domain.rules import FigureKey, Playbook, Word
from relief.domain.toml import decode

Yuan = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,8})\.[0-9]{2}$")]
People = Annotated[int, msgspec.Meta(ge=1, le=30)]


class Household(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The facts of one case. Of a household not described further three live in their only home, lost nothing and were not relocated."""

    level: Annotated[int, msgspec.Meta(ge=0, le=12)]
    edge: bool = False
    members: People = 3
    adults: Count = 2
    dead: Count = 0
    missing: Count = 0
    injured: Count = 0
    rooms_collapsed: Rooms = 0
    rooms_severe: Rooms = 0
    rooms_moderate: Rooms = 0
    relocated: bool = False
    only_home: bool = True
    occupied: bool = True
    family: FamilyType = "ordinary"
    circumstances: tuple[Circumstance, ...] = ()
    in_need: Count = 0
    away: bool = False
    checked: bool = False
    held: tuple[str, ...] = ()  # aids somebody of it has through another household
    adopted: Mapping[str, Yuan] = {}  # what a meeting adopted, by aid

    def facts(self) -> Facts:
        """The household as a column of length one."""
        said = {n: getattr(self, n) for n in COLUMNS}
        said["family"] = FAMILY_CODES.index(self.family)
        said["circumstances"] = sum(1 << n for n, name in enumerate(CIRCUMSTANCES) if name in self.circumstances)
        columns = {n: np.array([v], np.bool_ if n in FLAGS else np.int32) for n, v in said.items()}
        adopted = {aid: np.array([parse_yuan(amount)]) for aid, amount in self.adopted.items()}
        return facts(columns, {aid: np.array([True]) for aid in self.held}, adopted)


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case: `give` is yuan per aid, `stages` how some of them are parted, `why` the reason codes; `source` names the precedent."""

    name: Word
    facts: Household
    give: Annotated[dict[str, Yuan], msgspec.Meta(min_length=1)]
    stages: dict[str, tuple[Yuan, ...]] = {}
    why: dict[str, tuple[str, ...]] = {}
    figures: dict[FigureKey, Yuan] = {}
    source: Word | None = None


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of cases. The figures are its own and have nothing to do with those in force."""

    figures: dict[FigureKey, Yuan]
    cases: Annotated[tuple[Case, ...], msgspec.Meta(min_length=1)]


class Outcome(msgspec.Struct, frozen=True):
    """What the playbook says of a case: yuan, parts and reason codes per aid, and how that differs from the case (nothing: green)."""

    case: Case
    amounts: Mapping[str, str]
    stages: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, tuple[str, ...]]
    differs: tuple[str, ...]


def read(text: str, book: Playbook) -> Cases:
    """Decode the cases of a playbook; Invalid `cases` (lines `path: sentence`) where they name what the playbook does not have."""
    found = decode(text, Cases, "cases")
    faults = [f"figures: 缺少标准 {key} · no amount for {key}" for key in book.figure_keys if key not in found.figures]
    codes = {a.code for a in book.aids}
    for i, case in enumerate(found.cases):
        faults += [
            f"cases[{i}].figures: 方案没有标准 {k} · the playbook has no figure {k}"
            for k in sorted(set(case.figures) - set(book.figure_keys))
        ]
        for name, named in (
            ("give", case.give),
            ("stages", case.stages),
            ("why", case.why),
            ("facts.held", case.facts.held),
            ("facts.adopted", case.facts.adopted),
        ):
            faults += [f"cases[{i}].{name}: 方案没有救助项目 {a} · the playbook has no aid {a}" for a in sorted(set(named) - codes)]
        try:
            floors.check(book, _amounts(found, case))
        except Invalid as error:
            faults.append(f"cases[{i}].figures: {error.message}")
    if faults:
        raise Invalid("cases", "\n".join(faults), faults=faults)
    return found


def run(book: Playbook, cases: Cases) -> list[Outcome]:
    """Every case decided by the playbook, in the order of the file."""
    return [_outcome(book, case, _amounts(cases, case)) for case in cases.cases]


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    """The cases that do not hold, as `path: sentence`."""
    return [f"cases[{i}].{wrong}" for i, outcome in enumerate(outcomes) for wrong in outcome.differs]


def _amounts(cases: Cases, case: Case) -> dict[str, int]:
    return {key: parse_yuan(amount) for key, amount in {**cases.figures, **case.figures}.items()}


def _outcome(book: Playbook, case: Case, figures: Mapping[str, int]) -> Outcome:
    verdicts = decide(book, figures, case.facts.facts())
    given = {aid: int(v.amount_fen[0]) for aid, v in verdicts.items()}
    amounts = {aid: yuan(fen) for aid, fen in given.items()}
    stages = {a.code: tuple(yuan(p) for p in split(given[a.code], [s.share_bp for s in a.stages])) for a in book.aids}
    reasons = {aid: v.why(0) for aid, v in verdicts.items()}
    differs = [
        f"give.{a}: 算得 {amounts[a]} 元，不是 {x} 元 · gives {amounts[a]} yuan, not {x}" for a, x in case.give.items() if amounts[a] != x
    ]
    differs += [
        f"stages.{a}: 分期为 {'、'.join(stages[a])} 元 · the parts are {', '.join(stages[a])} yuan"
        for a, x in case.stages.items()
        if stages[a] != x
    ]
    differs += [f"why.{a}: 理由不同 · the reasons are {' '.join(reasons[a])}" for a, x in case.why.items() if reasons[a] != x]
    return Outcome(case, amounts, stages, reasons, tuple(differs))
