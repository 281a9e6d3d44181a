"""补手续: whose papers are owed, the red list first; hand them in, accept them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import MultipartBody

from relief.domain import days
from relief.domain.review import REMIND_DAYS
from relief.domain.vocabulary import DOCUMENTS
from relief.services import keep, masked, papers
from relief.store.views import papers as store
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.console.notices import MAX_PHOTO
from relief.web.given import Req

SHOWS: Final = ("open", "closed")


class AcceptForm(MoneyForm, frozen=True):
    """Advances of one county whose papers are complete."""

    county: str
    award: list[str] | str = ""


class FileForm(msgspec.Struct, frozen=True):
    """One document of one household."""

    csrf: str
    kind: str
    file: Annotated[UploadFile, "photo or scan"]
    award: str = ""


@get("/papers", action="document.hand_in")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """By day, what is overdue first."""
    show, today, keys = show if show in SHOWS else "open", days.beijing_day(now), house.of(request).keys
    villages = common.patterns(actor, "document.hand_in")
    found = await store.listed(read, villages, show, actor.person)
    rows = [(d, masked.name(keys, d.person, d.sealed_person), actor.may("papers.accept", d.village)) for d in found]
    return pages.page(
        request, "papers.html", rows=rows, counts=await store.counts(read, villages, today, today + timedelta(days=REMIND_DAYS)), show=show,
        shows=SHOWS, today=today, documents=DOCUMENTS, now=now, done=common.done_of(request), drill=any(d.drill for d in found),
    )  # fmt: skip


@post("/papers", action="papers.accept")
async def accept(request: Req, data: given.Form[AcceptForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """They are complete."""
    awards = common.uuids(data.award)
    await common.once(request, tx, actor, data.key, sorted(awards), now, lambda: papers.accept(tx, actor, data.county, awards, now))
    return common.go("/papers", "papers_accepted")


@post("/households/{county:str}/{household:uuid}/documents", action="document.hand_in", request_max_body_size=MAX_PHOTO)
async def hand_in(
    request: Req, data: MultipartBody[FileForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """One document into the household's file."""
    award = next(iter(common.uuids(data.award)), None)
    village = await store.village(tx, county, household)
    item = keep.Given(data.kind, village, await data.file.read(), household, award)
    await keep.hand_in(tx, actor, county, [item], now, house.of(request).keys)
    return common.go("/papers" if award else f"/households/{county}/{household}", "handed_in")


HANDLERS: Final = [page, accept, hand_in]
