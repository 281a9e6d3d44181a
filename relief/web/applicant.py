"""救助申请 for anybody: choose the place, say who needs help and why, keep the number. It makes a lead, not a registration. No login, no script."""

from __future__ import annotations

from typing import Final

from litestar import Response, Router, get, post

from relief.domain import days
from relief.domain.errors import Invalid, NotFound, Refused
from relief.domain.lead import KINDS, LENGTH
from relief.services import intake
from relief.services.intake import Lead
from relief.store import db, regions
from relief.web import access, house, pages
from relief.web.resident import MAX_BODY, Asked, form_of
from relief.web.stranger import PROVINCE


@get("/r/apply", name="applicant.place")
async def place(request: Asked) -> Response[str]:
    """Step by step to the township; whoever does not know it stops at the county."""
    area, here = request.query_params.get("area", PROVINCE), house.of(request)
    if not (area.isascii() and area.isdigit() and len(area) in (2, 4, 6, 9)):
        raise NotFound("not_found", "没有这个地区 · there is no such area")
    async with db.read(here.pool) as tx:
        chosen = await regions.get(tx, area)
        below = await regions.children(tx, area, days.beijing_day(here.clock())) if len(area) < 9 else []
    if len(area) == 9 or "here" in request.query_params:
        return _form(request, {"area": area}, chosen.name)
    return pages.page(request, "resident/apply_place.html", area=chosen, below=below)


def _form(request: Asked, typed: dict[str, str], name: str = "", wrong: str | None = None, status: int = 200) -> Response[str]:
    return pages.page(request, "resident/apply.html", status, typed=typed, name=name, kinds=KINDS, wrong=wrong, length=LENGTH)


@post("/r/apply", name="applicant.send", status_code=200)
async def send(request: Asked) -> Response[str]:
    """Take it, and show the number to ask again with."""
    here, form = house.of(request), await form_of(request)
    area = form.get("area", "")
    lead = Lead(area[:6], area, form.get("kind", ""), form.get("name", ""), form.get("words", ""), form.get("phone", ""))
    try:
        if not (area.isascii() and area.isdigit()):
            raise Invalid("place", "请选择县（市、区）和乡镇 · choose the county and township", field="area")
        async with db.begin(here.pool) as tx:
            slip = await intake.from_stranger(tx, request.client.host if request.client else "", lead, here.clock(), here.keys)
    except (Invalid, NotFound, Refused) as refusal:
        return _form(request, form, "", refusal.message, 429 if isinstance(refusal, Refused) else 422)
    return pages.page(request, "resident/applied.html", slip=slip)


@post("/r/application", name="applicant.look", status_code=200)
async def look(request: Asked) -> Response[str]:
    """How it stands, by the number on the receipt."""
    here, form = house.of(request), await form_of(request)
    county, _, reference = form.get("reference", "").strip().upper().replace(" ", "").partition("-")
    async with db.read(here.pool) as tx:
        told = await intake.look(tx, county, reference, here.keys)
    return pages.page(request, "resident/application.html", told=told, reference=f"{county}-{reference}", kinds=KINDS)


ROUTER: Final = Router(
    path="/",
    route_handlers=[place, send, look],
    opt={"action": access.PUBLIC},
    request_max_body_size=MAX_BODY,
    include_in_schema=False,
)
