"""Book a payment by a document of the bank where no file of it says what became of the money: one person proposes, another confirms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain.bank_cases import CONTRADICTIONS
from relief.domain.batch import REASONS
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.services import settle
from relief.store import audits, exceptions, verdicts
from relief.store.bank_files import Judged
from relief.store.db import Tx
from relief.store.verdicts import Judgeable


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bank's document shows; `digest` is the SHA-256 of its scan in hex. `reason` (F01–F99) where the money did not stay."""

    outcome: Literal["paid", "returned"]
    document: Annotated[str, msgspec.Meta(min_length=2, max_length=100)]
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    reason: str = "F99"


async def propose(tx: Tx, actor: Actor, county: str, payments: Sequence[UUID], finding: Finding, now: datetime) -> list[UUID]:
    """Propose; returns the verdicts. Refused for a payment the bank has answered and for one that may still be answered in time."""
    require(actor, "bank.verdict", county)
    if finding.reason not in REASONS:
        raise Invalid("reason", "原因须为F01至F13或F99 · a reason is F01–F13 or F99", field="reason")
    await _judgeable(tx, county, payments, finding.outcome)
    rows = [(uuid4(), payment) for payment in sorted(set(payments))]
    reason = finding.reason if finding.outcome == "returned" else ""
    digest = bytes.fromhex(finding.digest)
    await verdicts.propose(
        tx, county, rows, finding.outcome, reason, finding.document.strip(), digest, finding.note.strip(), actor.person, now
    )
    ids = [i for i, _ in rows]
    await audits.add(tx, county, actor, "bank.verdict", "verdict", ids, now, {"outcome": finding.outcome, "document": finding.digest})
    return ids


async def confirm(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime, keys: Keys) -> int:
    """A second person has read the document: the money is booked as it says. Returns payments moved."""
    found = await _waiting(tx, actor, county, ids)
    if any(v.proposed_by == actor.person for v in found):
        raise Refused("same_person", "提出人不能自己确认 · whoever proposed it may not confirm it")
    stand = {
        j.payment: j
        for o in ("paid", "returned")
        if (of := [v.payment for v in found if v.outcome == o])
        for j in await _judgeable(tx, county, of, o)
    }
    await verdicts.decide(tx, county, [v.id for v in found], "confirmed", actor.person, now)
    judged = [_row(stand[v.payment], v.outcome, v.reason) for v in found]
    act = await audits.add(tx, county, actor, "bank.verdict.confirm", "verdict", [v.id for v in found], now, {"payments": len(judged)})
    await settle.post(tx, county, judged, act, now, keys)
    cases = await exceptions.of_payments(tx, county, [v.payment for v in found])
    if cases:
        await exceptions.close(tx, county, cases, "verdict", "verdict", actor.person, now)
        await exceptions.lift(tx, county, sorted({c.award for c in cases if c.award}), now, sorted(CONTRADICTIONS))
    return len(judged)


async def refuse(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> int:
    """The document does not show it: nothing moves. Returns how many."""
    found = await _waiting(tx, actor, county, ids)
    if any(v.proposed_by == actor.person for v in found):
        raise Refused("same_person", "提出人不能自己驳回 · whoever proposed it may not refuse it")
    await audits.add(tx, county, actor, "bank.verdict.refuse", "verdict", [v.id for v in found], now)
    return await verdicts.decide(tx, county, [v.id for v in found], "refused", actor.person, now)


async def _waiting(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID]) -> list[verdicts.Proposed]:
    require(actor, "bank.verdict.confirm", county)
    found = await verdicts.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)):
        raise Conflict("moved_on", "部分认定已被处理，请刷新 · some of these were dealt with meanwhile, refresh")
    return found


async def _judgeable(tx: Tx, county: str, payments: Sequence[UUID], outcome: str) -> list[Judgeable]:
    found = await verdicts.judgeable(tx, county, sorted(set(payments)))
    if not found or len(found) != len(set(payments)) or not all(_open(j, outcome) for j in found):
        raise Conflict(
            "not_unknown", "只有状态未知、整批被拒或入账后退回的支付可按凭证认定 · only a payment that is unknown, of a batch turned down, or paid and come back may be booked so"
        )  # fmt: skip
    return found


def _open(j: Judgeable, outcome: str) -> bool:
    """Silence and a file turned down may end either way; a credit can only be found to have come back."""
    return j.status == "unknown" or (j.status == "sent" and j.batch_status == "rejected") or (j.status == "paid" and outcome == "returned")


def _row(j: Judgeable, outcome: str, reason: str) -> Judged:
    moved = "reversed" if j.status == "paid" else outcome
    return Judged("matched", moved, j.amount_fen, reason or None, None, j.payment, j.batch, j.fund, j.award, j.instalment, j.household)
