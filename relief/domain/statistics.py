"""What is counted of a disaster, in which unit, and what changed between two reports (灾情统计指标).

Counts are whole; areas (公顷) and losses (万元) have up to two decimals. A figure may go down, or jump forty times: both are
news, not errors. What a large change needs is somebody's eye, so it is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from relief.domain.errors import Invalid

Figures = Mapping[str, Decimal]


class Indicator(msgspec.Struct, frozen=True):
    """An indicator's Chinese and English name and its unit; `whole` for things that are counted; `summed` unless it is of the event itself."""

    zh: str
    en: str
    unit: str
    whole: bool = True
    summed: bool = True


def _i(zh: str, en: str, unit: str = "人") -> Indicator:
    return Indicator(zh, en, unit, whole=unit not in ("公顷", "万元"))


def _quake(zh: str, en: str, unit: str) -> Indicator:
    return Indicator(zh, en, unit, whole=False, summed=False)


#: Key → indicator, in the order of the form.
INDICATORS: Final[Mapping[str, Indicator]] = {
    "epicentre_lon": _quake("震中经度", "longitude of the epicentre", "度"),
    "epicentre_lat": _quake("震中纬度", "latitude of the epicentre", "度"),
    "magnitude": _quake("震级", "magnitude", "级"),
    "intensity": _quake("最高烈度", "highest intensity", "烈度"),
    "affected_population": _i("受灾人口", "people affected"),
    "deaths": _i("因灾死亡人口", "deaths"),
    "missing": _i("因灾失踪人口", "missing"),
    "injured_sick": _i("因灾伤病人口", "injured or ill"),
    "trapped": _i("被困人口", "people trapped"),
    "relocated": _i("紧急转移安置人口", "people relocated"),
    "relocated_central": _i("其中集中安置", "of these, in centralised sites"),
    "relocated_dispersed": _i("其中分散安置", "of these, dispersed"),
    "need_urgent_aid": _i("需紧急生活救助人口", "people needing urgent living aid"),
    "need_transitional_aid": _i("需过渡期生活救助人口", "people needing transitional aid"),
    "water_shortage": _i("饮水困难人口", "people short of drinking water"),
    "drought_need": _i("因旱需政府救助人口", "people needing government aid for drought"),
    "crop_affected": _i("农作物受灾面积", "crop area affected", "公顷"),
    "crop_damaged": _i("农作物成灾面积", "crop area damaged (30 % lost or more)", "公顷"),
    "crop_lost": _i("农作物绝收面积", "crop area lost (80 % or more)", "公顷"),
    "farmland_destroyed": _i("毁坏耕地面积", "farmland destroyed", "公顷"),
    "livestock_dead": _i("因灾死亡大牲畜", "large livestock dead", "头只"),
    "rooms_collapsed": _i("倒塌房屋间数", "rooms collapsed", "间"),
    "households_collapsed": _i("倒塌房屋户数", "households with collapsed houses", "户"),
    "rooms_severe": _i("严重损坏房屋间数", "rooms severely damaged", "间"),
    "households_severe": _i("严重损坏房屋户数", "households with severely damaged houses", "户"),
    "rooms_moderate": _i("一般损坏房屋间数", "rooms moderately damaged", "间"),
    "households_moderate": _i("一般损坏房屋户数", "households with moderately damaged houses", "户"),
    "direct_loss": _i("直接经济损失", "direct economic loss", "万元"),
    "loss_agriculture": _i("其中农业损失", "of this, agriculture", "万元"),
    "loss_industry": _i("其中工矿企业损失", "of this, industry and mining", "万元"),
    "loss_infrastructure": _i("其中基础设施损失", "of this, infrastructure", "万元"),
    "loss_public": _i("其中公益设施损失", "of this, public facilities", "万元"),
    "loss_property": _i("其中家庭财产损失", "of this, family property", "万元"),
    "aided": _i("已救济人口", "people aided"),
    "funds_province": _i("省级财政救灾款", "provincial relief funds", "万元"),
    "funds_city": _i("地级财政救灾款", "prefectural relief funds", "万元"),
    "funds_county": _i("县级财政救灾款", "county relief funds", "万元"),
    "goods_value": _i("救灾物资折款", "value of relief goods", "万元"),
}

#: What response plans judge: a sum of indicators (死亡和失踪, 紧急转移安置和需紧急生活救助, 倒塌和严重损坏).
SUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "deaths": ("deaths",),
    "dead_missing": ("deaths", "missing"),
    "relocated_or_need": ("relocated", "need_urgent_aid"),
    "rooms": ("rooms_collapsed", "rooms_severe"),
    "households": ("households_collapsed", "households_severe"),
    "drought_people": ("drought_need",),
}
SUM_NAMES: Final[Mapping[str, Indicator]] = {
    "deaths": _i("死亡", "deaths"),
    "dead_missing": _i("死亡和失踪", "dead and missing"),
    "relocated_or_need": _i("紧急转移安置和需紧急生活救助", "relocated or needing urgent living aid"),
    "rooms": _i("倒塌和严重损坏房屋", "rooms collapsed or severely damaged", "间"),
    "households": _i("倒塌和严重损坏房屋", "households with such rooms", "户"),
    "drought_people": _i("因旱需政府救助", "needing government aid for drought"),
    "drought_share": _i("因旱需政府救助占农牧业人口", "needing aid for drought, share of the farming population", "%"),
}

