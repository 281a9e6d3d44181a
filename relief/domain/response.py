"""Which level a plan speaks of for given figures, and what may be decided next. It proposes; a named officer decides."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import msgspec

from relief.domain.errors import Conflict, Invalid
from relief.domain.plan import Level, Plan, Threshold
from relief.domain.statistics import Figures, judged

Act = Literal["launch", "raise", "lower", "end"]


class Trigger(msgspec.Struct, frozen=True):
    """A line that was reached: the indicator, its figure, and from where on the level holds. `linked`: only because a neighbour launched."""

    indicator: str
    value: Decimal
    at_least: int
    linked: bool = False


class Proposal(msgspec.Struct, frozen=True):
    """The most severe level of which any line is reached (None: no line is), every line of it that is, and what could not be judged."""

    level: int | None
    triggers: tuple[Trigger, ...]
    unjudged: tuple[str, ...]


def propose(plan: Plan, figures: Figures, farmers: int | None = None, neighbour: int | None = None) -> Proposal:
    """Judge one disaster process in the plan's area.

    `figures` are the indicators summed over the area; `farmers` its farming population, without which the drought share is not judged;
    `neighbour` the most severe level a neighbouring area has launched for the same process.
    """
    known = dict(judged(figures))
    unjudged = [] if "drought_people" not in known or farmers else ["drought_share"]
    if farmers and "drought_people" in known:
        known["drought_share"] = known["drought_people"] * 100 / farmers
    for level in plan.levels:
        found = _reached(level.thresholds, known) + _linked(level, known, neighbour)
        if found:
            return Proposal(level.level, tuple(found), tuple(unjudged))
    return Proposal(None, (), tuple(unjudged))


def _reached(lines: Iterable[Threshold], known: Figures, linked: bool = False) -> list[Trigger]:
    return [
        Trigger(t.indicator, known[t.indicator], t.at_least, linked)
        for t in lines
        if t.indicator in known and known[t.indicator] >= t.at_least
    ]


def _linked(level: Level, known: Figures, neighbour: int | None) -> list[Trigger]:
    return _reached(level.linked, known, linked=True) if neighbour is not None and neighbour <= level.level else []


def suggest(current: int | None, proposed: int | None) -> Act | None:
    """What the proposal would mean for the level in force. Figures that fall below every line suggest nothing: ending is a judgement."""
    if proposed is None or proposed == current:
        return None
    if current is None:
        return "launch"
    return "raise" if proposed < current else "lower"


def check(current: int | None, act: Act, level: int | None) -> None:
    """Refuse an act that does not fit the level in force: Invalid for a missing or wrong level, Conflict where things have moved on."""
    if (act == "end") != (level is None) or (level is not None and not 1 <= level <= 4):
        raise Invalid("response_level", "启动、提升、降低须写明级别，终止不写 · all but ending names a level from 1 to 4", field="level")
    if act == "launch" and current is not None:
        raise Conflict("response_active", "响应已启动，只能提升、降低或终止 · a response is in force already", level=current)
    if act != "launch" and current is None:
        raise Conflict("no_response", "响应尚未启动 · no response is in force")
    if level is not None and current is not None and (level >= current if act == "raise" else level <= current):
        raise Conflict("response_moved", "与现行级别不符，请刷新 · that does not fit the level in force", level=current)
