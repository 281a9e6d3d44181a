"""Stages wait for their evidence: submitted from the field, accepted 验收 by somebody else, paid at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import msgspec

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.services import stages
from relief.services.disburse import release_due
from relief.store import audits, db, evidence
from relief.store.db import Tx


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One document or photo for one stage; `digest` is the SHA-256 of its bytes, in hex."""

    instalment: UUID
    kind: str
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Accepted(msgspec.Struct, frozen=True):
    """What an acceptance did."""

    pieces: int
    payments: int


async def submit(tx: Tx, actor: Actor, county: str, items: Sequence[Piece], now: datetime) -> list[UUID]:
    """Hand in evidence for waiting stages; returns the ids of the pieces in the order given."""
    await db.plan_for(tx, len(items))
    waiting = {s.id: s for s in await evidence.stages(tx, county, [i.instalment for i in items])}
    if len(waiting) != len({i.instalment for i in items}):
        raise Conflict("not_waiting", "部分期次不在等待验收 · some stages are not waiting for evidence")
    require(actor, "evidence.submit", {s.village for s in waiting.values()})
    for position, item in enumerate(items):
        if waiting[item.instalment].condition != item.kind:
            raise Invalid(
                "evidence_kind", "材料种类与该期条件不符 · this is not the evidence the stage waits for", field=f"items[{position}].kind"
            )
    rows = [(uuid4(), i.instalment, i.kind, bytes.fromhex(i.digest), i.note) for i in items]
    await evidence.submit(tx, county, actor.person, now, rows)
    ids = [r[0] for r in rows]
    await audits.add(tx, county, actor, "evidence.submit", "evidence", ids, now)
    return ids


async def accept(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> Accepted:
    """Accept evidence; its instalments fall due and are released for payment in the same transaction."""
    await db.plan_for(tx, len(ids))
    found = await evidence.open_for(tx, county, sorted(set(ids)), actor.person)
    if not found or len(found) != len(set(ids)):
        raise Conflict("moved_on", "部分材料已被处理，请刷新 · some evidence was dealt with meanwhile, refresh")
    require(actor, "evidence.accept", {f.village for f in found})
    if own := sum(f.own for f in found):
        raise Refused("own_registration", f"其中 {own} 户由您本人登记，须由他人验收 · you registered {own} of them yourself", count=own)
    if early := sum(f.early for f in found):
        raise Conflict(
            "earlier_stage", f"其中 {early} 户前一期尚未到账 · {early} of them have an earlier stage that is not settled", count=early
        )
    await evidence.accept(tx, county, [f.id for f in found], [f.instalment for f in found], actor.person, now)
    await audits.add(tx, county, actor, "evidence.accept", "evidence", [f.id for f in found], now)
    awards = sorted({f.award for f in found})
    paid = await release_due(tx, county, awards, now) + await stages.catch_up(tx, county, awards, now)
    return Accepted(pieces=len(found), payments=paid)
