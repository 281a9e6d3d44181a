"""灾情统计 and 应急响应 by JSON: versions, deadlines, proposals, decisions. Writes need an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from relief.domain.statistics import Change
from relief.services import report, report_files, respond, sheets
from relief.services.report import NewReport, Owed, Reported
from relief.services.respond import Decision, Proposed
from relief.store.views import incidents, reports
from relief.store.views.reports import Report
from relief.web import given, idempotency
from relief.web.given import Req

Reports = Annotated[list[NewReport], msgspec.Meta(min_length=1, max_length=200)]
_Neighbour = Annotated[int | None, QueryParameter(ge=1, le=4, description="The level a neighbouring area has launched.")]


class Versioned(msgspec.Struct, frozen=True):
    """One version as it stands for ever, and what it changed against the one before."""

    report: Report
    changes: list[Change]


class Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A county's version to be passed on."""

    county: str
    version: int


class Relay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Checked versions, and which level passes them on; `direct`: the county straight to province and ministry."""

    level: Literal["city", "province", "direct"]
    versions: Annotated[list[Passed], msgspec.Meta(min_length=1, max_length=200)]


class Relayed(msgspec.Struct, frozen=True):
    """How many were not passed on before."""

    new: int


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: UUID


class Decided(msgspec.Struct, frozen=True):
    """A decision as recorded: by whom, by which document, and what the plan proposed at that moment."""

    id: UUID
    issuer: str
    area: str
    act: str
    level: int | None
    proposed: int | None
    indicator: str | None
    verified: bool | None
    document: str
    reason: str
    decided_by: str
    person: str
    decided_at: datetime


@get("/duties", action="incident.read")
async def list_duties(read: given.Read, now: given.Now) -> list[Owed]:
    """What is owed by whom until when on every open incident, by deadline, among the counties you may see."""
    return await report.duties(read, now)


@get("/incidents/{incident:uuid}/reports", action="incident.read")
async def list_reports(read: given.Read, incident: given.FromPath[UUID]) -> list[Report]:
    """The latest version of every county you may see."""
    await incidents.incident(read, incident)
    return [r for _, r in sorted((await reports.latest(read, incident, [""])).items())]


@get("/incidents/{incident:uuid}/reports/{county:str}", action="incident.read")
async def list_versions(
    read: given.Read, actor: given.Me, incident: given.FromPath[UUID], county: given.FromPath[str]
) -> list[Versioned]:  # fmt: skip
    """Every version of a county, oldest first, each with what it changed."""
    await incidents.incident(read, incident)
    return [Versioned(v, changes) for v, changes in await report.history(read, actor, incident, county)]


@get("/incidents/{incident:uuid}/reports.xlsx", action="incident.read")
async def export_reports(read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Response[bytes]:
    """The quick-report forms with a column a county, and every version, as XLSX."""
    return Response(content=(await report_files.export(read, actor, incident, now)).content, media_type=sheets.XLSX)


@post("/incidents/{incident:uuid}/reports", action="incident.report", status_code=200)
async def add_reports(
    request: Req, data: given.Json[Reports], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[list[Reported]]:  # fmt: skip
    """Keep the next version of each county, all or none. Large changes are kept and named; nothing is overwritten."""
    return await idempotency.answer(request, tx, actor, key, data, now, lambda: report.report(tx, actor, incident, data, now))


@post("/incidents/{incident:uuid}/reports/relay", action="incident.read", status_code=200)
async def relay_reports(
    request: Req, data: given.Json[Relay], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Relayed]:  # fmt: skip
    """Pass versions on to the level above."""

    async def act() -> Relayed:
        return Relayed(await report.relay(tx, actor, incident, [(v.county, v.version) for v in data.versions], data.level, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/incidents/{incident:uuid}/proposals", action="incident.read")
async def list_proposals(
    read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], neighbour: _Neighbour = None
) -> list[Proposed]:
    """What the plans of today propose for each government, by which figure; a proposal has no force."""
    return await respond.proposals(read, actor, incident, now, neighbour)


@get("/incidents/{incident:uuid}/responses", action="incident.read")
async def list_responses(read: given.Read, incident: given.FromPath[UUID]) -> list[Decided]:
    """Every decision, in the order they were made."""
    await incidents.incident(read, incident)
    return [
        Decided(r.id, r.issuer, r.area, r.act, r.level, r.proposed, r.indicator, r.verified, r.document, r.reason, r.decided_by, r.person, r.decided_at)
        for r in await reports.history(read, incident)
    ]  # fmt: skip


@post("/incidents/{incident:uuid}/responses", action="incident.read", status_code=200)
async def decide_response(
    request: Req, data: given.Json[Decision], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Made]:  # fmt: skip
    """Record what a government decided by a document: launch, raise, lower, end."""

    async def act() -> Made:
        return Made(await respond.decide(tx, actor, incident, data, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final = [
    list_duties, list_reports, list_versions, export_reports, add_reports, relay_reports, list_proposals, list_responses, decide_response,
]  # fmt: skip
