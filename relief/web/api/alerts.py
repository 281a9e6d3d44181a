"""The inbox of alerts and the feeds they come from. An alert only proposes; writes need an Idempotency-Key."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.incident import NewIncident
from relief.services import alerts
from relief.store.views import alerts as views
from relief.store.views.alerts import Alert
from relief.web import given, house, idempotency
from relief.web.api.shared import After, Limit, Page
from relief.web.console import common
from relief.web.console.alerts import SHOWS, Feed, feeds
from relief.web.given import Req

Ids = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]
Reason = Annotated[str, msgspec.Meta(min_length=2, max_length=500, examples=["降雨已过境，未成灾"])]


class Attach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """These alerts are news of that incident."""

    alerts: Ids
    incident: UUID


class Dismiss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is done about these, and why."""

    alerts: Ids
    reason: Reason


class Opened(msgspec.Struct, frozen=True):
    """The incident that was opened."""

    id: UUID


class Decided(msgspec.Struct, frozen=True):
    """How many alerts were decided."""

    alerts: int


@get("/alerts", action="incident.open")
async def list_alerts(
    read: given.Read, actor: given.Me, show: given.FromQuery[Literal["waiting", "decided", "kept"]] = "waiting", after: After = None, limit: Limit = 50
) -> Page[Alert]:  # fmt: skip
    """Alerts of your areas: waiting for a decision, decided, or only kept (tests, exercises, superseded and withdrawn ones)."""
    found = await views.alerts(read, common.patterns(actor, "incident.open"), SHOWS[show], common.before(after), limit)
    return Page(found, common.mark(found[-1].received_at, found[-1].id) if len(found) == limit else None)


@get("/feeds", action="incident.open")
async def list_feeds(request: Req, read: given.Read, now: given.Now) -> list[Feed]:
    """The configured feeds and how they are; empty where none is configured."""
    return await feeds(read, house.of(request).settings, now)


@post("/alerts/{alert:uuid}/incident", action="incident.open", status_code=200)
async def open_from_alert(
    request: Req, data: given.Json[NewIncident], tx: given.Write, actor: given.Me, now: given.Now, alert: given.FromPath[UUID],
    key: idempotency.Key = None,
) -> Response[Opened]:  # fmt: skip
    """Open the incident an alert proposes; you say kind, county, moment, and whether it is a drill."""

    async def act() -> Opened:
        return Opened(await alerts.open_incident(tx, actor, alert, data, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/alerts/attach", action="incident.open", status_code=200)
async def attach_alerts(
    request: Req, data: given.Json[Attach], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Response[Decided]:
    """They are news of an incident there is; nothing of it changes by itself."""

    async def act() -> Decided:
        await alerts.attach(tx, actor, data.alerts, data.incident, now)
        return Decided(len(set(data.alerts)))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/alerts/dismiss", action="incident.open", status_code=200)
async def dismiss_alerts(
    request: Req, data: given.Json[Dismiss], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Response[Decided]:
    """Nothing is done, and why."""

    async def act() -> Decided:
        await alerts.dismiss(tx, actor, data.alerts, data.reason, now)
        return Decided(len(set(data.alerts)))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final = [list_alerts, list_feeds, open_from_alert, attach_alerts, dismiss_alerts]
