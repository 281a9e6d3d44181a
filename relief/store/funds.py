"""Funds and their two-legged transfers. A balance moves by one guarded UPDATE; the CHECKs are the last judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict
from relief.store.db import Tx, many, maybe, run, value

_OPEN = """
INSERT INTO fund (county, source, year, document, budget_item, purpose, incident, drill, allocated_fen, available_fen)
SELECT $1, $2, $3, $4, $5, $6, i.id, i.drill, $8, $8 FROM incident i WHERE i.id = $7
RETURNING id
"""
_OPEN_FOR = """
SELECT id, purpose, available_fen FROM fund
WHERE county = $1 AND incident = $2 AND purpose = ANY ($3::text[]) ORDER BY year, id
"""
# A move of money inside a fund names what it takes from, so a balance can never pass below zero.
_DEPART = """
UPDATE fund f SET reserved_fen = reserved_fen - t.fen, in_flight_fen = in_flight_fen + t.fen
FROM unnest($2::uuid[], $3::bigint[]) AS t (id, fen) WHERE f.county = $1 AND f.id = t.id AND f.reserved_fen >= t.fen
"""
_TRANSFERS = """
INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
SELECT $1, f.id, $5, $6, t.fen, $7, t.subject, $8, $9
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS t (subject, fund, fen) JOIN fund f ON f.county = $1 AND f.id = t.fund
"""

_SET_PAYER = """
INSERT INTO payer (county, name, account) VALUES ($1, $2, $3) ON CONFLICT (county) DO UPDATE SET name = excluded.name, account = excluded.account
"""
_PAYER = "SELECT name, account FROM payer WHERE county = $1"


class Payer(msgspec.Struct, frozen=True):
    """The paying office and its zero-balance account."""

    name: str
    account: str


class Fund(msgspec.Struct, frozen=True):
    """A fund open for reservation."""

    id: UUID
    purpose: str
    available_fen: int


async def open_fund(
    tx: Tx, county: str, source: str, year: int, document: str, budget_item: str, purpose: str, incident: UUID, amount_fen: int
) -> UUID | None:
    """A new fund, wholly available; None when the incident does not exist."""
    found: UUID | None = await value(tx, _OPEN, county, source, year, document, budget_item, purpose, incident, amount_fen)
    return found


async def set_payer(tx: Tx, county: str, payer: Payer) -> None:
    """Write down who pays for a county; batches frozen before keep what they say."""
    await run(tx, _SET_PAYER, county, payer.name, payer.account)


async def payer(tx: Tx, county: str) -> Payer | None:
    """Who pays for that county."""
    return await maybe(tx, _PAYER, Payer, county)


async def open_for(tx: Tx, county: str, incident: UUID, purposes: Sequence[str]) -> list[Fund]:
    """The county's funds for these aids, oldest year first, as they stand now: who takes from them does so by a guarded update."""
    return await many(tx, _OPEN_FOR, Fund, county, incident, purposes)


async def depart(tx: Tx, county: str, sums: Mapping[UUID, int]) -> None:
    """reserved → in flight, per fund, in fen."""
    await _move(tx, _DEPART, county, sums, "reserved")


async def record(
    tx: Tx, county: str, rows: Sequence[tuple[UUID, UUID, int]], source: str, target: str, subject: str, act: UUID, now: datetime
) -> None:
    """Write the transfers (subject id, fund, fen) that a move of balances consists of."""
    subjects, funds, amounts = zip(*rows, strict=True) if rows else ((), (), ())
    if await run(tx, _TRANSFERS, county, list(subjects), list(funds), list(amounts), source, target, subject, act, now) != len(rows):
        raise Conflict("fund_moved", "资金不存在，未动账 · a fund is not there; nothing moved")


async def _move(tx: Tx, sql: str, county: str, sums: Mapping[UUID, int], place: str) -> None:
    if await run(tx, sql, county, list(sums), list(sums.values())) != len(sums):
        raise Conflict("fund_short", f"资金“{place}”余额不足，未动账 · the fund holds too little as {place}; nothing moved", place=place)
