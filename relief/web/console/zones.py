"""Zone versions: drawn or imported after a dry run, compared, put in force by a second person, taken along as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain.errors import Invalid
from relief.domain.zone import Difference, NewZone
from relief.services import consequences, locate, population, zone_files, zoning
from relief.services.population import Population
from relief.services.zone_files import Options
from relief.store import db
from relief.store.views import incidents
from relief.web import access, given, guard, house, pages, shapes
from relief.web.console import common
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
    attribute: str = ""
    crs: str = ""
    layer: str = ""
    buffer_km: str = ""
    repair: str = ""

    def options(self, box: str) -> Options:
        """How the file is to be read; `box` is where zones may lie, as the settings have it. An attribute that is named makes the bands."""
        return Options(
            box=zone_files.box_of(box),
            datum=self.datum,
            crs=self.crs.strip() or None,
            bands=self.attribute.strip() or self.bands.strip() or "auto",
            layer=self.layer.strip() or None,
            buffer_km=_km(self.buffer_km),
            repair=self.repair == "yes",
        )


class Crossing(msgspec.Struct, frozen=True):
    """Households that go from one band to another; None is outside."""

    old: str | None
    new: str | None
    households: int


class ForceForm(msgspec.Struct, frozen=True):
    """`against` is the version in force that the page compared with; none where there is none."""

    csrf: str
    against: UUID | None = None


class DiscardForm(msgspec.Struct, frozen=True):
    """Why a draft is given up."""

    csrf: str
    reason: str = ""


class PopulationForm(msgspec.Struct, frozen=True):
    """How many people a county has, of which day, by whose word."""

    csrf: str
    county: str
    people: str = ""
    day: str = ""
    source: str = ""


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
    living = next((z for z in versions if z.status != "discarded"), versions[0] if versions else None)
    shown = next((z for z in versions if z.id == version), living)
    difference = await zoning.difference(read, force.id, shown.id) if force and shown and force.id != shown.id else None
    bands = await incidents.bands(read, shown.id) if shown else []
    old_bands = await incidents.bands(read, force.id) if difference and force else []
    touched = await incidents.counties(read, shown.id) if shown else []
    before = await incidents.counties(read, force.id) if difference and force else []
    names = {c.county: c.name for c in [*before, *touched]}
    return pages.page(
        request, "zones.html", incident=found, versions=versions, zone=shown, force=force, now=now, drill=found.drill,
        difference=difference, crossings=_crossings(difference, old_bands, bands) if difference else [], by_county=_by_county(difference, names),
        bands=bands, touched=touched, formats=tuple(zone_files.MIME),
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


def _by_county(difference: Difference | None, names: Mapping[str, str]) -> list[tuple[str, int, int]]:
    """County, households that come in, households that go out; those without either are left out."""
    if difference is None:
        return []
    came, went = difference.came_in, difference.went_out
    return [(names.get(c, c), came.get(c, 0), went.get(c, 0)) for c in sorted(came.keys() | went.keys())]


@get("/incidents/{incident:uuid}/zones/{zone:uuid}/cost", action="activation.preview")
async def cost(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], zone: given.FromPath[UUID]
) -> Response[str]:
    """What this version costs against the one in force, by the incident's playbooks; it may take seconds, so it comes by itself."""
    found = await incidents.incident(read, incident)
    versions = await incidents.zones(read, incident)
    force = next((z for z in versions if z.status == "in force"), None)
    if zone not in {z.id for z in versions}:
        raise Invalid("other_incident", "该灾害没有此灾区范围 · this incident has no such zone")
    costs = await consequences.costs(read, actor, force.id, zone, now) if force else []
    names = {c.county: c.name for z in ([force.id, zone] if force else []) for c in await incidents.counties(read, z)}
    return pages.page(request, "zone_cost.html", incident=found, zone=zone, force=force, costs=costs, names=names, drill=found.drill)


@get("/incidents/{incident:uuid}/zones/{zone:uuid}/overlay", action="incident.read")
async def overlay(
    request: Req, read: given.Read, actor: given.Me, incident: given.FromPath[UUID], zone: given.FromPath[UUID]
) -> Response[str]:  # fmt: skip
    """How much of each county lies in this version, of its area, its registered households and, estimated, its people; it may take seconds, so
    it comes by itself."""
    found = await incidents.incident(read, incident)
    lines = await zoning.overlaid(read, zone)
    counties = [(line.county, line.name) for line in lines if actor.may("population.give", line.county)]
    return pages.page(
        request, "zone_overlay.html", incident=found, zone=zone, lines=lines, counties=counties, drill=found.drill, done=common.done_of(request),
    )  # fmt: skip


@post("/incidents/{incident:uuid}/zones/{zone:uuid}/population", action="population.give")
async def give_population(
    data: given.Form[PopulationForm], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], zone: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """How many people a county has: only for the estimate of who lives inside."""
    await population.give(tx, actor, [_population(data)], now)
    return common.go(f"/incidents/{incident}/zones/{zone}/overlay", "population_given")


def _population(data: PopulationForm) -> Population:
    people = data.people.strip().replace(",", "")
    if not (people.isascii() and people.isdigit() and len(people) <= 9):
        raise Invalid("population_value", "人口须为整数 · people is a whole number", field="people")
    try:
        return Population(data.county, int(people), date.fromisoformat(data.day), data.source)
    except ValueError:
        raise Invalid("population_value", "请选择统计日期 · choose the day the figure speaks of", field="day") from None


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
    data: given.Form[ForceForm],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    incident: given.FromPath[UUID],
    zone: given.FromPath[UUID],
) -> Response[bytes]:
    """The second person, who was shown what it changes, puts it in force; the households of their area are located in it at once."""
    await zoning.put_in_force(tx, actor, zone, now, data.against)
    await locate.locate_all(tx, zone, now)
    return common.go(f"/incidents/{incident}", "forced")


@post("/incidents/{incident:uuid}/zones/{zone:uuid}/discard", action="zone.draft")
async def discard(
    data: given.Form[DiscardForm],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    incident: given.FromPath[UUID],
    zone: given.FromPath[UUID],
) -> Response[bytes]:
    """Give a draft up, with the reason."""
    await zoning.discard(tx, actor, zone, data.reason, now)
    return common.go(f"/incidents/{incident}/zones", "discarded")


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


HANDLERS: Final = [zones, cost, overlay, give_population, new_zone, check, import_zone, force, discard, file]
