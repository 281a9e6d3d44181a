"""Reports taken along: the quick-report forms of the statistics system with a column a county, and every version ever reported.

Forms: 自然灾害损失情况统计快报表, 救灾工作情况统计快报表 (自然灾害情况统计调查制度). Indicators, units and their order are those of
`domain/statistics.py`; the printed form's own codes are not claimed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import statistics
from relief.domain.days import beijing
from relief.domain.incident import EARTHQUAKE, HAZARDS, statistics_kind
from relief.domain.policy import Actor, require
from relief.domain.statistics import INDICATORS, Figures
from relief.services import sheets
from relief.services.sheets import Value
from relief.store import incidents, regions, reports
from relief.store.db import Tx
from relief.store.incidents import Incident
from relief.store.reports import Report

#: What was done, rather than what was lost: the second form.
RELIEF: Final = ("aided", "funds_province", "funds_city", "funds_county", "goods_value")
KINDS: Final = {"first": "初报", "follow-up": "续报", "final": "核报"}


class Exported(msgspec.Struct, frozen=True):
    """A file: a name for it, its bytes, and how many versions it holds."""

    name: str
    content: bytes
    rows: int


async def export(tx: Tx, actor: Actor, incident: UUID, now: datetime) -> Exported:
    """The latest figures of every county within sight in the two forms, their sum, and every version on a sheet of its own."""
    found = await incidents.get(tx, incident)
    versions = await reports.every(tx, incident)
    latest = {v.county: v for v in versions}
    require(actor, "incident.read", latest)
    names = await regions.names(tx, sorted(latest))
    content = await asyncio.to_thread(_book, found, latest, versions, names, now)
    return Exported(f"{found.name}_灾情统计.xlsx", content, len(versions))


def _book(found: Incident, latest: Mapping[str, Report], versions: Sequence[Report], names: Mapping[str, str], now: datetime) -> bytes:
    shaken = found.hazard == EARTHQUAKE
    loss = [key for key, i in INDICATORS.items() if key not in RELIEF and (i.summed or shaken)]
    return sheets.book(
        [
            ("损失情况统计快报表", _form("自然灾害损失情况统计快报表", found, latest, names, loss, now), 7),
            ("救灾工作统计快报表", _form("救灾工作情况统计快报表", found, latest, names, RELIEF, now), 7),
            ("历次报送", _versions(versions, names), 1),
        ]
    )


def _form(
    title: str, found: Incident, latest: Mapping[str, Report], names: Mapping[str, str], keys: Sequence[str], now: datetime
) -> list[list[Value]]:
    """Head: what, where, when; then a row an indicator and a column a county, the sum first."""
    counties = sorted(latest)
    figures = {c: statistics.from_units(latest[c].indicators) for c in counties}
    summed = statistics.total(figures.values())
    columns = [names.get(c, c) for c in counties]
    rows: list[list[Value]] = [
        [title + ("（演练）" if found.drill else "")],
        ["灾害事件", found.name, "灾害种类", statistics_kind(found.hazard) or HAZARDS.get(found.hazard, found.hazard), found.hazard],
        ["发生时间", _time(found.occurred_at), "灾情稳定", _time(found.stable_at), "制表", _time(now)],
        ["报告类别", "", "", *(("零报告" if latest[c].zero else KINDS[latest[c].kind]) + f" 第{latest[c].version}版" for c in counties)],
        ["截至时间", "", "", *(_time(latest[c].as_of) for c in counties)],
        ["报送时间", "", "", *(_time(latest[c].reported_at) for c in counties)],
        ["指标", "计量单位", "合计", *columns],
    ]
    for key in keys:
        said = [_number(figures[c], key) for c in counties]
        rows.append([INDICATORS[key].zh, INDICATORS[key].unit, _number(summed, key), *said])
    return rows


def _versions(versions: Sequence[Report], names: Mapping[str, str]) -> list[list[Value]]:
    """A row a version, an indicator a column; nothing left out, nothing summed."""
    heads: list[Value] = ["县", "版本", "类别", "零报告", "截至时间", "报送时间", "数据来源", "说明"]
    rows: list[list[Value]] = [[*heads, *(f"{i.zh}（{i.unit}）" for i in INDICATORS.values())]]
    for v in versions:
        figures = statistics.from_units(v.indicators)
        told: list[Value] = [names.get(v.county, v.county), v.version, KINDS[v.kind], "是" if v.zero else "", _time(v.as_of)]
        rows.append([*told, _time(v.reported_at), v.source, v.note, *(_number(figures, key) for key in INDICATORS)])
    return rows


def _number(figures: Figures, key: str) -> Value:
    """Counts as whole numbers, areas and losses with their decimals; what was not reported stays empty, never nought."""
    found: Decimal | None = figures.get(key)
    if found is None:
        return None
    return int(found) if INDICATORS[key].whole else float(found)


def _time(at: datetime | None) -> str:
    return "" if at is None else beijing(at).strftime("%Y-%m-%d %H:%M")
