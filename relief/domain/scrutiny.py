"""What is wrong with a playbook that decodes: every fault as `path: sentence`. Pure reading; nothing is repaired."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from relief.domain import completeness, scrutiny_aid, seasons
from relief.domain.facts import PREDICATES
from relief.domain.incident import HAZARDS
from relief.domain.rules import Aid, Playbook
from relief.domain.scrutiny_aid import twice
from relief.domain.vocabulary import DEPARTMENTS

_HAZARD: Final = re.compile("[0-9]{6}")


def faults(book: Playbook) -> Iterator[str]:
    """Every fault, in the order of the file's sections."""
    yield from _bands(book)
    yield from _hazards(book)
    yield from _dates(book)
    yield from _figures(book)
    yield from twice("aids[{}].code", [a.code for a in book.aids])
    for i, aid in enumerate(book.aids):
        yield from (f"aids[{i}].{fault}" for fault in scrutiny_aid.faults(aid, book))
    yield from _same_days(book.aids)
    yield from _referrals(book)
    if book.form > 1:
        yield from completeness.faults(book)


def _bands(book: Playbook) -> Iterator[str]:
    levels = [b.level for b in book.bands]
    if levels != sorted(set(levels)):
        yield "bands: 分区须按等级由低到高、不重复 · bands go from low to high, each level once"
    if book.area == "county" and levels != [1]:
        yield "bands: 以县域为范围的方案只有一个分区（等级1） · where the zone is the county there is one band, level 1"
    spoken = {level for a in book.aids for g in a.gates for level in g.levels}
    for i, level in enumerate(levels):
        if level not in spoken:
            yield f"bands[{i}]: 没有救助项目提到该分区 · no aid speaks of this band"


def _hazards(book: Playbook) -> Iterator[str]:
    for i, hazard in enumerate(book.hazards):
        if _HAZARD.fullmatch(hazard) is None:
            yield f"hazards[{i}]: 灾种代码须为6位数字 · a hazard code (GB/T 28921) has six digits"
        elif hazard not in HAZARDS:
            yield f"hazards[{i}]: 没有这个灾种代码 · there is no such hazard code"
    yield from twice("hazards[{}]", book.hazards)
    yield from twice("responses[{}]", [str(r) for r in book.responses])


def _dates(book: Playbook) -> Iterator[str]:
    if book.valid_from is not None and book.valid_to is not None and book.valid_to < book.valid_from:
        yield "valid_to: 失效日早于生效日 · it ends before it begins"
    if (book.course == "season") != bool(book.seasons):
        yield f"{'seasons' if book.seasons else 'course'}: 季节性方案须写明季节，其他方案不写 · a seasonal playbook names its seasons, no other does"
    for i, season in enumerate(book.seasons):
        if any(seasons.overlap(season, other) for other in book.seasons[:i]):
            yield f"seasons[{i}]: 与前一季节日期重叠 · its dates overlap an earlier season"


def _figures(book: Playbook) -> Iterator[str]:
    yield from twice("figures[{}].key", book.figure_keys)
    used = {key for aid in book.aids for key in scrutiny_aid.figures_of(aid)} | {k for f in book.floors for k in (f.figure, f.at_least)}
    for i, key in enumerate(book.figure_keys):
        if key not in used:
            yield f"figures[{i}]: 没有救助项目使用该标准 · no aid uses this figure"
    for i, floor in enumerate(book.floors):
        for name in ("figure", "at_least"):
            if getattr(floor, name) not in book.figure_keys:
                yield f"floors[{i}].{name}: 标准未在 figures 中声明 · the figure is not declared in figures"
        if floor.figure == floor.at_least:
            yield f"floors[{i}]: 不能与自身比较 · a figure is not compared with itself"


def _same_days(aids: Sequence[Aid]) -> Iterator[str]:
    """No day twice: daily aids of one playbook follow one another."""
    daily = [(i, a) for i, a in enumerate(aids) if a.days > 1]
    for place, (i, aid) in enumerate(daily):
        for _, other in daily[:place]:
            if _overlap(aid, other):
                yield f"aids[{i}].first_day: 与 {other.code} 的救助天数重叠 · its days overlap those of {other.code}"


def _overlap(one: Aid, other: Aid) -> bool:
    return one.first_day < other.first_day + other.days and other.first_day < one.first_day + one.days


def same_days(book: Playbook, other: Playbook) -> tuple[Aid, Aid] | None:
    """Two daily aids of two playbooks of one disaster that would pay the same day; none where none do."""
    daily = [(a, b) for a in book.aids for b in other.aids if a.days > 1 and b.days > 1]
    return next(((a, b) for a, b in daily if _overlap(a, b)), None)


def _referrals(book: Playbook) -> Iterator[str]:
    for i, referral in enumerate(book.referrals):
        if referral.when not in PREDICATES:
            yield f"referrals[{i}].when: 没有这个事实 · there is no such fact"
        if referral.to not in DEPARTMENTS:
            yield f"referrals[{i}].to: 没有这个部门 · there is no such department"
    yield from twice("referrals[{}]", [f"{r.when} → {r.to}" for r in book.referrals])
