"""The resident's page: one plain page without a login and without JavaScript, entered with the slip's number and its code.

Slip and code travel in the body of every form, never in an address, and nothing is kept in the browser.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post

from relief.domain import identity
from relief.domain.complaint import DEPARTMENTS, KINDS
from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.message import AIDS
from relief.services import confirm
from relief.services.confirm import OnPage, Page, Turned
from relief.store import db
from relief.web import access, house, pages

MAX_BODY: Final = 16 * 1024
_STYLE: Final = (Path(__file__).parent / "templates" / "resident" / "resident.css").read_text()

#: What an instalment waits for, as its household would say it. Conditions of playbooks not listed here are shown as 验收材料.
WAITING: Final = {
    "none": ("审批与发放", "approval and payment"),
    "materials_ready": ("建材备齐证明", "proof that the materials are there"),
    "ground_broken": ("开工证明", "proof that building has begun"),
    "first_storey_done": ("一层完工验收", "the first storey to be accepted"),
    "repair_begun": ("维修开工证明", "proof that the repair has begun"),
    "completed": ("竣工验收", "the finished house to be accepted"),
}

Asked = Request[Any, Any, Any]


def _slip(text: str) -> str:
    """'５１３３２２ k7p2…' as people copy it → '513322-K7P2…'."""
    bare = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", text).upper())
    return f"{bare[:6]}-{bare[6:]}"


async def form_of(request: Asked) -> dict[str, str]:
    """The texts of a form, those of a sensible length."""
    form = await request.form()
    return {k: v for k, v in form.items() if isinstance(v, str) and len(v) <= 1000}


def _ask(request: Asked, status: int = 200, slip: str = "", wrong: str | None = None) -> Response[str]:
    return pages.page(request, "resident/ask.html", status, slip=slip, wrong=wrong)


def _show(request: Asked, page: Page | Turned, slip: str, code: str, note: str | None = None, status: int = 200) -> Response[str]:
    if isinstance(page, Turned):
        return _ask(request, 429 if page.code == "throttled" else 403, slip, page.message)
    return pages.page(
        request,
        "resident/page.html",
        status,
        drill=page.drill,
        page=page,
        code=code,
        note=note,
        aids=AIDS,
        waiting=WAITING,
        kinds=KINDS,
        departments=DEPARTMENTS,
    )


@get("/r", name="resident.ask")
async def ask(request: Asked) -> Response[str]:
    """The two fields. `?slip=` may fill the first one (a printed code square does); the code is always typed."""
    given = request.query_params.get("slip", "")
    return _ask(request, slip=_slip(given) if given else "")


@post("/r/look", name="resident.look", status_code=200)
async def look(request: Asked) -> Response[str]:
    """The household's own page."""
    here, form = house.of(request), await form_of(request)
    slip, code = _slip(form.get("slip", "")), identity.narrow(form.get("code", ""))
    async with db.begin(here.pool) as tx:
        page = await confirm.page(tx, slip, code, here.clock(), here.keys)
    return _show(request, page, slip, code)


@post("/r/answer", name="resident.answer", status_code=200)
async def answer(request: Asked) -> Response[str]:
    """收到了, 没收到 or 我要反映; then the page again, with a line saying what was noted."""
    here, form = house.of(request), await form_of(request)
    slip, code, said = _slip(form.get("slip", "")), identity.narrow(form.get("code", "")), form.get("answer", "")
    pressed = OnPage(
        said, _uuid(form.get("payment", "")), form.get("kind", "other"), form.get("words", ""), _uuid(form.get("complaint", ""))
    )
    try:
        async with db.begin(here.pool) as tx:
            page = await confirm.by_page(tx, slip, code, pressed, here.clock(), here.keys)
        return _show(request, page, slip, code, _NOTES.get(said))
    except (Conflict, NotFound, Invalid) as refusal:
        async with db.begin(here.pool) as tx:
            page = await confirm.page(tx, slip, code, here.clock(), here.keys)
        return _show(request, page, slip, code, refusal.message, 409 if isinstance(refusal, Conflict) else 422)


@get("/r/resident.css", name="resident.style", media_type=MediaType.CSS)
async def style() -> str:
    """The page's own looks: it must work where nothing else does."""
    return _STYLE


_NOTES: Final = {
    "confirmed": "已登记：收到了。谢谢！ · Noted: received. Thank you!",
    "disputed": "已登记：没收到。乡镇会在一天内联系您。 · Noted: not received. The township will contact you within a day.",
    "complaint": "已登记您的反映，办理进度见本页。 · Noted. This page shows how it goes on.",
    "reopen": "已重新办理。 · It is taken up again.",
}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


ROUTER: Final = Router(
    path="/",
    route_handlers=[ask, look, answer, style],
    opt={"action": access.PUBLIC},
    request_max_body_size=MAX_BODY,
    include_in_schema=False,
)
