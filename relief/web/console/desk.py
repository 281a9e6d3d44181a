"""Work lists of the township desk: accounts to correct and confirm, evidence to accept, messages sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.confirmation import Answer
from relief.domain.errors import NotFound
from relief.domain.project import BANKS
from relief.domain.repair import Repair, repair
from relief.services import confirm as confirm_
from relief.services import correct, evidence, masked
from relief.services.correct import COOLING, Correction
from relief.store.views import bank as bank_views
from relief.store.views import desk as views
from relief.store.views.bank import Cooling, Unfit
from relief.store.views.desk import Awaited, Message, Piece, ProposedAccount, Returned
from relief.web import access, given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = {
    "all": None,
    "queued": ("queued", "sending"),
    "sent": ("sent",),
    "delivered": ("delivered",),
    "failed": ("failed",),
    "unknown": ("unknown",),
}


class CorrectForm(MoneyForm, frozen=True):
    """The right account for one returned payment."""

    county: str
    payment: str
    account: str
    bank: str
    holder: str = ""
    sure: str = ""


class ChosenForm(MoneyForm, frozen=True):
    """Some rows of one county."""

    county: str
    id: list[str] | str = ""


class AgainForm(ChosenForm, frozen=True, kw_only=True):
    """What has been done, so that the same account may be paid again; or how a changed card's owner was reached."""

    note: str


class AnswerForm(ChosenForm, frozen=True, kw_only=True):
    """What these households said."""

    answer: Answer


class Row(msgspec.Struct, frozen=True):
    """A row as shown: the thing, the masked name, the masked account."""

    thing: Returned | ProposedAccount | Piece | Awaited | Unfit | Cooling
    name: str
    account: str = ""
    repair: Repair | None = None


class Letter(msgspec.Struct, frozen=True):
    """A message as shown."""

    message: Message
    to: str
    text: str


