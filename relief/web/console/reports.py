"""灾情统计: versions of what counties reported, side by side, who owes what until when, printed and taken along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain import statistics
from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.domain.reporting import TERMS
from relief.domain.statistics import INDICATORS, Change, Figures
from relief.services import report, report_files, respond, sheets
from relief.services.report import NewReport, Owed
from relief.services.respond import Proposed
from relief.store.db import Tx
from relief.store.views import incidents, reports
from relief.store.views.reports import Named, Report
from relief.web import given, pages
from relief.web.console import common
from relief.web.given import Req

#: Which right passes a duty's report on.
_RELAYS: Final = {
    ("city", "relay"): "city", ("city", "final relay"): "city", ("province", "relay"): "province", ("province", "final relay"): "province",
    ("county", "direct"): "direct",
}  # fmt: skip
#: What the table of counties shows of each.
SHOWN: Final = ("deaths", "missing", "relocated", "rooms_collapsed", "rooms_severe", "direct_loss")


class RelayForm(msgspec.Struct, frozen=True):
    """Which version is passed on, and to whom."""

    csrf: str
    county: str
    version: int
    level: Literal["city", "province", "direct"]


class Line(msgspec.Struct, frozen=True):
    """A duty, the way in which this person may pass it on (None: not theirs), and whether they owe it themselves."""

    owed: Owed
    relay: str | None
    mine: bool


class Told(msgspec.Struct, frozen=True):
    """A county's latest version as a line of the table."""

    county: str
    name: str
    report: Report
    figures: Figures


class Comparison(msgspec.Struct, frozen=True):
    """Two versions of a county side by side: every indicator that one of them has, and what changed."""

    left: Report
    right: Report
    rows: list[tuple[str, Decimal | None, Decimal | None, Change | None]]


