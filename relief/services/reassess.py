"""Look at households again: damage re-assessed, a missing person found dead. Facts change with their history kept, and the household is decided
anew at once, so that a top-up, a lapsed proposal or a recovery case follows and nothing changes in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from relief.domain.assessment import Changes, Reason, apply
from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.policy import Actor, require
from relief.services import decide
from relief.services.decide import Decided
from relief.store import assessments, audits, awards, db, guards
from relief.store.assessments import Assessment as Assessment
from relief.store.db import Tx
from relief.store.guards import Entitlement


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody found at one household, and why it is believed."""

    household: UUID
    changes: Changes
    reason: Reason


class Reassessed(msgspec.Struct, frozen=True):
    """How many households were changed, and what each activation of the county decided for them."""

    households: int
    decided: dict[str, Decided]


async def reassess(tx: Tx, actor: Actor, county: str, items: Sequence[Look], now: datetime) -> Reassessed:
    """Write new facts of these households (each once) and decide them again by every activation the county is active in.

    Who assesses signs like who registers: the same person cannot approve what follows. Conflict where a household is gone, a duplicate or
    rejected; Invalid where nothing changes or the figures cannot be, naming the item.
    """
    ids = [i.household for i in items]
    if not items or len(set(ids)) != len(ids):
        raise Invalid("households", "须列出住户，每户一次 · name the households, each once", field="items")
    await db.plan_for(tx, len(ids))
    places = await assessments.places(tx, county, ids)
    require(actor, "household.reassess", {p.village for p in places} or [county])
    active = await assessments.hold_parts(tx, county, sorted({p.incident for p in places}))
    standing = {s.id: s for s in await assessments.lock(tx, county, ids)}
    if len(standing) != len(ids):
        raise Conflict("moved_on", "部分住户不存在、重复或已退回，请刷新 · some households are gone, duplicates or rejected, refresh")
    rows = []
    for position, item in enumerate(items):
        was = standing[item.household]
        try:
            rows.append((item.household, was.known, apply(was.known, item.changes, was.members), item.reason.strip()))
        except Invalid as error:
            raise Invalid(error.code, error.message, field=f"items[{position}].{error.data.get('field', '')}") from None
    await assessments.write(tx, county, rows, actor.person, now)
    await audits.add(tx, county, actor, "household.reassess", "household", ids, now)
    return Reassessed(len(rows), {str(a): await decide.run(tx, actor, county, a, now, ids) for a in active})


async def history(tx: Tx, actor: Actor, county: str, household: UUID) -> list[Assessment]:
    """Every look at a household after its registration, first one first, with what was known before; NotFound outside the caller's area."""
    places = await assessments.places(tx, county, [household])
    if not places:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "decision.read", places[0].village)
    return await assessments.history(tx, county, household)


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proposed awards of a county that shall not be approved, and why."""

    awards: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=2000)]
    reason: Reason


async def withdraw(tx: Tx, actor: Actor, county: str, given: Withdrawal, now: datetime) -> int:
    """Take proposals back before anybody approved them; all or none. Their guards are given back unless approved money rests on them.

    How many guards. The decision stays; another proposal needs another decision (new facts, figures or rules).
    """
    ids = sorted(set(given.awards))
    await db.plan_for(tx, len(ids))
    gone = await awards.withdraw(tx, county, ids)
    if len(gone) != len(ids):
        raise Conflict("moved_on", "部分事项已变化，请刷新 · some items have moved on, refresh")
    require(actor, "award.withdraw", {a.village for a in gone})
    freed = 0
    for (incident, aid, period), households in _by_entitlement(gone).items():
        entitlement = Entitlement(incident=incident, aid=aid, period=period, guard="member")
        freed += await guards.release(tx, county, entitlement, b"".join(h.bytes for h in households))
    await audits.add(tx, county, actor, "award.withdraw", "award", ids, now, {"reason": given.reason, "guards": freed})
    return freed


def _by_entitlement(gone: Sequence[awards.Withdrawn]) -> dict[tuple[UUID, str, str], list[UUID]]:
    groups: dict[tuple[UUID, str, str], list[UUID]] = {}
    for a in gone:
        groups.setdefault((a.survivor, a.aid, a.period), []).append(a.household)
    return groups
