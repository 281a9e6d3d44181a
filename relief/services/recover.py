"""追回: claim what was paid too much, write for it, book what comes back, set it off against a later stage, or write it off by two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.moves import AWARD, sources
from relief.domain.policy import Actor, require
from relief.store import audits, claims, funds, recoveries, settlements
from relief.store.claims import Case, Entry
from relief.store.db import Tx

#: A case opened by hand is looked into within so many working days.
CASE_WORKING_DAYS: Final = 5

Ground = Literal["consent", "decision"]


async def open_case(tx: Tx, actor: Actor, county: str, payment: UUID, amount_fen: int, why: str, now: datetime) -> UUID:
    """A payment should not have been made, or not so high: a case with its claim."""
    require(actor, "recovery.work", county)
    made, due = uuid4(), add_working_days(beijing_day(now), CASE_WORKING_DAYS)
    if not await claims.open_case(tx, county, made, payment, now, due):
        raise Conflict("not_paid", "该支付未到账，或已有未结的追回案件 · the payment is not paid, or an open case is about it already")
    await audits.add(tx, county, actor, "recovery.open", "recovery", [made], now, {"amount_fen": amount_fen})
    await claim(tx, actor, county, made, amount_fen, why, now)
    return made


async def open_by_reference(tx: Tx, actor: Actor, county: str, reference: str, amount_fen: int, why: str, now: datetime) -> UUID:
    """The same, by the 业务流水号 that stands on every list."""
    require(actor, "recovery.work", county)
    payment = await claims.payment_of(tx, county, reference.strip().upper())
    if payment is None:
        raise Invalid("reference", "本县没有这个业务流水号 · no payment of this county has that reference", field="reference")
    return await open_case(tx, actor, county, payment, amount_fen, why, now)


async def claim(tx: Tx, actor: Actor, county: str, case: UUID, amount_fen: int, why: str, now: datetime) -> UUID:
    """So much is asked back; never more than was paid of it."""
    found = await _open(tx, actor, "recovery.work", county, case)
    _written(why)
    if not 0 < amount_fen <= found.paid_fen - found.claimed_fen:
        raise Invalid(
            "amount",
            "追回金额须大于零，且不超过已到账未追金额 · more than zero and not more than was paid and is not claimed yet",
            field="amount",
        )
    return await _enter(tx, actor, county, found, "claim", amount_fen, "done", now, note=why)


async def letter(tx: Tx, actor: Actor, county: str, case: UUID, document: str, now: datetime) -> UUID:
    """A letter went out over what is owed now; the page prints it."""
    found = await _open(tx, actor, "recovery.work", county, case)
    _owing(found, 1)
    _written(document)
    return await _enter(tx, actor, county, found, "letter", found.outstanding_fen, "done", now, document=document)


async def repay(tx: Tx, actor: Actor, county: str, case: UUID, amount_fen: int, document: str, now: datetime) -> UUID:
    """Money came back to the paying account: paid → available in the fund it came from, by an opposite transfer. `document`: the bank's slip."""
    found = await _open(tx, actor, "recovery.work", county, case)
    _owing(found, amount_fen)
    _written(document)
    if found.fund is None or not await claims.repaid(tx, county, found.fund, amount_fen):
        raise Conflict("fund_short", "资金已付余额不足，未入账 · the fund has not paid so much; nothing was booked")
    made = uuid4()
    await claims.add(tx, county, made, case, "repayment", amount_fen, "done", actor.person, now, document=document)
    act = await audits.add(tx, county, actor, "recovery.repayment", "recovery", [case], now, {"amount_fen": amount_fen})
    await funds.record(tx, county, [(case, found.fund, amount_fen)], "paid", "available", "recovery", act, now)
    return made


async def propose_offset(
    tx: Tx, actor: Actor, county: str, case: UUID, stage: UUID, amount_fen: int, ground: Ground, document: str, now: datetime
) -> UUID:  # fmt: skip
    """Set off against a stage that has not left, by the household's consent or a decision; counts when a second person agrees."""
    found = await _open(tx, actor, "recovery.work", county, case)
    _owing(found, amount_fen)
    _written(document)
    await _stage(tx, county, found, stage, amount_fen)
    return await _enter(tx, actor, county, found, "offset", amount_fen, "proposed", now, instalment=stage, ground=ground, document=document)


async def propose_write_off(tx: Tx, actor: Actor, county: str, case: UUID, amount_fen: int, why: str, now: datetime) -> UUID:
    """Give up so much of the claim; counts when a second person agrees."""
    found = await _open(tx, actor, "recovery.work", county, case)
    _owing(found, amount_fen)
    _written(why)
    return await _enter(tx, actor, county, found, "write off", amount_fen, "proposed", now, note=why)


