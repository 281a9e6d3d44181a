"""Move a running activation to another version of its playbook or zone: drafted, its effect looked at, confirmed by a second person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.services import activate
from relief.services.compare import Comparison, compare
from relief.services.preview import Scenario
from relief.store import activations, audits, moves, playbooks
from relief.store.db import Tx
from relief.store.moves import Move


async def draft(tx: Tx, actor: Actor, activation: UUID, zone: UUID, playbook: UUID, reason: str, now: datetime) -> UUID:
    """Draft the move of an activation to this zone and playbook version (one of them may stay). Nothing changes yet.

    Conflict where a version is not in force, the activation has ended or another move waits; Invalid where nothing would change, the
    playbook is another one (not another version) or does not fit the zone.
    """
    said = reason.strip()
    if not said:
        raise Invalid("reason", "须写明理由 · give the reason", field="reason")
    act = await activations.lock(tx, activation)
    await _require(tx, actor, act.incident, zone)
    if act.status == "ended":
        raise Conflict("activation_ended", "该启动已结束 · this activation has ended")
    if (act.zone, act.playbook) == (zone, playbook):
        raise Invalid("same_versions", "版本没有变化 · these are the versions it has already", field="playbook")
    await _check(tx, act.incident, act.playbook, zone, playbook)
    made = await moves.insert(tx, activation, act.zone, act.playbook, zone, playbook, said, actor.person, now)
    detail = {"zone": str(zone), "playbook": str(playbook)}
    await audits.add(tx, audits.SHARED, actor, "activation.draft_move", "activation_move", [made], now, detail)
    return made


async def effect(tx: Tx, actor: Actor, move: UUID, now: datetime) -> Comparison:
    """Who gets more, less, the same if the move is confirmed, by today's figures."""
    found = await moves.get(tx, move)
    incident = (await activations.get(tx, found.activation)).incident
    before, after = Scenario(found.from_zone, found.from_playbook), Scenario(found.zone, found.playbook)
    return await compare(tx, actor, incident, before, after, now)


async def confirm(tx: Tx, actor: Actor, move: UUID, now: datetime) -> None:
    """Another person confirms: from now on the counties decide by the new versions. What was decided stays until they do.

    Conflict where the activation or one of the versions has moved on since the draft.
    """
    found = await moves.lock(tx, move)
    act = await activations.lock(tx, found.activation)
    await _require(tx, actor, act.incident, found.zone)
    if found.drafted_by == actor.person:
        raise Refused("same_person", "版本调整须由另一人确认 · another person must confirm the move")
    await _check(tx, act.incident, act.playbook, found.zone, found.playbook)
    if await moves.end(tx, move, "in force", actor.person, now) != 1:
        raise Conflict("not_a_draft", "该版本调整已处理 · this move was dealt with already", status=found.status)
    if await activations.move_both(tx, act.id, (found.from_zone, found.from_playbook), (found.zone, found.playbook)) != 1:
        raise Conflict("moved_on", "该启动的版本已变化，请重新拟稿 · the activation has moved on, draft again")
    detail = {"activation": str(act.id), "zone": str(found.zone), "playbook": str(found.playbook)}
    await audits.add(tx, audits.SHARED, actor, "activation.move", "activation_move", [move], now, detail)


async def withdraw(tx: Tx, actor: Actor, move: UUID, now: datetime) -> None:
    """Give a draft up; its drafter may do it too."""
    found = await moves.lock(tx, move)
    await _require(tx, actor, (await activations.get(tx, found.activation)).incident, found.zone)
    if await moves.end(tx, move, "withdrawn", actor.person, now) != 1:
        raise Conflict("not_a_draft", "该版本调整已处理 · this move was dealt with already", status=found.status)
    await audits.add(tx, audits.SHARED, actor, "activation.withdraw_move", "activation_move", [move], now)


async def waiting(tx: Tx, activation: UUID) -> Move | None:
    """The move of this activation that waits for its second person."""
    return await moves.draft_of(tx, activation)


async def _require(tx: Tx, actor: Actor, incident: UUID, zone: UUID) -> None:
    counties = [c.county for c in await activations.counties(tx, zone)]
    require(actor, "activation.propose", counties or [(await activations.incident(tx, incident)).county])


async def _check(tx: Tx, incident: UUID, old: UUID, zone: UUID, playbook: UUID) -> None:
    await activate.check_zone(tx, incident, zone)
    if (await playbooks.get(tx, old)).key != (await playbooks.get(tx, playbook)).key:
        raise Invalid("another_playbook", "只能换用同一方案的另一版本 · only another version of the same playbook", field="playbook")
    await activate.check_playbook(tx, await activations.incident(tx, incident), zone, playbook)
