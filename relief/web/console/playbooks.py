"""Playbooks: read as a document, compared as words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get

from relief.domain import playbook as playbooks
from relief.domain.days import beijing_day
from relief.domain.errors import ReliefError
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor
from relief.services import worked
from relief.store.db import Tx
from relief.store.views import playbooks as views
from relief.store.views.incidents import Activation
from relief.store.views.playbooks import Named, Version
from relief.web import comparison, given, pages
from relief.web.clauses import compose
from relief.web.comparison import Row
from relief.web.console import common
from relief.web.document import Document
from relief.web.given import Req
from relief.web.texts import Texts

PROVINCE: Final = "51"
#: Headings of a document are numbered as in official papers.
NUMBERS: Final = {
    "zh": [f"{n}、" for n in "一二三四五六七八九十"] + [f"十{n}、" for n in "一二三四五六七八九"],
    "en": [f"{n}. " for n in range(1, 20)],
}


class Listed(msgspec.Struct, frozen=True):
    """A version in the list; `older` is set for those imported before the one in force."""

    id: UUID
    version: str
    status: str
    imported_at: datetime
    drafted_by: str | None
    approved_by: str | None
    older: bool


class Book(msgspec.Struct, frozen=True):
    """A playbook with its versions; `current` is the newest in force, `waiting` where a draft waits for its second person."""

    key: str
    title: str
    hazards: str
    current: UUID | None
    waiting: bool
    versions: list[Listed]


class Place(msgspec.Struct, frozen=True):
    """Whose figures, of which day."""

    area: str
    day: date
    areas: list[tuple[str, str]]


@get("/playbooks", action="incident.read")
async def page(request: Req, read: given.Read) -> Response[str]:
    """Every playbook with its versions, newest first."""
    t = Texts(pages.language(request))
    books = [_book(key, list(group), t) for key, group in groupby(await views.versions(read), key=lambda v: v.key)]
    return pages.page(request, "playbooks.html", books=books, done=common.done_of(request))


def _book(key: str, versions: Sequence[Version], t: Texts) -> Book:
    current = in_force(versions)
    shown = decoded(current or versions[0])
    rows = [
        Listed(v.id, v.version, v.status, v.imported_at, v.drafted_by, v.approved_by, bool(current and v.imported_at <= current.imported_at))
        for v in versions
    ]  # fmt: skip
    return Book(
        key=key,
        title=t.of(shown.title) if shown else key,
        hazards=t.listed(t.word("hazard", h) for h in shown.hazards) if shown else t("playbook.unreadable"),
        current=current.id if current else None,
        waiting=any(v.status == "draft" for v in versions),
        versions=rows,
    )


def in_force(versions: Sequence[Version]) -> Version | None:
    """The newest in force of versions that are newest first."""
    return next((v for v in versions if v.status == "in force"), None)


def decoded(version: Version | Activation) -> Playbook | None:
    """The rules of a version; None where a text kept long ago no longer reads."""
    return decoded_text(version.body)


@lru_cache(maxsize=64)
def decoded_text(body: str) -> Playbook | None:
    """The same by the text, which never changes, so it is read once."""
    try:
        return playbooks.read(body)
    except ReliefError:
        return None


@get("/playbooks/{playbook:uuid}", action="incident.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID],
    area: given.FromQuery[str | None] = None, day: given.FromQuery[date | None] = None,
) -> Response[str]:  # fmt: skip
    """The document, with the figures of one county on one day; of a draft also what it changes."""
    t = Texts(pages.language(request))
    version = await views.version(read, playbook)
    place = await place_of(read, actor, t, area, day or beijing_day(now))
    doc = await _document(read, version, place, t)
    current = in_force([v for v in await views.versions(read) if v.key == version.key and v.id != version.id])
    changes: list[Row] = []
    if version.status == "draft" and current:
        changes = [r for r in comparison.compare(await _document(read, current, place, t), doc) if r.state != "same"]
    return pages.page(
        request, "playbook.html", runs=await views.open_(read, version.key) if version.status == "draft" else [], version=version, doc=doc, area=place.area, day=place.day, areas=place.areas, now=now, current=current,
        changes=changes, worked=await worked.run(read, playbook), book=playbooks.read(version.body), counts=comparison.count(changes), numbers=NUMBERS[pages.language(request)], done=common.done_of(request),
    )  # fmt: skip


@get("/playbooks/{playbook:uuid}/text", action="incident.read")
async def text(read: given.Read, playbook: given.FromPath[UUID]) -> Response[bytes]:
    """The file as it was brought: what a next version is written from."""
    found = await views.version(read, playbook)
    headers = {"Content-Disposition": f'attachment; filename="{found.key}-{found.version}.toml"'}
    return Response(content=found.body.encode(), media_type="application/toml", headers=headers)


@get("/playbooks/{playbook:uuid}/compare/{other:uuid}", action="incident.read")
async def compare(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, playbook: given.FromPath[UUID], other: given.FromPath[UUID],
    area: given.FromQuery[str | None] = None, day: given.FromQuery[date | None] = None,
) -> Response[str]:  # fmt: skip
    """Two versions side by side: words and figures."""
    t = Texts(pages.language(request))
    old, new = await views.version(read, playbook), await views.version(read, other)
    place = await place_of(read, actor, t, area, day or beijing_day(now))
    rows = comparison.compare(await _document(read, old, place, t), await _document(read, new, place, t))
    return pages.page(request, "playbook_compare.html", old=old, new=new, rows=rows, counts=comparison.count(rows), now=now)


async def _document(read: Tx, version: Version, place: Place, t: Texts) -> Document:
    book = playbooks.read(version.body)
    found = await views.in_force(read, [place.area], book.figure_keys, place.day)
    return compose(book, found[place.area], t)


async def place_of(read: Tx, actor: Actor, t: Texts, area: str | None, day: date) -> Place:
    """The county asked for, else the reader's own; the province's figures where the reader has no single county."""
    known = await views.counties(read, common.patterns_above(actor, "incident.read"))
    areas = _areas(known, t)
    own = known[0].code if len(known) == 1 else PROVINCE
    return Place(area if area in {a for a, _ in areas} else own, day, areas)


def _areas(counties: Sequence[Named], t: Texts) -> list[tuple[str, str]]:
    return [(PROVINCE, t("playbook.province")), *((c.code, c.name) for c in counties)]


HANDLERS: Final[list[Any]] = [page, one, text, compare]
