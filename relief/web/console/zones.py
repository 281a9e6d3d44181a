"""Zone versions: drawn or imported after a dry run, compared, put in force by a second person, taken along as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.domain.zone import Difference, NewZone
from relief.services import activate, locate, zone_files, zoning
from relief.services.zone_files import Options
from relief.store import db
from relief.store.db import Tx
from relief.store.views import incidents
from relief.web import access, given, guard, house, pages, shapes
from relief.web.console import common
from relief.web.console.door import Token
from relief.web.given import Req

#: The steps of intensity one may draw, mildest first.
LEVELS: Final = tuple(zip(range(6, 12), "ⅥⅦⅧⅨⅩⅪ", strict=True))


class ZoneForm(msgspec.Struct, frozen=True):
    """The file and what a person says about it."""

    csrf: str
    file: Annotated[UploadFile, "any format of zone files"]
    title: str = ""
    reason: str = ""
    datum: Literal["declared", "gcj02", "bd09"] = "declared"
    bands: str = "auto"
    buffer_km: str = ""
    repair: str = ""

    def options(self, box: str) -> Options:
        """How the file is to be read; `box` is where zones may lie, as the settings have it."""
        return Options(
            box=zone_files.box_of(box),
            datum=self.datum,
            bands=self.bands.strip() or "auto",
            buffer_km=_km(self.buffer_km),
            repair=self.repair == "yes",
        )


class Crossing(msgspec.Struct, frozen=True):
    """Households that go from one band to another; None is outside."""

    old: str | None
    new: str | None
    households: int


class Cost(msgspec.Struct, frozen=True):
    """What a playbook would give in both versions."""

    playbook: str
    old_households: int
    new_households: int
    old_fen: int
    new_fen: int

    @property
    def more_fen(self) -> int:
        """What the new version costs more."""
        return self.new_fen - self.old_fen


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
    difference = await zoning.difference(read, force.id, shown.id) if force and shown and force.id != shown.id else None
    bands = await incidents.bands(read, shown.id) if shown else []
    old_bands = await incidents.bands(read, force.id) if difference and force else []
    return pages.page(
        request, "zones.html", incident=found, versions=versions, zone=shown, force=force, now=now, drill=found.drill,
        difference=difference, crossings=_crossings(difference, old_bands, bands) if difference else [],
        bands=bands, touched=await incidents.counties(read, shown.id) if shown else [], formats=tuple(zone_files.MIME),
        may_draft=actor.may("zone.draft", found.county), may_force=actor.may("zone.force", found.county),
        may_cost=bool(actor.areas("activation.preview")), done=common.done_of(request),
    )  # fmt: skip


def _crossings(difference: Difference, old: Sequence[incidents.Band], new: Sequence[incidents.Band]) -> list[Crossing]:
    """Moves of all counties together, most severe old band first; those who stay in a band of the same name are left out."""
    before, after = ({b.rank: b.label for b in bands} for bands in (old, new))
    sums: dict[tuple[int, int], int] = {}
    for m in difference.moves:
        sums[m.old_rank, m.new_rank] = sums.get((m.old_rank, m.new_rank), 0) + m.households
    told = [Crossing(before.get(a), after.get(b), n) for (a, b), n in sorted(sums.items())]
    return [c for c in told if c.old != c.new]


@get("/incidents/{incident:uuid}/zones/{zone:uuid}/cost", action="activation.preview")
async def cost(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], zone: given.FromPath[UUID]
) -> Response[str]:
    """What this version costs against the one in force, by the incident's playbook; it may take seconds, so it comes by itself."""
    found = await incidents.incident(read, incident)
    force = next((z for z in await incidents.zones(read, incident) if z.status == "in force"), None)
    running = next((a for a in await incidents.activations(read, incident) if a.status != "ended"), None)
    compared = await _cost(read, actor, now, incident, force.id, zone, running) if force and running else None
    return pages.page(request, "zone_cost.html", incident=found, zone=zone, force=force, cost=compared, drill=found.drill)


async def _cost(
    read: Tx, actor: Actor, now: datetime, incident: UUID, old: UUID, new: UUID, running: incidents.Activation
) -> Cost:  # fmt: skip
    before = await activate.preview(read, actor, incident, old, running.playbook, now)
    after = await activate.preview(read, actor, incident, new, running.playbook, now)
    return Cost(f"{running.key} {running.version}", before.households, after.households, before.amount_fen, after.amount_fen)


