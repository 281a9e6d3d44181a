"""初报, 续报, 核报: a county says what happened, as a version that stands for ever; city and province pass it on; silence is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from relief.domain import statistics
from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.reporting import TERMS, Course, Duty, Terms, due
from relief.domain.statistics import Change, Figures
from relief.store import audits, incidents, regions, reports
from relief.store.db import Tx
from relief.store.incidents import Incident
from relief.store.reports import Reminder, Report, Row, Running

MOST_TEXT: Final = 4000


class NewReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A county's next version. `after` is the version its author saw (0: none); no `indicators` is a zero report 零报告.

    Figures are text ("74", "6502.00"); `as_of` is the moment they describe; `final` makes it the 核报.
    """

    county: str
    after: int
    as_of: datetime
    source: str
    indicators: dict[str, str] | None = None
    note: str = ""
    final: bool = False


class Reported(msgspec.Struct, frozen=True):
    """What became of a report: its version, and everything that changed; large changes ask for somebody's eye."""

    county: str
    version: int
    kind: Literal["first", "follow-up", "final"]
    zero: bool
    changes: list[Change]

    @property
    def large(self) -> list[Change]:
        """The changes to look at."""
        return statistics.large(self.changes)


class Owed(msgspec.Struct, frozen=True):
    """A duty with the incident and county it belongs to."""

    incident: UUID
    name: str
    drill: bool
    county: str
    county_name: str
    duty: Duty


async def report(tx: Tx, actor: Actor, incident: UUID, items: Sequence[NewReport], now: datetime) -> list[Reported]:
    """Keep the next version of each of these counties, all or none.

    Conflict `report_moved` where somebody reported in the meantime, `not_stable` for a final report of what is not stable yet,
    `report_final` for a follow-up after the final one.
    """
    found = await incidents.lock(tx, incident)
    require(actor, "incident.report", [i.county for i in items])
    if found.status == "closed":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    counties = [i.county for i in items]
    if len(set(counties)) != len(counties):
        raise Invalid("county_twice", "同一县只能报一份 · one report a county", field="county")
    if unknown := sorted(c for c in counties if len(c) != 6) or sorted(set(counties) - (await regions.names(tx, counties)).keys()):
        raise Invalid("not_a_county", "须以县（市、区）为单位上报 · counties report", field="county", counties=unknown)
    before = await reports.latest(tx, incident, counties)
    made = [_next(found, item, before.get(item.county), now) for item in items]
    await reports.insert(tx, incident, [row for row, _ in made], actor.person, now)
    said = [s for _, s in made]
    detail = {
        "versions": {s.county: f"{s.version} {s.kind}" for s in said},
        "zero": sorted(s.county for s in said if s.zero),
        "large": {s.county: [c.indicator for c in s.large] for s in said if s.large},
    }
    await audits.add_each(tx, {s.county: [incident] for s in said}, actor, "incident.report", "incident", now, detail)
    return said


def _next(incident: Incident, item: NewReport, last: Report | None, now: datetime) -> tuple[Row, Reported]:
    if item.after != (last.version if last else 0):
        raise Conflict(
            "report_moved", "已有更新的报告，请刷新后再报 · somebody reported in the meantime",
            county=item.county, version=last.version if last else 0,
        )  # fmt: skip
    _check_text(item)
    _check_moment(incident, item, now)
    if item.final and incident.stable_at is None:
        raise Conflict("not_stable", "灾情稳定后方可核报 · a final report follows after it is stable")
    if last is not None and last.kind == "final" and not item.final:
        raise Conflict("report_final", "已核报，更正须再次核报 · the final report is in; a correction is a final report too")
    old: Figures = statistics.from_units(last.indicators) if last else {}
    if item.indicators is None and last is None:
        raise Invalid("first_is_zero", "初报须有指标 · the first report has figures", field="indicators")
    new = old if item.indicators is None else statistics.check(item.indicators)
    kind: Literal["first", "follow-up", "final"] = "final" if item.final else "follow-up" if last else "first"
    changed = statistics.changes(old, new) if last else []
    zero, version = last is not None and not changed, item.after + 1
    kept = msgspec.json.encode(statistics.with_units(new)).decode()
    row = Row(item.county, version, kind, zero, kept, item.source.strip(), item.note.strip(), item.as_of)
    return row, Reported(item.county, version, kind, zero, changed)