#: A figure that grows or shrinks by this factor is a large change, unless it is only a few.
LARGE_FACTOR: Final = 5
FEW: Final = 10
#: These do not go down without somebody looking: who was counted dead was found.
NEVER_LESS: Final = ("deaths",)

_PARTS: Final = (
    ("relocated", ("relocated_central", "relocated_dispersed")),
    ("crop_affected", ("crop_damaged",)),
    ("crop_damaged", ("crop_lost",)),
    ("direct_loss", ("loss_agriculture", "loss_industry", "loss_infrastructure", "loss_public", "loss_property")),
)
_LARGEST: Final = Decimal(10) ** 12


class Change(msgspec.Struct, frozen=True):
    """One indicator in two versions; None where it was not given. `large` asks for somebody's eye."""

    indicator: str
    before: Decimal | None
    after: Decimal | None
    large: bool

    @property
    def factor(self) -> Decimal | None:
        """How many times as much as before, to one decimal; None where there was nothing before or is nothing now."""
        if not self.before or self.after is None:
            return None
        return (self.after / self.before).quantize(Decimal("0.1"))


def check(given: Mapping[str, str]) -> Figures:
    """Decode and check figures written as text ("81396", "6502.00"); raises Invalid `indicators` naming every fault."""
    figures, faults = {}, []
    for key, text in given.items():
        indicator = INDICATORS.get(key)
        if indicator is None:
            faults.append(f"{key}: 没有这项指标 · there is no such indicator")
            continue
        number = _number(text, indicator.whole)
        if number is None:
            rule = "须为非负整数 · a whole number, not negative" if indicator.whole else "须为非负数、至多两位小数 · at most two decimals"
            faults.append(f"{key}: {indicator.zh}{rule}")
        else:
            figures[key] = number
    for whole, parts in _PARTS:
        if whole in figures and sum((figures.get(p, Decimal(0)) for p in parts), Decimal(0)) > figures[whole]:
            names = "、".join(INDICATORS[p].zh for p in parts if p in figures)
            faults.append(f"{whole}: {names}超过{INDICATORS[whole].zh} · the parts exceed the whole")
    if not given:
        faults.append("indicators: 没有任何指标；无变化请报零报告 · no figure at all: where nothing changed, say so")
    if faults:
        raise Invalid("indicators", "\n".join(faults), faults=faults)
    return {k: figures[k] for k in INDICATORS if k in figures}


def _number(text: str, whole: bool) -> Decimal | None:
    """Plain digits only: no sign, no exponent, no spaces, no full-width forms."""
    head, dot, tail = text.partition(".")
    if not (head.isascii() and head.isdigit() and len(head) <= 13):
        return None
    if dot and (whole or not (tail.isascii() and tail.isdigit() and len(tail) <= 2)):
        return None
    number = Decimal(text)
    return number if number <= _LARGEST else None


def changes(before: Figures, after: Figures) -> list[Change]:
    """What differs, in the order of the form."""
    found = []
    for key in INDICATORS:
        was, now = before.get(key), after.get(key)
        if was != now:
            found.append(Change(key, was, now, _large(key, was, now)))
    return found


def _large(key: str, was: Decimal | None, now: Decimal | None) -> bool:
    if was is None or now is None:
        return now is None and bool(was)
    if key in NEVER_LESS and now < was:
        return True
    low, high = min(was, now), max(was, now)
    return high - low >= FEW and high >= LARGE_FACTOR * max(low, Decimal(1))


def total(reports: Iterable[Figures]) -> Figures:
    """The counties' figures together; what is of the event itself (epicentre, magnitude) is not added up."""
    summed: dict[str, Decimal] = {}
    for figures in reports:
        for key, number in figures.items():
            if not INDICATORS[key].summed:
                continue
            summed[key] = summed.get(key, Decimal(0)) + number
    return {k: summed[k] for k in INDICATORS if k in summed}


def judged(figures: Figures) -> Figures:
    """The sums that plans judge; one is missing where none of its parts was reported."""
    return {
        name: sum((figures.get(p, Decimal(0)) for p in parts), Decimal(0))
        for name, parts in SUMS.items()
        if any(p in figures for p in parts)
    }


def dead_missing(figures: Figures) -> int:
    """死亡和失踪 together."""
    return int(judged(figures).get("dead_missing", 0))


def with_units(figures: Figures) -> dict[str, dict[str, str]]:
    """As it is kept: every number beside its unit."""
    return {k: {"value": str(v), "unit": INDICATORS[k].unit} for k, v in figures.items()}


def from_units(kept: Mapping[str, Mapping[str, str]]) -> Figures:
    """The figures of a kept report."""
    return {k: Decimal(v["value"]) for k, v in kept.items()}


def large(found: Sequence[Change]) -> list[Change]:
    """Those that ask for somebody's eye."""
    return [c for c in found if c.large]
