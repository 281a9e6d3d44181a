"""A response plan is data: from which figures on which government launches which level. Decoded whole, or refused with every fault named.

Lower bounds are included (“以上”含本数), any one line suffices, and a level holds until the next one begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from relief.domain.errors import Invalid
from relief.domain.playbook import Text, Word
from relief.domain.statistics import SUM_NAMES
from relief.domain.toml import decode

Issuer = Literal["national", "province", "city", "county"]

#: Issuer → how many digits the code of its area has. A national plan is for any province and stands under 00.
DIGITS: Final[dict[str, int]] = {"national": 2, "province": 2, "city": 4, "county": 6}
NATION: Final = "00"
ROMAN: Final = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ"}


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The level is reached from this number on, the number included; in the indicator's own unit, whole."""

    indicator: str
    at_least: Annotated[int, msgspec.Meta(gt=0, le=10**9)]


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ⅰ is 1 and the most severe. `linked`: what suffices once a neighbour has launched this level for the same disaster (联动启动)."""

    level: Annotated[int, msgspec.Meta(ge=1, le=4)]
    decides: Text
    legal_basis: Word
    thresholds: Annotated[tuple[Threshold, ...], msgspec.Meta(min_length=1)]
    linked: tuple[Threshold, ...] = ()


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The farming and herding population 农牧业人口 of an area: without it the drought share cannot be judged."""

    area: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}([0-9]{2}){0,2}$")]
    people: Annotated[int, msgspec.Meta(gt=0)]
    source: Word


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `verified` is false until somebody has compared every figure with the document."""

    key: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{2,30}$")]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z][0-9a-z.\-]{0,19}$")]
    title: Text
    issuer: Issuer
    area: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}([0-9]{2}){0,2}$")]
    document: Word
    legal_basis: Word
    valid_from: date
    verified: bool
    levels: Annotated[tuple[Level, ...], msgspec.Meta(min_length=1)]
    valid_to: date | None = None
    notes: Word | None = None
    farming_population: tuple[Population, ...] = ()

    def level(self, number: int) -> Level | None:
        """The level of that number."""
        return next((level for level in self.levels if level.level == number), None)

    def farmers(self, area: str) -> int | None:
        """The farming population of that very area, if the plan knows it."""
        return next((p.people for p in self.farming_population if p.area == area), None)


def read(text: str) -> Plan:
    """Decode and check the TOML of a plan; raises Invalid `plan` whose lines are `path: sentence`."""
    plan = decode(text, Plan, "plan")
    if faults := list(_faults(plan)):
        raise Invalid("plan", "\n".join(faults), faults=faults)
    return plan


def _faults(plan: Plan) -> Iterator[str]:
    if len(plan.area) != DIGITS[plan.issuer] or (plan.area == NATION) != (plan.issuer == "national"):
        yield "area: 与制定机关的层级不符 · does not fit the issuer"
    if plan.valid_to is not None and plan.valid_to < plan.valid_from:
        yield "valid_to: 失效日早于生效日 · it ends before it begins"
    numbers = [level.level for level in plan.levels]
    if numbers != sorted(set(numbers)):
        yield "levels: 须由Ⅰ级到Ⅳ级依次排列、不重复 · levels go from Ⅰ down, each once"
        return
    for i, level in enumerate(plan.levels):
        yield from (f"levels[{i}].{fault}" for fault in _level_faults(level))
    yield from _order_faults(plan.levels)
    yield from (f"farming_population: 地区 {a} 重复 · area {a} stands twice" for a in _twice([p.area for p in plan.farming_population]))


def _level_faults(level: Level) -> Iterator[str]:
    for name, group in (("thresholds", level.thresholds), ("linked", level.linked)):
        for i, threshold in enumerate(group):
            if threshold.indicator not in SUM_NAMES:
                yield f"{name}[{i}].indicator: 没有这项启动条件 · there is no such condition"
            elif threshold.indicator == "drought_share" and threshold.at_least > 100:
                yield f"{name}[{i}].at_least: 比例不超过100% · a share is at most 100 per cent"
        yield from (f"{name}: 条件“{x}”重复 · condition “{x}” stands twice" for x in _twice([t.indicator for t in group]))
    own = {t.indicator: t.at_least for t in level.thresholds}
    for i, threshold in enumerate(level.linked):
        if threshold.at_least >= own.get(threshold.indicator, 0):
            yield f"linked[{i}].at_least: 联动条件须低于本级条件 · a linked launch begins below the level's own line"


def _order_faults(levels: Sequence[Level]) -> Iterator[str]:
    """The same condition asks for more at a more severe level, or two levels would begin at one number."""
    for i, (above, below) in enumerate(itertools.pairwise(levels), 1):
        lines = {t.indicator: t.at_least for t in above.thresholds}
        for j, threshold in enumerate(below.thresholds):
            if threshold.indicator in lines and threshold.at_least >= lines[threshold.indicator]:
                yield f"levels[{i}].thresholds[{j}].at_least: 须低于上一级 · must be below the level above"


def _twice(values: Sequence[str]) -> list[str]:
    return sorted({v for v in values if values.count(v) > 1})