def _check_text(item: NewReport) -> None:
    if not 1 <= len(item.source.strip()) <= 200 or len(item.note) > MOST_TEXT or "\x00" in item.source + item.note:
        raise Invalid(
            "report_text", "须写明数据来源；说明不超过4000字 · say where the figures come from; the note has at most 4000 characters"
        )


def _check_moment(incident: Incident, item: NewReport, now: datetime) -> None:
    if item.as_of.tzinfo is None or not incident.occurred_at <= item.as_of <= now:
        raise Invalid(
            "as_of", "数据截止时间须在灾害发生之后、现在之前 · the figures are of a moment between the event and now", field="as_of"
        )


async def relay(
    tx: Tx, actor: Actor, incident: UUID, versions: Sequence[tuple[str, int]], level: Literal["city", "province", "direct"], now: datetime
) -> int:
    """Pass checked versions (county, version) on to the level above; how many were new. Invalid where a version does not exist."""
    require(actor, f"report.relay.{level}", [county for county, _ in versions])
    last = await reports.latest(tx, incident, [county for county, _ in versions])
    if any(county not in last or not 1 <= version <= last[county].version for county, version in versions):
        raise Invalid("report_unknown", "没有这一版报告 · there is no such version")
    new = await reports.relay(tx, incident, versions, level, actor.person, now)
    await audits.add(tx, audits.SHARED, actor, f"report.relay.{level}", "incident", [incident], now, {"reports": len(versions), "new": new})
    return new


async def duties(tx: Tx, now: datetime, incident: UUID | None = None, terms: Terms = TERMS) -> list[Owed]:
    """What is owed by whom on every open incident (or this one), by deadline; among the counties this transaction may see."""
    owed = [_owed(r, d) for r in await reports.running(tx, incident) for d in due(_course(r), now, terms)]
    return sorted(owed, key=lambda o: (o.duty.due_at, o.county))


async def overdue(tx: Tx, now: datetime, terms: Terms = TERMS) -> list[Owed]:
    """What should have been said by now."""
    return [o for o in await duties(tx, now, None, terms) if o.duty.late]


async def chase(tx: Tx, now: datetime, terms: Terms = TERMS) -> int:
    """Write down every deadline that passed unmet, once; how many are new. The trace of it stays when the report comes at last."""
    missed = [Reminder(o.county, o.incident, o.duty.level, o.duty.what, o.duty.due_at) for o in await overdue(tx, now, terms)]
    new = await reports.remind(tx, missed, now) if missed else []
    if new:
        by_county = {county: [r.incident for r in new if r.county == county] for county in {r.county for r in new}}
        await audits.add_each(tx, by_county, SYSTEM, "report.missed", "incident", now)
    return len(new)


async def history(tx: Tx, actor: Actor, incident: UUID, county: str) -> list[tuple[Report, list[Change]]]:
    """Every version of a county, oldest first, each with what it changed."""
    require(actor, "incident.read", county)
    versions = await reports.history(tx, incident, county)
    told = [statistics.from_units(v.indicators) for v in versions]
    return [(v, statistics.changes(told[i - 1], told[i]) if i else []) for i, v in enumerate(versions)]


def _course(r: Running) -> Course:
    return Course(hazard=r.hazard, occurred_at=r.occurred_at, stable_at=r.stable_at, closed=False, versions=r.versions)


def _owed(r: Running, duty: Duty) -> Owed:
    return Owed(incident=r.incident, name=r.name, drill=r.drill, county=r.county, county_name=r.county_name, duty=duty)
