"""救灾应急响应: the plans propose a level for each government, and a named officer decides: launch, raise, lower, end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import plan as plans
from relief.domain import response as engine
from relief.domain import statistics
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid
from relief.domain.incident import check_reason
from relief.domain.plan import DIGITS, NATION, Issuer, Plan
from relief.domain.policy import Actor, require
from relief.domain.response import Act, Proposal
from relief.domain.statistics import Figures
from relief.store import audits, incidents, regions, reports, responses
from relief.store.db import Tx
from relief.store.responses import InForce

#: Widest first: what the nation, the province, the city and the county each decide for themselves.
ISSUERS: Final[tuple[Issuer, ...]] = ("national", "province", "city", "county")


class Proposed(msgspec.Struct, frozen=True):
    """What a plan says of an incident for one government; `current` is the level in force there. Unverified plans say so."""

    issuer: Issuer
    area: str
    plan: UUID
    title: str
    document: str
    verified: bool
    decides: str | None
    figures: dict[str, str]
    proposal: Proposal
    current: int | None
    act: Act | None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an officer decided: which government, what, to which level, by which document (文号), why, and when it was decided.

    For a national response `area` is the province it is for. `neighbour` is the level a neighbouring area has launched, if that is the reason.
    """

    issuer: Issuer
    area: str
    act: Act
    document: str
    reason: str
    decided_at: datetime
    level: int | None = None
    neighbour: int | None = None


async def import_plan(tx: Tx, actor: Actor, text: str, now: datetime) -> UUID:
    """Keep a plan's text for ever; the same text again is the same plan. Another text needs another version (Conflict)."""
    plan = plans.read(text)
    require(actor, "plan.import", "51" if plan.area == NATION else plan.area)
    digest = hashlib.sha256(text.encode()).digest()
    if (known := await responses.by_digest(tx, digest)) is not None:
        return known
    made = await responses.import_plan(tx, plan, digest, text, now)
    if made is None:
        raise Conflict(
            "plan_version", "该预案版本号已用于另一文本 · this version stands for another text", key=plan.key, version=plan.version
        )
    detail = {"key": plan.key, "version": plan.version, "verified": plan.verified}
    await audits.add(tx, audits.SHARED, actor, "plan.import", "plan", [made], now, detail)
    return made


async def proposals(tx: Tx, actor: Actor, incident: UUID, now: datetime, neighbour: int | None = None) -> list[Proposed]:
    """What the plans in force today say, widest area first; only for the areas the actor may read whole."""
    await incidents.get(tx, incident)  # NotFound, rather than nothing to say
    counties = await incidents.counties(tx, [incident])
    latest = {c: statistics.from_units(r.indicators) for c, r in (await reports.latest(tx, incident, [""])).items()}
    known = sorted({*counties, *latest})
    areas = [
        (issuer, area) for issuer in ISSUERS for area in sorted({c[: DIGITS[issuer]] for c in known}) if actor.may("incident.read", area)
    ]
    in_force = await _plans(tx, [area for _, area in areas], now)
    current = {(r.issuer, r.area): r for r in await responses.current(tx, incident)}
    return [
        _proposed(issuer, area, *found, latest, current.get((issuer, area)), neighbour)
        for issuer, area in areas
        if (found := in_force.get((issuer, NATION if issuer == "national" else area))) is not None
    ]


async def governments(tx: Tx, actor: Actor, incident: UUID) -> list[tuple[Issuer, str]]:
    """For which governments this person records decisions on an incident, whether or not a plan of theirs is in force; widest first."""
    known = sorted(set(await _concerned(tx, incident)))
    return [
        (issuer, area)
        for issuer in ISSUERS
        for area in sorted({c[: DIGITS["province" if issuer == "national" else issuer]] for c in known})
        if actor.may(f"response.decide.{issuer}", area)
    ]


