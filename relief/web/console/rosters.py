"""Which reporter answers for which village, and how many households each has; what changed at households, and who is to be looked at again."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get, post

from relief.domain import days
from relief.services import change, masked, rosters
from relief.services.change import KINDS, RECHECK_AFTER
from relief.services.rosters import MOST_HOUSEHOLDS
from relief.store.views import incidents
from relief.store.views import leads as views
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req

SHOWS: Final = ("open", "closed")


class AssignForm(MoneyForm, frozen=True):
    """These villages to that reporter."""

    county: str
    person: str
    village: list[str] | str = ""


class TellForm(MoneyForm, frozen=True):
    """What changed at one household."""

    county: str
    household: str
    kind: str
    words: str


class AnswerForm(MoneyForm, frozen=True):
    """What was found out."""

    words: str


class Said(msgspec.Struct, frozen=True):
    """A change with its words and answer opened."""

    thing: views.Change
    name: str
    words: str
    answer: str


@get("/rosters", action="roster.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromQuery[UUID | None] = None
) -> Response[str]:
    """Villages, households and reporters."""
    known = await incidents.incidents(read, common.patterns_above(actor, "roster.read"))
    current = next((i for i in known if incident in (None, i.id)), None)
    areas = [a for a in common.patterns(actor, "roster.read") if len(a) > 6]  # a province has too many villages for one page
    found = await views.roster(read, areas, current.id) if current else []
    people = await views.reporters(read, common.patterns(actor, "roster.set"), now)
    load: dict[UUID, int] = {}
    for village in found:
        for person in village.people:
            load[person] = load.get(person, 0) + village.households
    return pages.page(
        request, "rosters.html", villages=found, people=people, incident=current, load=load, most=MOST_HOUSEHOLDS, now=now,
        without=sum(not v.people for v in found), done=common.done_of(request), drill=bool(current and current.drill),
    )  # fmt: skip


@post("/rosters", action="roster.set")
async def assign(request: Req, data: given.Form[AssignForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Give villages to a reporter."""
    villages = [data.village] if isinstance(data.village, str) else list(data.village)
    [person] = common.uuids(data.person) or [UUID(int=0)]
    await common.once(
        request, tx, actor, data.key, (data.county, data.person, sorted(villages)), now,
        lambda: rosters.assign(tx, actor, data.county, [v for v in villages if v], person, now),
    )  # fmt: skip
    return common.go("/rosters", "roster_set")


@get("/changes", action="change.report")
async def changed(request: Req, read: given.Read, actor: given.Me, now: given.Now, show: given.FromQuery[str] = "open") -> Response[str]:
    """Changes to look into, and households to look at again."""
    show, keys = show if show in SHOWS else "open", house.of(request).keys
    villages = common.patterns(actor, "change.report")
    found = await views.changes(read, villages, show, actor.person)
    rows = [
        Said(
            c,
            masked.name(keys, c.person, c.sealed_person),
            keys.open("change_report", c.id, "sealed", c.sealed).decode(),
            keys.open("change_report", c.id, "sealed_answer", c.sealed_answer).decode() if c.sealed_answer else "",
        )
        for c in found
    ]
    again = await views.recheck(read, villages, now - RECHECK_AFTER) if show == "open" else []
    return pages.page(
        request, "changes.html", rows=rows, again=[(r, masked.name(keys, r.person, r.sealed_person)) for r in again], show=show, shows=SHOWS, kinds=KINDS,
        today=days.beijing_day(now), now=now, may_answer=bool(actor.areas("change.answer")), done=common.done_of(request),
        drill=any(c.drill for c in found) or any(r.drill for r in again),
    )  # fmt: skip


@get("/changes/new/{county:str}/{household:uuid}", action="change.report")
async def new(request: Req, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]) -> Response[str]:
    """The form for one household."""
    return pages.page(request, "change_new.html", county=county, household=household, kinds=KINDS, now=now)


@post("/changes", action="change.report")
async def tell(request: Req, data: given.Form[TellForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Write a change down."""
    [household], keys = common.uuids(data.household) or [UUID(int=0)], house.of(request).keys
    await common.once(
        request, tx, actor, data.key, (data.household, data.kind, data.words), now,
        lambda: change.tell(tx, actor, data.county, household, data.kind, data.words, now, keys),
    )  # fmt: skip
    return common.go(f"/households/{data.county}/{household}", "change_told")


@post("/changes/{county:str}/{report:uuid}", action="change.answer")
async def answer(
    request: Req, data: given.Form[AnswerForm], tx: given.Write, actor: given.Me, now: given.Now, county: given.FromPath[str],
    report: given.FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """It was looked into."""
    keys = house.of(request).keys
    await common.once(
        request,
        tx,
        actor,
        data.key,
        (str(report), data.words),
        now,
        lambda: change.answer(tx, actor, county, report, data.words, now, keys),
    )
    return common.go("/changes", "answered")


HANDLERS: Final = [page, assign, changed, new, tell, answer]
