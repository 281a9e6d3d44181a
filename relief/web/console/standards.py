"""Figures: dated, local, sourced. Drafted by one person, their effect on open activations looked at, put in force by another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain import money
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor
from relief.domain.standard import Standard
from relief.services import activate, compare, enact
from relief.services.compare import Effect
from relief.store import db
from relief.store.db import Tx
from relief.store.views import incidents
from relief.store.views import playbooks as views
from relief.store.views.playbooks import Dated
from relief.web import access, given, house, pages, problems
from relief.web.console import common, playbooks
from relief.web.console.door import Token
from relief.web.console.playbook_versions import text_of
from relief.web.faults import Fault, located
from relief.web.given import Req
from relief.web.texts import Texts


class DraftForm(msgspec.Struct, frozen=True):
    """A figure as typed: yuan with two decimals, the first day it holds, the document it stands in."""

    csrf: str
    figure: str
    area: str
    amount: str
    valid_from: date
    document: str
    verified: str = ""


class FileForm(msgspec.Struct, frozen=True):
    """Many figures as a file."""

    csrf: str
    file: Annotated[UploadFile, "standards as TOML"]


class Together(msgspec.Struct, frozen=True):
    """Drafts of the same document, by id."""

    csrf: str
    figure: list[str] | str = ""


class Group(msgspec.Struct, frozen=True):
    """A figure with everything ever given for it."""

    key: str
    title: str
    basis: str
    rows: list[Dated]


class Shown(msgspec.Struct, frozen=True):
    """The effect on one open activation."""

    name: str
    effect: Effect
    names: dict[str, str]


@get("/standards", action="incident.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, area: given.FromQuery[str | None] = None) -> Response[str]:
    """Every figure of one county and of what lies above it, drafts first."""
    return await _page(request, read, actor, beijing_day(now), area, [])


async def _page(
    request: Req, read: Tx, actor: Actor, day: date, area: str | None, faults: Sequence[Fault], status: int = 200
) -> Response[str]:
    t = Texts(pages.language(request))
    place = await playbooks.place_of(read, actor, t, area, day)
    below = common.patterns_above(actor, "incident.read") if place.area == playbooks.PROVINCE else []
    rows = await views.standards(read, [place.area[:n] for n in (2, 4, 6) if n <= len(place.area)], below)
    named = await _figures(read, t)
    keys = dict.fromkeys([*named, *(r.key for r in rows)])
    groups = [Group(k, *named.get(k, (k, "")), [r for r in rows if r.key == k and r.status != "draft"]) for k in keys]
    return pages.page(
        request, "standards.html", status, groups=groups, drafts=[r for r in rows if r.status == "draft"], area=place.area, areas=place.areas,
        today=day, titles={k: title for k, (title, _) in named.items()}, faults=faults, done=common.done_of(request),
        options=[(k, f"{title}（{k}）") for k, (title, _) in named.items()],
        may_draft=[(code, name) for code, name in place.areas if actor.may("figure.draft", code)],
    )  # fmt: skip


async def _figures(read: Tx, t: Texts) -> dict[str, tuple[str, str]]:
    """Key → title and clause, as the playbooks in force name them."""
    found: dict[str, tuple[str, str]] = {}
    for version in await views.versions(read):
        book = playbooks.decoded(version) if version.status == "in force" else None
        for figure in book.figures if book else ():
            found.setdefault(figure.key, (t.of(figure.title), figure.legal_basis))
    return dict(sorted(found.items()))


@post("/standards", action="figure.draft")
async def draft(data: given.Form[DraftForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Draft one figure."""
    amount = money.parse_yuan(data.amount.replace(",", "").strip())
    new = Standard(data.figure, data.area, amount, data.valid_from, None, data.document.strip(), data.verified == "yes")
    made = await enact.draft_figures(tx, actor, [new], now)
    if not made:
        raise Invalid("standard_known", "这一标准已经登记 · this figure is there already", field="amount")
    return common.go(f"/standards/{made[0]}", "figure_drafted")


@post("/standards/file", action="figure.draft")
async def load(request: Req, data: MultipartBody[FileForm], actor: given.Me, now: given.Now) -> Response[Any]:
    """Draft all figures of a file, or show what is wrong with it, line by line."""
    content = await data.file.read()
    pool, scope = house.of(request).pool, access.scope_of(request)
    try:
        text = text_of(content)
        async with db.begin(pool, scope) as tx:
            await activate.load_standards(tx, actor, text, now)
    except (Invalid, Conflict) as error:
        async with db.read(pool, scope) as read:
            return await _page(
                request, read, actor, beijing_day(now), None, located(content.decode("utf-8", "replace"), error), problems.status_of(error)
            )
    return common.go("/standards", "figure_drafted")


@get("/standards/{standard:uuid}", action="incident.read")
async def one(request: Req, read: given.Read, now: given.Now, standard: given.FromPath[UUID]) -> Response[str]:
    """One figure beside the amounts of the same figure and area before it."""
    found = await views.standard(read, standard)
    titles = await _figures(read, Texts(pages.language(request)))
    mine = [] if found.status != "draft" else await views.drafts_of(read, found.document, found.drafter)
    earlier = [
        s for s in await views.standards(read, [found.area], []) if s.key == found.key and s.id != found.id and s.status == "in force"
    ]
    return pages.page(
        request, "standard.html", figure=found, earlier=earlier, siblings=[s for s in mine if s.id != found.id], title=titles.get(found.key, (found.key, ""))[0],
        basis=titles.get(found.key, ("", ""))[1], now=now, done=common.done_of(request),
    )  # fmt: skip


@get("/standards/{standard:uuid}/effect", action="activation.preview")
async def effect(request: Req, read: given.Read, actor: given.Me, now: given.Now, standard: given.FromPath[UUID]) -> Response[str]:
    """What it changes in every open activation; it may take seconds, so it comes by itself."""
    found = await views.standard(read, standard)
    ids = [s.id for s in await views.drafts_of(read, found.document, found.drafter)]
    shown = []
    for e in await compare.effect(read, actor, ids or [standard], now):
        of = await incidents.incident(read, e.incident)
        names = {c.county: c.name for c in await incidents.counties(read, (await _zone(read, e)))}
        shown.append(Shown(of.name, e, names))
    return pages.page(request, "standard_effect.html", figure=found, effects=shown)


async def _zone(read: Tx, e: Effect) -> UUID:
    return next(a.zone for a in await incidents.activations(read, e.incident) if a.id == e.activation)


@post("/standards/{standard:uuid}/force", action="figure.force")
async def force(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, standard: given.FromPath[UUID]
) -> Response[bytes]:
    """The second person puts it in force."""
    await enact.force_figures(tx, actor, [standard], now)
    return common.go(f"/standards/{standard}", "figure_forced")


@post("/standards/{standard:uuid}/force-all", action="figure.force")
async def force_all(
    data: given.Form[Together], tx: given.Write, actor: given.Me, now: given.Now, standard: given.FromPath[UUID]
) -> Response[bytes]:
    """All drafts of one document at once: exactly those that were shown."""
    await enact.force_figures(tx, actor, [standard, *common.uuids(data.figure)], now)
    return common.go(f"/standards/{standard}", "figure_forced")


@post("/standards/{standard:uuid}/withdraw", action="figure.draft")
async def withdraw(
    data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now, standard: given.FromPath[UUID]
) -> Response[bytes]:
    """A draft that will not be used."""
    await enact.withdraw_figures(tx, actor, [standard], now)
    return common.go("/standards", "figure_withdrawn")


HANDLERS: Final[list[Any]] = [page, draft, load, one, effect, force, force_all, withdraw]