@get("/reports", action="incident.read")
async def duties(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """What is owed on every open incident, by deadline; what this person owes comes first."""
    lines = [_line(actor, o) for o in await report.duties(read, now)]
    return pages.page(request, "duties.html", lines=sorted(lines, key=lambda x: not x.mine)[:500], now=now, terms=TERMS)


@get("/incidents/{incident:uuid}/reports", action="incident.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], county: given.FromQuery[str | None] = None,
    left: given.FromQuery[int | None] = None, right: given.FromQuery[int | None] = None,
) -> Response[str]:  # fmt: skip
    """All counties and their sum; the one chosen opens its versions, compared two by two."""
    found = await incidents.incident(read, incident)
    owed = await report.duties(read, now, incident)
    latest = await reports.latest(read, incident, [""])
    names = await reports.names(read, sorted({*latest, *await reports.counties(read, [incident])}))
    names = {code: name for code, name in names.items() if actor.may("incident.read", code)}
    mine = [c for c in names if actor.may("incident.report", c)]
    chosen = county if county in names else next(iter([*mine, *latest, *names]), None)
    chosen = chosen if chosen in names else None
    history = await report.history(read, actor, incident, chosen) if chosen else []
    told = [Told(c, names[c], r, statistics.from_units(r.indicators)) for c, r in sorted(latest.items()) if c in names]
    return pages.page(
        request, "reports.html", incident=found, now=now, drill=found.drill, lines=[_line(actor, o) for o in owed], counties=names, county=chosen,
        told=told, summed=statistics.total(x.figures for x in told), shown=SHOWN, missed=await reports.missed(read, incident),
        history=list(reversed(history)), behind=await _behind(read, incident, chosen), comparison=_compare([v for v, _ in history], left, right),
        indicators=INDICATORS, may_report=bool(chosen) and found.status != "closed" and actor.may("incident.report", chosen or ""),
        latest=history[-1][0].indicators if history else {}, after=history[-1][0].version if history else 0,
        large=statistics.large(history[-1][1]) if history else [], terms=TERMS, done=common.done_of(request),
    )  # fmt: skip


async def _behind(read: Tx, incident: UUID, county: str | None) -> Mapping[int, Named]:
    return {n.version: n for n in await reports.named(read, incident, county)} if county else {}


def _compare(versions: Sequence[Report], left: int | None, right: int | None) -> Comparison | None:
    """The two versions asked for, else the last two."""
    if len(versions) < 2:
        return None
    by_version = {v.version: v for v in versions}
    one = by_version.get(left or 0, versions[-2])
    two = by_version.get(right or 0, versions[-1])
    was, now = statistics.from_units(one.indicators), statistics.from_units(two.indicators)
    changed = {c.indicator: c for c in statistics.changes(was, now)}
    rows = [(key, was.get(key), now.get(key), changed.get(key)) for key in INDICATORS if key in was or key in now]
    return Comparison(one, two, rows)


def _line(actor: Actor, owed: Owed) -> Line:
    level = _RELAYS.get((owed.duty.level, owed.duty.what))
    relay = level if level and owed.duty.version is not None and actor.may(f"report.relay.{level}", owed.county) else None
    own = level is None and actor.may("incident.report", owed.county)
    return Line(owed, relay, relay is not None or own)


class Standing(msgspec.Struct, frozen=True):
    """For the situation page: what the plans propose that is not in force, and the reports that are late or come next."""

    proposed: Sequence[Proposed]
    late: int
    next_due: datetime | None


async def standing(read: Tx, actor: Actor, incident: UUID, now: datetime) -> Standing:
    """The same in short."""
    owed = await report.duties(read, now, incident)
    proposed = [p for p in await respond.proposals(read, actor, incident, now) if p.act is not None]
    return Standing(proposed, sum(o.duty.late for o in owed), min((o.duty.due_at for o in owed if not o.duty.late), default=None))


class Mine(msgspec.Struct, frozen=True):
    """What this person owes: how many duties are late or due within a day, and the earliest deadline."""

    items: int
    late: int
    first: datetime | None


async def mine(read: Tx, actor: Actor, now: datetime) -> Mine:
    """For the first page of whoever reports or passes on."""
    if not any(actor.areas(a) for a in ("incident.report", "report.relay.city", "report.relay.province", "report.relay.direct")):
        return Mine(0, 0, None)
    found = [x.owed.duty for x in (_line(actor, o) for o in await report.duties(read, now)) if x.mine]
    near = [d for d in found if (d.due_at - now).total_seconds() < 86_400]
    return Mine(len(near), sum(d.late for d in near), min((d.due_at for d in near), default=None))


@post("/incidents/{incident:uuid}/reports", action="incident.report")
async def add(
    data: given.Form[dict[str, str]], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Keep a county's next version; an empty form said to be a zero report is one."""
    figures = {key: data[key].strip() for key in INDICATORS if data.get(key, "").strip()}
    new = NewReport(
        county=data.get("county", ""),
        after=_whole(data.get("after", "")),
        as_of=common.moment(data.get("as_of", ""), "as_of"),
        source=data.get("source", ""),
        indicators=None if data.get("kind") == "zero" else figures,
        note=data.get("note", ""),
        final=data.get("kind") == "final",
    )
    await report.report(tx, actor, incident, [new], now)
    return common.go(f"/incidents/{incident}/reports?county={new.county}", "told")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Invalid("whole", "须为整数 · a whole number is needed")
    return int(text)


@post("/incidents/{incident:uuid}/reports/relay", action="incident.read")
async def relay(
    data: given.Form[RelayForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Pass a version on to the level above."""
    await report.relay(tx, actor, incident, [(data.county, data.version)], data.level, now)
    return common.go(f"/incidents/{incident}/reports?county={quote(data.county)}", "relayed")


@get("/incidents/{incident:uuid}/reports/file", action="incident.read")
async def file(read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Response[bytes]:
    """The quick-report forms and every version, as XLSX."""
    made = await report_files.export(read, actor, incident, now)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
    return Response(content=made.content, media_type=sheets.XLSX, headers=headers)


HANDLERS: Final = [duties, page, add, relay, file]
