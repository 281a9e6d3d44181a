"""Batches as sealed envelopes: 经办 freezes and prepares, 复核 checks, 审批 authorises; three people, one digest."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain import batch as batch_file
from relief.domain.errors import Invalid
from relief.domain.policy import Actor
from relief.services import disburse, masked
from relief.services.disburse import STEPS
from relief.store.db import Tx
from relief.store.views import bank as bank_views
from relief.store.views import batches as views
from relief.store.views import unverified
from relief.store.views.batches import Batch, Line
from relief.web import factor, given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

#: The state a step begins from → the step.
NEXT: Final = {"frozen": "prepare", "prepared": "check", "checked": "authorise"}
#: What the tabs show.
SHOWS: Final = {
    "mine": None, "signing": ("frozen", "prepared", "checked"), "bank": ("authorised", "sending", "sent", "unknown", "acknowledged"),
    "settled": ("settled",), "voided": ("voided", "rejected"),
}  # fmt: skip


class FreezeForm(MoneyForm, frozen=True):
    """Which county's payments."""

    county: str


class SignForm(MoneyForm, frozen=True):
    """One step over an envelope of batches of one county."""

    county: str
    step: str
    digest: str
    batch: list[str] | str = ""
    code: str = ""


class VoidForm(MoneyForm, frozen=True):
    """Send back, and why."""

    county: str
    batch: str
    reason: str


class Envelope(msgspec.Struct, frozen=True):
    """What one officer may sign with one act: batches of one county at one step."""

    county: str
    county_name: str
    step: str
    batches: list[Batch]
    lines: int
    total_fen: int
    digest: str


class Sample(msgspec.Struct, frozen=True):
    """A line as shown, masked."""

    line: Line
    name: str
    account: str


@get("/batches", action="batch.read")
async def page(
    request: Req,
    read: given.Read,
    actor: given.Me,
    now: given.Now,
    show: given.FromQuery[str] = "mine",
    after: given.FromQuery[str | None] = None,
) -> Response[str]:
    """What I may sign, or a list by state."""
    show = show if show in SHOWS else "mine"
    statuses = list(NEXT) if show == "mine" else list(SHOWS[show] or ())
    place = common.unpack(after) if after else None
    found = await views.batches(
        read, statuses, actor.person, f"{place[0]} {place[1]}" if place else None, 500 if show == "mine" else common.PAGE
    )
    return pages.page(
        request, "batches.html", placeholders=await unverified.batches(read, [(b.county, b.id) for b in found]), show=show, shows=list(SHOWS), counts=await views.batch_counts(read), now=now, batches=found,
        envelopes=envelopes(actor, found) if show == "mine" else [], next=NEXT,
        factor=house.of(request).demands_factor, ready=await views.ready(read) if actor.areas("batch.freeze") else [],
        more=common.pack(found[-1].county, found[-1].id) if show != "mine" and len(found) == common.PAGE else None,
        drill=any(b.drill for b in found), done=common.done_of(request),
        kept=not house.of(request).settings.real_channels and any(b.status == "authorised" and not b.drill for b in found),
    )  # fmt: skip


def envelopes(actor: Actor, batches: list[Batch]) -> list[Envelope]:
    """Batches this person may sign now, by county and step; those they acted on before are left out."""
    found: dict[tuple[str, str], list[Batch]] = {}
    for b in batches:
        step = NEXT[b.status]
        if not b.acted and actor.may(STEPS[step][0], b.county):
            found.setdefault((b.county, step), []).append(b)
    return [
        Envelope(
            county, members[0].county_name, step, members, sum(b.lines for b in members), sum(b.total_fen for b in members),
            batch_file.envelope([b.digest for b in sorted(members, key=lambda b: b.id)]).hex(),
        )
        for (county, step), members in found.items()
    ]  # fmt: skip


@get("/batches/{county:str}/{batch:uuid}", action="batch.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], batch: given.FromPath[UUID],
    after: given.FromQuery[int] = 0,
) -> Response[str]:  # fmt: skip
    """One envelope with its lines, masked."""
    found = await views.batch(read, county, batch, actor.person)
    keys = house.of(request).keys
    lines = await views.lines(read, county, batch, max(0, after), common.PAGE)
    samples = [Sample(n, masked.name(keys, n.person, n.sealed_person), masked.account(keys, n.account, n.sealed_account)) for n in lines]
    step = NEXT.get(found.status)
    return pages.page(
        request, "batch.html", placeholders=await unverified.batches(read, [(county, batch)]), batch=found, signatures=await views.signatures(read, county, batch), samples=samples, now=now, drill=found.drill,
        envelope_digest=batch_file.envelope([found.digest]).hex(), step=step,
        factor=house.of(request).demands_factor, levels=await bank_views.levels(read, county, batch) if found.sent_at or found.status == "rejected" else None,
        may_sign=bool(step and not found.acted and actor.may(STEPS[step][0], county)),
        may_void=actor.may("batch.void", county) and found.status in ("frozen", "prepared", "checked"),
        more=lines[-1].line if len(lines) == common.PAGE else None, done=common.done_of(request),
    )  # fmt: skip


@post("/batches/freeze", action="batch.freeze")
async def freeze(request: Req, data: given.Form[FreezeForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """生成发放批次 for one county."""
    keys, writer = house.of(request).keys, house.of(request).writer
    await common.once(request, tx, actor, data.key, data.county, now, lambda: disburse.freeze(tx, actor, data.county, now, keys, writer))
    return common.go("/batches", "frozen")


@post("/batches/sign", action="batch.read")
async def sign(request: Req, data: given.Form[SignForm], actor: given.Me, now: given.Now) -> Response[bytes]:
    """One signature over the envelope; the service asks for the right of the step, and for the second factor where it is 审批."""
    if data.step not in STEPS:
        raise Invalid("step", "没有这个步骤 · there is no such step", field="step")
    ids = common.uuids(data.batch)
    digest = bytes.fromhex(data.digest) if len(data.digest) == 64 else b""
    content = (data.county, data.step, sorted(ids), data.digest)
    demanded = house.of(request).demands_factor

    async def act(tx: Tx) -> object:
        return await common.once(
            request, tx, actor, data.key, content, now,
            lambda: disburse.sign(tx, actor, data.county, data.step, ids, digest, now, demand_factor=demanded),
        )  # fmt: skip

    await factor.with_code(request, actor, data.code, digest, now, act)
    return common.go("/batches", "signed")


@post("/batches/void", action="batch.void")
async def void(request: Req, data: given.Form[VoidForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """退回: the payments wait again."""
    ids = common.uuids(data.batch)
    content = (data.county, sorted(ids), data.reason)
    await common.once(request, tx, actor, data.key, content, now, lambda: disburse.void(tx, actor, data.county, ids, data.reason, now))
    return common.go("/batches", "voided")


HANDLERS: Final = [page, one, freeze, sign, void]
