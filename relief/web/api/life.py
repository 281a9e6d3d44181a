"""The life of incidents: the record, what is still open, on to the next state, closing, merging. Writes need an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.services import incidents
from relief.services.incidents import BARS, Foresight, Merged
from relief.store.views import register
from relief.store.views.register import Matter, Record
from relief.web import given, idempotency
from relief.web.given import Req

Reason = Annotated[str, msgspec.Meta(min_length=2, max_length=500, examples=["同一次地震"])]


class Recorded(msgspec.Struct, frozen=True):
    """An incident, what was merged into it, what is still open, and which of that bars its closing."""

    incident: Record
    merged: list[UUID]
    open: list[Matter]
    bars: list[str]


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it goes: `active`, or `recovery` once it is stable."""

    target: register.Status


class Stable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Since when it is stable."""

    at: datetime


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it ends."""

    reason: Reason


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which incident is kept, and why they are one."""

    into: UUID
    reason: Reason


class Moved(msgspec.Struct, frozen=True):
    """The state it is in now."""

    id: UUID
    status: str


@get("/incidents/{incident:uuid}", action="incident.read")
async def read_incident(read: given.Read, incident: given.FromPath[UUID]) -> Recorded:
    """The record of one incident; open matters are counted among what you may see."""
    found = await register.record(read, incident)
    matters = [] if found.status == "closed" else await register.open_matters(read, [incident])
    return Recorded(found, [m.id for m in await register.merged(read, incident)], matters, [m.kind for m in matters if m.kind in BARS])


@post("/incidents/{incident:uuid}/move", action="incident.move", status_code=200)
async def move_incident(
    request: Req, data: given.Json[Target], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Moved]:  # fmt: skip
    """reported → active → recovery."""

    async def act() -> Moved:
        await incidents.move(tx, actor, incident, data.target, now)
        return Moved(incident, data.target)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/incidents/{incident:uuid}/stable", action="incident.move", status_code=200)
async def declare_stable(
    request: Req, data: given.Json[Stable], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Moved]:  # fmt: skip
    """灾情稳定: zero reports end, the final report falls due. Once."""

    async def act() -> Moved:
        await incidents.declare_stable(tx, actor, incident, data.at, now)
        return Moved(incident, "stable")

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/incidents/{incident:uuid}/close", action="incident.move", status_code=200)
async def close_incident(
    request: Req, data: given.Json[Ending], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Moved]:  # fmt: skip
    """The end. 409 `still_open` says what bars it."""

    async def act() -> Moved:
        await incidents.close(tx, actor, [incident], data.reason, now)
        return Moved(incident, "closed")

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/incidents/{incident:uuid}/merge/{into:uuid}", action="incident.merge")
async def foresee_merge(read: given.Read, actor: given.Me, incident: given.FromPath[UUID], into: given.FromPath[UUID]) -> Foresight:
    """What merging `incident` into `into` would re-key and which recovery cases it would open; nothing is done."""
    return await incidents.foresee(read, actor, [incident], into)


@post("/incidents/{incident:uuid}/merge", action="incident.merge", status_code=200)
async def merge_incident(
    request: Req, data: given.Json[Merge], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Merged]:  # fmt: skip
    """Close a duplicate into the incident it is."""

    async def act() -> Merged:
        return await incidents.merge(tx, actor, [incident], data.into, data.reason, now)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final = [read_incident, move_incident, declare_stable, close_incident, foresee_merge, merge_incident]
