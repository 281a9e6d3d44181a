"""Incidents, zones, activations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, RawBody

from relief.domain.incident import NewIncident
from relief.domain.zone import Difference, NewZone
from relief.services import activate, decide, locate, zone_files, zoning
from relief.services.decide import Decided
from relief.services.preview import Preview
from relief.store import db
from relief.store.views import incidents, running
from relief.store.views.running import Funnel
from relief.web import access, given, guard, house, idempotency
from relief.web.console import common
from relief.web.given import Req

Text = Annotated[str, QueryParameter(min_length=1, max_length=200)]
Name = Annotated[str, QueryParameter(max_length=200)]


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


class ZoneOut(msgspec.Struct, frozen=True):
    """A zone version."""

    id: UUID
    version: int
    status: str
    title: str
    reason: str
    area_km2: float
    in_force_at: datetime | None


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


@get("/incidents/{incident:uuid}/zones", action="incident.read")
async def list_zones(read: given.Read, incident: given.FromPath[UUID]) -> list[ZoneOut]:
    """Zone versions, newest first."""
    await incidents.incident(read, incident)
    return [ZoneOut(z.id, z.version, z.status, z.title, z.reason, z.area_km2, z.in_force_at) for z in await incidents.zones(read, incident)]


@post("/incidents/{incident:uuid}/zones", action="zone.draft", accepts=zone_files.MEDIA_TYPES, request_max_body_size=guard.MAX_ZONE)
async def import_zone(
    request: Req, body: RawBody, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], title: Text, reason: Text,
    name: Name = "", datum: given.FromQuery[Literal["declared", "gcj02", "bd09"]] = "declared", bands: Name = "auto",
    layer: given.FromQuery[str | None] = None, buffer_km: given.FromQuery[float | None] = None, repair: given.FromQuery[bool] = False,
) -> Made:  # fmt: skip
    """Keep a zone file of any format (the raw body, `name` is its file name) as the next draft version."""
    box = zone_files.box_of(house.of(request).settings.zone_box)
    options = zone_files.Options(box=box, datum=datum, bands=bands, layer=layer, buffer_km=buffer_km, repair=repair)
    found = await zoning.inspect(body, name or title, options)
    async with db.begin(house.of(request).pool, access.scope_of(request)) as tx:
        return Made(await zoning.import_zone(tx, actor, incident, NewZone(title, reason), body, found, now, options))


@post("/zones/{zone:uuid}/force", action="zone.force", status_code=204)
async def force_zone(tx: given.Write, actor: given.Me, now: given.Now, zone: given.FromPath[UUID]) -> None:
    """Put a draft in force; not by its drafter. The households in your area are located in it at once."""
    await zoning.put_in_force(tx, actor, zone, now)
    await locate.locate_all(tx, zone, now)


@get("/zones/{zone:uuid}/difference/{other:uuid}", action="incident.read")
async def difference(read: given.Read, zone: given.FromPath[UUID], other: given.FromPath[UUID]) -> Difference:
    """What `other` changes against `zone`, among the households you may see."""
    return await zoning.difference(read, zone, other)


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


HANDLERS: Final[list[Any]] = [
    list_incidents, open_incident, summary, list_zones, import_zone, force_zone, difference, preview, propose, draft, start, decide_all,
]  # fmt: skip
