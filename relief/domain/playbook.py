"""A playbook is data: what is paid to whom, by which clause. Decoded whole, or refused with every fault named by its path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

import msgspec

from relief.domain.errors import Invalid
from relief.domain.facts import PREDICATES
from relief.domain.toml import decode

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]

#: What an instalment may wait for. 'none' waits for nothing; the others are kinds of evidence.
CONDITIONS: Final = ("none", "materials_ready", "ground_broken", "first_storey_done", "completed")
#: Who gives the single approval of a mode (township for advances, county for staged aid).
APPROVERS: Final = {"A": "township", "B": "county", "C": "county"}

_HAZARD = re.compile("[0-9]{6}")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in both languages."""

    zh: Word
    en: Word


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A band of the zone this playbook speaks of: seismic intensity 1…12 and its sign on maps."""

    level: Annotated[int, msgspec.Meta(ge=1, le=12)]
    label: Word


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure the rules use. Its amount is not here: it is dated and local (see `standard`)."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]+(\.[a-z_]+)+$")]
    title: Text
    legal_basis: Word


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount never exceeds this figure, taken once per household or once for each of its members."""

    figure: str
    per: Literal["person", "household"]


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who passes in these bands: all of `all`, and at least one of `any` where any are named."""

    levels: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instalment: its share in basis points and the evidence it waits for."""

    share_bp: Annotated[int, msgspec.Meta(gt=0, le=10_000)]
    condition: str


class Aid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of aid. The amount is figure × days (× members, when the unit is a person), then the caps."""

    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2,12}$")]
    title: Text
    mode: Literal["A", "B", "C"]
    unit: Literal["person", "household"]
    figure: str
    legal_basis: Word
    period: Literal["once"]
    guard: Literal["member", "adult"]  # for whom the entitlement is taken: every member, or every adult
    approver: Literal["township", "county"]
    gates: Annotated[tuple[Gate, ...], msgspec.Meta(min_length=1)]
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1)]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1
    caps: Annotated[tuple[Cap, ...], msgspec.Meta(max_length=4)] = ()
    papers_due_working_days: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    key: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{2,30}$")]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    title: Text
    hazards: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    bands: Annotated[tuple[Band, ...], msgspec.Meta(min_length=1)]
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1)]
    aids: Annotated[tuple[Aid, ...], msgspec.Meta(min_length=1)]

    def aid(self, code: str) -> Aid:
        """The aid of that code."""
        return next(a for a in self.aids if a.code == code)

    @property
    def figure_keys(self) -> list[str]:
        """The keys of every figure used, in the order of the file."""
        return [f.key for f in self.figures]


def read(text: str) -> Playbook:
    """Decode and check the TOML of a playbook; raises Invalid `playbook` whose lines are `path: sentence`."""
    playbook = decode(text, Playbook, "playbook")
    if faults := list(_faults(playbook)):
        raise Invalid("playbook", "\n".join(faults), faults=faults)
    return playbook


def _faults(book: Playbook) -> Iterator[str]:
    levels = [b.level for b in book.bands]
    if levels != sorted(set(levels)):
        yield "bands: 分区须按等级由低到高、不重复 · bands go from low to high, each level once"
    for i, hazard in enumerate(book.hazards):
        if _HAZARD.fullmatch(hazard) is None:
            yield f"hazards[{i}]: 灾种代码须为6位数字 · a hazard code (GB/T 28921) has six digits"
    yield from _twice("figures", "key", book.figure_keys)
    yield from _twice("aids", "code", [a.code for a in book.aids])
    used = {k for a in book.aids for k in (a.figure, *(c.figure for c in a.caps))}
    for i, key in enumerate(book.figure_keys):
        if key not in used:
            yield f"figures[{i}]: 没有救助项目使用该标准 · no aid uses this figure"
    for i, aid in enumerate(book.aids):
        yield from (f"aids[{i}].{fault}" for fault in _aid_faults(aid, set(book.figure_keys), set(levels)))


def _aid_faults(aid: Aid, figures: set[str], levels: set[int]) -> Iterator[str]:
    if aid.figure not in figures:
        yield "figure: 标准未在 figures 中声明 · the figure is not declared in figures"
    for i, cap in enumerate(aid.caps):
        if cap.figure not in figures:
            yield f"caps[{i}].figure: 标准未在 figures 中声明 · the figure is not declared in figures"
    yield from _twice("caps", "figure", [c.figure for c in aid.caps])
    if aid.approver != APPROVERS[aid.mode]:
        yield "approver: 与救助方式不符（A 乡镇，B、C 县） · does not fit the mode (A township, B and C county)"
    if aid.unit == "person" and aid.guard != "member":
        yield "guard: 按人救助须逐人防重 · aid by the person is guarded for every member"
    yield from _mode_faults(aid)
    yield from _stage_faults(aid.stages)
    yield from _gate_faults(aid.gates, levels)


def _mode_faults(aid: Aid) -> Iterator[str]:
    if aid.mode != "A":
        if aid.papers_due_working_days is not None:
            yield "papers_due_working_days: 仅先行救助需要补办手续 · only an advance (mode A) has papers that follow"
        return
    if aid.papers_due_working_days is None:
        yield "papers_due_working_days: 先行救助须规定补办手续期限 · an advance must say when its papers are due"
    if not aid.caps:
        yield "caps: 先行救助须有封顶 · an advance must have a cap"
    if [s.condition for s in aid.stages] != ["none"]:
        yield "stages: 先行救助一次付清、不设条件 · an advance is one stage that waits for nothing"


def _stage_faults(stages: Sequence[Stage]) -> Iterator[str]:
    if sum(s.share_bp for s in stages) != 10_000:
        yield "stages: 各期比例之和须为 100% · the shares must sum to 10000 basis points"
    for i, stage in enumerate(stages):
        if stage.condition not in CONDITIONS:
            yield f"stages[{i}].condition: 没有这种证明材料 · there is no such kind of evidence"
    yield from _twice("stages", "condition", [s.condition for s in stages])


def _gate_faults(gates: Sequence[Gate], levels: set[int]) -> Iterator[str]:
    seen: set[int] = set()
    for i, gate in enumerate(gates):
        if not gate.all and not gate.any:
            yield f"gates[{i}]: 没有任何条件 · asks for nothing"
        for name in ("all", "any"):
            for j, predicate in enumerate(getattr(gate, name)):
                if predicate not in PREDICATES:
                    yield f"gates[{i}].{name}[{j}]: 没有这个事实 · there is no such fact"
        yield from _twice(f"gates[{i}]", "all, any", gate.all + gate.any)
        if unknown := sorted(set(gate.levels) - levels):
            yield f"gates[{i}].levels: 分区 {unknown} 未在 bands 中声明 · the levels {unknown} are not declared in bands"
        if again := sorted(seen & set(gate.levels)):
            yield f"gates[{i}].levels: 分区 {again} 已有条件 · the levels {again} already have a gate"
        seen |= set(gate.levels)


def _twice(path: str, name: str, values: Sequence[str]) -> Iterator[str]:
    for again in sorted({v for v in values if values.count(v) > 1}):
        yield f"{path}: {name} “{again}”重复 · {name} “{again}” stands twice"
