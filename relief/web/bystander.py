"""公示 for anybody: lists that hang today, masked, without a login; an objection to one line, its number, its answer. No script."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Response, Router, get, post

from relief.domain import days
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.message import AIDS
from relief.domain.review import LENGTH
from relief.services import contest
from relief.services.contest import Objection
from relief.store import db, regions
from relief.store.views import notices as views
from relief.web import access, given, house, pages
from relief.web.console.notices import lines
from relief.web.resident import MAX_BODY, Asked, form_of
from relief.web.stranger import PROVINCE


@get("/r/notices", name="bystander.place")
async def place(request: Asked) -> Response[str]:
    """Step by step to the township; then its lists."""
    area, here = request.query_params.get("area", PROVINCE), house.of(request)
    if not (area.isascii() and area.isdigit() and len(area) in (2, 4, 6, 9)):
        raise NotFound("not_found", "没有这个地区 · there is no such area")
    today = days.beijing_day(here.clock())
    async with db.read(here.pool) as tx:
        chosen = await regions.get(tx, area)
        below = await regions.children(tx, area, today) if len(area) < 9 else []
        found = await views.hanging(tx, area, today) if len(area) >= 6 else []
    return pages.page(
        request, "resident/notices.html", area=chosen, below=below, notices=found, aids=AIDS, drill=any(n.drill for n in found)
    )


@get("/r/notices/{county:str}/{notice:uuid}", name="bystander.list")
async def one(request: Asked, county: given.FromPath[str], notice: given.FromPath[UUID]) -> Response[str]:
    """One list, while it hangs."""
    return await _list(request, county, notice)


async def _list(request: Asked, county: str, notice: UUID, wrong: str | None = None, words: str = "", status: int = 200) -> Response[str]:
    here = house.of(request)
    async with db.read(here.pool) as tx:
        found = await views.hangs(tx, county, notice, days.beijing_day(here.clock()))
        if found is None:
            raise NotFound("not_found", "该公示不存在或已期满 · this notice does not exist, or is over")
        rows = lines(here.keys, await views.rows(tx, county, notice))
    return pages.page(
        request, "resident/notice.html", status, n=found, lines=rows, aids=AIDS, wrong=wrong, words=words, length=LENGTH, drill=found.drill
    )


@post("/r/notices/{county:str}/{notice:uuid}", name="bystander.object", status_code=200)
async def object_(request: Asked, county: given.FromPath[str], notice: given.FromPath[UUID]) -> Response[str]:
    """Take the objection, and show the number to ask again with."""
    here, form = house.of(request), await form_of(request)
    line, words = form.get("line", ""), form.get("words", "")
    said = Objection(county, notice, words, int(line) if line.isascii() and line.isdigit() and len(line) < 6 else None)
    try:
        async with db.begin(here.pool) as tx:
            receipt = await contest.from_stranger(tx, request.client.host if request.client else "", said, here.clock(), here.keys)
    except (Invalid, Refused, Conflict) as refusal:
        return await _list(request, county, notice, refusal.message, words, 429 if isinstance(refusal, Refused) else 422)
    return pages.page(request, "resident/objected.html", receipt=receipt)


@post("/r/objection", name="bystander.look", status_code=200)
async def look(request: Asked) -> Response[str]:
    """The answer, by the number on the receipt."""
    here, form = house.of(request), await form_of(request)
    county, _, reference = form.get("reference", "").strip().upper().replace(" ", "").partition("-")
    async with db.read(here.pool) as tx:
        told = await contest.look(tx, county, reference)
    return pages.page(request, "resident/objection.html", told=contest.shown(told, here.keys), reference=f"{county}-{reference}")


ROUTER: Final = Router(
    path="/",
    route_handlers=[place, one, object_, look],
    opt={"action": access.PUBLIC},
    request_max_body_size=MAX_BODY,
    include_in_schema=False,
)
