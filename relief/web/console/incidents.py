"""The register of incidents and the record of one: opened by hand under a name looked at before, moved on, closed, merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from relief.domain import incident as incident_
from relief.domain.errors import Conflict, Invalid, Refused, ReliefError
from relief.domain.incident import HAZARDS, NewIncident
from relief.domain.plan import ROMAN
from relief.domain.policy import Actor
from relief.services import incidents, zoning
from relief.services.incidents import BARS, Foresight
from relief.store.db import Tx
from relief.store.views import alerts, register
from relief.store.views.register import Record
from relief.web import given, pages
from relief.web.console import common
from relief.web.given import Req

SHOWS: Final = ("open", "closed", "all")
#: A duplicate is looked for this far around the event.
_MERGE_WITHIN: Final = timedelta(days=30)
_Code = Annotated[str | None, QueryParameter(pattern="^([0-9]{6})?$")]


class OpenForm(msgspec.Struct, frozen=True):
    """The form that opens an incident; the moment is Beijing time as a browser's field gives it."""

    csrf: str
    county: str
    hazard: str
    occurred_at: str
    drill: str


class StableForm(msgspec.Struct, frozen=True):
    """Since when it is stable, Beijing time."""

    csrf: str
    at: str


class MoveForm(msgspec.Struct, frozen=True):
    """Where it goes."""

    csrf: str
    target: register.Status


class ReasonForm(msgspec.Struct, frozen=True):
    """Why it ends."""

    csrf: str
    reason: str


class MergeForm(msgspec.Struct, frozen=True):
    """Which incident is kept, and why both are one."""

    csrf: str
    into: str
    reason: str


@get("/incidents", action="incident.read")
async def index(
    request: Req, read: given.Read, actor: given.Me, now: given.Now,
    show: given.FromQuery[str] = "open", hazard: _Code = None, after: given.FromQuery[str | None] = None,
) -> Response[str]:  # fmt: skip
    """All incidents of my areas, the latest event first."""
    show = show if show in SHOWS else "open"
    is_open = None if show == "all" else show == "open"
    found = await register.incidents(read, common.patterns(actor, "incident.read"), is_open, hazard or None, common.before(after))
    more = common.mark(found[-1].occurred_at, found[-1].id) if len(found) == register.PAGE else None
    return pages.page(
        request, "incidents.html", incidents=found, now=now, hazards=HAZARDS, show=show, shows=SHOWS, hazard=hazard or "", roman=ROMAN,
        next="/incidents" + common.query(show=show, hazard=hazard, after=more) if more else None, done=common.done_of(request),
        may_open=bool(actor.areas("incident.open")),
    )  # fmt: skip


@get("/incidents/new", action="incident.open")
async def new(
    request: Req, read: given.Read, actor: given.Me, now: given.Now,
    county: _Code = None, hazard: _Code = None, occurred_at: given.FromQuery[str] = "", drill: given.FromQuery[str] = "",
) -> Response[str]:  # fmt: skip
    """First what, where and when; then the name it will bear and the incidents it may be the same as; nothing is written."""
    counties = await register.counties(read, common.county_patterns(actor, "incident.open"), now)
    asked = bool(county and hazard and occurred_at and drill in ("yes", "no"))
    name, refusal, similar = "", "", []
    if asked and county:
        wanted = NewIncident(hazard or "", county, common.moment(occurred_at, "occurred_at"), drill == "yes")
        similar = await register.similar(read, county, wanted.occurred_at)
        try:
            name = await zoning.name_of(read, wanted, now)
        except Conflict as error:
            refusal = error.message
    return pages.page(
        request, "incident_new.html", counties=counties, hazards=HAZARDS, county=county or (counties[0].code if len(counties) == 1 else ""),
        hazard=hazard or "", occurred_at=occurred_at, kind=drill, name=name, refusal=refusal, similar=similar, now=now, drill=asked and drill == "yes",
    )  # fmt: skip


