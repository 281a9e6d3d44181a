"""一户一档: the whole file of one household on one page, and as a signed ZIP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Response, get, post

from relief import keyring
from relief.channels.photo_folder import PhotoFolder
from relief.domain.errors import NotFound
from relief.domain.vocabulary import DOCUMENTS
from relief.services import dossier
from relief.store.views import playbooks
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.console.households import tell
from relief.web.given import Req
from relief.web.texts import Texts


class ExportForm(MoneyForm, frozen=True):
    """One more export."""


@get("/households/{county:str}/{household:uuid}/file", action="household.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[str]:
    """Facts with their history, papers, minutes, lists, objections, decisions, money, messages: in one place."""
    found, t = await dossier.gather(read, actor, county, household, house.of(request).keys), Texts(pages.language(request))
    return pages.page(
        request, "dossier.html", d=found, h=found.household, events=[tell(e, t) for e in found.story], documents=DOCUMENTS,
        books=await playbooks.by_name(read), may_export=actor.may("dossier.export", found.household.village), now=now,
        may_hand_in=actor.may("document.hand_in", found.household.village), done=common.done_of(request), drill=found.household.drill,
    )  # fmt: skip


@post("/households/{county:str}/{household:uuid}/file", action="dossier.export", status_code=200)
async def export(
    request: Req, data: given.Form[ExportForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """The ZIP; pressing again makes another one with the next number."""
    here = house.of(request)
    folder = PhotoFolder(here.settings.home / "photos", here.keys)

    def picture(photo: UUID) -> bytes | None:
        try:
            return folder.read(county, photo)
        except NotFound:
            return None

    made = await dossier.export(tx, actor, county, household, picture, keyring.signing_key(here.settings.home), now, here.keys)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(content=made.content, media_type="application/zip", headers=headers)


HANDLERS: Final = [page, export]
