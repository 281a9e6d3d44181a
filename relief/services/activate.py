"""From rules to a running clock: import playbook and figures, propose for an incident, draft and activate county by county.

Activation has two parts because law and funds do: the province or city proposes incident × zone × playbook; each county activates
its own part with its own document and cap, drafted by one person and activated by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.domain import playbook as playbooks_
from relief.domain import scrutiny, seasons, standard
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.services import enact, served
from relief.services.preview import Preview, preview
from relief.store import activations, audits, playbooks
from relief.store.activations import Activation, Incident
from relief.store.db import Tx

__all__ = ["Preview", "activate", "draft", "import_playbook", "load_standards", "preview", "propose"]


async def import_playbook(tx: Tx, actor: Actor, text: str, now: datetime) -> UUID:
    """`enact.draft_playbook`: a draft when a person brings it, in force at once when the installation does."""
    return await enact.draft_playbook(tx, actor, text, now)


async def load_standards(tx: Tx, actor: Actor, text: str, now: datetime) -> int:
    """`enact.draft_figures` of a file; how many are new: drafts when a person brings them, in force at once when the installation does."""
    return len(await enact.draft_figures(tx, actor, standard.read(text), now))


async def propose(tx: Tx, actor: Actor, incident: UUID, zone: UUID, playbook: UUID, now: datetime) -> UUID:
    """Propose a playbook for an incident's zone in force; counties activate their parts afterwards.

    Conflict where the incident is closed, the zone is not in force, or the incident already has an activation by this playbook.
    """
    found = await activations.lock_incident(tx, incident)
    counties = await activations.counties(tx, zone)
    require(actor, "activation.propose", [c.county for c in counties] or [found.county])
    if found.status == "closed":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    await check_zone(tx, incident, zone)
    await check_playbook(tx, found, zone, playbook)
    if await activations.live(tx, incident, playbook):
        raise Conflict("activation_exists", "该灾害已按此预案提出启动 · this incident already has an activation by this playbook")
    made = await activations.insert(tx, incident, zone, playbook, actor.person, now)
    await audits.add(tx, audits.SHARED, actor, "activation.propose", "activation", [made], now, {"counties": [c.county for c in counties]})
    return made


async def draft(tx: Tx, actor: Actor, county: str, activation: UUID, document: str, cap_fen: int, now: datetime) -> UUID:
    """Draft a county's part: the number of its own document and the most it may spend (fen). Once per county."""
    require(actor, "activation.draft", county)
    if not document.strip() or cap_fen <= 0:
        raise Invalid(
            "draft",
            "须填写文号和大于零的限额 · give the document's number and a cap above zero",
            field="document" if cap_fen > 0 else "cap_fen",
        )
    act = await activations.lock(tx, activation)
    if act.status == "ended":
        raise Conflict("activation_ended", "该启动已结束 · this activation has ended")
    await _check_county(tx, county, act)
    made = await activations.draft(tx, county, activation, document.strip(), cap_fen, actor.person, now)
    if made is None:
        raise Conflict("activation_exists", "该县已有本次启动 · this county already has this activation", county=county)
    await audits.add(tx, county, actor, "activation.draft", "county_activation", [made], now, {"cap_fen": cap_fen})
    return made


async def activate(tx: Tx, actor: Actor, county: str, county_activation: UUID, now: datetime) -> None:
    """Start the county's clock. Refused to whoever drafted it; Conflict when it is active already, the zone has moved on, it is not the
    playbook's season, or the response in force is of a level the playbook does not serve. The response it rests on is kept with it.

    The first county makes the activation active and the incident too.
    """
    require(actor, "activation.activate", county)
    part = await activations.lock_part(tx, county, county_activation)
    act = await activations.lock(tx, part.activation)
    if part.status != "drafted" or act.status == "ended":
        raise Conflict(
            "already_active", "该县已启动或启动已结束 · this county is active already, or the activation has ended", status=part.status
        )
    if part.drafted_by == actor.person:
        raise Refused("same_person", "启动须由拟稿人以外的人确认 · somebody other than the drafter must activate")
    incident = await activations.incident(tx, act.incident)
    if incident.status == "closed":
        raise Conflict("incident_closed", "灾害事件已结束 · the incident is closed")
    await check_zone(tx, act.incident, act.zone)
    await _check_county(tx, county, act)
    book = await check_playbook(tx, incident, act.zone, act.playbook)
    seasons.check(book, beijing_day(now))
    rests = await served.by(tx, act.incident, county, book)
    if await activations.activate(tx, county, county_activation, actor.person, now, rests.id if rests else None) != 1:
        raise Conflict("already_active", "该县已启动 · this county is active already")
    await activations.start(tx, act.id)
    if await activations.start_incident(tx, act.incident):
        moved = {"from": "reported", "to": "active"}
        await audits.add(tx, audits.SHARED, actor, "incident.move", "incident", [act.incident], now, moved)
    detail: dict[str, object] = {
        "cap_fen": part.cap_fen,
        "response": rests.document if rests else None,
        "level": rests.level if rests else None,
    }
    await audits.add(tx, county, actor, "activation.activate", "county_activation", [county_activation], now, detail)


async def check_zone(tx: Tx, incident: UUID, zone: UUID) -> None:
    """The zone is this incident's (NotFound) and in force (Conflict)."""
    found = await activations.zone(tx, zone)
    if found.incident != incident:
        raise NotFound("zone_unknown", "该灾害没有此灾区范围 · this incident has no such zone")
    if found.status != "in force":
        raise Conflict("zone_not_in_force", "该灾区范围未生效或已被新版取代 · this zone version is not in force", status=found.status)


async def _check_county(tx: Tx, county: str, act: Activation) -> None:
    if county not in [c.county for c in await activations.counties(tx, act.zone)]:
        raise Invalid("county_outside", "该县不在灾区范围内 · this county is outside the zone", county=county)


async def check_playbook(tx: Tx, incident: Incident, zone: UUID, playbook: UUID) -> Playbook:
    """The playbook is in force, still reads without fault, is for this hazard, and speaks of every band of the zone."""
    stored = await playbooks.get(tx, playbook)
    if stored.status != "in force":
        raise Conflict("playbook_not_in_force", "该处置方案尚未由第二人确认生效 · this playbook is not in force yet", status=stored.status)
    book = playbooks_.read(stored.body)
    if incident.hazard not in book.hazards:
        raise Invalid("playbook_hazard", "预案不适用于该灾种 · the playbook is not for this hazard", hazard=incident.hazard)
    check_bands(book, [b.level for b in await activations.bands(tx, zone)])
    for text in await activations.beside(tx, incident.id, playbook):
        _check_days(book, playbooks_.read(text))
    return book


def _check_days(book: Playbook, other: Playbook) -> None:
    """No day is paid twice, also not by two playbooks of one disaster."""
    if twice := scrutiny.same_days(book, other):
        one, two = twice
        raise Conflict(
            "same_days",
            f"{one.title.zh}与已启动的{two.title.zh}（{other.title.zh}）救助天数重叠 · the days of {one.code} overlap those of {two.code} in {other.key}",
            aid=one.code, other=two.code, playbook=other.key,
        )  # fmt: skip


def check_bands(book: Playbook, levels: Sequence[int]) -> None:
    """Refuse a zone with bands the playbook says nothing about: silence would read as “no”."""
    if unknown := sorted(set(levels) - {b.level for b in book.bands}):
        raise Invalid(
            "playbook_bands", f"预案未规定烈度 {unknown} 的救助 · the playbook says nothing of the levels {unknown}", levels=unknown
        )
