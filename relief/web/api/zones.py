"""Zones: looked at, kept as drafts, compared, put in force by a second person, taken along; and the populations they estimate by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, RawBody

from relief.domain.zone import Difference, Moved, NewZone, Overlaid
from relief.services import consequences, locate, population, zone_files, zoning
from relief.services.population import Population
from relief.store import db
from relief.store.views import incidents
from relief.web import access, given, guard, house
from relief.web.api.incidents import Made
from relief.web.given import Req

Text = Annotated[str, QueryParameter(min_length=1, max_length=200)]
Name = Annotated[str, QueryParameter(max_length=200)]
Datum = given.FromQuery[Literal["declared", "gcj02", "bd09"]]
Optional = given.FromQuery[str | None]


class ZoneOut(msgspec.Struct, frozen=True):
    """A zone version."""

    id: UUID
    version: int
    status: str
    title: str
    reason: str
    area_km2: float
    in_force_at: datetime | None
    discard_reason: str | None


class Changed(msgspec.Struct, frozen=True):
    """What a version changes; `came_in` and `went_out` are households by county."""

    difference: Difference
    came_in: Mapping[str, int]
    went_out: Mapping[str, int]


class CostOut(msgspec.Struct, frozen=True):
    """What it costs by one activation, and how much more that is (fen)."""

    cost: consequences.Cost
    more_fen: int


class Inside(msgspec.Struct, frozen=True):
    """A county under a zone. `people_inside_estimate` is the county's population (its day and source beside it) times the share of its area,
    never a count; null where nobody has given the population."""

    county: Overlaid
    registered: int
    inside: int
    people_inside_estimate: int | None


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Populations of counties, dated, each with its source."""

    items: Annotated[list[Population], msgspec.Meta(min_length=1, max_length=5000)]


class Kept(msgspec.Struct, frozen=True):
    """How many were kept."""

    kept: int


@get("/incidents/{incident:uuid}/zones", action="incident.read")
async def list_zones(read: given.Read, incident: given.FromPath[UUID]) -> list[ZoneOut]:
    """Zone versions, newest first."""
    await incidents.incident(read, incident)
    found = await incidents.zones(read, incident)
    return [ZoneOut(z.id, z.version, z.status, z.title, z.reason, z.area_km2, z.in_force_at, z.discard_reason) for z in found]


@post("/incidents/{incident:uuid}/zones", action="zone.draft", accepts=zone_files.MEDIA_TYPES, request_max_body_size=guard.MAX_ZONE)
async def import_zone(
    request: Req, body: RawBody, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], title: Text, reason: Text,
    name: Name = "", datum: Datum = "declared", crs: Optional = None, bands: Name = "auto", layer: Optional = None,
    buffer_km: given.FromQuery[float | None] = None, min_level: given.FromQuery[int | None] = None, repair: given.FromQuery[bool] = False,
) -> Made:  # fmt: skip
    """Keep a zone file of any format (the raw body, `name` is its file name) as the next draft version."""
    box = zone_files.box_of(house.of(request).settings.zone_box)
    options = zone_files.Options(box, datum, crs, bands, layer, buffer_km, min_level, repair)
    found = await zoning.inspect(body, name or title, options)
    async with db.begin(house.of(request).pool, access.scope_of(request)) as tx:
        return Made(await zoning.import_zone(tx, actor, incident, NewZone(title, reason), body, found, now, options))


@post("/zones/inspect", action="zone.draft", accepts=zone_files.MEDIA_TYPES, request_max_body_size=guard.MAX_ZONE, status_code=200)
async def inspect(
    request: Req, body: RawBody, name: Name = "", datum: Datum = "declared", crs: Optional = None, bands: Name = "auto", layer: Optional = None,
    buffer_km: given.FromQuery[float | None] = None, min_level: given.FromQuery[int | None] = None, repair: given.FromQuery[bool] = False,
) -> dict[str, Any]:  # fmt: skip
    """What a zone file holds, as `relief zone inspect` tells it; nothing is kept."""
    box = zone_files.box_of(house.of(request).settings.zone_box)
    options = zone_files.Options(box, datum, crs, bands, layer, buffer_km, min_level, repair)
    return zone_files.report(await zoning.inspect(body, name or "zone", options), repair=repair)


@post("/zones/{zone:uuid}/force", action="zone.force", status_code=204)
async def force_zone(
    tx: given.Write, actor: given.Me, now: given.Now, zone: given.FromPath[UUID], against: given.FromQuery[UUID | None] = None
) -> None:
    """Put a draft in force; not by its drafter. Where it replaces a version, `against` names the one whose difference and cost were looked at
    (409 `zone_unseen` else). The households in your area are located in it at once."""
    await zoning.put_in_force(tx, actor, zone, now, against)
    await locate.locate_all(tx, zone, now)


@post("/zones/{zone:uuid}/discard", action="zone.draft", status_code=204)
async def discard_zone(data: given.Json[Reason], tx: given.Write, actor: given.Me, now: given.Now, zone: given.FromPath[UUID]) -> None:
    """Give up a draft that will not be used."""
    await zoning.discard(tx, actor, zone, data.reason, now)


@get("/zones/{zone:uuid}/difference/{other:uuid}", action="incident.read")
async def difference(read: given.Read, zone: given.FromPath[UUID], other: given.FromPath[UUID]) -> Changed:
    """What `other` changes against `zone`, among the households you may see."""
    found = await zoning.difference(read, zone, other)
    return Changed(found, found.came_in, found.went_out)


@get("/zones/{zone:uuid}/difference/{other:uuid}/cost", action="activation.preview")
async def cost(read: given.Read, actor: given.Me, now: given.Now, zone: given.FromPath[UUID], other: given.FromPath[UUID]) -> list[CostOut]:
    """What `other` costs against `zone`, by each playbook proposed or running; nothing is written."""
    return [CostOut(c, c.more_fen) for c in await consequences.costs(read, actor, zone, other, now)]


@get("/zones/{zone:uuid}/difference/{other:uuid}/counties/{county:str}", action="household.read")
async def moved(read: given.Read, zone: given.FromPath[UUID], other: given.FromPath[UUID], county: given.FromPath[str]) -> Moved:
    """Which households of a county come in and which go out."""
    return await zoning.moved(read, county, zone, other)


@get("/zones/{zone:uuid}/overlay", action="incident.read")
async def overlay(read: given.Read, zone: given.FromPath[UUID]) -> list[Inside]:
    """The part of each county inside: of its area, its registered households you may see, and, estimated, its people."""
    return [Inside(c, c.registered, c.inside, c.people_inside) for c in await zoning.overlaid(read, zone)]


@get("/zones/{zone:uuid}/file", action="incident.read")
async def zone_file(
    read: given.Read, now: given.Now, zone: given.FromPath[UUID], form: given.FromQuery[zone_files.Format]
) -> Response[bytes]:
    """A version as GeoJSON, KML, GeoPackage, or the villages inside as XLSX."""
    made = await zone_files.export(read, zone, form, now)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
    return Response(content=made.content, media_type=made.media_type, headers=headers)


@post("/populations", action="population.give")
async def give_populations(data: given.Json[Figures], tx: given.Write, actor: given.Me, now: given.Now) -> Kept:
    """Populations of counties, for estimates of who lives in a zone; all or none."""
    return Kept(await population.give(tx, actor, data.items, now))


HANDLERS: Final[list[Any]] = [
    list_zones, import_zone, inspect, force_zone, discard_zone, difference, cost, moved, overlay, zone_file, give_populations,
]  # fmt: skip