@get("/incidents/{incident:uuid}/zones/{zone:uuid}/overlay", action="incident.read")
async def overlay(request: Req, read: given.Read, incident: given.FromPath[UUID], zone: given.FromPath[UUID]) -> Response[str]:
    """How much of each county lies in this version, of its area and of its registered households; it may take seconds, so it comes by itself."""
    found = await incidents.incident(read, incident)
    bands = {b.rank: b.label for b in await incidents.bands(read, zone)}
    return pages.page(
        request, "zone_overlay.html", incident=found, zone=zone, lines=await zoning.overlaid(read, zone), bands=bands, drill=found.drill
    )


@get("/incidents/{incident:uuid}/zones/new", action="zone.draft")
async def new_zone(request: Req, read: given.Read, incident: given.FromPath[UUID]) -> Response[str]:
    """Draw, or choose a file."""
    found = await incidents.incident(read, incident)
    versions = await incidents.zones(read, incident)
    force = next((z for z in versions if z.status == "in force"), None)
    return pages.page(request, "zone_new.html", incident=found, versions=versions, force=force, levels=LEVELS, drill=found.drill)


@post("/incidents/{incident:uuid}/zones/check", action="zone.draft", request_max_body_size=guard.MAX_ZONE, status_code=200)
async def check(request: Req, data: MultipartBody[ZoneForm], incident: given.FromPath[UUID]) -> dict[str, Any]:
    """The dry run: what the file holds, with its shapes for the map; nothing is kept. Refused with the place of the fault."""
    content, options = await _content(data), data.options(house.of(request).settings.zone_box)
    found = await zoning.inspect(content, _name(data), options)
    bounds = [b.bounds for b in found.bands]
    return {
        **zone_files.report(found, repair=options.repair),
        "incident": str(incident),
        "bounds": [min(b[0] for b in bounds), min(b[1] for b in bounds), max(b[2] for b in bounds), max(b[3] for b in bounds)]
        if bounds
        else None,
        "shapes": shapes.collection([(shapes.geometry(b.wkb), {"level": b.level, "label": b.label}) for b in reversed(found.bands)]),
    }


@post("/incidents/{incident:uuid}/zones", action="zone.draft", request_max_body_size=guard.MAX_ZONE)
async def import_zone(
    request: Req, data: MultipartBody[ZoneForm], actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Keep an uploaded file as the next draft; it is understood in a child process before any transaction opens."""
    content, options = await _content(data), data.options(house.of(request).settings.zone_box)
    bands = await zoning.inspect(content, _name(data), options)
    async with db.begin(house.of(request).pool, access.scope_of(request)) as tx:
        made = await zoning.import_zone(tx, actor, incident, NewZone(data.title, data.reason), content, bands, now, options)
    return common.go(f"/incidents/{incident}/zones?version={made}", "imported")


async def _content(data: ZoneForm) -> bytes:
    content = await data.file.read()
    if not content:
        raise Invalid("empty_file", "请选择文件 · choose a file", field="file")
    return content


def _name(data: ZoneForm) -> str:
    """The last part of the file's name: it says the format where the content does not."""
    return (data.file.filename or "zone").replace("\\", "/").rsplit("/", 1)[-1][:200] or "zone"


def _km(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid("buffer", "距离须为公里数 · the distance is a number of kilometres", field="buffer_km") from None


@post("/incidents/{incident:uuid}/zones/{zone:uuid}/force", action="zone.force")
async def force(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], zone: given.FromPath[UUID]
) -> Response[bytes]:
    """The second person puts it in force; the households of their area are located in it at once."""
    await zoning.put_in_force(tx, actor, zone, now)
    await locate.locate_all(tx, zone, now)
    return common.go(f"/incidents/{incident}", "forced")


@get("/incidents/{incident:uuid}/zones/{zone:uuid}/file", action="incident.read")
async def file(
    read: given.Read, now: given.Now, incident: given.FromPath[UUID], zone: given.FromPath[UUID], form: given.FromQuery[zone_files.Format]
) -> Response[bytes]:
    """A version as GeoJSON, KML, GeoPackage or the list of its villages."""
    if zone not in {z.id for z in await incidents.zones(read, incident)}:
        raise Invalid("other_incident", "该灾害没有此灾区范围 · this incident has no such zone")
    made = await zone_files.export(read, zone, form, now)
    headers: Mapping[str, str] = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
    return Response(content=made.content, media_type=made.media_type, headers=dict(headers))


HANDLERS: Final = [zones, cost, overlay, new_zone, check, import_zone, force, file]
