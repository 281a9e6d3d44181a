"""What the law asks to be seen: what townships decided in the county's name, and advances that run out of their hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import get

from relief.services import masked
from relief.store.views import supervision
from relief.store.views.urgent import Late
from relief.web import given, house
from relief.web.api.shared import After, Limit, Page
from relief.web.console import common, urgent
from relief.web.given import Req


class DelegatedOut(msgspec.Struct, frozen=True):
    """One award signed in the county's name; fen, the payee masked."""

    county: str
    award: UUID
    household: UUID
    payee: str
    village: str
    aid: str
    mode: str
    amount_fen: int
    status: str
    signed_at: datetime
    signed_by: str
    in_the_name_of: str


@get("/awards/delegated", action="award.supervise")
async def delegated(request: Req, read: given.Read, actor: given.Me, after: After = None, limit: Limit = 50) -> Page[DelegatedOut]:
    """What townships of your areas approved in the county's name, newest first."""
    keys = house.of(request).keys
    found = await supervision.signed(read, common.patterns(actor, "award.supervise"), common.before(after), limit)
    items = [
        DelegatedOut(
            s.county, s.award, s.household, masked.name(keys, s.person, s.sealed_person), s.village, s.aid, s.mode, s.amount_fen, s.status,
            s.signed_at, s.who, s.delegator,
        )
        for s in found
    ]  # fmt: skip
    return Page(items, common.mark(found[-1].signed_at, found[-1].award) if len(found) == limit else None)


@get("/advances/late", action="award.read")
async def late(read: given.Read, actor: given.Me, now: given.Now) -> list[Late]:
    """先行救助: advances of your areas that are not on their way to the bank although the playbook's hours are nearly over, by stage."""
    return await urgent.alarms(read, actor, now, await urgent.rules(read))


HANDLERS: Final[list[Any]] = [delegated, late]
