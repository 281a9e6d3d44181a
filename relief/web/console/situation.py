"""The situation of an incident on a map, and its figures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Response, get

from relief.domain.errors import Invalid
from relief.domain.incident import HAZARDS
from relief.domain.plan import ROMAN
from relief.store.db import Tx
from relief.store.views import cells, incidents, running
from relief.web import given, house, pages, shapes, tiles
from relief.web.console import common, reports, scenarios
from relief.web.console.home import stages
from relief.web.given import Req

#: Shown before anything is drawn: the province.
_PROVINCE: Final = (97.3, 26.0, 108.6, 34.4)


@get("/incidents/{incident:uuid}", action="incident.read")
async def situation(request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Response[str]:
    """Map, clocks, funnel, counties."""
    found = await incidents.incident(read, incident)
    villages = common.patterns(actor, "incident.read")
    zones = await incidents.zones(read, incident)
    force = next((z for z in zones if z.status == "in force"), zones[0] if zones else None)
    parts = await incidents.parts(read, incident)
    started = [p.activated_at for p in parts if p.activated_at]
    funnel = await running.funnel(read, incident, villages)
    return pages.page(
        request, "situation.html", placeholders=await scenarios.placeholders(read, incident, now), incident=found, zones=zones, zone=force, now=now, parts=parts, activated_at=min(started) if started else None,
        bands=await incidents.bands(read, force.id) if force else [], touched=await incidents.counties(read, force.id) if force else [],
        lines=await running.by_county(read, incident, villages), funnel=funnel, stages=stages(funnel, found), drill=found.drill,
        activations=await incidents.activations(read, incident), hazard=HAZARDS.get(found.hazard, found.hazard),
        standing=await reports.standing(read, actor, incident, now), roman=ROMAN, done=common.done_of(request),
    )  # fmt: skip


@get("/incidents/{incident:uuid}/map.json", action="incident.read")
async def map_json(
    request: Req, read: given.Read, incident: given.FromPath[UUID], zone: given.FromQuery[UUID | None] = None
) -> dict[str, Any]:
    """Bands and townships as GeoJSON, where cells and tiles come from; a household is never a point here."""
    await incidents.incident(read, incident)
    bands, old = await _bands(read, incident, zone)
    settings = house.of(request).settings
    return {
        "bounds": _bounds([*bands, *old]),
        "bands": shapes.collection([(shapes.geometry(b.geometry), {"level": b.level, "label": b.label}) for b in bands]),
        "old": shapes.collection([(shapes.geometry(b.geometry), {"level": b.level}) for b in old]),
        "places": shapes.collection(
            [(shapes.point(p.lon, p.lat), {"name": p.name, "synthetic": p.synthetic}) for p in await _townships(read, bands)]
        ),
        "cells": f"/incidents/{incident}/cells/{{z}}/{{x}}/{{y}}",
        "deepest": cells.FINEST - cells.ACROSS,
        "tiles": settings.tile_url,
        "credit": settings.tile_credit,
    }


async def _townships(read: Tx, bands: Sequence[incidents.Band]) -> list[incidents.Township]:
    return await incidents.townships(read, bands[0].zone) if bands else []


@get("/incidents/{incident:uuid}/cells/{z:int}/{x:int}/{y:int}", action="incident.read")
async def cells_tile(
    request: Req, read: given.Read, actor: given.Me,
    incident: given.FromPath[UUID], z: given.FromPath[int], x: given.FromPath[int], y: given.FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Registered households counted in squares whose size follows the zoom, as a vector tile."""
    await incidents.incident(read, incident)
    if not (0 <= z <= cells.FINEST - cells.ACROSS and 0 <= x < 2**z and 0 <= y < 2**z):
        raise Invalid("tile", "没有这一块地图 · there is no such tile")
    body = tiles.encode(await cells.tile(read, incident, common.patterns(actor, "incident.read"), z, x, y))
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": mark, "Cache-Control": "private, max-age=10"}
    if request.headers.get("if-none-match") == mark:
        return Response(content=b"", status_code=304, headers=headers)
    return Response(content=body, media_type=tiles.MEDIA_TYPE, headers=headers)


async def _bands(read: Tx, incident: UUID, zone: UUID | None) -> tuple[list[incidents.Band], list[incidents.Band]]:
    """The bands asked for, and those in force where these are others."""
    zones = await incidents.zones(read, incident)
    force = [z for z in zones if z.status == "in force"]
    asked = [z for z in zones if z.id == zone] or force or zones[:1]
    bands = await incidents.bands(read, asked[0].id) if asked else []
    return bands, await incidents.bands(read, force[0].id) if force and force[0].id != asked[0].id else []


def _bounds(bands: list[incidents.Band]) -> tuple[float, float, float, float]:
    if not bands:
        return _PROVINCE
    return min(b.west for b in bands), min(b.south for b in bands), max(b.east for b in bands), max(b.north for b in bands)


HANDLERS: Final = [situation, map_json, cells_tile]
