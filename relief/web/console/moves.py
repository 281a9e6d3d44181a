"""Moving a running activation to another version: drafted, who gets more or less looked at, confirmed by a second person."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.errors import NotFound
from relief.services import move
from relief.store.db import Tx
from relief.store.views import incidents
from relief.store.views.incidents import Activation
from relief.web import given, pages
from relief.web.console import common, scenarios
from relief.web.console.door import Token
from relief.web.given import Req
from relief.web.texts import Texts


class MoveForm(msgspec.Struct, frozen=True):
    """To which versions, and why."""

    csrf: str
    zone: UUID
    playbook: UUID
    reason: str = ""


@get("/incidents/{incident:uuid}/activation/{activation:uuid}/move", action="activation.preview")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], activation: given.FromPath[UUID]
) -> Response[str]:
    """Choose the versions; or, where a move waits, see what it changes and confirm it."""
    t = Texts(pages.language(request))
    found = await incidents.incident(read, incident)
    act = await _activation(read, incident, activation)
    zones = await incidents.zones(read, incident)
    draft = await move.waiting(read, activation)
    effect = await move.effect(read, actor, draft.id, now) if draft else None
    books = [c for c in await scenarios.known(read) if c.key == act.key]
    names = {c.county: c.name for z in {act.zone, *([draft.zone] if draft else [])} for c in await incidents.counties(read, z)}
    return pages.page(
        request, "move.html", incident=found, drill=found.drill, activation=act, draft=draft, effect=effect, names=names, now=now,
        zones=[(z.id, t("scenario.zone", version=z.version, title=z.title)) for z in zones if z.status == "in force"],
        books=[(c.id, f"{t.of(c.book.title)} {c.version}") for c in books],
        drafter=await incidents.person(read, draft.drafted_by) if draft else "",
        versions={c.id: c.version for c in books}, zone_versions={z.id: z.version for z in zones}, done=common.done_of(request),
    )  # fmt: skip


async def _activation(read: Tx, incident: UUID, activation: UUID) -> Activation:
    found = next((a for a in await incidents.activations(read, incident) if a.id == activation), None)
    if found is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return found


def _back(incident: UUID, activation: UUID) -> str:
    return f"/incidents/{incident}/activation/{activation}/move"


@post("/incidents/{incident:uuid}/activation/{activation:uuid}/move", action="activation.propose")
async def draft(
    data: given.Form[MoveForm],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    incident: given.FromPath[UUID],
    activation: given.FromPath[UUID],
) -> Response[bytes]:
    """Draft the move."""
    await move.draft(tx, actor, activation, data.zone, data.playbook, data.reason, now)
    return common.go(_back(incident, activation), "move_drafted")


@post("/incidents/{incident:uuid}/activation/{activation:uuid}/move/{draft_:uuid}/confirm", action="activation.propose")
async def confirm(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], activation: given.FromPath[UUID], draft_: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """The second person confirms."""
    await move.confirm(tx, actor, draft_, now)
    return common.go(f"/incidents/{incident}/activation", "move_confirmed")


@post("/incidents/{incident:uuid}/activation/{activation:uuid}/move/{draft_:uuid}/withdraw", action="activation.propose")
async def withdraw(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], activation: given.FromPath[UUID], draft_: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """A draft that will not be used."""
    await move.withdraw(tx, actor, draft_, now)
    return common.go(_back(incident, activation), "move_withdrawn")


HANDLERS: Final[list[Any]] = [page, draft, confirm, withdraw]
