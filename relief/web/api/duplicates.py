"""Suspicions of double registration: read a page at a time, decided by the list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post

from relief.services import adjudicate
from relief.services.adjudicate import Ruling, Verdict
from relief.store.views import suspicions as views
from relief.web import given, house, idempotency
from relief.web.api.shared import After, Limit, Page
from relief.web.console import common
from relief.web.given import Req


class SuspicionOut(msgspec.Struct, frozen=True):
    """Two registrations that may be one; nobody's name or number. `reasons` are codes with their points, which add up to `score`."""

    county: str
    id: UUID
    household: UUID
    other_county: str
    other: UUID
    incident: UUID
    keys: list[str]
    score: int
    reasons: list[str]
    blocks: str
    status: str
    found_at: datetime
    verdict: str | None
    kept: UUID | None


class Rulings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One verdict about some suspicions, all of them or none."""

    items: Annotated[list[Ruling], msgspec.Meta(min_length=1, max_length=500)]
    verdict: Verdict
    reason: Annotated[str, msgspec.Meta(max_length=500)]


@get("/duplicates", action="duplicate.read")
async def list_suspicions(
    read: given.Read, actor: given.Me, status: given.FromQuery[Literal["open", "decided"]] = "open", after: After = None, limit: Limit = 50
) -> Page[SuspicionOut]:
    """Suspicions that touch your areas, those that stop a payment first."""
    found = await views.suspicions(read, common.patterns(actor, "duplicate.read"), status, common.unpack(after), limit, actor.person)
    items = [SuspicionOut(**{n: getattr(f, n) for n in SuspicionOut.__struct_fields__}) for f in found]
    return Page(items, common.pack(found[-1].weight, found[-1].id) if len(found) == limit else None)


@post("/duplicates/decide", action="duplicate.decide", status_code=200)
async def decide_suspicions(
    request: Req, data: given.Json[Rulings], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Any:
    """Say whether these are one household; remembered after the next disaster. You must answer for both sides and have registered neither."""

    async def act() -> adjudicate.Ruled:
        return await adjudicate.decide(tx, actor, data.items, data.verdict, data.reason, now, house.of(request).keys)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


HANDLERS: Final[list[Any]] = [list_suspicions, decide_suspicions]
