"""How figures, money and times are shown: 元 with two decimals, large totals also in 万元, Beijing time and its age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from relief.domain import days, money


def yuan(fen: int | None) -> str:
    """'12,345.00'."""
    return "—" if fen is None else money.display(fen)


def wan(fen: int | None) -> str:
    """万元 with two decimals, half up: '621.55'."""
    if fen is None:
        return "—"
    hundredths = (abs(fen) + 5_000) // 10_000
    return f"{'-' if fen < 0 else ''}{hundredths // 100:,}.{hundredths % 100:02d}"


def count(number: int | None) -> str:
    """'12,431'."""
    return "—" if number is None else f"{number:,}"


def moment(at: datetime | None) -> str:
    """'2022-09-05 12:52' in Beijing."""
    return "—" if at is None else days.beijing(at).strftime("%Y-%m-%d %H:%M")


def clock_time(at: datetime | None) -> str:
    """'12:52:07' in Beijing."""
    return "—" if at is None else days.beijing(at).strftime("%H:%M:%S")


def span(length: timedelta, lang: str) -> str:
    """A length of time in the two largest units."""
    seconds = max(0, int(length.total_seconds()))
    whole_days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    zh = lang == "zh"
    if whole_days:
        return f"{whole_days}天{hours}小时" if zh else f"{whole_days} d {hours} h"
    if hours:
        return f"{hours}小时{minutes}分" if zh else f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes}分钟" if zh else f"{minutes} min"
    return f"{seconds}秒" if zh else f"{seconds} s"


def age(at: datetime | None, now: datetime, lang: str) -> str:
    """'3分钟前', or nothing for the future."""
    if at is None:
        return "—"
    return span(now - at, lang) + ("前" if lang == "zh" else " ago")


def digest(value: bytes | None) -> str:
    """The first sixteen hexadecimal digits in fours: what two people compare by eye."""
    text = (value or b"").hex()[:16]
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) or "—"


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "yuan": yuan, "wan": wan, "count": count, "moment": moment, "clock_time": clock_time, "span": span, "age": age,
    "digest": digest, "url": lambda text: quote(str(text), safe=""),
}  # fmt: skip
