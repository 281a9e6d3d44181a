"""Activation: see what would be paid to whom by which rule, propose, draft, start the county's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain import money
from relief.domain.errors import Conflict, Invalid, NotFound
from relief.services import activate, decide, locate, move, rosters, served, sheets
from relief.services.served import InForce
from relief.store.views import incidents, reports
from relief.store.views.incidents import Activation
from relief.web import given, pages, preview_sheet
from relief.web.charts import Labels
from relief.web.console import common, scenarios
from relief.web.console.common import MoneyForm
from relief.web.console.door import Token
from relief.web.console.scenarios import Choice
from relief.web.given import Req
from relief.web.texts import Texts


class ProposeForm(msgspec.Struct, frozen=True):
    """Which zone and playbook."""

    csrf: str
    zone: UUID
    playbook: UUID


class DraftForm(MoneyForm, frozen=True):
    """The county's own document and the most it may spend, in yuan with two decimals."""

    county: str
    document: str
    cap: str


@get("/incidents/{incident:uuid}/activation", action="incident.read")
async def page(
    request: Req,
    read: given.Read,
    actor: given.Me,
    now: given.Now,
    incident: given.FromPath[UUID],
    playbook: given.FromQuery[UUID | None] = None,
) -> Response[str]:
    """The dry run for the zone in force, and the parts of the counties."""
    t = Texts(pages.language(request))
    found = await incidents.incident(read, incident)
    zones = await incidents.zones(read, incident)
    force = next((z for z in zones if z.status == "in force"), None)
    live = [a for a in await incidents.activations(read, incident) if a.status != "ended"]
    fitting, known = await scenarios.fitting(read, found.hazard), {c.id: c for c in await scenarios.known(read)}
    asked = known.get(playbook or (live[0].playbook if live else fitting[0].id if fitting else UUID(int=0)))
    running = next((a for a in live if asked and a.key == asked.key), None)
    chosen = known.get(running.playbook) if running else asked
    touched = [c for c in await incidents.counties(read, force.id) if actor.may("incident.read", c.county)] if force else []
    parts = await incidents.parts(read, incident)
    preview, refused = None, ""
    if force and chosen and actor.areas("activation.preview"):
        try:
            preview = await activate.preview(read, actor, incident, running.zone if running else force.id, chosen.id, now)
        except Invalid as error:
            refused = error.message
    # A county that has not started is told which of its villages in the zone nobody answers for.
    unstaffed = {
        c.county: await rosters.unstaffed(read, c.county, force.id) for c in touched if force and actor.may("roster.read", c.county)
    }
    current = await reports.current(read, incident)
    rests = {c.county: _rests(current, c.county, chosen, t) for c in touched} if chosen and chosen.book.responses else {}
    names = {c.county: c.name for c in touched} | await reports.names(read, [u.area for u in preview.unverified] if preview else [])
    return pages.page(
        request, "activation.html", incident=found, zone=force, running=running, chosen=chosen, preview=preview, refused=refused, now=now,
        parts=parts, rests=rests, started={p.county for p in parts if p.status == "active"}, touched=touched, names=names, drill=found.drill,
        unstaffed=unstaffed, done=common.done_of(request), options=[(c.id, f"{t.of(c.book.title)} {c.version}") for c in fitting if not chosen or c.key == chosen.key],
        books=_books(live, fitting, chosen, t), waits=await move.waiting(read, running.id) if running else None,
        **scenarios.told(chosen, preview, names, t),
    )  # fmt: skip


def _rests(current: Sequence[InForce], county: str, chosen: Choice, t: Texts) -> tuple[str, str]:
    """Tone and sentence: the response this county's activation would rest on, that there is none, or that it is of another level."""
    try:
        found = served.fitting(current, county, chosen.book)
    except Conflict as error:
        return "bad", t.say(error.message)
    if found is None:
        return "wait", t("activation.no_response")
    return "done", t("activation.rests_on", level="ⅠⅡⅢⅣ"[(found.level or 1) - 1], document=found.document)


def _books(live: Sequence[Activation], fitting: Sequence[Choice], chosen: Choice | None, t: Texts) -> list[tuple[str, str, None, bool]]:
    """One tab a playbook: those that run, then what else is for this hazard; each in the version that runs or the newest."""
    found = {a.key: a.playbook for a in live}
    for c in fitting:
        found.setdefault(c.key, c.id)
    titles = {c.key: t.of(c.book.title) for c in fitting}
    return [(f"?playbook={i}", titles.get(key, key), None, bool(chosen and chosen.key == key)) for key, i in found.items()]


@get("/incidents/{incident:uuid}/activation/file", action="activation.preview")
async def file(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], playbook: given.FromQuery[UUID]
) -> Response[bytes]:
    """The dry run as a workbook."""
    found = await incidents.incident(read, incident)
    force = next((z for z in await incidents.zones(read, incident) if z.status == "in force"), None)
    chosen = next((c for c in await scenarios.known(read) if c.id == playbook), None)
    if force is None or chosen is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    preview = await activate.preview(read, actor, incident, force.id, playbook, now)
    names = {c.county: c.name for c in await incidents.counties(read, force.id)} | await reports.names(
        read, [u.area for u in preview.unverified]
    )
    labels = Labels(names, chosen.book, Texts(pages.language(request)))
    content = await asyncio.to_thread(preview_sheet.workbook, labels, preview)
    name = quote(f"{found.name} {labels.t.of(chosen.book.title)} {chosen.version}.xlsx")
    return Response(content=content, media_type=sheets.XLSX, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})


@post("/incidents/{incident:uuid}/activation", action="activation.propose")
async def propose(
    data: given.Form[ProposeForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Propose it to the counties."""
    await activate.propose(tx, actor, incident, data.zone, data.playbook, now)
    return common.go(f"/incidents/{incident}/activation?playbook={data.playbook}", "proposed")


@post("/incidents/{incident:uuid}/activation/{activation:uuid}/draft", action="activation.draft")
async def draft(
    request: Req, data: given.Form[DraftForm], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], activation: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Draft the county's part."""
    cap = money.parse_yuan(data.cap.replace(",", "").strip())
    content = (data.county, data.document, cap)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: activate.draft(tx, actor, data.county, activation, data.document, cap, now)
    )
    return common.go(f"/incidents/{incident}/activation", "drafted")


@post("/incidents/{incident:uuid}/activation/{county:str}/{part:uuid}/start", action="activation.activate")
async def start(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], county: given.FromPath[str], part: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Start the county's clock."""
    await activate.activate(tx, actor, county, part, now)
    return common.go(f"/incidents/{incident}", "activated")


@post("/incidents/{incident:uuid}/activation/{county:str}/{activation:uuid}/decide", action="household.decide")
async def run(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now,
    incident: given.FromPath[UUID], county: given.FromPath[str], activation: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Locate and decide everybody registered so far."""
    zone = next((a.zone for a in await incidents.activations(tx, incident) if a.id == activation), None)
    if zone is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    await locate.locate(tx, county, zone, now)
    await decide.decide(tx, actor, county, activation, now)
    return common.go(f"/incidents/{incident}", "decided")


HANDLERS: Final = [page, file, propose, draft, start, run]
