"""Complaints without a name and without a login: choose the place, say what happened, keep the number. No script, nothing kept in the browser."""

from __future__ import annotations

from typing import Final

from litestar import Response, Router, get, post

from relief.domain import days
from relief.domain.complaint import DEPARTMENTS, KINDS, LENGTH
from relief.domain.errors import Invalid, NotFound, Refused
from relief.services import complain
from relief.store import db, regions
from relief.web import access, house, pages
from relief.web.resident import MAX_BODY, Asked, form_of

PROVINCE: Final = "51"


@get("/r/complain", name="stranger.place")
async def place(request: Asked) -> Response[str]:
    """Step by step from the city to the township; whoever does not know the township stops at the county."""
    area = request.query_params.get("area", PROVINCE)
    here = house.of(request)
    if not (area.isascii() and area.isdigit() and len(area) in (2, 4, 6, 9)):
        raise NotFound("not_found", "没有这个地区 · there is no such area")
    async with db.read(here.pool) as tx:
        chosen = await regions.get(tx, area)
        below = await regions.children(tx, area, days.beijing_day(here.clock())) if len(area) < 9 else []
    ready = len(area) == 9 or "here" in request.query_params
    return _form(request, chosen.code, chosen.name) if ready else pages.page(request, "resident/place.html", area=chosen, below=below)


def _form(request: Asked, area: str, name: str, wrong: str | None = None, words: str = "", status: int = 200) -> Response[str]:
    return pages.page(request, "resident/complain.html", status, area=area, name=name, kinds=KINDS, wrong=wrong, words=words, length=LENGTH)


@post("/r/complain", name="stranger.send", status_code=200)
async def send(request: Asked) -> Response[str]:
    """Take it, and show the number to ask again with."""
    here, form = house.of(request), await form_of(request)
    area, words = form.get("area", ""), form.get("words", "")
    try:
        async with db.begin(here.pool) as tx:
            receipt = await complain.from_stranger(
                tx, request.client.host if request.client else "", area, form.get("kind", ""), words, here.clock(), here.keys
            )
    except (Invalid, Refused) as refusal:
        return _form(request, area, "", refusal.message, words, 429 if isinstance(refusal, Refused) else 422)
    return pages.page(request, "resident/receipt.html", receipt=receipt)


@post("/r/complaint", name="stranger.look", status_code=200)
async def look(request: Asked) -> Response[str]:
    """How it stands, by the number on the receipt; `again` opens a closed one once more."""
    here, form = house.of(request), await form_of(request)
    county, _, reference = form.get("reference", "").strip().upper().replace(" ", "").partition("-")
    async with db.begin(here.pool) as tx:
        told = await complain.look(tx, county, reference)
        if form.get("again"):
            await complain.reopen(tx, told, form.get("words", ""), here.clock(), here.keys)
            told = await complain.look(tx, county, reference)
    progress = complain.shown(told, here.clock(), here.keys)
    return pages.page(
        request, "resident/progress.html", told=progress, reference=f"{county}-{reference}", kinds=KINDS, departments=DEPARTMENTS
    )


ROUTER: Final = Router(
    path="/",
    route_handlers=[place, send, look],
    opt={"action": access.PUBLIC},
    request_max_body_size=MAX_BODY,
    include_in_schema=False,
)
