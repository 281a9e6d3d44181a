"""A disaster: what happened, where and when, and how it is called."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from relief.domain.errors import Invalid

#: GB/T 28921-2012 自然灾害分类与代码: the kinds this product is used for (to be compared with the standard before any export).
HAZARDS: Final[Mapping[str, str]] = {
    "010100": "干旱",
    "010200": "洪涝",
    "010300": "台风",
    "010400": "暴雨",
    "010500": "大风",
    "010600": "冰雹",
    "010700": "雷电",
    "010800": "低温",
    "010900": "冰雪",
    "011000": "高温",
    "011100": "沙尘暴",
    "011200": "大雾",
    "019900": "其他气象水文灾害",
    "020100": "地震",
    "020200": "火山",
    "020300": "崩塌",
    "020400": "滑坡",
    "020500": "泥石流",
    "020600": "地面塌陷",
    "020700": "地面沉降",
    "020800": "地裂缝",
    "029900": "其他地质地震灾害",
    "030100": "风暴潮",
    "030400": "海啸",
    "040100": "植物病虫害",
    "040600": "森林草原火灾",
    # Not natural and not of that standard: the house's own codes for 急难 that stands all year, one incident a county, cause and year.
    "900100": "火灾急难",
    "900200": "意外事故急难",
    "900300": "突发重病急难",
    "900400": "冬春生活困难",
}
EARTHQUAKE: Final = "020100"
DROUGHT: Final = "010100"
MAX_REASON: Final = 500

#: GB/T 28921 → the statistics system's own list of fifteen kinds (自然灾害情况统计调查制度). What is not here it does not count.
STATISTICS_KINDS: Final[Mapping[str, str]] = {
    "010100": "干旱",
    "010200": "洪涝",
    "010300": "台风",
    "010400": "洪涝",
    "010500": "风雹",
    "010600": "风雹",
    "010700": "风雹",
    "010800": "低温冷冻",
    "010900": "雪灾",
    "011100": "沙尘暴",
    "020100": "地震",
    "020300": "崩塌",
    "020400": "滑坡",
    "020500": "泥石流",
    "030100": "风暴潮",
    "030400": "海啸",
    "040100": "重大生物灾害",
    "040600": "森林草原火灾",
}


class NewIncident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident to be opened. `county` is a six-digit code; a drill can never reach a real bank or phone."""

    hazard: str
    county: str
    occurred_at: datetime
    drill: bool


def check(new: NewIncident, now: datetime) -> None:
    """Refuse an unknown hazard, a moment without time zone, or one that has not come yet."""
    if new.hazard not in HAZARDS:
        raise Invalid("hazard", "灾种代码不在 GB/T 28921 之列 · that hazard code is not in GB/T 28921")
    if new.occurred_at.tzinfo is None:
        raise Invalid("time_zone", "发生时间须带时区 · the moment needs a time zone")
    if new.occurred_at > now:
        raise Invalid("in_future", "发生时间晚于现在 · it cannot have happened in the future")


def name(day: date, county: str, hazard: str) -> str:
    """The naming rule 灾害名称规则: day, county, kind, as in '2022-09-05 泸定县地震'."""
    return f"{day.isoformat()} {county}{HAZARDS[hazard]}"


def numbered(name: str, nth: int) -> str:
    """The name of the nth incident of that name: '2022-09-05 泸定县地震（2）'."""
    return name if nth == 1 else f"{name}（{nth}）"


def is_natural(hazard: str) -> bool:
    """True for disasters of GB/T 28921; hardship of one family and seasonal need are not reported as disasters (灾情报告)."""
    return not hazard.startswith("90")


def statistics_kind(hazard: str) -> str | None:
    """The kind under which the statistics system counts it; None for what it does not count (fog, subsidence, …)."""
    return STATISTICS_KINDS.get(hazard)


def check_reason(reason: str) -> str:
    """A decision's reason, trimmed; Invalid where there is none, or it is too long or not printable."""
    text = reason.strip()
    if not 2 <= len(text) <= MAX_REASON or any(unicodedata.category(c).startswith("C") for c in text):
        raise Invalid("reason", f"须写明理由（2至{MAX_REASON}个字） · give a reason of 2–{MAX_REASON} printable characters", field="reason")
    return text
