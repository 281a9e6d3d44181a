"""Playbooks: read as a document, compared as words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get

from relief.domain import playbook as playbooks
from relief.domain.days import beijing_day
from relief.domain.errors import ReliefError
from relief.domain.policy import Actor
from relief.store.db import Tx
from relief.store.views import playbooks as views
from relief.store.views.playbooks import Named, Version
from relief.web import comparison, given, pages
from relief.web.console import common
from relief.web.document import Document, compose
from relief.web.given import Req
from relief.web.texts import Texts

PROVINCE: Final = "51"
#: Headings of a document are numbered as in official papers.
NUMBERS: Final = {
    "zh": [f"{n}、" for n in "一二三四五六七八九十"] + [f"十{n}、" for n in "一二三四五六七八九"],
    "en": [f"{n}. " for n in range(1, 20)],
}


class Listed(msgspec.Struct, frozen=True):
    """A version in the list; `title` falls back to its key where the text can no longer be read."""

    id: UUID
    version: str
    title: str
    imported_at: datetime


class Place(msgspec.Struct, frozen=True):
    """Whose figures, of which day."""

    area: str
    day: date
    areas: list[tuple[str, str]]


@get("/playbooks", action="incident.read")
async def page(request: Req, read: given.Read) -> Response[str]:
    """Every playbook with its versions, newest first."""
    t = Texts(pages.language(request))
    rows = [(v.key, Listed(v.id, v.version, _title(v, t), v.imported_at)) for v in await views.versions(read)]
    books = [(key, [v for _, v in group]) for key, group in groupby(rows, key=lambda r: r[0])]
    return pages.page(request, "playbooks.html", books=books, done=common.done_of(request))


def _title(version: Version, t: Texts) -> str:
    try:
        return t.of(playbooks.read(version.body).title)
    except ReliefError:
        return version.key


@get("/playbooks/{playbook:uuid}", action="incident.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID],
    area: given.FromQuery[str | None] = None, day: given.FromQuery[date | None] = None,
) -> Response[str]:  # fmt: skip
    """The document, with the figures of one county on one day."""
    t = Texts(pages.language(request))
    found = await views.version(read, playbook)
    place = await _place(read, actor, t, area, day or beijing_day(now))
    doc = await _document(read, found, place, t)
    return pages.page(
        request, "playbook.html", version=found, doc=doc, area=place.area, day=place.day, areas=place.areas, now=now,
        numbers=NUMBERS[pages.language(request)], done=common.done_of(request),
    )  # fmt: skip


@get("/playbooks/{playbook:uuid}/compare/{other:uuid}", action="incident.read")
async def compare(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID], other: given.FromPath[UUID],
    area: given.FromQuery[str | None] = None, day: given.FromQuery[date | None] = None,
) -> Response[str]:  # fmt: skip
    """Two versions side by side: words and figures."""
    t = Texts(pages.language(request))
    old, new = await views.version(read, playbook), await views.version(read, other)
    place = await _place(read, actor, t, area, day or beijing_day(now))
    rows = comparison.compare(await _document(read, old, place, t), await _document(read, new, place, t))
    return pages.page(request, "playbook_compare.html", old=old, new=new, rows=rows, counts=comparison.count(rows), now=now)


async def _document(read: Tx, version: Version, place: Place, t: Texts) -> Document:
    book = playbooks.read(version.body)
    found = await views.in_force(read, [place.area], book.figure_keys, place.day)
    return compose(book, found[place.area], t)


async def _place(read: Tx, actor: Actor, t: Texts, area: str | None, day: date) -> Place:
    """The county asked for, else the reader's own; the province's figures where the reader has no single county."""
    known = await views.counties(read, common.patterns_above(actor, "incident.read"))
    areas = _areas(known, t)
    own = known[0].code if len(known) == 1 else PROVINCE
    return Place(area if area in {a for a, _ in areas} else own, day, areas)


def _areas(counties: Sequence[Named], t: Texts) -> list[tuple[str, str]]:
    return [(PROVINCE, t("playbook.province")), *((c.code, c.name) for c in counties)]


HANDLERS: Final[list[Any]] = [page, one, compare]
