"""One decision told in words: what was true, which clause, so much. It retells what `entitlement` decided; it never decides anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from relief.domain.facts import QUANTITIES, Facts
from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES
from relief.domain.money import display
from relief.domain.reasons import explain
from relief.domain.rules import Aid, Playbook, Text
from relief.domain.snapshot import ADOPTED, EXCLUDED, HELD, Kept, again
from relief.domain.standard import Figures
from relief.domain.vocabulary import QUANTITIES as QUANTITY_WORDS

_LABELS: Final[Mapping[str, Text]] = {
    "level": Text("所在分区等级", "level of the band"),
    "edge": Text("靠近分区边界", "near the border of a band"),
    "members": Text("家庭人口", "members"),
    "adults": Text("成年人", "adults"),
    "dead": Text("遇难", "dead"),
    "missing": Text("失踪", "missing"),
    "injured": Text("受伤", "injured"),
    "rooms_collapsed": Text("倒塌间数", "rooms collapsed"),
    "rooms_severe": Text("严重损坏间数", "rooms severely damaged"),
    "rooms_moderate": Text("一般损坏间数", "rooms moderately damaged"),
    "relocated": Text("紧急转移安置", "relocated"),
    "only_home": Text("唯一住房", "only home"),
    "occupied": Text("常住", "lived in"),
    "family_type": Text("家庭类型", "family type"),
    "circumstances": Text("其他情形", "circumstances"),
    "in_need": Text("需救助人口", "members in need"),
    "away": Text("户籍在外县", "registered in another county"),
    "checked": Text("经济状况核对符合", "economic check: within the limits"),
    HELD: Text("成员已在另一户享受同项救助", "a member has this aid through another household"),
    ADOPTED: Text("会议纪要确定金额", "amount adopted by the meeting"),
    EXCLUDED: Text("不计入", "does not count"),
}
_EXCLUDED: Final = {"duplicate": Text("重复登记", "registered twice"), "rejected": Text("未通过核实", "rejected")}


class Stated(msgspec.Struct, frozen=True):
    """A fact as the decision saw it."""

    key: str
    label: Text
    value: Text


class Clause(msgspec.Struct, frozen=True):
    """A figure the aid can use: its clause, and its amount there and then (fen) by which document; `used` where this decision rests on it."""

    key: str
    title: Text
    legal_basis: str
    amount_fen: int
    area: str
    valid_from: date
    document: str
    verified: bool
    used: bool


class Step(msgspec.Struct, frozen=True):
    """One line of the working: the words, the sum as written, and what it comes to (fen)."""

    says: Text
    written: str
    fen: int


def stated(kept: Kept) -> list[Stated]:
    """The facts in words, in their usual order."""
    return [Stated(key, label, _value(key, kept[key])) for key, label in _LABELS.items() if key in kept]


def _value(key: str, value: Any) -> Text:
    if isinstance(value, bool):
        return Text("是", "yes") if value else Text("否", "no")
    if key == "family_type":
        return Text(FAMILY_TYPES.get(value, "其他"), value or "other")
    if key == "circumstances":
        names = [name for bit, name in enumerate(CIRCUMSTANCES) if int(value) >> bit & 1]
        words = explain(f"has.{name}" for name in names)
        return Text("、".join(w.zh for w in words) or "无", "; ".join(w.en for w in words) or "none")
    if key == ADOPTED:
        return Text(f"{display(value)} 元", f"{display(value)} yuan")
    return _EXCLUDED.get(value, Text(str(value), str(value)))


def clauses(book: Playbook, aid: Aid, figures: Figures, codes: Sequence[str]) -> list[Clause]:
    """The figures this aid can use, those of this decision marked."""
    can = dict.fromkeys([aid.figure, *(r.figure for r in aid.rates), *(e.figure for e in aid.extras), *(c.figure for c in aid.caps)])
    used = set(_used(aid, codes))
    amounts = {s.key: s for s in figures.standards}
    found = []
    for key in can:
        if (s := amounts.get(key)) is not None:
            f = book.figure(key)
            found.append(Clause(key, f.title, f.legal_basis, s.amount_fen, s.area, s.valid_from, s.document, s.verified, key in used))
    return found


def _used(aid: Aid, codes: Sequence[str]) -> list[str]:
    named = [code.partition(".")[2] for code in codes if code.partition(".")[0] in ("rate", "extra", "cap")]
    return named if any(c.startswith("rate.") for c in codes) else [aid.figure, *named]


def working(aid: Aid, figures: Figures, kept: Kept, codes: Sequence[str], amount_fen: int) -> list[Step]:
    """How the amount came about, line by line; nothing where nothing is given."""
    if amount_fen == 0:
        return []
    facts, fen = again([kept], aid.code), figures.amounts
    if aid.mode == "C":
        first = int(kept.get(ADOPTED, 0))
        steps = [Step(Text("会议纪要确定", "adopted by the meeting"), display(first), first)]
    else:
        key = next((c.partition(".")[2] for c in codes if c.startswith("rate.")), aid.figure)
        days = f" × {aid.days} 天 days" if aid.days > 1 else ""
        first = fen[key] * aid.days * _many(aid.unit, facts)
        steps = [Step(Text("标准 × 数量", "figure × quantity"), f"{display(fen[key])}{days}{_times(aid.unit, facts)}", first)]
    for extra in aid.extras:
        if f"extra.{extra.figure}" in codes:
            more = fen[extra.figure] * extra.times * _many(extra.per, facts)
            times = f" × {extra.times}" if extra.times > 1 else ""
            steps.append(Step(Text("增发", "added"), f"{display(fen[extra.figure])}{times}{_times(extra.per, facts)}", more))
    for cap in aid.caps:
        if f"cap.{cap.figure}" in codes:
            limit = fen[cap.figure] * cap.times * _many(cap.per, facts)
            times = f" × {cap.times}" if cap.times > 1 else ""
            steps.append(Step(Text("封顶", "capped at"), f"{display(fen[cap.figure])}{times}{_times(cap.per, facts)}", limit))
    return [*steps, Step(Text("救助金额", "amount"), display(amount_fen), amount_fen)]


def _many(quantity: str, facts: Facts) -> int:
    return int(QUANTITIES[quantity](facts)[0])


def _times(quantity: str, facts: Facts) -> str:
    words = QUANTITY_WORDS[quantity]
    return "" if quantity == "household" else f" × {_many(quantity, facts)} {words.zh} {words.en}"


def path(book: Playbook, codes: Sequence[str]) -> list[Text]:
    """What was met, lacking and in the way, in the order it was asked."""
    return explain(codes, book)
