"""How many people live in a county, as somebody published it; and how many of them a zone may reach: an estimate, never a count."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from relief.domain.errors import Invalid

#: More people than this live in no county; a figure beyond is a slip of the hand.
MOST_PEOPLE: Final = 20_000_000
MOST_ROWS: Final = 5_000
MAX_SOURCE: Final = 200
#: Column → what it may be called.
_HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "region": ("code", "代码", "区划代码", "县代码"),
    "people": ("people", "人口", "常住人口"),
    "counted_on": ("day", "日期", "统计日期"),
    "source": ("source", "来源", "出处"),
}


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People living in a county (GB/T 2260) on a day, and who published it where."""

    region: str
    people: int
    counted_on: date
    source: str

    def inside(self, share: float) -> int:
        """About how many live in this share of the county's area, as if people lived evenly; to three digits, because no more is known."""
        people = self.people * min(max(share, 0.0), 1.0)
        step: int = 10 ** max(len(str(int(people))) - 3, 0)
        return round(people / step) * step


def check(given: Sequence[Population], today: date) -> None:
    """Every figure is possible, of a day that has come, says its source, and stands once; Invalid names the first that does not."""
    if not given:
        raise Invalid("population_none", "没有人口数字 · there is no figure", field="people")
    for number, p in enumerate(given, 1):
        if not 0 < p.people <= MOST_PEOPLE:
            raise _wrong(number, "people", f"人口须为1至{MOST_PEOPLE:,} · people must be 1 to {MOST_PEOPLE:,}")
        if p.counted_on > today:
            raise _wrong(number, "counted_on", "统计日期不能晚于今天 · the day lies ahead")
        if not 1 <= len(p.source.strip()) <= MAX_SOURCE or any(unicodedata.category(c).startswith("C") for c in p.source):
            raise _wrong(number, "source", "须写明来源，如统计公报名称 · say who published it, in plain text")
    if len({(p.region, p.counted_on) for p in given}) != len(given):
        raise Invalid("population_twice", "同一县同一日期有两个数字 · a county stands twice for one day", field="region")


def read(content: bytes) -> list[Population]:
    """A table as CSV (UTF-8 or GB18030) with code, people, day (2020-11-01) and source, under these names or 代码 人口 日期 来源."""
    try:
        rows = list(csv.reader(io.StringIO(_text(content), newline=""), strict=True))
    except csv.Error:
        raise Invalid("csv", "表格无法解析 · the table cannot be parsed") from None
    rows = [[c.strip() for c in row] for row in rows if any(c.strip() for c in row)]
    if len(rows) < 2 or len(rows) > MOST_ROWS:
        raise Invalid("population_rows", f"须有表头和1至{MOST_ROWS}行数字 · a head and 1 to {MOST_ROWS} lines are needed")
    head = [c.lower() for c in rows[0]]
    at = {name: next((i for i, h in enumerate(head) if h in names), -1) for name, names in _HEADS.items()}
    if missing := [_HEADS[name][1] for name, i in at.items() if i < 0]:
        raise Invalid("population_columns", f"缺少列：{'、'.join(missing)} · columns are missing: {', '.join(missing)}")
    return [_row(number, row, at) for number, row in enumerate(rows[1:], 1)]


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("encoding", "文件编码无法识别 · the encoding cannot be read")


def _row(number: int, row: Sequence[str], at: Mapping[str, int]) -> Population:
    said = {name: row[i] if i < len(row) else "" for name, i in at.items()}
    if not (said["people"].isascii() and said["people"].isdigit() and len(said["people"]) <= 9):
        raise _wrong(number, "people", "人口须为整数，不带逗号或单位 · people is a whole number without commas or units")
    try:
        day = date.fromisoformat(said["counted_on"])
    except ValueError:
        raise _wrong(number, "counted_on", "日期写作 2020-11-01 · a day is written 2020-11-01") from None
    return Population(said["region"], int(said["people"]), day, said["source"])


def _wrong(number: int, field: str, message: str) -> Invalid:
    return Invalid("population_value", f"第{number}行：{message}", field=field, row=number)
