"""Settle: take the bank's word row by row, move money only where everything agrees, and keep the rest as cases.

Files may come late, split, shuffled, twice or after the statement; the end is the same. Silence proves nothing: a payment without
an answer becomes unknown and leaves that state only by evidence (F17–F22 of the fault matrix).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import batch as batch_file
from relief.domain.batch import Layout, ResultFile, ResultRow
from relief.domain.errors import Conflict, Invalid
from relief.domain.moves import AWARD, BATCH, CONFIRMATION, PAYMENT, sources
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.sealing import Keys
from relief.services import notify
from relief.store import audits, bank_files, settlements
from relief.store.db import Tx
from relief.store.settlements import Moved

#: The bank contradicts itself about one line: its award is held until a person has looked.
CONTRADICTIONS: Final = ("fail_after_success", "success_after_fail", "twice_in_file", "paid_twice")
#: From `unknown` and `sent` by evidence; `paid` leaves only through a 退票.
_OPEN: Final = sources(PAYMENT, "paid")
_FIRST_ANSWER: Final = [status for status in sources(BATCH, "acknowledged") if status != "settled"]


class Imported(msgspec.Struct, frozen=True):
    """What one file did. `paid + returned + reversed` moved money; `exceptions` are rows waiting for a person."""

    status: str  # 'imported' | 'refused' | 'repeat'
    kind: str  # 'result' | 'statement'
    county: str
    batch_number: str
    file: UUID
    paid: int = 0
    returned: int = 0
    reversed: int = 0
    repeat: int = 0
    pending: int = 0
    exceptions: int = 0
    code: str | None = None  # why it was refused, now or the first time
    row: int | None = None
    column: int | None = None


class _Three(msgspec.Struct):
    """A figure for each of the three moves: payments of a file, or fen of a fund."""

    paid: int = 0
    returned: int = 0
    reversed: int = 0


class _File(msgspec.Struct, frozen=True):
    """A file on its way in."""

    layout: Layout
    parse: Callable[[bytes], ResultFile]
    name: str
    content: bytes
    now: datetime
    keys: Keys
    actor: Actor


async def import_answer(tx: Tx, layout: Layout, name: str, content: bytes, now: datetime, keys: Keys, actor: Actor = SYSTEM) -> Imported:
    """Import whatever the bank left: a result file or a statement, told apart by its titles."""
    if layout.glimpse(content).kind == "statement":
        return await import_statement(tx, layout, name, content, now, keys, actor)
    return await import_result(tx, layout, name, content, now, keys, actor)


async def import_result(tx: Tx, layout: Layout, name: str, content: bytes, now: datetime, keys: Keys, actor: Actor = SYSTEM) -> Imported:
    """Import a result file. A refused file is kept and answered as refused, so the caller commits in either case."""
    return await _import(tx, _File(layout, layout.parse_result, name, content, now, keys, actor))


async def import_statement(tx: Tx, layout: Layout, name: str, content: bytes, now: datetime, keys: Keys, actor: Actor = SYSTEM) -> Imported:
    """Import a statement of the paying account: the last word on every line, and the only one on those never answered."""
    return await _import(tx, _File(layout, layout.parse_statement, name, content, now, keys, actor))


async def _import(tx: Tx, came: _File) -> Imported:
    try:
        parsed = await asyncio.to_thread(came.parse, came.content)
        known = await bank_files.lock_batches(tx, sorted({r.batch_number for r in parsed.rows if r.batch_number}))
        if len({k.county for k in known}) > 1:
            raise Invalid("several_counties", "一个文件含多个县的批次 · the file holds batches of several counties")
    except Invalid as error:
        return await _refuse(tx, came, error)
    named = next((r.batch_number for r in parsed.rows if r.batch_number), "")
    county = known[0].county if known else batch_file.county_of(named) or audits.SHARED
    batch = known[0].id if known and parsed.kind == "result" else None
    require(came.actor, "bank.import", county)
    file, digest = uuid4(), batch_file.digest(came.content)
    sealed = await asyncio.to_thread(came.keys.seal, "bank_file", file, "sealed", came.content)
    if not await bank_files.add(tx, county, file, batch, parsed.kind, came.name, digest, sealed, "imported", None, came.now):
        return await _again(tx, county, parsed.kind, parsed.batch_number, digest)
    hashes = await asyncio.to_thread(_account_hashes, came.keys, parsed.rows)
    await bank_files.judge(tx, county, file, parsed.rows, hashes, came.now)
    done = await _move(tx, came, county, file, digest, parsed)
    counts = await bank_files.counts(tx, county, file)
    return Imported(
        "imported", parsed.kind, county, parsed.batch_number, file, done.paid, done.returned, done.reversed,
        counts.repeat, counts.pending, counts.exceptions,
    )  # fmt: skip


async def _move(tx: Tx, came: _File, county: str, file: UUID, digest: bytes, parsed: ResultFile) -> _Three:
    """Let the matched rows act; returns how many payments were paid, returned and reversed."""
    now = came.now
    moving = await bank_files.matched(tx, county, file)
    reused = await bank_files.name_reused(tx, county, came.name, digest)
    detail = {"kind": parsed.kind, "rows": len(parsed.rows), "name_reused": reused}
    act = await audits.add(tx, county, came.actor, "bank.import", str(file), moving, now, detail)
    paid = await settlements.pay(tx, county, file, now, act, _OPEN)
    returned = await settlements.give_back(tx, county, file, now, act, [s for s in sources(PAYMENT, "returned") if s != "paid"])
    voidable = sources(CONFIRMATION, "void")
    reversed_ = await settlements.reverse(tx, county, file, now, act, ["paid"], voidable)
    done = _Three(*(sum(m.payments for m in moved) for moved in (paid, returned, reversed_)))
    if [m[0].instalments for m in (paid, reversed_) if m] != [n for n in (done.paid, done.reversed) if n]:
        raise Conflict("instalment_moved", "分期状态与支付不符，未入账 · an instalment is not where its payment says; nothing was booked")
    await _book(tx, county, paid, returned, reversed_)
    await settlements.complete(tx, county, file, sources(AWARD, "completed"))
    await settlements.proven_sent(tx, county, file, now, sources(BATCH, "sent"))
    await settlements.acknowledge(tx, county, file, _FIRST_ANSWER)
    await settlements.settle(tx, county, file, sources(BATCH, "settled"))
    await settlements.freeze(tx, county, file, now, CONTRADICTIONS)
    awaited = await settlements.await_confirmation(tx, county, file, now)
    if awaited:
        await notify.queue_paid(tx, county, awaited, now, came.keys)
    return done


async def _book(tx: Tx, county: str, paid: Sequence[Moved], returned: Sequence[Moved], reversed_: Sequence[Moved]) -> None:
    sums: dict[UUID, _Three] = {}
    for moved in paid:
        sums.setdefault(moved.fund, _Three()).paid += moved.fen
    for moved in returned:
        sums.setdefault(moved.fund, _Three()).returned += moved.fen
    for moved in reversed_:
        sums.setdefault(moved.fund, _Three()).reversed += moved.fen
    rows = [(fund, s.paid, s.returned, s.reversed) for fund, s in sums.items()]
    if rows and await settlements.book(tx, county, rows) != len(rows):
        raise Conflict("fund_moved", "资金在途余额不足以入账 · the fund has less in flight than the bank answers for")


async def _refuse(tx: Tx, came: _File, error: Invalid) -> Imported:
    """Keep a refused file under the county its batch number shows, or under none; nothing moves."""
    glimpse = came.layout.glimpse(came.content)
    county = batch_file.county_of(glimpse.batch_number) or audits.SHARED
    require(came.actor, "bank.import", county)
    known = await bank_files.lock_batches(tx, [glimpse.batch_number])
    batch = known[0].id if known and glimpse.kind == "result" else None
    file, digest = uuid4(), batch_file.digest(came.content)
    sealed = await asyncio.to_thread(came.keys.seal, "bank_file", file, "sealed", came.content)
    if not await bank_files.add(tx, county, file, batch, glimpse.kind, came.name, digest, sealed, "refused", error.code, came.now):
        return await _again(tx, county, glimpse.kind, glimpse.batch_number, digest)
    place = {key: at for key in ("row", "column") if isinstance(at := error.data.get(key), int)}
    await audits.add(
        tx, county, came.actor, "bank.refuse", str(file), [], came.now, {"code": error.code, "bytes": len(came.content), **place}
    )
    return Imported(
        "refused", glimpse.kind, county, glimpse.batch_number, file, code=error.code, row=place.get("row"), column=place.get("column")
    )


async def _again(tx: Tx, county: str, kind: str, number: str, digest: bytes) -> Imported:
    """The same bytes came before, under whatever name: nothing happens twice."""
    seen = await bank_files.seen(tx, county, digest)
    if seen is None:
        raise Conflict("file_seen", "该文件已导入 · this file was imported before")
    return Imported("repeat", kind, county, number, seen.id, repeat=seen.rows, code=seen.code)


def _account_hashes(keys: Keys, rows: Sequence[ResultRow]) -> list[bytes | None]:
    return [None if r.account is None else keys.index("account", r.account) for r in rows]


async def overdue(tx: Tx, now: datetime, after: timedelta) -> int:
    """sent → unknown for payments whose batch went out longer than `after` ago; how many. Their money stays in flight."""
    late = await settlements.overdue(tx, now - after, sources(PAYMENT, "unknown"))
    by_county = groupby(sorted(late, key=lambda one: (one.county, one.id.bytes)), key=lambda one: one.county)
    acts = [(county, [one.id.bytes for one in group]) for county, group in by_county]
    if acts:
        await settlements.note(tx, now, "payment.unknown", [(county, len(ids), audits.digest(ids)) for county, ids in acts])
    return len(late)