@get("/corrections", action=access.SIGNED_IN)
async def corrections(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Returned payments, and corrections waiting for a second pair of eyes."""
    keys = house.of(request).keys
    seen = {
        p for action in ("account.propose", "account.confirm", "payment.again", "account.release") for p in common.patterns(actor, action)
    }
    returned = await views.returned(read, sorted(seen))
    proposed = await views.proposed_accounts(read, common.patterns(actor, "account.confirm"), actor.person)
    unfit = await bank_views.unfit(read, sorted(seen))
    cooling = await bank_views.cooling(read, common.county_patterns(actor, "account.release"), COOLING, now)
    both = [
        [
            Row(
                x, masked.name(keys, x.person, x.sealed_person), masked.account(keys, x.id if isinstance(x, Cooling) else x.account, x.sealed_account),
                repair(x.reason) if isinstance(x, Returned) else None,
            )
            for x in things
        ]
        for things in (returned, proposed, unfit, cooling)
    ]  # fmt: skip
    return pages.page(
        request,
        "corrections.html",
        returned=both[0],
        proposed=both[1],
        unfit=both[2],
        cooling=both[3],
        banks=BANKS,
        now=now,
        done=common.done_of(request),
        drill=any(x.drill for things in (returned, proposed, unfit, cooling) for x in things),
    )


@post("/corrections", action="account.propose")
async def propose(request: Req, data: given.Form[CorrectForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Propose the right account."""
    item = Correction(common.uuids(data.payment)[0], data.account, data.bank, data.holder.strip() or None, data.sure == "yes")
    keys = house.of(request).keys
    await common.once(request, tx, actor, data.key, item, now, lambda: correct.propose(tx, actor, data.county, [item], now, keys))
    return common.go("/corrections", "corrected")


@post("/corrections/confirm", action="account.confirm")
async def confirm(request: Req, data: given.Form[ChosenForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """A second person has compared the card."""
    ids, hours = _some(data), house.of(request).settings.account_cool_off_hours
    await common.once(
        request, tx, actor, data.key, sorted(ids), now, lambda: correct.confirm(tx, actor, data.county, ids, now, timedelta(hours=hours))
    )
    return common.go("/corrections", "confirmed")


@post("/corrections/again", action="payment.again")
async def again(request: Req, data: given.Form[AgainForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """The same account once more, now that what kept it is done."""
    ids = _some(data)
    content = (sorted(ids), data.note)
    await common.once(request, tx, actor, data.key, content, now, lambda: correct.again(tx, actor, data.county, ids, data.note, now))
    return common.go("/corrections", "paid_again")


@post("/corrections/release", action="account.release")
async def release(request: Req, data: given.Form[AgainForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """A changed card need not cool off: its owner was reached."""
    ids = _some(data)
    content = (sorted(ids), data.note)
    await common.once(request, tx, actor, data.key, content, now, lambda: correct.release(tx, actor, data.county, ids, data.note, now))
    return common.go("/corrections", "card_released")


@get("/evidence", action="evidence.accept")
async def pieces(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Stages whose evidence waits for acceptance 验收."""
    keys = house.of(request).keys
    found = await views.evidence(read, common.patterns(actor, "evidence.accept"), actor.person)
    rows = [Row(p, masked.name(keys, p.person, p.sealed_person)) for p in found]
    return pages.page(request, "evidence.html", rows=rows, now=now, done=common.done_of(request), drill=any(p.drill for p in found))


@post("/evidence", action="evidence.accept")
async def accept(request: Req, data: given.Form[ChosenForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Accept: the stage falls due and is paid."""
    ids = _some(data)
    await common.once(request, tx, actor, data.key, sorted(ids), now, lambda: evidence.accept(tx, actor, data.county, ids, now))
    return common.go("/evidence", "accepted")


def _some(data: ChosenForm) -> list[UUID]:
    ids = common.uuids(data.id)
    if not ids:
        raise NotFound("nothing_chosen", "请先选择 · choose something first")
    return ids


@get("/confirmations", action="confirm.report")
async def awaited(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Households to ask in person whether the money arrived."""
    keys = house.of(request).keys
    found = await views.awaited(read, common.patterns(actor, "confirm.report"))
    rows = [Row(p, masked.name(keys, p.person, p.sealed_person)) for p in found]
    drill = any(p.drill for p in found)
    return pages.page(request, "confirmations.html", rows=rows, now=now, drill=drill, done=common.done_of(request))


@post("/confirmations", action="confirm.report")
async def report(request: Req, data: given.Form[AnswerForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Say for them what they said."""
    ids = _some(data)
    content = (sorted(ids), data.answer)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: confirm_.by_reporter(tx, actor, data.county, ids, data.answer, now)
    )
    return common.go("/confirmations", "reported")


@get("/messages", action="message.read")
async def messages(
    request: Req,
    read: given.Read,
    actor: given.Me,
    now: given.Now,
    show: given.FromQuery[str] = "all",
    after: given.FromQuery[str | None] = None,
) -> Response[str]:
    """Messages with masked numbers, their way to the phone and what came back."""
    show, keys = show if show in SHOWS else "all", house.of(request).keys
    villages = common.patterns(actor, "message.read")
    found = await views.messages(read, villages, SHOWS[show], common.unpack(after), common.PAGE)
    settings = house.of(request).settings
    return pages.page(
        request, "messages.html", rows=[Letter(m, *masked.message(keys, m.id, m.sealed)) for m in found], show=show, shows=list(SHOWS), now=now,
        drill=any(m.drill for m in found), counts=await views.message_counts(read, villages), simulator=None if settings.real_channels else settings.sms_base_url + "/",
        more=common.pack(found[-1].county, found[-1].id) if len(found) == common.PAGE else None,
    )  # fmt: skip


HANDLERS: Final = [corrections, propose, confirm, again, release, pieces, accept, awaited, report, messages]
