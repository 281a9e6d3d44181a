"""Funds, awards, batches, payments, messages. Every write here needs an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import get, post

from relief.services import approve, disburse, fund, masked
from relief.services.approve import Approved
from relief.services.disburse import Frozen
from relief.services.fund import NewFund
from relief.store.db import Tx
from relief.store.views import approvals, batches, desk, payments
from relief.store.views.payments import Filter
from relief.web import access, factor, given, house, idempotency
from relief.web.api.shared import After, Limit, Page
from relief.web.console import common
from relief.web.given import Req

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hex", examples=["0" * 64])]
Ids = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=20_000)]


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: UUID


class FundOut(msgspec.Struct, frozen=True):
    """A fund: allocated = available + reserved + in flight + paid, in fen."""

    county: str
    id: UUID
    source: str
    year: int
    document: str
    purpose: str
    incident: UUID
    drill: bool
    allocated_fen: int
    available_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int


class WaitingAward(msgspec.Struct, frozen=True):
    """An award waiting for approval: `signed` of `needed` people have signed it; `flags` say what to look at first."""

    id: UUID
    household: UUID
    aid: str
    mode: str
    amount_fen: int
    village: str
    reasons: list[str]
    flags: list[str]
    needed: int
    signed: int
    delegated: bool


class Waiting(msgspec.Struct, frozen=True):
    """Awards that may be approved together, and the digest over all of them that approving all of them needs."""

    county: str
    incident: UUID
    mode: str
    aid: str
    office: str
    total_fen: int
    digest: str
    awards: list[WaitingAward]


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sign these awards; the digest is SHA-256 over (16 bytes of id, 8 bytes of fen) in the order of the ids."""

    awards: Ids
    digest: Digest


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's step over an envelope; the digest is over the batches' digests. `authorise` needs a fresh one-time code."""

    step: Literal["prepare", "check", "authorise"]
    batches: Ids
    digest: Digest
    code: Annotated[str, msgspec.Meta(max_length=32, description="Six digits of the authenticator, or a recovery code.")] = ""


class Signed(msgspec.Struct, frozen=True):
    """How many lines the signature covers."""

    lines: int


class FrozenOut(msgspec.Struct, frozen=True):
    """A batch that was just frozen."""

    id: UUID
    number: str
    lines: int
    total_fen: int
    digest: str


class BatchOut(msgspec.Struct, frozen=True):
    """A batch; `signers` are 'step name'."""

    county: str
    id: UUID
    number: str
    project: str
    period: str
    bank: str
    drill: bool
    status: str
    lines: int
    total_fen: int
    digest: str
    frozen_at: datetime
    sent_at: datetime | None
    signers: list[str]


class PaymentOut(msgspec.Struct, frozen=True):
    """One attempt to pay one instalment."""

    county: str
    id: UUID
    reference: str
    household: UUID
    payee: str
    aid: str
    stage: int
    attempt: int
    amount_fen: int
    status: str
    reason: str | None
    batch: str | None
    confirmation: str | None
    settled_at: datetime | None


class MessageOut(msgspec.Struct, frozen=True):
    """A message; number masked, text as sent."""

    county: str
    id: UUID
    to: str
    text: str
    status: str
    error: str | None
    queued_at: datetime
    ended_at: datetime | None


@get("/funds", action="fund.read")
async def list_funds(read: given.Read, after: After = None, limit: Limit = 50) -> Page[FundOut]:
    """Funds of your areas."""
    place = common.unpack(after)
    found = await payments.funds(read, f"{place[0]} {place[1]}" if after else None, limit)
    items = [
        FundOut(
            f.county, f.id, f.source, f.year, f.document, f.purpose, f.incident, f.drill, f.allocated_fen, f.available_fen, f.reserved_fen,
            f.in_flight_fen, f.paid_fen,
        )
        for f in found
    ]  # fmt: skip
    return Page(items, common.pack(found[-1].county, found[-1].id) if len(found) == limit else None)


@post("/funds", action="fund.allocate", status_code=200)
async def allocate(
    request: Req, data: given.Json[NewFund], tx: given.Write, actor: given.Me, now: given.Now, key: idempotency.Key = None
) -> Any:
    """Record an allocation notice; the whole amount becomes available."""

    async def act() -> Made:
        return Made(await fund.allocate(tx, actor, data, now))

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@get("/counties/{county:str}/awards/waiting", action="award.read")
async def waiting(
    read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], incident: given.FromQuery[UUID],
    mode: given.FromQuery[Literal["A", "B", "C"]], aid: given.FromQuery[str], limit: given.FromQuery[int] = 2000,
    office: given.FromQuery[Literal["township", "county", "meeting", "city"] | None] = None,
) -> Waiting:  # fmt: skip
    """What waits for your approval in one group, at most 20,000 awards. Without `office`: the township for mode A, the meeting for C, else the county."""
    villages, signs = common.patterns(actor, "award.read"), str(office or _OFFICE[mode])
    found = await approvals.proposed(read, county, incident, mode, aid, signs, villages, max(1, min(limit, 20_000)), actor.person, now)
    awards = [
        WaitingAward(
            a.id, a.household, a.aid, a.mode, a.amount_fen, a.village, a.reasons, [f for f in FLAGS if getattr(a, f)], a.needed, a.signed,
            a.delegated,
        )
        for a in found
    ]  # fmt: skip
    digest = approve.digest_of([(a.id, a.amount_fen) for a in found]).hex()
    return Waiting(county, incident, mode, aid, signs, sum(a.amount_fen for a in found), digest, awards)


_OFFICE: Final[dict[str, str]] = {"A": "township", "B": "county", "C": "meeting"}
FLAGS: Final = ("mine", "edge", "own", "held", "suspected", "shared_account", "large")


@post("/counties/{county:str}/awards/approve", action=access.SIGNED_IN, status_code=200)
async def approve_awards(
    request: Req, data: given.Json[Approve], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    key: idempotency.Key = None,
) -> Any:  # fmt: skip
    """Sign awards of one mode and office: all of them or none. The right asked for is that of the office; where the playbook's band asks for
    several people, `countersigned` awards wait for another one."""

    async def act() -> Approved:
        return await approve.approve(tx, actor, county, data.awards, bytes.fromhex(data.digest), now)

    return await idempotency.answer(request, tx, actor, key, data, now, act)


@post("/counties/{county:str}/batches", action="batch.freeze", status_code=200)
async def freeze(
    request: Req, tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:
    """Put every approved payment of the county into batches and freeze their files."""
    keys, writer = house.of(request).keys, house.of(request).writer

    async def act() -> list[FrozenOut]:
        return [_frozen(f) for f in await disburse.freeze(tx, actor, county, now, keys, writer)]

    return await idempotency.answer(request, tx, actor, key, county, now, act)


def _frozen(f: Frozen) -> FrozenOut:
    return FrozenOut(f.id, f.number, f.lines, f.total_fen, f.digest.hex())


@post("/counties/{county:str}/batches/sign", action="batch.read", status_code=200)
async def sign(
    request: Req, data: given.Json[Sign], actor: given.Me, now: given.Now, county: given.FromPath[str], key: idempotency.Key = None
) -> Any:
    """One step of 经办, 复核, 审批 over an envelope of batches."""
    digest, demanded = bytes.fromhex(data.digest), house.of(request).demands_factor
    content = msgspec.structs.replace(data, code="")

    async def act(tx: Tx) -> Any:
        async def signed() -> Signed:
            return Signed(await disburse.sign(tx, actor, county, data.step, data.batches, digest, now, demand_factor=demanded))

        return await idempotency.answer(request, tx, actor, key, content, now, signed)

    return await factor.with_code(request, actor, data.code, digest, now, act)


@get("/batches", action="batch.read")
async def list_batches(read: given.Read, actor: given.Me, after: After = None, limit: Limit = 50) -> Page[BatchOut]:
    """Batches of your areas."""
    place = common.unpack(after)
    found = await batches.batches(read, None, actor.person, f"{place[0]} {place[1]}" if after else None, limit)
    return Page([_batch(b) for b in found], common.pack(found[-1].county, found[-1].id) if len(found) == limit else None)


@get("/counties/{county:str}/batches/{batch:uuid}", action="batch.read")
async def get_batch(read: given.Read, actor: given.Me, county: given.FromPath[str], batch: given.FromPath[UUID]) -> BatchOut:
    """One batch."""
    return _batch(await batches.batch(read, county, batch, actor.person))


def _batch(b: batches.Batch) -> BatchOut:
    return BatchOut(
        b.county, b.id, b.number, b.project, b.period, b.bank, b.drill, b.status, b.lines, b.total_fen, b.digest.hex(), b.frozen_at, b.sent_at,
        b.signers,
    )  # fmt: skip


@get("/payments", action="award.read")
async def list_payments(
    request: Req, read: given.Read, actor: given.Me, incident: given.FromQuery[UUID | None] = None, status: given.FromQuery[str | None] = None,
    after: After = None, limit: Limit = 50,
) -> Page[PaymentOut]:  # fmt: skip
    """Payment attempts of your areas, payees masked."""
    villages = common.patterns(actor, "award.read")
    found = await payments.payments(read, villages, Filter(incident, [status] if status else None), common.unpack(after), limit)
    keys = house.of(request).keys
    items = [
        PaymentOut(
            p.county, p.id, p.reference, p.household, masked.name(keys, p.person, p.sealed_person), p.aid, p.seq, p.attempt, p.amount_fen, p.status,
            p.reason, p.batch_number, p.confirmation, p.settled_at,
        )
        for p in found
    ]  # fmt: skip
    return Page(items, common.pack(found[-1].county, found[-1].id) if len(found) == limit else None)


@get("/messages", action="message.read")
async def list_messages(request: Req, read: given.Read, actor: given.Me, after: After = None, limit: Limit = 50) -> Page[MessageOut]:
    """Messages of your areas, numbers masked."""
    found = await desk.messages(read, common.patterns(actor, "message.read"), None, common.unpack(after), limit)
    keys = house.of(request).keys
    items = [MessageOut(m.county, m.id, *masked.message(keys, m.id, m.sealed), m.status, m.error, m.queued_at, m.ended_at) for m in found]
    return Page(items, common.pack(found[-1].county, found[-1].id) if len(found) == limit else None)


HANDLERS: Final[list[Any]] = [
    list_funds, allocate, waiting, approve_awards, freeze, sign, list_batches, get_batch, list_payments, list_messages,
]  # fmt: skip
