"""The first page of every role: what waits for me, by deadline, with one main action; for officers the funnel below it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec
from litestar import Response, get

from relief.domain.days import BEIJING, beijing_day
from relief.domain.policy import Actor
from relief.domain.review import REMIND_DAYS
from relief.services import seal
from relief.store import db
from relief.store.db import Tx
from relief.store.views import alerts as inbox_views
from relief.store.views import bank, casefile, leads, notices, papers, playbooks, recoveries, running
from relief.store.views.incidents import Incident
from relief.store.views.running import Funnel, Waiting
from relief.web import access, given, house, pages
from relief.web.console import alerts, common, reports, scenarios, urgent
from relief.web.console.complaints import answerable
from relief.web.given import Req

#: The actions behind each kind of waiting work, in the order of the statement; 'village' kinds end below the county.
_ACTIONS: Final = (
    ("award.approve.township", True), ("award.approve.county", True), ("batch.prepare", False), ("batch.check", False), ("batch.authorise", False),
    ("batch.freeze", False), ("activation.activate", False), ("account.propose", True), ("account.confirm", True), ("evidence.accept", True),
    ("activation.draft", False), ("zone.force", False), ("confirm.report", True),
    ("award.approve.meeting", True), ("award.approve.city", True),
)  # fmt: skip
#: Complaints stand after these, as patterns over department and place.
_COMPLAINTS_AT: Final = 10
#: Kind of work → where it is done. What comes first is more urgent.
_PLACES: Final = {
    "alert": "/alerts", "owed": "/reports", "case": "/recoveries", "move": "/incidents", "figure": "/standards", "playbook": "/playbooks", "force": "/incidents",
    "activate": "/incidents", "draft": "/incidents", "approve": "/approvals", "minutes": "/cases", "payee": "/cases", "sign": "/batches", "freeze": "/batches",
    "bank": "/bank", "complaint": "/complaints", "lead": "/intake", "change": "/changes", "papers": "/papers", "object": "/notices", "report list": "/notices", "post list": "/notices", "accept": "/evidence", "confirm account": "/corrections", "correct": "/corrections", "report": "/confirmations",
}  # fmt: skip


#: The background process is called dead when it is late by this much.
SILENT_FOR: Final = timedelta(seconds=45)


class Stage(msgspec.Struct, frozen=True):
    """One step of the funnel as drawn."""

    key: str
    reached: int
    fen: int | None
    waiting: int
    oldest: datetime | None
    href: str
    waiting_href: str


class Work(msgspec.Struct, frozen=True):
    """One line of what waits."""

    kind: str
    detail: str | None
    items: int
    fen: int | None
    oldest: datetime | None
    href: str


@get("/", action=access.SIGNED_IN)
async def home(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromQuery[UUID | None] = None
) -> Response[str]:
    """What waits for me, and where the money sticks."""
    waiting = await running.waiting(read, _areas(actor), actor.person) + await _rules(read, actor)
    work = [_work(w) for w in waiting] + await _watch(read, actor, now)
    feeds = await alerts.feeds(read, house.of(request).settings, now) if actor.areas("incident.open") else []
    current = await common.chosen(read, actor, incident)
    funnel = await running.funnel(read, current.id, common.patterns(actor, "incident.read")) if current else None
    hours = await urgent.rules(read) if actor.areas("award.read") else []
    late = await urgent.alarms(read, actor, now, hours)
    if (waits := urgent.undecided(funnel, current.id if current else None, hours, now)) and actor.areas("household.decide"):
        late = [waits, *late]
    due = await running.background_due(read)
    trace = None
    if actor.areas("trace.watch"):
        async with db.read(house.of(request).pool) as everywhere:  # counts and times only, over all counties
            trace = await seal.state(everywhere, now)
    return pages.page(
        request, "home.html", late=late, placeholders=await scenarios.placeholders(read, current.id, now) if current else 0, now=now, dead=[f.source for f in feeds if f.health in ("dead", "unasked")],
        idle=due is None or now - due > SILENT_FOR, last=due, trace=trace, work=sorted(work, key=lambda w: list(_PLACES).index(w.kind)), incident=current,
        stages=stages(funnel, current) if funnel and current else [], funnel=funnel, drill=bool(current and current.drill), done=common.done_of(request),
    )  # fmt: skip


async def _rules(read: Tx, actor: Actor) -> list[Waiting]:
    """Drafts of rules that wait for this person as the second one."""
    books, figures, moves = (common.patterns(actor, action) for action in ("playbook.force", "figure.force", "activation.propose"))
    return await playbooks.waiting(read, books, figures, moves, actor.person)


def _areas(actor: Actor) -> list[list[str]]:
    areas = [common.patterns(actor, action) if village else common.county_patterns(actor, action) for action, village in _ACTIONS]
    return [*areas[:_COMPLAINTS_AT], answerable(actor), *areas[_COMPLAINTS_AT:]]


async def _watch(read: Tx, actor: Actor, now: datetime) -> list[Work]:
    """Alerts that propose something in this person's area, and reports this person owes within a day or owes already."""
    found = []
    if areas := common.patterns(actor, "incident.open"):
        inbox = await inbox_views.waiting(read, areas)
        found += [Work("alert", None, inbox.items, None, inbox.oldest, _PLACES["alert"])] if inbox.items else []
    if counties := common.county_patterns(actor, "recovery.close"):
        cases = await recoveries.waiting(read, counties)
        first = None if cases.first is None else datetime.combine(cases.first, time(), BEIJING)
        found += [Work("case", None, cases.items, None, first, _PLACES["case"])] if cases.items else []
    found += await _lists(read, actor, now)
    for kind, waiting in (
        ("minutes", await casefile.waiting_minutes(read, common.patterns(actor, "minutes.adopt"), actor.person)),
        ("payee", await casefile.waiting_payees(read, common.patterns(actor, "payee.check"), actor.person)),
    ):
        found += [Work(kind, None, len(waiting), None, waiting[0].at, _PLACES[kind])] if waiting else []
    if counties := common.county_patterns(actor, "bank.case"):
        at_bank = await bank.waiting(read, counties)
        found += [Work("bank", None, at_bank.items, None, at_bank.oldest, _PLACES["bank"])] if at_bank.items else []
    owed = await reports.mine(read, actor, now)
    return [*found, Work("owed", "late" if owed.late else None, owed.items, None, owed.first, _PLACES["owed"])] if owed.items else found


