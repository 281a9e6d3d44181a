"""Bring money in: a fund is a document that gives a county so much for one purpose of one incident."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from relief.domain.errors import Invalid, NotFound
from relief.domain.policy import Actor, require
from relief.store import audits, funds
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


async def allocate(tx: Tx, actor: Actor, new: NewFund, now: datetime) -> UUID:
    """Open the fund with its whole amount available; the same document twice for one purpose is a Conflict."""
    require(actor, "fund.allocate", new.county)
    fund = await funds.open_fund(
        tx, new.county, new.source, new.year, new.document, new.budget_item, new.purpose, new.incident, new.amount_fen
    )
    if fund is None:
        raise NotFound("incident_unknown", "没有该灾害事件 · no such incident")
    act = await audits.add(
        tx, new.county, actor, "fund.allocate", "fund", [fund], now, {"amount_fen": new.amount_fen, "purpose": new.purpose}
    )
    await funds.record(tx, new.county, [(fund, fund, new.amount_fen)], "allocated", "available", "fund", act, now)
    return fund


async def set_payer(tx: Tx, actor: Actor, county: str, name: str, account: str, now: datetime) -> None:
    """Name the office and the zero-balance account that stand on the county's batch files from now on."""
    require(actor, "fund.allocate", county)
    if not name.strip() or re.fullmatch(r"[0-9]{8,32}", account) is None:
        raise Invalid("payer", "须填写付款单位和8至32位数字的付款账号 · give the paying office and an account of 8 to 32 digits")
    await funds.set_payer(tx, county, funds.Payer(name.strip(), account))
    await audits.add(tx, county, actor, "payer.set", "payer", [], now)