async def decide(tx: Tx, actor: Actor, county: str, entries: Sequence[UUID], agree: bool, now: datetime) -> int:
    """The second person's word on set-offs and write-offs; returns how many took effect."""
    require(actor, "recovery.decide", county)
    found = await claims.lock(tx, county, sorted(set(entries)))
    if not found or len(found) != len(set(entries)):
        raise Conflict("moved_on", "部分事项已被处理，请刷新 · some of these were dealt with meanwhile, refresh")
    if any(e.by_person == actor.person for e in found):
        raise Refused("same_person", "提出人不能自己决定 · whoever proposed it may not decide it")
    act = await audits.add(tx, county, actor, "recovery.decide", "recovery", [e.id for e in found], now, {"agreed": agree})
    for entry in found if agree else []:
        case = await _open(tx, actor, "recovery.decide", county, entry.recovery)
        if entry.amount_fen > case.outstanding_fen:
            raise Conflict("owed_less", "所欠已少于该金额，请重新提出 · less than that is owed now, propose it again")
        if entry.kind == "offset":
            await _set_off(tx, county, case, entry, act, now)
    await claims.decide(tx, county, [e.id for e in found], "done" if agree else "refused", actor.person, now)
    return len(found) if agree else 0


async def close(tx: Tx, actor: Actor, county: str, case: UUID, answer: str, now: datetime) -> int:
    """Everything that was claimed is repaid, set off or written off: the case ends, and what a new decision left right may be paid again.

    Returns how many holds ended: those of a case whose later decision granted less, where that much has been met.
    """
    found = await _open(tx, actor, "recovery.close", county, case)
    _written(answer)
    if not found.claimed_fen or found.outstanding_fen or found.proposed_fen:
        raise Conflict("still_owed", "尚有未追回或待决定的金额，不能办结 · something is still owed or undecided")
    await recoveries.close(tx, county, [case], actor.person, now, answer.strip())
    right_again = found.reason == "decision changed" and found.met_fen >= (found.over_fen or 0)
    lifted = await recoveries.lift(tx, county, [case], now) if right_again else 0
    await audits.add(tx, county, actor, "recovery.close", "recovery", [case], now, {"met_fen": found.met_fen, "released": lifted})
    return lifted


async def _set_off(tx: Tx, county: str, case: Case, entry: Entry, act: UUID, now: datetime) -> None:
    """The stage pays less, and what it would have paid is available in its fund again."""
    assert entry.instalment is not None, "a check of the table"
    stage = await _stage(tx, county, case, entry.instalment, entry.amount_fen)
    if not await claims.set_off(tx, county, stage, entry.amount_fen) or not await claims.freed(tx, county, stage.fund, entry.amount_fen):
        raise Conflict("moved_on", "该期已变化，未抵扣 · the stage has moved on; nothing was set off")
    await funds.record(tx, county, [(stage.award, stage.fund, entry.amount_fen)], "reserved", "available", "award", act, now)
    await settlements.complete(tx, county, [stage.award], sources(AWARD, "completed"))


async def _stage(tx: Tx, county: str, case: Case, wanted: UUID, amount_fen: int) -> claims.Stage:
    """That stage, if it may be set off against: of the same household and the same fund, not released, at least so high."""
    found = await claims.stages(tx, county, case.household, case.fund) if case.fund else []
    stage = next((s for s in found if s.id == wanted), None)
    if stage is None or stage.amount_fen < amount_fen:
        raise Conflict(
            "no_such_stage", "没有这样的待付期次：须同户、同一资金、尚未发放且金额足够 · no such stage: same household and fund, not released, high enough"
        )  # fmt: skip
    return stage


async def _open(tx: Tx, actor: Actor, action: str, county: str, case: UUID) -> Case:
    require(actor, action, county)
    found = await claims.case(tx, county, case)
    if found is None or found.status != "open":
        raise Conflict("case_closed", "案件不存在或已办结 · the case does not exist or is closed already")
    return found


def _owing(case: Case, amount_fen: int) -> None:
    if not 0 < amount_fen <= case.outstanding_fen - case.proposed_fen:
        raise Invalid("amount", "金额须大于零，且不超过尚欠金额 · more than zero and not more than is still owed", field="amount")


def _written(text: str) -> None:
    if not text.strip():
        raise Invalid("note", "请写明依据 · say on what ground", field="note")


async def _enter(
    tx: Tx, actor: Actor, county: str, case: Case, kind: str, amount_fen: int, status: str, now: datetime, *, instalment: UUID | None = None,
    ground: str = "", document: str = "", note: str = "",
) -> UUID:  # fmt: skip
    made = uuid4()
    await claims.add(
        tx, county, made, case.id, kind, amount_fen, status, actor.person, now, instalment=instalment, ground=ground, document=document.strip(),
        note=note.strip(),
    )  # fmt: skip
    await audits.add(tx, county, actor, f"recovery.{kind.replace(' ', '_')}", "recovery", [case.id], now, {"amount_fen": amount_fen})
    return made
