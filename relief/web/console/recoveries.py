"""追回案件: aid that somebody has twice or that was granted too high, by deadline; answered by the county, released by its approver."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response, get, post

from relief.domain.days import beijing_day
from relief.services import incidents
from relief.store.views import recoveries as views
from relief.web import given, pages
from relief.web.console import common
from relief.web.given import Req

SHOWS: Final = ("open", "closed")


class AnswerForm(msgspec.Struct, frozen=True):
    """What was found; `release`: the claim was right after all and may be paid."""

    csrf: str
    county: str
    id: str
    answer: str
    release: str = ""


@get("/recoveries", action="recovery.close")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """Cases of the reader's counties."""
    show = show if show in SHOWS else "open"
    found = await views.cases(read, common.county_patterns(actor, "recovery.close"), show)
    return pages.page(
        request, "recoveries.html", cases=found, show=show, shows=SHOWS, total=found[0].total if found else 0, today=beijing_day(now), now=now,
        may_release={c.county for c in found if actor.may("recovery.release", c.county)}, drill=any(c.drill for c in found),
        done=common.done_of(request),
    )  # fmt: skip


@post("/recoveries", action="recovery.close")
async def close(data: given.Form[AnswerForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Close one with its answer."""
    await incidents.close_cases(tx, actor, data.county, common.uuids(data.id), data.answer, now, release=data.release == "yes")
    return common.go("/recoveries", "answered")


HANDLERS: Final = [page, close]
