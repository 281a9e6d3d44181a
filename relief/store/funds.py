"""Funds and their two-legged transfers. A balance moves by one guarded UPDATE; the CHECKs are the last judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.errors import Conflict
from relief.store.db import Tx, many, maybe, run, value

_OPEN = """
INSERT INTO fund (county, source, year, document, budget_item, purpose, incident, drill, allocated_fen, available_fen, allotment, donor_purpose, valid_to)
SELECT $1, $2, $3, $4, $5, $6, i.id, i.drill, $8, $8, $9, $10, $11 FROM incident i WHERE i.id = $7
RETURNING id
"""
_OPEN_FOR = """
SELECT id, purpose, available_fen FROM fund
WHERE county = $1 AND incident = $2 AND purpose = ANY ($3::text[]) AND (valid_to IS NULL OR valid_to >= $4) ORDER BY year, id
"""
_GET = """
SELECT id, purpose, document, allocated_fen, available_fen, reserved_fen, in_flight_fen, paid_fen, allotment FROM fund
WHERE county = $1 AND id = $2 FOR UPDATE
"""
# allocated and available move together: by what comes in addition, or by what is cut, never below what nobody has reserved.
_ADJUST = """
UPDATE fund SET allocated_fen = allocated_fen + $3, available_fen = available_fen + $3 WHERE county = $1 AND id = $2 AND available_fen + $3 >= 0
"""
_MOVEMENT = """
SELECT t.id, t.fund, t.source, t.target, t.amount_fen, t.subject, EXISTS (SELECT FROM transfer c WHERE c.county = $1 AND c.corrects = t.id) AS corrected,
       t.corrects IS NOT NULL AS correction
FROM transfer t WHERE t.county = $1 AND t.id = $2
"""
_CORRECT = """
INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at, corrects)
SELECT county, fund, target, source, amount_fen, subject, subject_id, $3, $4, id FROM transfer WHERE county = $1 AND id = $2
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


class Whole(msgspec.Struct, frozen=True):
    """A fund with all its places, in fen, and the allotment it came from."""

    id: UUID
    purpose: str
    document: str
    allocated_fen: int
    available_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int
    allotment: UUID | None


class Movement(msgspec.Struct, frozen=True):
    """One transfer, and whether it was corrected or is a correction."""

    id: UUID
    fund: UUID
    source: str
    target: str
    amount_fen: int
    subject: str
    corrected: bool
    correction: bool


class Fund(msgspec.Struct, frozen=True):
    """A fund open for reservation."""

    id: UUID
    purpose: str
    available_fen: int


async def open_fund(
    tx: Tx, county: str, source: str, year: int, document: str, budget_item: str, purpose: str, incident: UUID, amount_fen: int,
    allotment: UUID | None = None, donor_purpose: str = "", valid_to: date | None = None,
) -> UUID | None:  # fmt: skip
    """A new fund, wholly available; None when the incident does not exist."""
    found: UUID | None = await value(
        tx, _OPEN, county, source, year, document, budget_item, purpose, incident, amount_fen, allotment, donor_purpose, valid_to
    )
    return found


async def get(tx: Tx, county: str, fund: UUID) -> Whole | None:
    """One fund, locked."""
    return await maybe(tx, _GET, Whole, county, fund)


async def adjust(tx: Tx, county: str, fund: UUID, amount_fen: int) -> bool:
    """allocated and available by so much more or (negative) less; False where less than that is available."""
    return await run(tx, _ADJUST, county, fund, amount_fen) == 1


async def movement(tx: Tx, county: str, transfer: UUID) -> Movement | None:
    """One transfer."""
    return await maybe(tx, _MOVEMENT, Movement, county, transfer)


async def correct(tx: Tx, county: str, transfer: UUID, act: UUID, now: datetime) -> None:
    """The opposite of that transfer, naming it; the unique key refuses a second one."""
    await run(tx, _CORRECT, county, transfer, act, now)


async def set_payer(tx: Tx, county: str, payer: Payer) -> None:
    """Write down who pays for a county; batches frozen before keep what they say."""
    await run(tx, _SET_PAYER, county, payer.name, payer.account)


async def payer(tx: Tx, county: str) -> Payer | None:
    """Who pays for that county."""
    return await maybe(tx, _PAYER, Payer, county)


async def open_for(tx: Tx, county: str, incident: UUID, purposes: Sequence[str], day: date) -> list[Fund]:
    """The county's funds for these aids that are valid on that day, oldest year first, as they stand now: who takes from them does so by a
    guarded update."""
    return await many(tx, _OPEN_FOR, Fund, county, incident, purposes, day)


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
