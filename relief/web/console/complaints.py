"""What people say is wrong, by deadline: taken up, passed on to the right department, answered in writing; and how often of each kind."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain.complaint import DEPARTMENTS, KINDS, LENGTH, Complaint, Way
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import complain, masked
from relief.services.complain import hands_off
from relief.store.views import complaints as views
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.console.households import Told
from relief.web.given import Req
from relief.web.texts import Texts

SHOWS: Final = ("open", "closed")
#: Whoever answers for discipline reads every department's complaints in the area: so nothing can be kept from them.
_SEES_ALL: Final = "discipline"


_TONES: Final = {"opened": "bad", "reopened": "bad", "answered": "done"}


class CloseForm(MoneyForm, frozen=True):
    """The answer to one complaint, or to several of one county."""

    county: str
    id: list[str] | str = ""
    answer: str = ""


class PassForm(MoneyForm, frozen=True):
    """To whom, and what they should know."""

    department: str
    note: str = ""


class TakeForm(MoneyForm, frozen=True):
    """A complaint told at the desk or on the hotline."""

    village: str
    kind: str
    words: str
    way: str = "desk"


class Row(msgspec.Struct, frozen=True):
    """A complaint as shown: masked name, words and answer opened; `mine`: its department is one the reader acts for."""

    thing: views.Complaint
    name: str | None
    words: str | None
    answer: str | None
    mine: bool
    own: bool


def answerable(actor: Actor) -> list[str]:
    """Patterns over 'department:place': what this person may answer."""
    return [f"{d}:{p}" for d in DEPARTMENTS for p in common.patterns(actor, f"complaint.answer.{d}")]


def readable(actor: Actor) -> list[str]:
    """Patterns over 'department:place': what this person may read."""
    everywhere = common.patterns(actor, f"complaint.answer.{_SEES_ALL}")
    return sorted({*answerable(actor), *(f"{d}:{p}" for d in DEPARTMENTS for p in everywhere)})


@get("/complaints", action="complaint.read")
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """Complaints the reader may answer: open ones by deadline, or those already closed."""
    show, keys = show if show in SHOWS else "open", house.of(request).keys
    seen = readable(actor)
    found = await views.complaints(read, seen, show, actor.person)
    return pages.page(
        request, "complaints.html", rows=[_row(actor, c, keys) for c in found], show=show, shows=SHOWS, total=found[0].total if found else 0,
        length=LENGTH, now=now, done=common.done_of(request), drill=any(c.drill for c in found), kinds=KINDS,
        statistics=await views.statistics(read, seen, now), may_take=bool(actor.areas("complaint.take")), area=next(iter(actor.areas("complaint.take")), ""),
    )  # fmt: skip


def _row(actor: Actor, c: views.Complaint, keys: Keys) -> Row:
    name = masked.name(keys, c.person, c.sealed_person) if c.person and c.sealed_person else None
    words = keys.open("complaint", c.id, "sealed", c.sealed).decode() if c.sealed else None
    answer = keys.open("complaint", c.id, "sealed_answer", c.sealed_answer).decode() if c.sealed_answer else c.answer
    return Row(c, name, words, answer, bool(actor.areas(f"complaint.answer.{c.department}")), c.own and hands_off(c.kind))


@get("/complaints/{status:str}/{complaint:uuid}", action="complaint.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, status: given.FromPath[str], complaint: given.FromPath[UUID]
) -> Response[str]:
    """One case with all that happened to it."""
    keys = house.of(request).keys
    found = await views.complaint(read, readable(actor), complaint, actor.person, status)
    t = Texts(pages.language(request))
    events = [_told(e, complaint, keys, t) for e in await views.events(read, found.county, complaint)]
    return pages.page(
        request, "complaint.html", row=_row(actor, found, keys), events=events, departments=DEPARTMENTS, length=LENGTH, now=now,
        done=common.done_of(request), drill=bool(found.drill),
    )  # fmt: skip


def _told(event: views.Event, complaint: UUID, keys: Keys, t: Texts) -> Told:
    """One act in the reader's language, its note opened."""
    table, column = ("complaint", "sealed_answer") if event.act == "answered" else ("complaint_event", "sealed")
    note = keys.open(table, complaint, column, event.sealed).decode() if event.sealed else ""
    text = " · ".join(x for x in (t(f"department.{event.department}"), note) if x)
    return Told(event.at, _TONES.get(event.act, "move"), t("complaint_act." + event.act.replace(" ", "_")), text, event.by_name)


@post("/complaints", action="complaint.read")
async def close(request: Req, data: given.Form[CloseForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Close with an answer."""
    ids, keys = common.uuids(data.id), house.of(request).keys
    content = (sorted(ids), data.answer)
    await common.once(
        request, tx, actor, data.key, content, now, lambda: complain.close(tx, actor, data.county, ids, data.answer, now, keys)
    )
    return common.go("/complaints", "answered")


@post("/complaints/take", action="complaint.take")
async def take(request: Req, data: given.Form[TakeForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[str]:
    """Write down what somebody says at the desk or on the hotline; the receipt shows the number to give them."""
    way: Way = "hotline" if data.way == "hotline" else "desk"
    item = Complaint(complain.about_place(data.village), data.kind, way, village=data.village, words=data.words)
    receipt = await complain.receive(tx, actor, item, now, house.of(request).keys)
    return pages.page(request, "complaint_taken.html", receipt=receipt)


@post("/complaints/{county:str}/{complaint:uuid}/acknowledge", action="complaint.read")
async def acknowledge(
    request: Req, data: given.Form[MoneyForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    complaint: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """受理."""
    await common.once(request, tx, actor, data.key, complaint, now, lambda: complain.acknowledge(tx, actor, county, [complaint], now))
    return common.go(f"/complaints/open/{complaint}", "taken")


@post("/complaints/{county:str}/{complaint:uuid}/pass", action="complaint.read")
async def pass_on(
    request: Req, data: given.Form[PassForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    complaint: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """转办."""
    keys = house.of(request).keys
    content = (complaint, data.department, data.note)
    await common.once(
        request, tx, actor, data.key, content, now,
        lambda: complain.pass_on(tx, actor, county, complaint, data.department, data.note, now, keys),
    )  # fmt: skip
    return common.go("/complaints", "passed")


HANDLERS: Final = [page, one, close, take, acknowledge, pass_on]
