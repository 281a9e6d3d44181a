"""Incidents and activations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.incident import NewIncident
from relief.services import activate, decide, locate, zoning
from relief.services.decide import Decided
from relief.services.preview import Preview
from relief.store.views import incidents, running
from relief.store.views.running import Funnel
from relief.web import given, idempotency
from relief.web.console import common
from relief.web.given import Req


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: UUID


class IncidentOut(msgspec.Struct, frozen=True):
    """An incident."""

    id: UUID
    name: str
    hazard: str
    county: str
    occurred_at: datetime
    status: str
    drill: bool


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A zone version and a playbook."""

    zone: UUID
    playbook: UUID


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A county's own decision and the most it may spend (fen)."""

    document: Annotated[str, msgspec.Meta(min_length=1, max_length=100, examples=["泸应急〔2022〕31号"])]
    cap_fen: Annotated[int, msgspec.Meta(gt=0, le=10**15, examples=[500_000_000])]


class Started(msgspec.Struct, frozen=True):
    """A county's clock."""

    county: str
    status: str


@get("/incidents", action="incident.read")
async def list_incidents(read: given.Read, actor: given.Me) -> list[IncidentOut]:
    """Incidents in or touching your areas, open ones first."""
    return [
        IncidentOut(i.id, i.name, i.hazard, i.county, i.occurred_at, i.status, i.drill)
        for i in await incidents.incidents(read, common.patterns(actor, "incident.read"))
    ]


@post("/incidents", action="incident.open")
async def open_incident(data: given.Json[NewIncident], tx: given.Write, actor: given.Me, now: given.Now) -> Made:
    """Open an incident; it is named by day, county and hazard."""
    return Made(await zoning.open_incident(tx, actor, data, now))


@get("/incidents/{incident:uuid}/summary", action="incident.read")
async def summary(read: given.Read, actor: given.Me, incident: given.FromPath[UUID]) -> Funnel:
    """Counts, fen and the age of the oldest at every step of the money."""
    await incidents.incident(read, incident)
    return await running.funnel(read, incident, common.patterns(actor, "incident.read"))


@post("/incidents/{incident:uuid}/preview", action="activation.preview", status_code=200)
async def preview(data: given.Json[Choice], read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Preview:
    """The dry run: people and money by band, county and aid; nothing is written."""
    return await activate.preview(read, actor, incident, data.zone, data.playbook, now)


@post("/incidents/{incident:uuid}/activations", action="activation.propose")
async def propose(data: given.Json[Choice], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Made:
    """Propose a playbook for the zone in force."""
    return Made(await activate.propose(tx, actor, incident, data.zone, data.playbook, now))


@post("/activations/{activation:uuid}/counties/{county:str}", action="activation.draft", status_code=200)
async def draft(
    request: Req, data: given.Json[Draft], tx: given.Write, actor: given.Me, now: given.Now,
    activation: given.FromPath[UUID], county: given.FromPath[str], key: idempotency.Key = None,
) -> Response[Made]:  # fmt: skip
    """Draft a county's part."""

    async def act() -> Made:
        return Made(await activate.draft(tx, actor, county, activation, data.document, data.cap_fen, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/activations/{part:uuid}/start", action="activation.activate", status_code=200)
async def start(tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], part: given.FromPath[UUID]) -> Started:
    """Start the county's clock; not by the drafter."""
    await activate.activate(tx, actor, county, part, now)
    return Started(county, "active")


@post("/counties/{county:str}/activations/{activation:uuid}/decide", action="household.decide", status_code=200)
async def decide_all(
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    county: given.FromPath[str],
    activation: given.FromPath[UUID],
    zone: given.FromQuery[UUID],
) -> Decided:
    """Locate every household of the county in the zone and decide it."""
    await locate.locate(tx, county, zone, now)
    return await decide.decide(tx, actor, county, activation, now)


HANDLERS: Final[list[Any]] = [list_incidents, open_incident, summary, preview, propose, draft, start, decide_all]
