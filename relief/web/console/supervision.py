"""What was decided in the county's name: by township, and award by award."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Response, get

from relief.services import masked
from relief.store.views import supervision, unverified
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.given import Req


@get("/supervision", action="award.supervise")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, before: given.FromQuery[str | None] = None
) -> Response[str]:
    """Newest first, a page at a time."""
    villages, keys = common.patterns(actor, "award.supervise"), house.of(request).keys
    found = await supervision.signed(read, villages, common.before(before), common.PAGE)
    by_county: dict[str, list[UUID]] = {}
    for s in found:
        by_county.setdefault(s.county, []).append(s.award)
    placeholders = sum([await unverified.awards(read, county, ids) for county, ids in by_county.items()])
    return pages.page(
        request, "supervision.html", placeholders=placeholders, townships=await supervision.townships(read, villages), now=now,
        rows=[(s, masked.name(keys, s.person, s.sealed_person)) for s in found], drill=bool(found) and all(s.drill for s in found),
        more=common.mark(found[-1].signed_at, found[-1].award) if len(found) == common.PAGE else None,
    )  # fmt: skip


HANDLERS: Final = [page]
