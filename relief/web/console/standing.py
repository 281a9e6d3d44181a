"""Money to come and money that stands still: the calendar of payments, holds by hand, the end of an award, the entries of a fund."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from litestar import Response, get, post

from relief.domain.coming import services_line
from relief.domain.days import BEIJING, beijing_day
from relief.domain.errors import Invalid, NotFound
from relief.domain.money import parse_yuan
from relief.services import coming, freeze, fund
from relief.store.views import standing as views
from relief.web import given, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req
from relief.web.texts import Texts

_MOST: Final = 500


class PlaceForm(MoneyForm, frozen=True):
    """What shall stand still, as people call it: a village's code, a slip, a document, a batch's number."""

    county: str
    kind: str
    name: str
    reason: str


class LiftForm(MoneyForm, frozen=True):
    """Holds that end, and why."""

    county: str
    reason: str
    hold: list[str] | str = ""


class CancelForm(MoneyForm, frozen=True):
    """The household whose awards are paid no further."""

    county: str
    slip: str
    why: str
    note: str


class AdjustForm(MoneyForm, frozen=True):
    """A change of a fund in yuan; `way` is add or cut."""

    way: str
    amount: str
    document: str


class CorrectForm(MoneyForm, frozen=True):
    """The entry that was wrong, and why."""

    transfer: str
    reason: str


@get("/coming", action="fund.read")
async def calendar(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """What will be paid when, by month, county and fund; where the money will not reach; last year's spending and its 3 % line."""
    counties, today = common.county_patterns(actor, "fund.read"), beijing_day(now)
    months = await coming.calendar(read, counties, now)
    funds = {f.id: f for f in await views.funds_at(read, counties, now, _MOST)}
    year = datetime(today.year, 1, 1, tzinfo=BEIJING)
    spent = await views.spent(read, counties, year.replace(year=today.year - 1), year)
    return pages.page(
        request, "coming.html", months=[(m, funds.get(m.fund)) for m in months], now=now, year=today.year - 1,
        short=[s for s in await views.short(read, counties, today) if s.proposed_fen > s.available_fen], lines=[(s, services_line(s.fen)) for s in spent],
        drill=bool(funds) and all(f.drill for f in funds.values()),
    )  # fmt: skip


@get("/holds", action="hold.read")
async def holds(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Everything that stands still, and the forms to place and end what is placed by hand."""
    t, counties = Texts(pages.language(request)), common.patterns_above(actor, "hold.read")
    kinds = [k for k in freeze.KINDS if actor.areas(f"hold.place.{k}")]
    return pages.page(
        request, "holds.html", holds=await views.holds(read, counties, now, _MOST), kinds=[(k, t.word("hold_kind", k)) for k in kinds], now=now,
        may_lift=set(kinds), may_cancel=bool(actor.areas("award.cancel_rest")), whys=[(w, t.word("cancel_why", w)) for w in freeze.WHYS],
        county=next(iter(c[:6] for c in actor.areas("hold.read") if len(c) >= 6), ""), done=common.done_of(request),
    )  # fmt: skip


@post("/holds", action="hold.read")
async def place(request: Req, data: given.Form[PlaceForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Make it stand still."""
    content = (data.county, data.kind, data.name, data.reason)

    async def act() -> int:
        found = await views.named(tx, data.county, data.kind, data.name.strip())
        if not found:
            raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
        return await freeze.freeze(tx, actor, data.county, data.kind, found, data.reason, now)

    await common.once(request, tx, actor, data.key, content, now, act)
    return common.go("/holds", "held")


@post("/holds/lift", action="hold.read")
async def lift(request: Req, data: given.Form[LiftForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Let it go on."""
    chosen = common.uuids(data.hold)
    content = (data.county, chosen, data.reason)
    await common.once(request, tx, actor, data.key, content, now, lambda: freeze.thaw(tx, actor, data.county, chosen, data.reason, now))
    return common.go("/holds", "lifted")


@post("/holds/cancel", action="award.cancel_rest")
async def cancel(request: Req, data: given.Form[CancelForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Pay nothing more to a household."""
    content = (data.county, data.slip, data.why, data.note)

    async def act() -> freeze.Cancelled:
        found = common.uuids(await views.named(tx, data.county, "award", data.slip.strip()))
        return await freeze.cancel_rest(tx, actor, data.county, found, data.why, data.note, now)

    await common.once(request, tx, actor, data.key, content, now, act)
    return common.go("/holds", "rest_cancelled")


@get("/funds/{county:str}/{fund_id:uuid}", action="fund.read")
async def entries(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], fund_id: given.FromPath[UUID],
    at: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """A fund as it stood at a moment, and everything that came into it and went out of it above its awards."""
    moment = common.moment(at, "at") if at else now
    shown = next((f for f in await views.funds_at(read, [county], moment, _MOST) if f.id == fund_id), None)
    if shown is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return pages.page(
        request, "fund.html", fund=shown, moment_=moment, past=at is not None, entries=await views.entries(read, county, fund_id, _MOST), now=now, drill=shown.drill,
        may_adjust=actor.may("fund.allocate", county), may_correct=actor.may("fund.correct", county), done=common.done_of(request),
    )  # fmt: skip


@post("/funds/{county:str}/{fund_id:uuid}", action="fund.allocate")
async def adjust(
    request: Req, data: given.Form[AdjustForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    fund_id: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """追加 or 追减 by a further document."""
    if data.way not in ("add", "cut"):
        raise Invalid("way", "请选择追加或追减 · say whether it is more or less", field="way")
    fen = parse_yuan(data.amount.replace(",", "").strip()) * (1 if data.way == "add" else -1)
    content = (county, fund_id, fen, data.document)
    await common.once(request, tx, actor, data.key, content, now, lambda: fund.adjust(tx, actor, county, fund_id, fen, data.document, now))
    return common.go(f"/funds/{county}/{fund_id}", "adjusted")


@post("/funds/{county:str}/{fund_id:uuid}/correct", action="fund.correct")
async def correct(
    request: Req, data: given.Form[CorrectForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    fund_id: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """Undo a wrong entry by its opposite."""
    (transfer,) = common.uuids(data.transfer)
    content = (county, transfer, data.reason)
    await common.once(request, tx, actor, data.key, content, now, lambda: fund.correct(tx, actor, county, transfer, data.reason, now))
    return common.go(f"/funds/{county}/{fund_id}", "entry_corrected")


HANDLERS: Final = [calendar, holds, place, lift, cancel, entries, adjust, correct]
