"""What is wrong with one aid of a playbook: every fault as `path: sentence`, the path beginning inside the aid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from relief.domain.facts import PREDICATES
from relief.domain.rules import APPROVERS, CONDITIONS, Aid, Cap, Extra, Gate, Playbook, Quantity, Rate, Stage, Unit

_UNDECLARED: Final = "标准未在 figures 中声明 · the figure is not declared in figures"
_NO_FACT: Final = "没有这个事实 · there is no such fact"
_WRONG_UNIT: Final = "标准的计量单位与用法不符 · the figure's unit does not fit its use"

#: The units a figure may have when it is multiplied by that quantity, once and by the day.
_ONCE: Final[dict[Quantity, tuple[Unit, ...]]] = {
    "person": ("person", "person_month"),
    "household": ("household",),
    "in_need": ("person", "person_month"),
    "lost": ("lost",),
    "room_collapsed": ("room",),
    "room_damaged": ("room",),
}
#: An approval's rank: a later band is never signed by a lower office.
_OFFICES: Final = ("township", "county", "meeting", "city")


def faults(aid: Aid, book: Playbook) -> Iterator[str]:
    """Every fault of the aid."""
    for path, key in _named(aid):
        if key not in book.figure_keys:
            yield f"{path}: {_UNDECLARED}"
    yield from _units(aid, book)
    if aid.approver != APPROVERS[aid.mode]:
        yield "approver: 与救助方式不符（A 乡镇，B、C 县） · does not fit the mode (A township, B and C county)"
    if aid.unit in ("person", "in_need") and aid.guard != "member":
        yield "guard: 按人救助须逐人防重 · aid by the person is guarded for every member"
    yield from _modes(aid)
    yield from _stages(aid.stages)
    yield from _gates(aid.gates, {b.level for b in book.bands})
    yield from _amounts(aid)
    yield from _caps(aid)
    yield from _approvals(aid)


def figures_of(aid: Aid) -> set[str]:
    """The keys of every figure an aid names."""
    return {key for _, key in _named(aid)}


def _named(aid: Aid) -> Iterator[tuple[str, str]]:
    yield "figure", aid.figure
    for i, rate in enumerate(aid.rates):
        yield f"rates[{i}].figure", rate.figure
    for i, extra in enumerate(aid.extras):
        yield f"extras[{i}].figure", extra.figure
    for i, cap in enumerate(aid.caps):
        yield f"caps[{i}].figure", cap.figure
    yield from ((f"approvals[{i}].up_to", a.up_to) for i, a in enumerate(aid.approvals) if a.up_to is not None)
    if aid.procedure is not None and aid.procedure.delegate_up_to is not None:
        yield "procedure.delegate_up_to", aid.procedure.delegate_up_to


def _units(aid: Aid, book: Playbook) -> Iterator[str]:
    """A figure by the day is multiplied by days, one by the household is not multiplied by people, and so on."""
    units = {f.key: f.unit for f in book.figures}
    daily: tuple[Unit, ...] = ("person_day",)
    fitting = daily if aid.days > 1 else _ONCE[aid.unit] + (daily if aid.unit in ("person", "in_need") else ())
    wanted: list[tuple[str, str, tuple[Unit, ...]]] = [] if aid.mode == "C" else [("figure", aid.figure, fitting)]
    wanted += [(f"rates[{i}].figure", r.figure, fitting) for i, r in enumerate(aid.rates)]
    wanted += [(f"extras[{i}].figure", e.figure, _ONCE[e.per] + daily) for i, e in enumerate(aid.extras)]
    wanted += [(f"caps[{i}].figure", c.figure, _ONCE[c.per] + daily) for i, c in enumerate(aid.caps)]
    for path, key, allowed in wanted:
        if units.get(key) is not None and units[key] not in allowed:
            yield f"{path}: {_WRONG_UNIT}"
    if aid.days > 1 and aid.unit not in ("person", "in_need"):
        yield "days: 只有按人救助才按天计算 · only aid by the person is counted in days"
    for path, key in _named(aid):
        if ("up_to" in path) and units.get(key) not in (None, "household"):
            yield f"{path}: {_WRONG_UNIT}"


def _modes(aid: Aid) -> Iterator[str]:
    if (aid.mode == "C") != (aid.minutes is not None):
        yield "minutes: 一事一议须有会议纪要要求，其他方式不得有 · mode C says what its minutes must hold, no other mode does"
    if aid.mode == "C" and (aid.rates or aid.extras or aid.days > 1):
        yield "mode: 一事一议的金额由会议确定 · in mode C the meeting says the amount: no rates, extras or days"
    if aid.mode != "A":
        for name in ("papers_due_working_days", "within_hours"):
            if getattr(aid, name) is not None:
                yield f"{name}: 仅先行救助需要补办手续、限时支付 · only an advance (mode A) has papers that follow and hours to be paid in"
        return
    if aid.papers_due_working_days is None:
        yield "papers_due_working_days: 先行救助须规定补办手续期限 · an advance must say when its papers are due"
    if not aid.caps:
        yield "caps: 先行救助须有封顶 · an advance must have a cap"
    if [(s.condition, s.after_days) for s in aid.stages] != [("none", 0)]:
        yield "stages: 先行救助一次付清、不设条件 · an advance is one stage that waits for nothing"


def _stages(stages: Sequence[Stage]) -> Iterator[str]:
    if sum(s.share_bp for s in stages) != 10_000:
        yield "stages: 各期比例之和须为 100% · the shares must sum to 10000 basis points"
    reached, day = 0, 0
    for i, stage in enumerate(stages):
        if stage.condition not in CONDITIONS:
            yield f"stages[{i}].condition: 没有这种证明材料 · there is no such kind of evidence"
            continue
        place = CONDITIONS.index(stage.condition)
        if place and place < reached:
            yield f"stages[{i}].condition: 无法到达：前期已要求更晚的证明 · unreachable: an earlier stage waits for later evidence"
        if not place and i and stage.after_days == day:
            yield f"stages[{i}].condition: 无法区分：后期不设条件也不设日期 · not a stage of its own: it waits for neither evidence nor a day"
        if not i and stage.after_days:
            yield "stages[0].after_days: 第一期批准后即付 · the first stage is paid when it is approved"
        if place and stage.after_days:
            yield f"stages[{i}].after_days: 等待证明的一期不另设日期 · a stage that waits for evidence has no day of its own"
        if stage.after_days < day and not place:
            yield f"stages[{i}].after_days: 无法到达：早于前一期 · unreachable: before the stage that precedes it"
        reached, day = max(reached, place), max(day, stage.after_days)
    yield from twice("stages[{}].condition", [s.condition for s in stages], but="none")


def _gates(gates: Sequence[Gate], levels: set[int]) -> Iterator[str]:
    seen: set[int] = set()
    for i, gate in enumerate(gates):
        if not gate.all and not gate.any:
            yield f"gates[{i}]: 没有任何条件 · asks for nothing"
        yield from _facts(f"gates[{i}]", ("all", gate.all), ("any", gate.any), ("none", gate.none))
        yield from (f"gates[{i}]: {fault}" for fault in _asked_twice(gate))
        if unknown := sorted(set(gate.levels) - levels):
            yield f"gates[{i}].levels: 分区 {unknown} 未在 bands 中声明 · the levels {unknown} are not declared in bands"
        if again := sorted(seen & set(gate.levels)):
            yield f"gates[{i}].levels: 分区 {again} 已有条件 · the levels {again} already have a gate"
        seen |= set(gate.levels)


def _facts(path: str, *lists: tuple[str, Sequence[str]]) -> Iterator[str]:
    for name, facts in lists:
        for j, fact in enumerate(facts):
            if fact not in PREDICATES:
                yield f"{path}.{name}[{j}]: {_NO_FACT}"


def _amounts(aid: Aid) -> Iterator[str]:
    """Rates and extras: who they are for, and that each can be met."""
    rules: list[tuple[str, Rate | Extra]] = [(f"rates[{i}]", r) for i, r in enumerate(aid.rates)]
    rules += [(f"extras[{i}]", e) for i, e in enumerate(aid.extras)]
    for path, rule in rules:
        yield from _facts(path, ("all", rule.all), ("any", rule.any))
        if rule.members_to < rule.members_from:
            yield f"{path}.members_to: 人数上限低于下限 · the most members are fewer than the least"
    for i, rate in enumerate(aid.rates):
        if any(_covers(earlier, rate) for earlier in aid.rates[:i]):
            yield f"rates[{i}]: 前面的标准已包含所有此类家庭 · never reached: an earlier rate takes all of these households"
    for i, extra in enumerate(aid.extras):
        if extra in aid.extras[:i]:
            yield f"extras[{i}]: 重复 · stands twice"


def _covers(earlier: Rate, later: Rate) -> bool:
    fits = earlier.members_from <= later.members_from and later.members_to <= earlier.members_to
    return fits and set(earlier.all) <= set(later.all) and (not earlier.any or (bool(later.any) and set(later.any) <= set(earlier.any)))


def _caps(aid: Aid) -> Iterator[str]:
    yield from twice("caps[{}].figure", [c.figure for c in aid.caps])
    for i, cap in enumerate(aid.caps):
        if _below_base(aid, cap):
            yield f"caps[{i}]: 封顶低于基本标准 · the cap is below the base: nobody could be paid in full"


def _below_base(aid: Aid, cap: Cap) -> bool:
    return cap.figure == aid.figure and cap.times < aid.days and cap.per in (aid.unit, "household")


def _approvals(aid: Aid) -> Iterator[str]:
    for i, band in enumerate(aid.approvals):
        last = i == len(aid.approvals) - 1
        if last != (band.up_to is None):
            yield f"approvals[{i}].up_to: 只有最后一档不设上限 · every band but the last has a limit"
        if i and _OFFICES.index(band.by) < _OFFICES.index(aid.approvals[i - 1].by):
            yield f"approvals[{i}].by: 金额更大却由更低一级审批 · a larger amount is signed by a lower office"
    yield from twice("approvals[{}].up_to", [a.up_to or "" for a in aid.approvals], but="")
    if aid.approvals and aid.approvals[0].by != aid.approver and aid.mode != "C":
        yield "approvals[0].by: 与 approver 不符 · does not fit `approver`"


def _asked_twice(gate: Gate) -> Iterator[str]:
    named = gate.all + gate.any + gate.none
    for again in sorted({n for n in named if named.count(n) > 1}):
        yield f"all、any、none 中“{again}”重复 · “{again}” stands twice in all, any and none"


def twice(path: str, values: Sequence[str], but: str | None = None) -> Iterator[str]:
    """A fault for every value that stood before, at its place in `path` ('aids[{}].code'); the value `but` may stand often."""
    for i, value in enumerate(values):
        if value != but and value in values[:i]:
            yield f"{path.format(i)}: “{value}”重复 · “{value}” stands twice"
