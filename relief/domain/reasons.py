"""Reason codes of decisions, and how they read. Codes are stable: they stand in every decision ever written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES
from relief.domain.rules import Playbook, Text

OUTSIDE: Final = "zone.outside"
EDGE: Final = "zone.edge"
NO_GATE: Final = "gate.none"
NO_NEED: Final = "need.none"
NOTHING: Final = "amount.none"
HELD: Final = "guard.held"
AWAY: Final = "home.elsewhere"
CHECKED: Final = "visit.checked"
MINUTES: Final = "minutes.adopted"
NO_MINUTES: Final = "minutes.none"

#: From this level on a band is one of seismic intensity; below it a playbook's bands have names of their own.
_INTENSITY: Final = 6
_ROMAN: Final = ("", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "Ⅵ", "Ⅶ", "Ⅷ", "Ⅸ", "Ⅹ", "Ⅺ", "Ⅻ")

_TEXTS: Final[Mapping[str, Text]] = {
    OUTSIDE: Text("不在灾区范围内", "outside every band of the zone"),
    EDGE: Text("位置靠近分区边界，精度不足以判明", "so near a border that the point's accuracy leaves doubt"),
    NO_GATE: Text("该分区不发放此项救助", "this aid is not given in this band"),
    NO_NEED: Text("没有符合任何一项救助情形", "none of the situations this aid is for"),
    NOTHING: Text("按标准计算金额为零", "by the figures in force the amount is nothing"),
    HELD: Text("家庭成员已在另一户享受同项救助", "a member already has this aid through another household"),
    AWAY: Text("户籍在外县：按发生地救助，并通知户籍地", "registered in another county: aided where it happened, the home county is told"),
    CHECKED: Text("经济状况核对符合，可免入户调查", "within the limits by the economic check: the visit may be left out"),
    MINUTES: Text("按“一事一议”会议纪要确定的金额", "the amount the minutes of the meeting adopted"),
    NO_MINUTES: Text("尚无“一事一议”会议纪要", "no minutes of a meeting yet"),
    "household.duplicate": Text("经认定系重复登记", "found to be registered twice"),
    "household.rejected": Text("登记未通过核实", "the registration was rejected"),
    "cap.DIBAO.month": Text("按当地一个月低保标准（每人）封顶", "capped at one month of the local allowance for each member"),
    "cap.ADVANCE.household": Text("按先行救助每户限额封顶", "capped at the ceiling of an advance per household"),
}

#: Circumstances in English; in Chinese they are called as in the register.
_ENGLISH: Final[Mapping[str, str]] = {
    "absent": "not in the zone when it happened",
    "annex_only": "only kitchens, sheds or simple buildings were hit",
    "other_scheme": "the house is taken into another housing scheme (农村危房改造)",
    "rebuilt_before": "had rebuilding aid before",
    "no_income": "lost its source of income",
    "no_means": "cannot help itself",
    "cannot_return": "cannot return home: secondary hazards",
    "heavy_costs": "sudden necessary costs it cannot bear",
    "need_water": "lacks drinking water",
    "need_grain": "lacks grain",
    "need_clothing": "lacks clothes and quilts",
    "need_heating": "lacks heating",
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
    "in_need": (Text("有成员需救助", "members are in need"), Text("没有成员需救助", "no member is in need")),
    "away": (Text("户籍在外县", "registered in another county"), Text("户籍在本县", "registered in this county")),
    "checked": (
        Text("经济状况核对符合", "within the limits by the economic check"),
        Text("没有符合条件的经济状况核对报告", "no report of an economic check that is within the limits"),
    ),
    "no_adult": (Text("家中没有成年人", "no adult in the household"), Text("家中有成年人", "there is an adult in the household")),
    **{
        f"family.{code}": (Text(f"家庭类型为{zh}", f"family type {code}"), Text(f"家庭类型不是{zh}", f"family type is not {code}"))
        for code, zh in FAMILY_TYPES.items()
    },
    **{
        code: (Text(zh, _ENGLISH[code]), Text(f"没有登记：{zh}", f"not registered: {_ENGLISH[code]}")) for code, zh in CIRCUMSTANCES.items()
    },
}


def explain(codes: Iterable[str], book: Playbook | None = None) -> list[Text]:
    """The reasons in both languages, in the order they were met; with the playbook, figures and bands are called as it calls them.

    Every code the software can write has a text.
    """
    return [_text(code, book) for code in codes]


def _text(code: str, book: Playbook | None) -> Text:
    kind, _, rest = code.partition(".")
    if kind in ("rate", "extra", "cap") and book is not None and rest in book.figure_keys:
        return _of_figure(kind, book.figure(rest).title)
    if code in _TEXTS:
        return _TEXTS[code]
    if kind == "band":
        return _band(int(rest), book)
    if kind in ("rate", "extra", "cap"):
        return _of_figure(kind, Text(rest, rest))
    holds, lacks = _PREDICATES[rest]
    if kind == "barred":
        return Text(f"不予救助情形：{holds.zh}", f"excluded: {holds.en}")
    return holds if kind == "has" else lacks


def _band(level: int, book: Playbook | None) -> Text:
    label = next((b.label for b in book.bands if b.level == level), None) if book is not None else None
    if level >= _INTENSITY:
        return Text(f"位于{_ROMAN[level]}度区", f"in the band of intensity {level}")
    return Text(f"位于{label or '灾区'}", f"in the zone, band {label or level}")


def _of_figure(kind: str, title: Text) -> Text:
    if kind == "rate":
        return Text(f"适用标准：{title.zh}", f"the figure that applies: {title.en}")
    if kind == "extra":
        return Text(f"增发：{title.zh}", f"added: {title.en}")
    return Text(f"按“{title.zh}”封顶", f"capped by: {title.en}")
