"""What was passed on to other departments: by deadline, accepted, answered, sent back; handed over as a letter or a table."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain import days
from relief.domain.policy import Actor
from relief.domain.referral import LENGTH, RESTRICTED
from relief.domain.sealing import Keys
from relief.domain.vocabulary import DEPARTMENTS
from relief.services import masked, refer, referral_letters
from relief.services.sheets import XLSX
from relief.store.views import households
from relief.store.views import referrals as views
from relief.store.views.referrals import Referral
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = {"waiting": ("open", "accepted"), "returned": ("returned",), "closed": ("closed",)}
_MOST_HANDED_OVER: Final = 5_000


class ActForm(MoneyForm, frozen=True):
    """One act on referrals of one county: `accept`, `close` with the answer, `return` with why, `pass` to a department."""

    county: str
    act: str
    id: list[str] | str = ""
    words: str = ""
    department: str = ""


class OpenForm(MoneyForm, frozen=True):
    """One household passed on by hand."""

    county: str
    household: str
    department: str
    note: str
    urgent: str = ""


class HandForm(MoneyForm, frozen=True):
    """Hand over what waits at one department."""

    department: str
    way: str = "letter"


class Row(msgspec.Struct, frozen=True):
    """A referral as shown; `mine`: the reader acts for its department."""

    thing: Referral
    name: str
    reason: str
    note: str
    answer: str
    mine: bool


def readable(actor: Actor) -> list[str]:
    """Patterns over 'department:place': partners read what is theirs, the others everything in their area that is not restricted."""
    own = [f"{d}:{p}" for d in DEPARTMENTS for p in common.patterns(actor, f"referral.answer.{d}")]
    partner = all(role.startswith("partner_") for role in actor.roles())
    area = [] if partner else common.patterns(actor, "referral.read")
    return sorted({*own, *(f"{d}:{p}" for d in DEPARTMENTS if d not in RESTRICTED for p in area)})


@get("/referrals", action="referral.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "waiting",
    department: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """Referrals in the reader's hands."""
    show, department = show if show in SHOWS else "waiting", department if department in DEPARTMENTS else None
    seen, keys, today = readable(actor), house.of(request).keys, days.beijing_day(now)
    found = await views.referrals(read, seen, SHOWS[show], department)
    return pages.page(
        request, "referrals.html", rows=[_row(actor, r, keys) for r in found], show=show, shows=list(SHOWS), department=department,
        counts=await views.counts(read, seen, today), departments=DEPARTMENTS, today=today, now=now, length=LENGTH, total=found[0].total if found else 0,
        may_pass=bool(actor.areas("referral.pass")), done=common.done_of(request), drill=any(r.drill for r in found),
    )  # fmt: skip


def _row(actor: Actor, r: Referral, keys: Keys) -> Row:
    note = keys.open("referral", r.id, "sealed_note", r.sealed_note).decode() if r.sealed_note else ""
    answer = keys.open("referral", r.id, "sealed_answer", r.sealed_answer).decode() if r.sealed_answer else ""
    mine = actor.may(f"referral.answer.{r.department}", r.village)
    return Row(r, masked.name(keys, r.person, r.sealed_person), referral_letters.reason_of(r.reason), note, answer, mine)


@get("/referrals/new/{county:str}/{household:uuid}", action="referral.open")
async def new(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[str]:
    """The form to pass one household on."""
    await households.household(read, county, household, common.patterns(actor, "referral.open"))
    return pages.page(request, "referral_new.html", county=county, household=household, departments=DEPARTMENTS, length=LENGTH, now=now)


@post("/referrals/new", action="referral.open")
async def open_(request: Req, data: given.Form[OpenForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Pass it on."""
    [household], keys = common.uuids(data.household), house.of(request).keys
    content = (household, data.department, data.note, data.urgent)
    await common.once(
        request, tx, actor, data.key, content, now,
        lambda: refer.by_hand(tx, actor, data.county, household, data.department, data.note, data.urgent == "yes", now, keys),
    )  # fmt: skip
    return common.go(f"/households/{data.county}/{household}", "referred")


@post("/referrals", action="referral.read")
async def act(request: Req, data: given.Form[ActForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Accept, answer, send back, pass on."""
    ids, keys = common.uuids(data.id), house.of(request).keys
    acts = {
        "accept": lambda: refer.accept(tx, actor, data.county, ids, now),
        "close": lambda: refer.close(tx, actor, data.county, ids, data.words, now, keys),
        "return": lambda: refer.give_back(tx, actor, data.county, ids[0], data.words, now, keys),
        "pass": lambda: refer.pass_on(tx, actor, data.county, ids[0], data.department, data.words, now, keys),
    }
    if data.act in acts and ids:
        await common.once(request, tx, actor, data.key, (data.act, sorted(ids), data.words, data.department), now, acts[data.act])
    return common.go("/referrals", {"accept": "taken", "close": "answered", "return": "sent_back"}.get(data.act, "passed"))


@post("/referrals/hand-over", action="referral.read", status_code=200)
async def hand_over(request: Req, data: given.Form[HandForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[Any]:
    """Letters to print, or one table. The people are opened: only for their department and for the county, and traced."""
    keys = house.of(request).keys
    patterns = (
        [f"{data.department}:{p}" for p in common.patterns(actor, f"referral.answer.{data.department}")]
        if data.department in DEPARTMENTS
        else []
    )
    found = await views.referrals(tx, patterns, SHOWS["waiting"], data.department, most=_MOST_HANDED_OVER)
    letters = await referral_letters.hand_over(tx, actor, found, data.way, now, keys)
    if data.way != "table":
        return pages.page(
            request,
            "referral_letters.html",
            letters=letters,
            department=DEPARTMENTS[data.department],
            now=now,
            drill=any(r.drill for r in found),
        )
    name = f"referrals-{data.department}-{days.beijing_day(now)}.xlsx"
    return Response(
        content=referral_letters.table(letters, now), media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


HANDLERS: Final = [page, new, open_, act, hand_over]
