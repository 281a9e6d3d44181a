"""One householder in full, for a reason; never by address, never kept."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Response, post

from relief.services import reveal
from relief.web import given, house, pages
from relief.web.console.door import Token
from relief.web.given import Req


class RevealForm(Token, frozen=True):
    """Why."""

    reason: str = ""


@post("/households/{county:str}/{household:uuid}/reveal", action="person.reveal", status_code=200)
async def show(
    request: Req, data: given.Form[RevealForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    household: given.FromPath[UUID],
) -> Response[str]:  # fmt: skip
    """The act is written in the transaction that commits before the page leaves."""
    found = await reveal.reveal(tx, actor, county, household, data.reason, now, house.of(request).keys)
    return pages.page(
        request, "revealed.html", person=found, county=county, household=household, reason=data.reason, now=now, drill=found.drill
    )


HANDLERS: Final = [show]
