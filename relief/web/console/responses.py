"""救灾应急响应: which level each plan proposes and by which figure; who decided what by which document; the next decision recorded."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from relief.domain.errors import Invalid
from relief.domain.plan import ROMAN, Issuer
from relief.domain.response import Act
from relief.domain.statistics import SUM_NAMES
from relief.services import respond
from relief.services.respond import Decision, Proposed
from relief.store.views import incidents, reports
from relief.web import given, pages
from relief.web.console import common
from relief.web.given import Req

_Level = Annotated[str, QueryParameter(pattern="^[1-4]?$")]


class DecideForm(msgspec.Struct, frozen=True):
    """A decision with its document; the moment is Beijing time. Ending names no level."""

    csrf: str
    issuer: Issuer
    area: str
    act: Act
    document: str
    reason: str
    decided_at: str
    level: str = ""
    neighbour: str = ""


class Desk(msgspec.Struct, frozen=True):
    """A government for which this person records decisions: the level in force there, and what its plan says, if there is one."""

    issuer: Issuer
    area: str
    current: int | None
    proposed: Proposed | None


@get("/incidents/{incident:uuid}/responses", action="incident.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, incident: given.FromPath[UUID], neighbour: _Level = ""
) -> Response[str]:
    """What is proposed, what is in force, what was decided."""
    found = await incidents.incident(read, incident)
    proposed = await respond.proposals(read, actor, incident, now, int(neighbour) if neighbour else None)
    current = {(r.issuer, r.area): r.level for r in await reports.current(read, incident)}
    by_area = {(p.issuer, p.area): p for p in proposed}
    desks = [Desk(i, a, current.get((i, a)), by_area.get((i, a))) for i, a in await respond.governments(read, actor, incident)]
    desks = [d for d in desks if found.status != "closed" or d.current is not None]
    decided = await reports.history(read, incident)
    return pages.page(
        request, "responses.html", incident=found, now=now, drill=found.drill, proposed=proposed, desks=desks, decided=list(reversed(decided)),
        names=await reports.names(read, sorted({*(p.area for p in proposed), *(d.area for d in desks)})), sums=SUM_NAMES, roman=ROMAN,
        neighbour=neighbour, done=common.done_of(request),
    )  # fmt: skip


@post("/incidents/{incident:uuid}/responses", action="incident.read")
async def decide(
    data: given.Form[DecideForm], tx: given.Write, actor: given.Me, now: given.Now, incident: given.FromPath[UUID]
) -> Response[bytes]:
    """Record what a government decided."""
    decision = Decision(
        issuer=data.issuer, area=data.area, act=data.act, document=data.document, reason=data.reason,
        decided_at=common.moment(data.decided_at, "decided_at"), level=_level(data.level) if data.act != "end" else None,
        neighbour=_level(data.neighbour) if data.neighbour else None,
    )  # fmt: skip
    await respond.decide(tx, actor, incident, decision, now)
    return common.go(f"/incidents/{incident}/responses", "responded")


def _level(text: str) -> int:
    if text not in ("1", "2", "3", "4"):
        raise Invalid("response_level", "级别须为Ⅰ至Ⅳ级 · a level is one of Ⅰ to Ⅳ", field="level")
    return int(text)


HANDLERS: Final = [page, decide]
