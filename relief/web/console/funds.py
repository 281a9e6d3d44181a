"""Funds with their equation, and every payment in a list."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.money import parse_yuan
from relief.domain.project import AIDS
from relief.services import fund, masked
from relief.services.fund import NewFund
from relief.store.views import incidents
from relief.store.views import payments as views
from relief.store.views.payments import Filter, PaymentRow
from relief.web import given, guard, house, pages
from relief.web.console import common, scenarios
from relief.web.console.common import MoneyForm
from relief.web.given import Req
from relief.web.texts import Texts

SOURCES: Final = ("central", "province", "city", "county", "donation")
#: Name of a view → (payment states, confirmation states).
SHOWS: Final = {
    "all": (None, None), "unsent": (("approved", "batched"), None), "approved": (("approved",), None), "batched": (("batched",), None), "out": (("sent", "unknown"), None),
    "sent": (("sent", "unknown", "paid"), None), "paid": (("paid",), None), "returned": (("returned",), None), "unknown": (("unknown",), None),
    "awaited": (("paid",), ("awaited", "silent")), "confirmed": (("paid",), ("confirmed",)), "disputed": (None, ("disputed",)),
}  # fmt: skip


class AllocateForm(MoneyForm, frozen=True):
    """An allocation notice; the amount in yuan with two decimals."""

    county: str
    incident: str
    source: str
    year: int
    document: str
    budget_item: str
    purpose: str
    amount: str


class Row(msgspec.Struct, frozen=True):
    """A payment as shown."""

    payment: PaymentRow
    name: str


@get("/funds", action="fund.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, after: given.FromQuery[str | None] = None) -> Response[str]:
    """Every fund of my area: allocated = available + reserved + in flight + paid."""
    place = common.unpack(after) if after else None
    open_, t = await incidents.incidents(read, common.patterns(actor, "incident.read")), Texts(pages.language(request))
    found = await views.funds(read, f"{place[0]} {place[1]}" if place else None, common.PAGE)
    return pages.page(
        request, "funds.html", funds=found, now=now, incidents=open_, incident_options=[(i.id, i.name) for i in open_],
        aids=[(code, t.word("aid", code)) for code in AIDS], source_options=[(s, t.word("source", s)) for s in SOURCES], may_allocate=bool(actor.areas("fund.allocate")), county=next(iter(actor.areas("fund.allocate")), ""),
        more=common.pack(found[-1].county, found[-1].id) if len(found) == common.PAGE else None, drill=any(f.drill for f in found),
        done=common.done_of(request),
    )  # fmt: skip


@post("/funds", action="fund.allocate")
async def allocate(request: Req, data: given.Form[AllocateForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Bring money in."""
    fen = parse_yuan(data.amount.replace(",", "").strip())
    new = guard.convert(
        {
            "county": data.county.strip(), "incident": data.incident, "source": data.source, "year": data.year, "document": data.document.strip(),
            "budget_item": data.budget_item.strip(), "purpose": data.purpose, "amount_fen": fen,
        },
        NewFund,
    )  # fmt: skip
    await common.once(request, tx, actor, data.key, new, now, lambda: fund.allocate(tx, actor, new, now))
    return common.go("/funds", "allocated")


@get("/payments", action="award.read")
async def payments(
    request: Req, read: given.Read, actor: given.Me, now: given.Now,
    incident: given.FromQuery[UUID | None] = None, show: given.FromQuery[str] = "all", after: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """Payment attempts by state, a page at a time."""
    show = show if show in SHOWS else "all"
    of = await common.chosen(read, actor, incident)
    statuses, confirmations = SHOWS[show]
    only = Filter(of.id if of else None, statuses, confirmations, last_only=show == "returned")
    found = await views.payments(read, common.patterns(actor, "award.read"), only, common.unpack(after), common.PAGE)
    keys = house.of(request).keys
    return pages.page(
        request, "payments.html", placeholders=await scenarios.placeholders(read, of.id, now) if of else 0, rows=[Row(p, masked.name(keys, p.person, p.sealed_person)) for p in found], show=show, shows=list(SHOWS), now=now,
        incident=of, more=common.pack(found[-1].county, found[-1].id) if len(found) == common.PAGE else None, drill=bool(of and of.drill),
    )  # fmt: skip


HANDLERS: Final = [page, allocate, payments]
