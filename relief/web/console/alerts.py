"""The inbox of alerts: what feeds propose, and what an officer makes of it. Nothing here acts by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.alert import FeedState, Source, Status, feed_health
from relief.domain.days import beijing_day
from relief.domain.errors import NotFound
from relief.domain.incident import HAZARDS, name
from relief.domain.policy import Actor
from relief.services import alerts
from relief.settings import Settings
from relief.store.db import Tx
from relief.store.views import alerts as views
from relief.store.views import register
from relief.store.views.alerts import Alert
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.incidents import opened
from relief.web.given import Req

#: View → the states it shows.
SHOWS: Final[Mapping[str, tuple[Status, ...]]] = {
    "waiting": ("proposed",),
    "decided": ("accepted", "dismissed"),
    "kept": ("noted", "parked", "superseded", "withdrawn"),
}
_PAGE: Final = 50


class OpenForm(msgspec.Struct, frozen=True):
    """The incident an alert proposes, as the officer has it; the moment is Beijing time."""

    csrf: str
    county: str
    hazard: str
    occurred_at: str
    drill: str = ""


class AttachForm(msgspec.Struct, frozen=True):
    """Which incident it is news of."""

    csrf: str
    incident: str


class ReasonForm(msgspec.Struct, frozen=True):
    """Why nothing is done, or what was found."""

    csrf: str
    reason: str


class Feed(msgspec.Struct, frozen=True):
    """A configured feed and how it is: never, unasked, dead or well."""

    source: Source
    health: str
    state: FeedState | None


async def feeds(read: Tx, settings: Settings, now: datetime) -> list[Feed]:
    """The configured feeds; none where none is configured."""
    given_: dict[Source, str | None] = {"cap": settings.feed_cap_url, "comcat": settings.feed_comcat_url}
    known = {s.source: s for s in await views.feed_states(read)}
    every = timedelta(seconds=settings.feed_poll_seconds)
    return [Feed(s, feed_health(known.get(s), now, every), known.get(s)) for s, url in given_.items() if url]


def proposed_name(alert: Alert) -> str:
    """The name the rule gives what the alert proposes; empty where it does not say enough."""
    if alert.hazard is None or alert.area_name is None:
        return ""
    return name(beijing_day(alert.occurred_at), alert.area_name, alert.hazard)


@get("/alerts", action="incident.open")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "waiting",
    after: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """What waits, what was decided, or what is only kept; newest first."""
    show = show if show in SHOWS else "waiting"
    areas = common.patterns(actor, "incident.open")
    found = await views.alerts(read, areas, SHOWS[show], common.before(after), _PAGE)
    open_ = await register.incidents(read, areas, True, None, None) if show == "waiting" and found else []
    more = common.mark(found[-1].received_at, found[-1].id) if len(found) == _PAGE else None
    return pages.page(
        request, "alerts.html", rows=[(a, proposed_name(a)) for a in found], incidents=open_, now=now, show=show, shows=tuple(SHOWS),
        counties=await register.counties(read, common.county_patterns(actor, "incident.open"), now) if open_ or found else [],
        waiting=(await views.waiting(read, areas)).items, feeds=await feeds(read, house.of(request).settings, now), hazards=HAZARDS,
        conflicts=await views.conflicts(read), may=_may(actor, found), done=common.done_of(request),
        next="/alerts" + common.query(show=show, after=more) if more else None,
    )  # fmt: skip


def _may(actor: Actor, found: Sequence[Alert]) -> set[UUID]:
    return {a.id for a in found if a.area is None or actor.may("incident.open", a.area)}


@get("/alerts/{alert:uuid}/message", action="incident.read")
async def message(read: given.Read, actor: given.Me, alert: given.FromPath[UUID]) -> Response[bytes]:
    """The message as it was received, as plain text: what a stranger sent is never shown as a page."""
    if await views.find(read, common.patterns(actor, "incident.read"), alert) is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    found = await views.body(read, alert)
    return Response(content=found.body, media_type="text/plain; charset=utf-8")


@post("/alerts/{alert:uuid}/incident", action="incident.open")
async def open_incident(
    data: given.Form[OpenForm], tx: given.Write, actor: given.Me, now: given.Now, alert: given.FromPath[UUID]
) -> Response[bytes]:
    """Open the incident it proposes."""
    made = await alerts.open_incident(tx, actor, alert, opened(data.county, data.hazard, data.occurred_at, data.drill), now)
    return common.go(f"/incidents/{made}", "opened")


@post("/alerts/{alert:uuid}/attach", action="incident.open")
async def attach(
    data: given.Form[AttachForm], tx: given.Write, actor: given.Me, now: given.Now, alert: given.FromPath[UUID]
) -> Response[bytes]:
    """It is news of an incident there is."""
    [incident] = common.uuids(data.incident)
    await alerts.attach(tx, actor, [alert], incident, now)
    return common.go(f"/incidents/{incident}/record", "attached")


@post("/alerts/{alert:uuid}/dismiss", action="incident.open")
async def dismiss(
    data: given.Form[ReasonForm], tx: given.Write, actor: given.Me, now: given.Now, alert: given.FromPath[UUID]
) -> Response[bytes]:
    """Nothing is done, and why."""
    await alerts.dismiss(tx, actor, [alert], data.reason, now)
    return common.go("/alerts", "dismissed")


@post("/alerts/conflicts/{conflict:uuid}", action="incident.open")
async def close_conflict(
    data: given.Form[ReasonForm], tx: given.Write, actor: given.Me, now: given.Now, conflict: given.FromPath[UUID]
) -> Response[bytes]:
    """Somebody has looked at two contents of one name."""
    await alerts.close_conflicts(tx, actor, [conflict], data.reason, now)
    return common.go("/alerts", "answered")


HANDLERS: Final = [page, message, open_incident, attach, dismiss, close_conflict]
