"""Zone versions: import a file, compare, put in force by a second person."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Invalid
from relief.domain.zone import NewZone
from relief.services import zoning
from relief.store import db
from relief.store.views import incidents
from relief.web import access, given, guard, house, pages
from relief.web.console import common
from relief.web.console.door import Token
from relief.web.given import Req


class ZoneForm(msgspec.Struct, frozen=True):
    """The file and what a person says about it."""

    csrf: str
    title: str
    reason: str
    file: Annotated[UploadFile, "GeoJSON"]


@get("/incidents/{incident:uuid}/zones", action="incident.read")
async def zones(
    request: Req,
    read: given.Read,
    actor: given.Me,
    now: given.Now,
    incident: given.FromPath[UUID],
    version: given.FromQuery[UUID | None] = None,
) -> Response[str]:
    """Versions, the chosen one on the map, and what it changes against the one in force."""
    found = await incidents.incident(read, incident)
    versions = await incidents.zones(read, incident)
    force = next((z for z in versions if z.status == "in force"), None)
    shown = next((z for z in versions if z.id == version), versions[0] if versions else None)
    compared = force is not None and shown is not None and force.id != shown.id
    return pages.page(
        request, "zones.html", incident=found, versions=versions, zone=shown, force=force, now=now, drill=found.drill,
        difference=await zoning.difference(read, force.id, shown.id) if compared and force and shown else None,
        bands=await incidents.bands(read, shown.id) if shown else [], touched=await incidents.counties(read, shown.id) if shown else [],
        may_draft=actor.may("zone.draft", found.county), may_force=actor.may("zone.force", found.county), done=common.done_of(request),
    )  # fmt: skip


@post("/incidents/{incident:uuid}/zones", action="zone.draft", request_max_body_size=guard.MAX_ZONE)
async def import_zone(
    request: Req, data: MultipartBody[ZoneForm], actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Keep an uploaded file as the next draft; it is understood in a child process before any transaction opens."""
    content = await data.file.read()
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    bands = await zoning.inspect(content, "zone")
    async with db.begin(house.of(request).pool, access.scope_of(request)) as tx:
        made = await zoning.import_zone(tx, actor, incident, NewZone(data.title, data.reason), content, bands, now)
    return common.go(f"/incidents/{incident}/zones?version={made}", "imported")


@post("/incidents/{incident:uuid}/zones/{zone:uuid}/force", action="zone.force")
async def force(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], zone: given.FromPath[UUID]
) -> Response[bytes]:
    """The second person puts it in force."""
    await zoning.put_in_force(tx, actor, zone, now)
    return common.go(f"/incidents/{incident}", "forced")


HANDLERS: Final = [zones, import_zone, force]
