"""Areas by their codes: GB/T 2260 (6 digits) or statistical (9 and 12 digits), today's or those of before.

Counties have borders. The borders of townships and villages are not public: they are taken as the parts of their county that lie nearest to
their villages' points (Voronoi), and a warning says so.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import shapely

from geo import counties, data
from geo.model import MAX_FEATURES, MAX_TEXT, Feature, Layer, Options, Warn, ZoneFileError

PROVINCE: Final = "51"
MAX_ROWS: Final = 50_000
_CODE: Final = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
CODE_HEADS: Final = ("code", "代码", "区划代码", "行政区划代码", "县代码", "村代码", "adcode", "gb", "统计用区划代码")
LEVEL_HEADS: Final = ("level", "intensity", "等级", "烈度", "级别")


def read(content: bytes, options: Options) -> Layer:
    """A list of codes: one a line, or a table with a column of codes and perhaps one of levels."""
    rows = _table(content)
    code_at, level_at, start = _columns(rows)
    levels: dict[str, Any] = {}
    for number, row in enumerate(rows[start:], start + 1):
        code = row[code_at].strip().removeprefix("'") if code_at < len(row) else ""
        if not _CODE.fullmatch(code):
            raise ZoneFileError("code_value", f"第{number}行不是6、9或12位区划代码 · line {number}: not a code of 6, 9 or 12 digits")
        level = row[level_at].strip() if level_at is not None and level_at < len(row) else None
        if levels.setdefault(code, level) != level:
            raise ZoneFileError("code_twice", f"第{number}行代码重复而等级不同 · line {number}: a code comes twice with different levels")
    if len(levels) > MAX_FEATURES:
        raise ZoneFileError(
            "too_many_features", f"代码超过{MAX_FEATURES}个，请改用上级代码 · more than {MAX_FEATURES} codes; name the areas above them"
        )
    warnings: list[Warn] = []
    features = [Feature({} if level is None else {"level": level}, area(code, warnings)) for code, level in levels.items()]
    return Layer("区划代码 codes", "", "EPSG:4490", features, merged(warnings), nested=True)


def _table(content: bytes) -> list[list[str]]:
    if len(content) > MAX_TEXT:
        raise ZoneFileError("too_large", "名单过大 · the list is too large")
    if b"\0" in content:
        raise ZoneFileError("type_mismatch", "文件格式无法识别 · the kind of file cannot be told")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise ZoneFileError("encoding", "文件编码无法识别 · the encoding cannot be read") from None
    delimiter = max("\t;,", key=text[:4096].count)
    try:
        rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if any(c.strip() for c in r)]
    except csv.Error:
        raise ZoneFileError("csv", "名单无法解析 · the list cannot be parsed") from None
    if len(rows) > MAX_ROWS:
        raise ZoneFileError("too_many_rows", f"名单超过{MAX_ROWS}行 · more than {MAX_ROWS} lines")
    if not rows:
        raise ZoneFileError("empty", "文件是空的 · the file is empty")
    return rows


def _columns(rows: Sequence[Sequence[str]]) -> tuple[int, int | None, int]:
    """Where the codes and the levels are, and the first line of data."""
    first = [c.strip().lower() for c in rows[0]]
    if any(_CODE.fullmatch(c.removeprefix("'")) for c in first):
        found = [i for i, c in enumerate(first) if _CODE.fullmatch(c.removeprefix("'"))]
        return found[0], (1 - found[0] if len(first) == 2 and first[1 - found[0]].isdigit() else None), 0
    code_at = next((i for i, c in enumerate(first) if c in CODE_HEADS), None)
    if code_at is None or len(rows) < 2:
        raise ZoneFileError("type_mismatch", "文件格式无法识别，也不是区划代码名单 · neither a known kind of file nor a list of codes")
    return code_at, next((i for i, c in enumerate(first) if c in LEVEL_HEADS), None), 1


def area(code: str, warnings: list[Warn]) -> Any:
    """The area of one code; `area_unknown` when nobody has it."""
    short = code[:6]
    if len(code) > 6 and code[6:].strip("0"):
        return _part(today(short, warnings), code[6:].removesuffix("000") if code.endswith("000") else code[6:], warnings)
    known = counties.load()
    if short.endswith("00"):
        prefix = short[:4].removesuffix("00")
        chosen = [i for i, c in enumerate(known.codes) if c.startswith(prefix)] if prefix.startswith(PROVINCE) else []
        if not chosen:
            raise _unknown(code)
        return shapely.union_all(known.shapes[chosen])
    return known.shapes[known.codes.index(today(short, warnings))]


def today(county: str, warnings: list[Warn]) -> str:
    """Today's code of a county."""
    if county in counties.load().codes:
        return county
    if county not in _before():
        raise _unknown(county)
    code, name, year = _before()[county]
    text = f"旧代码 {county}（{year}年前）按现行 {code} {name} 处理 · the code {county} of before {year} is {code} today"
    warnings.append(Warn("code_of_before", text))
    return code


def _unknown(code: str) -> ZoneFileError:
    return ZoneFileError("area_unknown", f"没有这个区划代码：{code} · no such area: {code}")


@cache
def _before() -> Mapping[str, tuple[str, str, str]]:
    with data.COUNTY_CODES.open(encoding="utf-8", newline="") as file:
        return {r["old"]: (r["new"], r["name"], r["year"]) for r in csv.DictReader(file)}


def _part(county: str, rest: str, warnings: list[Warn]) -> Any:
    codes, cells = _cells(county)
    chosen = [i for i, c in enumerate(codes) if c.startswith(county + rest)]
    if not chosen:
        raise _unknown(county + rest)
    warnings.append(
        Warn(
            "approximate_area",
            "乡镇、村界线不公开，按村点最近归属近似 · borders of townships and villages are approximated by their points",
        )
    )
    known = counties.load()
    cut = shapely.intersection(shapely.union_all(cells[chosen]), known.shapes[known.codes.index(county)])
    return shapely.multipolygons([p for p in shapely.get_parts(cut) if p.geom_type == "Polygon"])


@cache
def _cells(county: str) -> tuple[Sequence[str], Any]:
    """The villages of a county and the cell nearest to each, not yet cut at the county's border."""
    rows = _villages()[county]
    points = np.array([[lon, lat] for _, lon, lat in rows])
    stretch = np.array([np.cos(np.radians(points[:, 1].mean())), 1.0])
    known = counties.load()
    border = shapely.transform(known.shapes[known.codes.index(county)], lambda xy: xy * stretch)
    cells = shapely.voronoi_polygons(shapely.multipoints(points * stretch), extend_to=border, ordered=True)
    return [code for code, _, _ in rows], shapely.transform(shapely.get_parts(cells), lambda xy: xy / stretch)


@cache
def _villages() -> Mapping[str, list[tuple[str, float, float]]]:
    """County → code and point of each of its villages; the table is read once, however many counties a list names."""
    found: dict[str, list[tuple[str, float, float]]] = {c: [] for c in counties.load().codes}
    with gzip.open(data.DIVISIONS, "rt", encoding="utf-8", newline="") as file:
        for code, _, level, _, lon, lat in csv.reader(file):
            if level == "village":
                found[code[:6]].append((code, float(lon), float(lat)))
    return found


def merged(warnings: Sequence[Warn]) -> list[Warn]:
    """Each sentence once."""
    return list(dict.fromkeys(warnings))