async def decide(tx: Tx, actor: Actor, incident: UUID, decision: Decision, now: datetime) -> UUID:
    """Record a decision with its document; what the plan proposed at that moment is kept beside it.

    An officer may go beyond the figures (启动条件调整) or stay behind them: the reason says why. Conflict where the level has moved on.
    """
    _check(decision, now)
    require(actor, f"response.decide.{decision.issuer}", decision.area)
    found = await incidents.lock(tx, incident)
    if found.status == "closed" and decision.act != "end":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    await regions.get(tx, decision.area)
    if not any(c.startswith(decision.area) for c in await _concerned(tx, incident)):
        raise Invalid("area_outside", "该地区未受此灾害影响 · this area is not concerned by the incident", field="area")
    last = next((r for r in await responses.current(tx, incident) if (r.issuer, r.area) == (decision.issuer, decision.area)), None)
    current = None if last is None else last.level
    engine.check(current, decision.act, decision.level)
    latest = {c: statistics.from_units(r.indicators) for c, r in (await reports.latest(tx, incident, [decision.area])).items()}
    held = (await _plans(tx, [decision.area], now)).get((decision.issuer, NATION if decision.issuer == "national" else decision.area))
    said = None if held is None else _proposed(decision.issuer, decision.area, *held, latest, last, decision.neighbour)
    made = await responses.add(tx, _row(incident, decision, said, held, 1 if last is None else last.seq + 1, current, actor), now)
    detail = {"issuer": decision.issuer, "area": decision.area, "act": decision.act, "level": decision.level, "from": current}
    await audits.add(tx, audits.SHARED, actor, "response.decide", "response", [made], now, detail)
    return made


async def _concerned(tx: Tx, incident: UUID) -> list[str]:
    return [*await incidents.counties(tx, [incident]), *await reports.latest(tx, incident, [""])]


async def _plans(tx: Tx, areas: Sequence[str], now: datetime) -> dict[tuple[str, str], tuple[UUID, Plan]]:
    found = [(p.id, plans.read(p.body)) for p in await responses.in_force(tx, areas, beijing_day(now))]
    return {(plan.issuer, plan.area): (key, plan) for key, plan in found}


def _proposed(
    issuer: Issuer, area: str, key: UUID, plan: Plan, latest: dict[str, Figures], last: InForce | None, neighbour: int | None
) -> Proposed:
    summed = statistics.total(f for county, f in latest.items() if county.startswith(area))
    said = engine.propose(plan, summed, plan.farmers(area), neighbour)
    current = None if last is None else last.level
    level = None if said.level is None else plan.level(said.level)
    return Proposed(
        issuer=issuer, area=area, plan=key, title=plan.title.zh, document=plan.document, verified=plan.verified,
        decides=None if level is None else level.decides.zh, figures={k: str(v) for k, v in statistics.judged(summed).items()},
        proposal=said, current=current, act=engine.suggest(current, said.level),
    )  # fmt: skip


def _row(
    incident: UUID, decision: Decision, said: Proposed | None, held: tuple[UUID, Plan] | None, seq: int, current: int | None, actor: Actor
) -> responses.Row:
    matched = said is not None and said.proposal.level == decision.level and said.proposal.triggers
    level = None if held is None else held[1].level(decision.level or current or 0)
    return responses.Row(
        incident=incident, issuer=decision.issuer, area=decision.area, seq=seq, act=decision.act, level=decision.level,
        plan=None if held is None else held[0], indicator=said.proposal.triggers[0].indicator if said and matched else None,
        proposed=None if said is None else said.proposal.level, figures={} if said is None else said.figures,
        document=decision.document.strip(), decided_by="" if level is None else level.decides.zh, reason=check_reason(decision.reason),
        person=actor.person, decided_at=decision.decided_at,
    )  # fmt: skip


def _check(decision: Decision, now: datetime) -> None:
    if len(decision.area) != DIGITS[decision.issuer] or decision.area == NATION:
        raise Invalid("area", "地区与层级不符 · the area does not fit the level of government", field="area")
    if not 2 <= len(decision.document.strip()) <= 100:
        raise Invalid("document", "须填写文号 · give the document's number", field="document")
    if decision.decided_at.tzinfo is None or decision.decided_at > now:
        raise Invalid(
            "decided_at", "决定时间须带时区且不晚于现在 · the moment needs a time zone and lies not in the future", field="decided_at"
        )
