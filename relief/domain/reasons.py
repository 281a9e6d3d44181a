"""Reason codes of decisions, and how they read. Codes are stable: they stand in every decision ever written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from relief.domain.household import FAMILY_TYPES
from relief.domain.playbook import Text

OUTSIDE: Final = "zone.outside"
EDGE: Final = "zone.edge"
NO_GATE: Final = "gate.none"
NO_NEED: Final = "need.none"
HELD: Final = "guard.held"

_ROMAN: Final = ("", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "Ⅵ", "Ⅶ", "Ⅷ", "Ⅸ", "Ⅹ", "Ⅺ", "Ⅻ")

_TEXTS: Final[Mapping[str, Text]] = {
    OUTSIDE: Text("不在灾区范围内", "outside every band of the zone"),
    EDGE: Text("位置靠近分区边界，精度不足以判明", "so near a border that the point's accuracy leaves doubt"),
    NO_GATE: Text("该分区不发放此项救助", "this aid is not given in this band"),
    NO_NEED: Text("没有符合任何一项救助情形", "none of the situations this aid is for"),
    HELD: Text("家庭成员已在另一户享受同项救助", "a member already has this aid through another household"),
    "cap.DIBAO.month": Text("按当地一个月低保标准（每人）封顶", "capped at one month of the local allowance for each member"),
    "cap.ADVANCE.household": Text("按先行救助每户限额封顶", "capped at the ceiling of an advance per household"),
}

#: Predicate → as it holds, as it is lacking.
_PREDICATES: Final[Mapping[str, tuple[Text, Text]]] = {
    "collapsed": (Text("住房倒塌", "rooms collapsed"), Text("没有倒塌住房", "no room collapsed")),
    "severe": (Text("住房严重损坏", "rooms severely damaged"), Text("住房没有严重损坏", "no room severely damaged")),
    "moderate": (Text("住房一般损坏", "rooms moderately damaged"), Text("住房没有一般损坏", "no room moderately damaged")),
    "dead": (Text("家中有人遇难", "a member died"), Text("家中无人遇难", "no member died")),
    "missing": (Text("家中有人失踪", "a member is missing"), Text("家中无人失踪", "no member is missing")),
    "injured": (Text("家中有人受伤", "a member was injured"), Text("家中无人受伤", "no member was injured")),
    "relocated": (Text("已紧急转移安置", "relocated"), Text("没有转移安置", "not relocated")),
    "only_home": (Text("系唯一住房", "it is the only home"), Text("另有住房", "the household has another home")),
    "occupied": (Text("有人常住", "it was lived in"), Text("长期无人居住", "nobody lived in it")),
    **{
        f"family.{code}": (Text(f"家庭类型为{zh}", f"family type {code}"), Text(f"家庭类型不是{zh}", f"family type is not {code}"))
        for code, zh in FAMILY_TYPES.items()
    },
}


def explain(codes: Iterable[str]) -> list[Text]:
    """The reasons in both languages, in the order they were met. Every code the software can write has a text."""
    return [_text(code) for code in codes]


def _text(code: str) -> Text:
    if code in _TEXTS:
        return _TEXTS[code]
    kind, _, rest = code.partition(".")
    if kind == "band":
        return Text(f"位于{_ROMAN[int(rest)]}度区", f"in the band of intensity {rest}")
    if kind == "cap":
        return Text(f"按标准 {rest} 封顶", f"capped by the figure {rest}")
    holds, lacks = _PREDICATES[rest]
    return holds if kind == "has" else lacks
