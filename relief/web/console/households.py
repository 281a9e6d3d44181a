"""Households in a list, and the whole story of one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get

from relief.domain import reasons
from relief.domain.days import calendar_published
from relief.domain.household import FAMILY_TYPES
from relief.services import explain, masked
from relief.store.views import households as views
from relief.store.views import playbooks
from relief.store.views.households import Event, HouseholdRow
from relief.web import given, house, pages, shown
from relief.web.console import common, scenarios
from relief.web.given import Req
from relief.web.texts import Texts

SHOWS: Final = {
    "all": (None, None), "registered": (None, "registered"), "inside": (None, "inside"), "undecided": (("staged", "located", "verified"), "undecided"), "decided": (None, "decided"),
    "approved": (None, "approved"), "bank": (None, "bank"), "paid": (None, "paid"), "confirmed": (None, "confirmed"),
    "duplicate": (("duplicate", "rejected"), None),
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """A household as shown."""

    household: HouseholdRow
    name: str


class Told(msgspec.Struct, frozen=True):
    """An event in words."""

    at: object
    tone: str
    title: str
    text: str
    who: str | None


@get("/households", action="household.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now,
    incident: given.FromQuery[UUID | None] = None, show: given.FromQuery[str] = "all", after: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """Registered households by state, a page at a time."""
    show = show if show in SHOWS else "all"
    statuses, stage = SHOWS[show]
    villages = common.patterns(actor, "household.read")
    of = await common.chosen(read, actor, incident)
    found = await views.households(read, villages, of.id if of else None, statuses, stage, common.unpack(after), common.PAGE)
    keys = house.of(request).keys
    return pages.page(
        request, "households.html", placeholders=await scenarios.placeholders(read, of.id, now) if of else 0, rows=[Row(h, masked.name(keys, h.person, h.sealed_person)) for h in found], show=show, shows=list(SHOWS), now=now,
        incident=of, families=FAMILY_TYPES, more=common.pack(found[-1].county, found[-1].id) if len(found) == common.PAGE else None,
        drill=bool(of and of.drill),
    )  # fmt: skip


@get("/households/{county:str}/{household:uuid}", action="household.read")
async def one(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromPath[str], household: given.FromPath[UUID]
) -> Response[str]:
    """Facts, decision with clause, approvals, payments, messages, answers: one timeline."""
    found = await views.household(read, county, household, common.patterns(actor, "household.read"))
    t = Texts(pages.language(request))
    told = await explain.explain(read, actor, county, household) if actor.may("decision.read", found.village) else None
    return pages.page(
        request, "household.html", explanation=told, books=await playbooks.by_name(read), household=found, name=masked.name(house.of(request).keys, found.person, found.sealed_person), now=now,
        families=FAMILY_TYPES, schedule=await views.schedule(read, county, household), drill=found.drill,
        events=[tell(e, t) for e in await views.story(read, county, household)], published=calendar_published,
    )  # fmt: skip


def tell(event: Event, t: Texts) -> Told:
    """One event in the reader's language."""
    noun = {"decision": "award"}.get(event.noun, event.noun)
    aid = t.word("aid", event.aid) if event.aid else ""
    sum_ = f"{shown.yuan(event.fen)} {t('unit.yuan')}" if event.fen else ""
    text = " · ".join(x for x in (aid, sum_, _note(event, t)) if x)
    tone = "move" if event.noun in ("decision", "household", "batch") else shown.tone(noun, event.state)
    state = "none" if event.noun == "decision" and event.state == "current" and not event.fen else event.state
    return Told(event.at, tone, t(f"story.{event.noun}_{state}".replace(" ", "_")), text, event.who)


def _note(event: Event, t: Texts) -> str:
    if event.noun == "decision":
        words = reasons.explain((event.note or "").split())
        return "；".join(w.zh for w in words) if t("app.code") == "zh" else "; ".join(w.en for w in words)
    if event.noun == "payment" and event.state == "returned":
        return t.word("reason", event.note)
    if event.noun in ("confirmation", "complaint", "evidence"):
        return t.word({"confirmation": "way", "complaint": "complaint", "evidence": "condition"}[event.noun], event.note)
    return event.note or "" if event.noun in ("batch", "household", "payment") else ""


HANDLERS: Final = [page, one]
