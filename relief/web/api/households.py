"""Households: registered by the hundred from a device, read a page at a time, their payees masked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import BodyKwarg

from relief.domain.confirmation import Answer, Given
from relief.domain.errors import Invalid
from relief.domain.household import Registration
from relief.services import confirm, correct, evidence, masked, register
from relief.services.correct import Correction
from relief.services.evidence import Accepted, Piece
from relief.services.register import Receipt
from relief.store.views import households
from relief.web import given, house, idempotency
from relief.web.api.shared import After, Limit, Page
from relief.web.console import common
from relief.web.given import Req

#: Records of one call.
MOST: Final = 500


class HouseholdOut(msgspec.Struct, frozen=True):
    """A household; names are masked, numbers and points never leave this way."""

    county: str
    id: UUID
    householder: str
    village: str
    status: str
    family_type: str
    members: int
    rooms_collapsed: int
    rooms_severe: int
    rooms_moderate: int
    awarded_fen: int
    received_at: datetime


class Corrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Right accounts for returned payments of one county."""

    items: Annotated[list[Correction], msgspec.Meta(min_length=1, max_length=500)]


class Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some things of one county."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=2000)]


class Pieces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence for stages of one county."""

    items: Annotated[list[Piece], msgspec.Meta(min_length=1, max_length=500)]


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the households said about these payments."""

    payments: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=500)]
    answer: Answer


class Made(msgspec.Struct, frozen=True):
    """Ids of what was made, in the order given."""

    ids: list[UUID]


@post("/households", action="household.register", status_code=200, request_max_body_size=4_000_000)
async def register_households(
    request: Req,
    data: Annotated[list[Registration], BodyKwarg(description="1–500 records")],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
) -> list[Receipt]:
    """Register households; every record gets its own receipt, one faulty record never stops the others. Safe to send again."""
    if not 1 <= len(data) <= MOST:
        raise Invalid("range", f"一次1至{MOST}户 · 1 to {MOST} records in one call", field="")
    return await register.register(tx, actor, data, now, house.of(request).keys)


@get("/households", action="household.read")
async def list_households(
    request: Req, read: given.Read, actor: given.Me, incident: given.FromQuery[UUID | None] = None, after: After = None, limit: Limit = 50
) -> Page[HouseholdOut]:
    """Households of your areas by county and id."""
    villages = common.patterns(actor, "household.read")
    found = await households.households(read, villages, incident, None, None, common.unpack(after), limit)
    keys = house.of(request).keys
    items = [
        HouseholdOut(
            h.county, h.id, masked.name(keys, h.person, h.sealed_person), h.village, h.status, h.family_type, h.members,
            h.rooms_collapsed, h.rooms_severe, h.rooms_moderate, h.awarded_fen, h.received_at,
        )
        for h in found
    ]  # fmt: skip
    return Page(items, common.pack(found[-1].county, found[-1].id) if len(found) == limit else None)


@post("/counties/{county:str}/accounts", action="account.propose")
async def propose_accounts(
    request: Req, data: given.Json[Corrections], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]
) -> Made:
    """Propose right accounts for returned payments."""
    return Made(await correct.propose(tx, actor, county, data.items, now, house.of(request).keys))


@post("/counties/{county:str}/accounts/confirm", action="account.confirm", status_code=200)
async def confirm_accounts(
    request: Req,
    data: given.Json[Ids],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:
    """Confirm them as a second person; the returned payments get a new attempt, whose ids are the answer."""

    async def act() -> Made:
        return Made(
            await correct.confirm(tx, actor, county, data.ids, now, timedelta(hours=house.of(request).settings.account_cool_off_hours))
        )

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/evidence", action="evidence.submit")
async def submit_evidence(data: given.Json[Pieces], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> Made:
    """Hand in evidence for waiting stages."""
    return Made(await evidence.submit(tx, actor, county, data.items, now))


@post("/counties/{county:str}/evidence/accept", action="evidence.accept", status_code=200)
async def accept_evidence(
    request: Req,
    data: given.Json[Ids],
    tx: given.Write,
    actor: given.Me,
    now: given.Now,
    county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:
    """Accept evidence as somebody else; the stages fall due and are paid."""

    async def act() -> Accepted:
        return await evidence.accept(tx, actor, county, data.ids, now)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/confirmations", action="confirm.report", status_code=200)
async def report(data: given.Json[Answers], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str]) -> Given:
    """Say for households without a phone whether the money arrived."""
    return await confirm.by_reporter(tx, actor, county, data.payments, data.answer, now)


HANDLERS: Final[list[Any]] = [
    register_households, list_households, propose_accounts, confirm_accounts, submit_evidence, accept_evidence, report,
]  # fmt: skip