async def _lists(read: Tx, actor: Actor, now: datetime) -> list[Work]:
    """Lists to post and to report, objections to answer."""
    today = beijing_day(now)
    if villages := common.patterns(actor, "document.hand_in"):
        owed = await papers.counts(read, villages, today, today + timedelta(days=REMIND_DAYS))
        at = None if owed.first is None else datetime.combine(owed.first, time(23, 59), BEIJING)
        late = "late" if owed.overdue else None
        found = [Work("papers", late, owed.overdue or owed.soon, None, at, _PLACES["papers"])] if owed.overdue or owed.soon else []
    else:
        found = []
    work, change = common.patterns(actor, "lead.work"), common.patterns(actor, "change.answer")
    if work or change:
        came = await leads.waiting(read, work, change, actor.person)
        at = None if came.changes_due is None else datetime.combine(came.changes_due, time(23, 59), BEIJING)
        came_in = (("lead", came.leads, came.due), ("change", came.changes, at))
        found += [Work(kind, None, items, None, due, _PLACES[kind]) for kind, items, due in came_in if items]
    report, post, answer = (common.patterns(actor, a) for a in ("notice.report", "notice.post", "objection.answer"))
    if not (report or post or answer):
        return found
    w = await notices.waiting(read, report, post, answer, today)
    first = None if w.objections_due is None else datetime.combine(w.objections_due, time(23, 59), BEIJING)
    over = None if w.to_report_since is None else datetime.combine(w.to_report_since, time(23, 59), BEIJING)
    rows = (("object", w.objections, first), ("report list", w.to_report, over), ("post list", w.to_post, None))
    return found + [Work(kind, None, items, None, at, _PLACES[kind]) for kind, items, at in rows if items]


def _work(waiting: Waiting) -> Work:
    return Work(waiting.kind, waiting.detail, waiting.items, waiting.fen, waiting.oldest, _PLACES[waiting.kind])


def stages(f: Funnel, incident: Incident) -> list[Stage]:
    """The six steps, all counted in households; each number opens exactly the households it counts."""
    at = f"?incident={incident.id}&show="
    rows = (
        ("registered", f.registered, None, f.undecided, f.undecided_oldest, "/households" + at + "undecided"),
        ("decided", f.decided, f.decided_fen, f.proposed, f.proposed_oldest, "/approvals"),
        ("approved", f.approved, f.approved_fen, f.ready, f.ready_oldest, "/payments" + at + "unsent"),
        ("bank", f.bank, f.bank_fen, f.out, f.out_oldest, "/payments" + at + "out"),
        ("paid", f.paid, f.paid_fen, f.awaited, f.awaited_oldest, "/payments" + at + "awaited"),
        ("confirmed", f.confirmed, f.confirmed_fen, f.disputed, f.disputed_oldest, "/payments" + at + "disputed"),
    )
    return [Stage(key, n, fen, w, old, "/households" + at + key, w_place) for key, n, fen, w, old, w_place in rows]


HANDLERS: Final = [home]