@post("/incidents", action="incident.open")
async def open_incident(data: given.Form[OpenForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Open one."""
    made = await zoning.open_incident(tx, actor, opened(data.county, data.hazard, data.occurred_at, data.drill), now)
    return common.go(f"/incidents/{made}", "opened")


def opened(county: str, hazard: str, occurred_at: str, drill: str) -> NewIncident:
    """What the form says; whether it is a drill must be said, never guessed."""
    if drill not in ("yes", "no"):
        raise Invalid("drill", "须说明是真实灾害还是演练 · say whether it is real or a drill", field="drill")
    return NewIncident(hazard, county.strip(), common.moment(occurred_at, "occurred_at"), drill == "yes")


@get("/incidents/{incident:uuid}/record", action="incident.read")
async def record(request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]) -> Response[str]:
    """The record: what it is, what was done, what is still open, and the one next step."""
    found = await register.record(read, incident)
    open_ = await register.open_matters(read, [incident]) if found.status != "closed" else []
    return pages.page(
        request, "incident.html", incident=found, now=now, drill=found.drill, hazards=HAZARDS, counted=incident_.statistics_kind(found.hazard),
        life=await register.life(read, found), merged=await register.merged(read, incident), matters=open_, bars=BARS,
        barred=any(m.kind in BARS for m in open_), alerts=await alerts.of_incident(read, incident),
        may_move=actor.may("incident.move", found.county), may_merge=actor.may("incident.merge", found.county),
        similar=await _candidates(read, found) if found.status != "closed" else [], done=common.done_of(request),
    )  # fmt: skip


async def _candidates(read: Tx, found: Record) -> Sequence[register.Line]:
    return await register.similar(read, found.county, found.occurred_at, found.drill, found.id, _MERGE_WITHIN)


@post("/incidents/{incident:uuid}/move", action="incident.move")
async def move(
    data: given.Form[MoveForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """On to the next state."""
    await incidents.move(tx, actor, incident, data.target, now)
    return common.go(f"/incidents/{incident}/record", "moved")


@post("/incidents/{incident:uuid}/stable", action="incident.move")
async def stable(
    data: given.Form[StableForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """灾情稳定."""
    await incidents.declare_stable(tx, actor, incident, common.moment(data.at, "at"), now)
    return common.go(f"/incidents/{incident}/record", "stable")


@post("/incidents/{incident:uuid}/close", action="incident.move")
async def close(
    data: given.Form[ReasonForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """The end, with its reason."""
    await incidents.close(tx, actor, [incident], data.reason, now)
    return common.go(f"/incidents/{incident}/record", "closed")


class Compared(msgspec.Struct, frozen=True):
    """Two incidents beside each other: what each holds, what the merge would do, or why it is refused."""

    gone: Record
    kept: Record
    sides: tuple[register.Side, register.Side]
    foresight: Foresight | None
    refusal: str | None


@get("/incidents/{incident:uuid}/merge", action="incident.merge")
async def compare(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], into: given.FromQuery[UUID]
) -> Response[str]:
    """Before a merge: both side by side, what will be re-keyed, which cases open. Nothing is written."""
    compared = await _compare(read, actor, incident, into)
    names = {c.county: c.county_name for c in compared.foresight.cases} if compared.foresight else {}
    return pages.page(request, "merge.html", c=compared, now=now, drill=compared.gone.drill or compared.kept.drill, names=names)


async def _compare(read: Tx, actor: Actor, gone: UUID, kept: UUID) -> Compared:
    both = await register.record(read, gone), await register.record(read, kept)
    sides = await register.sides(read, [gone, kept])
    foresight, refusal = None, None
    try:
        foresight = await incidents.foresee(read, actor, [gone], kept)
    except Refused:
        refusal = "须由在全部涉及县都有权限的人员（市州或省）办理 · somebody who answers for every county concerned must do it"
    except ReliefError as error:
        refusal = error.message
    return Compared(*both, (sides[gone], sides[kept]), foresight, refusal)


@post("/incidents/{incident:uuid}/merge", action="incident.merge")
async def merge(
    data: given.Form[MergeForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Do it."""
    [into] = common.uuids(data.into)
    await incidents.merge(tx, actor, [incident], into, data.reason, now)
    return common.go(f"/incidents/{into}/record", "merged")


HANDLERS: Final = [index, new, open_incident, record, move, stable, close, compare, merge]
