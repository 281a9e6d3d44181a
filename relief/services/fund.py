"""Bring money in: a fund is a document that gives a county so much for one purpose of one incident.

It may come down the levels: a province's or city's allotment is passed on as long as there is enough of it. What was entered wrongly is put
right by the opposite transfer, which names the wrong one; a budget is cut only as far as nobody has reserved it.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict, Invalid, NotFound
from relief.domain.money import display
from relief.domain.policy import Actor, require
from relief.store import allotments, audits, funds
from relief.store.db import Tx


class NewFund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An allocation notice 指标文件. `purpose` is the aid it may pay for; the amount is in fen."""

    county: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
    incident: UUID
    source: Literal["central", "province", "city", "county", "donation"]
    year: Annotated[int, msgspec.Meta(ge=2000, le=2100)]
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    budget_item: Annotated[str, msgspec.Meta(pattern="^[0-9]{7}$")]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    amount_fen: Annotated[int, msgspec.Meta(gt=0, le=10**14)]
    allotment: UUID | None = None
    donor_purpose: Annotated[str, msgspec.Meta(max_length=200)] = ""
    valid_to: date | None = None


class NewAllotment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a province or city has for one purpose of one incident; `parent` is the allotment above it. The amount is in fen."""

    area: Annotated[str, msgspec.Meta(pattern="^([0-9]{2}|[0-9]{4})$")]
    incident: UUID
    source: Literal["central", "province", "city", "donation"]
    year: Annotated[int, msgspec.Meta(ge=2000, le=2100)]
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    budget_item: Annotated[str, msgspec.Meta(pattern="^[0-9]{7}$")]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    amount_fen: Annotated[int, msgspec.Meta(gt=0, le=10**14)]
    parent: UUID | None = None


async def allot(tx: Tx, actor: Actor, new: NewAllotment, now: datetime) -> UUID:
    """Write down what a level above the counties has; where it comes from another allotment, that one must still have so much."""
    require(actor, "fund.allot", new.area)
    if new.parent is not None:
        await _pass(tx, new.parent, new.area, new.purpose, new.incident, new.amount_fen)
    made = await allotments.open_(
        tx, new.parent, new.area, new.source, new.year, new.document, new.budget_item, new.purpose, new.incident, new.amount_fen, actor.person, now
    )  # fmt: skip
    if made is None:
        raise NotFound("incident_unknown", "没有该灾害事件 · no such incident")
    await audits.add(tx, audits.SHARED, actor, "fund.allot", "allotment", [made], now, {"amount_fen": new.amount_fen, "area": new.area})
    return made


async def _pass(tx: Tx, id_: UUID, to: str, purpose: str, incident: UUID, amount_fen: int) -> None:
    """Money goes down, to a place inside the area it is for, for the same purpose; Conflict with figures where too little is left."""
    above = await allotments.get(tx, id_)
    if above is None:
        raise NotFound("allotment_unknown", "没有该上级指标 · there is no such allotment")
    if not to.startswith(above.area) or len(to) <= len(above.area) or (above.purpose, above.incident) != (purpose, incident):
        raise Conflict(
            "allotment_differs", "与上级指标的地区、用途或灾害事件不符 · the allotment above is for another area, purpose or incident"
        )
    if not await allotments.pass_on(tx, id_, amount_fen):
        left = above.amount_fen - above.passed_fen
        raise Conflict(
            "allotment_short",
            f"上级指标余额不足：总额 {display(above.amount_fen)} 元，已下达 {display(above.passed_fen)} 元，余 {display(left)} 元，"
            f"本次 {display(amount_fen)} 元 · the allotment above has too little left",
            amount_fen=above.amount_fen, passed_fen=above.passed_fen, asked_fen=amount_fen,
        )  # fmt: skip


async def allocate(tx: Tx, actor: Actor, new: NewFund, now: datetime) -> UUID:
    """Open the fund with its whole amount available; the same document twice for one purpose is a Conflict."""
    require(actor, "fund.allocate", new.county)
    if new.donor_purpose and new.source != "donation":
        raise Invalid("donor_purpose", "只有捐赠资金才有捐赠人指定用途 · only a donation has a donor's purpose", field="donor_purpose")
    if new.allotment is not None:
        await _pass(tx, new.allotment, new.county, new.purpose, new.incident, new.amount_fen)
    fund = await funds.open_fund(
        tx, new.county, new.source, new.year, new.document, new.budget_item, new.purpose, new.incident, new.amount_fen, new.allotment,
        new.donor_purpose.strip(), new.valid_to,
    )  # fmt: skip
    if fund is None:
        raise NotFound("incident_unknown", "没有该灾害事件 · no such incident")
    act = await audits.add(
        tx, new.county, actor, "fund.allocate", "fund", [fund], now, {"amount_fen": new.amount_fen, "purpose": new.purpose}
    )
    await funds.record(tx, new.county, [(fund, fund, new.amount_fen)], "allocated", "available", "fund", act, now)
    return fund


async def adjust(tx: Tx, actor: Actor, county: str, fund: UUID, amount_fen: int, document: str, now: datetime) -> None:
    """追加 or 追减: a further document changes what the fund was given (fen, negative cuts). Cutting below what is reserved is a Conflict."""
    require(actor, "fund.allocate", county)
    if not amount_fen or not document.strip():
        raise Invalid("adjustment", "须填写调整金额和文号 · give the amount and the document of the change")
    held = await _held(tx, county, fund)
    if held.allotment is not None and amount_fen > 0 and not await allotments.pass_on(tx, held.allotment, amount_fen):
        raise Conflict("allotment_short", "上级指标余额不足 · the allotment above has too little left")
    if not await funds.adjust(tx, county, fund, amount_fen):
        raise _too_low(held, amount_fen)
    if held.allotment is not None and amount_fen < 0:
        await allotments.pass_on(tx, held.allotment, amount_fen)
    act = await audits.add(
        tx, county, actor, "fund.adjust", "fund", [fund], now, {"amount_fen": amount_fen, "document": document.strip()[:100]}
    )
    places = ("allocated", "available") if amount_fen > 0 else ("available", "allocated")
    await funds.record(tx, county, [(fund, fund, abs(amount_fen))], *places, "fund", act, now)


async def correct(tx: Tx, actor: Actor, county: str, transfer: UUID, reason: str, now: datetime) -> None:
    """Undo an entry of a fund by its opposite, which names it; what is reserved of it cannot be undone. Not by whom it was entered for."""
    require(actor, "fund.correct", county)
    if not reason.strip():
        raise Invalid("reason", "请写明更正原因 · say why it is corrected", field="reason")
    found = await funds.movement(tx, county, transfer)
    if found is None or found.subject != "fund":
        raise NotFound("transfer_unknown", "没有该笔资金登记 · there is no such entry of a fund")
    if found.corrected or found.correction:
        raise Conflict("corrected_already", "该笔已更正，或本身就是更正 · it was corrected already, or is a correction itself")
    held = await _held(tx, county, found.fund)
    change = found.amount_fen if found.source == "available" else -found.amount_fen
    if not await funds.adjust(tx, county, found.fund, change):
        raise _too_low(held, change)
    if held.allotment is not None:
        await allotments.pass_on(tx, held.allotment, change)
    act = await audits.add(
        tx,
        county,
        actor,
        "fund.correct",
        "fund",
        [found.fund],
        now,
        {"amount_fen": change, "transfer": str(transfer), "reason": reason.strip()[:200]},
    )
    await funds.correct(tx, county, transfer, act, now)


async def _held(tx: Tx, county: str, fund: UUID) -> funds.Whole:
    held = await funds.get(tx, county, fund)
    if held is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return held


def _too_low(held: funds.Whole, change_fen: int) -> Conflict:
    used = held.reserved_fen + held.in_flight_fen + held.paid_fen
    return Conflict(
        "below_reserved",
        f"不能压减到已用数以下：下达 {display(held.allocated_fen)} 元，已预留、在途和已付 {display(used)} 元，可压减 {display(held.available_fen)} 元，"
        f"本次 {display(-change_fen)} 元 · the budget cannot be cut below what is reserved, on its way or paid",
        allocated_fen=held.allocated_fen, used_fen=used, available_fen=held.available_fen, asked_fen=-change_fen,
    )  # fmt: skip


async def set_payer(tx: Tx, actor: Actor, county: str, name: str, account: str, now: datetime) -> None:
    """Name the office and the zero-balance account that stand on the county's batch files from now on."""
    require(actor, "fund.allocate", county)
    if not name.strip() or re.fullmatch(r"[0-9]{8,32}", account) is None:
        raise Invalid("payer", "须填写付款单位和8至32位数字的付款账号 · give the paying office and an account of 8 to 32 digits")
    await funds.set_payer(tx, county, funds.Payer(name.strip(), account))
    await audits.add(tx, county, actor, "payer.set", "payer", [], now)
