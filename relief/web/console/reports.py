"""灾情与响应: versions of what counties reported, who owes what until when, which level the plans propose, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.days import BEIJING
from relief.domain.errors import Invalid
from relief.domain.plan import ROMAN, Issuer
from relief.domain.policy import Actor
from relief.domain.response import Act
from relief.domain.statistics import INDICATORS, SUM_NAMES
from relief.services import report, respond
from relief.services.report import NewReport, Owed
from relief.services.respond import Decision, Proposed
from relief.store.db import Tx
from relief.store.views import incidents, reports
from relief.web import given, pages
from relief.web.console import common
from relief.web.given import Req

#: Which right passes a duty's report on.
_RELAYS: Final = {
    ("city", "relay"): "city", ("city", "final relay"): "city", ("province", "relay"): "province", ("province", "final relay"): "province",
    ("county", "direct"): "direct",
}  # fmt: skip


class DecideForm(msgspec.Struct, frozen=True):
    """A decision with its document; the moment is Beijing time. An empty level ends the response."""

    csrf: str
    issuer: Issuer
    area: str
    act: Act
    document: str
    reason: str
    decided_at: str
    level: str = ""


class RelayForm(msgspec.Struct, frozen=True):
    """Which version is passed on, and to whom."""

    csrf: str
    county: str
    version: int
    level: Literal["city", "province", "direct"]


class Line(msgspec.Struct, frozen=True):
    """A duty, and the way in which this person may do it (None: not theirs)."""

    owed: Owed
    relay: str | None


@get("/incidents/{incident:uuid}/reports", action="incident.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], county: given.FromQuery[str | None] = None
) -> Response[str]:  # fmt: skip
    """Everything on one page; the county chosen opens its versions."""
    found = await incidents.incident(read, incident)
    owed = await report.duties(read, now, incident)
    proposed = await respond.proposals(read, actor, incident, now)
    counties = {o.county: o.county_name for o in owed}
    chosen = county if county in counties else next(iter(counties), None)
    history = await report.history(read, actor, incident, chosen) if chosen and actor.may("incident.read", chosen) else []
    decided = await reports.history(read, incident)
    return pages.page(
        request, "reports.html", incident=found, now=now, drill=found.drill, lines=[_line(actor, o) for o in owed], proposed=proposed,
        names=await reports.names(read, [p.area for p in proposed]), deciding={p.area + p.issuer for p in proposed if _may_decide(actor, p)},
        counties=counties, county=chosen, history=list(reversed(history)), decided=list(reversed(decided)), indicators=INDICATORS, sums=SUM_NAMES,
        roman=ROMAN, may_report=bool(chosen) and actor.may("incident.report", chosen or ""), done=common.done_of(request),
        latest=history[-1][0].indicators if history else {}, after=history[-1][0].version if history else 0,
    )  # fmt: skip


def _may_decide(actor: Actor, proposed: Proposed) -> bool:
    return actor.may(f"response.decide.{proposed.issuer}", proposed.area)


def _line(actor: Actor, owed: Owed) -> Line:
    level = _RELAYS.get((owed.duty.level, owed.duty.what))
    mine = level is not None and owed.duty.version is not None and actor.may(f"report.relay.{level}", owed.county)
    return Line(owed, level if mine else None)


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


@post("/incidents/{incident:uuid}/reports", action="incident.report")
async def add(
    data: given.Form[dict[str, str]], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Keep a county's next version; an empty form said to be a zero report is one."""
    figures = {key: data[key].strip() for key in INDICATORS if data.get(key, "").strip()}
    new = NewReport(
        county=data.get("county", ""),
        after=_whole(data.get("after", "")),
        as_of=_moment(data.get("as_of", ""), "as_of"),
        source=data.get("source", ""),
        indicators=None if data.get("kind") == "zero" else figures,
        note=data.get("note", ""),
        final=data.get("kind") == "final",
    )
    await report.report(tx, actor, incident, [new], now)
    return common.go(f"/incidents/{incident}/reports?county={new.county}", "told")


@post("/incidents/{incident:uuid}/reports/relay", action="incident.read")
async def relay(
    data: given.Form[RelayForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Pass a version on to the level above."""
    await report.relay(tx, actor, incident, [(data.county, data.version)], data.level, now)
    return common.go(f"/incidents/{incident}/reports", "relayed")


@post("/incidents/{incident:uuid}/responses", action="incident.read")
async def decide(
    data: given.Form[DecideForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Record what a government decided."""
    decision = Decision(
        issuer=data.issuer, area=data.area, act=data.act, document=data.document, reason=data.reason,
        decided_at=_moment(data.decided_at, "decided_at"), level=_whole(data.level) if data.act != "end" else None,
    )  # fmt: skip
    await respond.decide(tx, actor, incident, decision, now)
    return common.go(f"/incidents/{incident}/reports", "responded")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Invalid("whole", "须为整数 · a whole number is needed")
    return int(text)


def _moment(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        raise Invalid("moment", "时间无法读懂 · the moment cannot be read", field=field) from None


HANDLERS: Final = [page, add, relay, decide]
