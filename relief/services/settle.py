"""Settle: take the bank's word row by row, move money only where everything agrees, and keep the rest as cases.

Files may come late, split, shuffled, twice or after the statement; the end is the same. Silence proves nothing: a payment without
an answer becomes unknown and leaves that state only by evidence (F17–F22 of the fault matrix).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs

from relief.domain import batch as batch_file
from relief.domain.batch import Layout, ResultFile, ResultRow
from relief.domain.errors import Conflict, Invalid
from relief.domain.moves import AWARD, BATCH, CONFIRMATION, PAYMENT, sources
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.sealing import Keys
from relief.services import notify
from relief.store import audits, bank_files, batches, db, funds, settlements
from relief.store.bank_files import Judged
from relief.store.db import Tx

#: The bank contradicts itself about one line: its award is held until a person has looked.
CONTRADICTIONS: Final = ("fail_after_success", "success_after_fail", "twice_in_file", "paid_twice")
#: What a row can be besides a case.
DISPOSITIONS: Final = ("matched", "repeat", "pending")
#: Letters written and queued at a time.
_LETTERS: Final = 10_000
#: A failure answers what is open; a credit is only undone by a 退票.
_UNANSWERED: Final = [status for status in sources(PAYMENT, "returned") if status != "paid"]
_FIRST_ANSWER: Final = [status for status in sources(BATCH, "acknowledged") if status != "settled"]


class Imported(msgspec.Struct, frozen=True):
    """What one file did. `paid + returned + reversed` moved money; `exceptions` are rows waiting for a person."""

    status: str  # 'imported' | 'refused' | 'repeat'
    kind: str  # 'result' | 'statement' | 'receipt'
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


class _Moves(msgspec.Struct, frozen=True):
    """The rows that move money, by what they do. `reversed` holds this file's 退票 and those that waited for their payment."""

    paid: list[Judged]
    returned: list[Judged]
    reversed: list[Judged]

    @property
    def kept(self) -> list[Judged]:
        """Paid and not undone by the same file."""
        undone = {m.payment for m in self.reversed}
        return [m for m in self.paid if m.payment not in undone]


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
        numbers = {parsed.batch_number, *(r.batch_number for r in parsed.rows)} - {""}
        known = await bank_files.lock_batches(tx, sorted(numbers))
        if parsed.kind == "receipt" and not known:
            raise Invalid("unknown_batch", "受理回执所指批次不是本系统的 · the receipt is for a batch that is not ours")
        if len({k.county for k in known}) > 1:
            raise Invalid("several_counties", "一个文件含多个县的批次 · the file holds batches of several counties")
    except Invalid as error:
        return await _refuse(tx, came, error)
    named = parsed.batch_number or next((r.batch_number for r in parsed.rows if r.batch_number), "")
    county = known[0].county if known else batch_file.county_of(named) or audits.SHARED
    batch = known[0].id if known and parsed.kind != "statement" else None
    require(came.actor, "bank.import", county)
    file, digest = uuid4(), batch_file.digest(came.content)
    sealed = await asyncio.to_thread(came.keys.seal, "bank_file", file, "sealed", came.content)
    if not await bank_files.add(tx, county, file, batch, parsed.kind, came.name, digest, sealed, "imported", parsed.reason, came.now):
        return await _again(tx, county, parsed.kind, parsed.batch_number, digest)
    await db.plan_for(tx, len(parsed.rows))
    hashes = await asyncio.to_thread(_account_hashes, came.keys, parsed.rows)
    judged = await bank_files.judge(tx, county, file, parsed.rows, hashes, came.now)
    moves = await _sort(tx, county, judged)
    act = await _note(tx, came, county, file, digest, parsed, moves)
    if batch is not None and parsed.kind == "receipt":
        await _receipt(tx, county, batch, parsed, came.now)
    await _move(tx, county, moves, act, came.now)
    await _follow(tx, county, judged, moves, came.now, came.keys)
    tally = Counter(j.verdict for j in judged)
    return Imported(
        "imported", parsed.kind, county, parsed.batch_number, file, len(moves.paid), len(moves.returned), len(moves.reversed),
        tally["repeat"], tally["pending"], await bank_files.open_cases(tx, county, file),
    )  # fmt: skip


async def _receipt(tx: Tx, county: str, batch: UUID, parsed: ResultFile, now: datetime) -> None:
    """The bank has the file. Turned down as a whole, its money stays in flight until two people have seen the bank's word for it."""
    await settlements.proven_sent(tx, county, [batch], now, sources(BATCH, "sent"))
    if not parsed.accepted:
        await batches.move(tx, county, [batch], "rejected", sources(BATCH, "rejected"))


async def _sort(tx: Tx, county: str, judged: Sequence[Judged]) -> _Moves:
    """A 退票 that came before its 成功 is taken up by the file that brings the payment."""
    by_outcome: dict[str, list[Judged]] = {"paid": [], "returned": [], "reversed": []}
    for one in judged:
        if one.verdict == "matched":
            by_outcome[one.outcome].append(one)
    paid = {one.payment: one for one in by_outcome["paid"]}
    waiting = [structs.replace(paid[w.payment], reason=w.reason) for w in await bank_files.parked(tx, county, list(paid))]
    return _Moves(by_outcome["paid"], by_outcome["returned"], by_outcome["reversed"] + waiting)


async def _note(tx: Tx, came: _File, county: str, file: UUID, digest: bytes, parsed: ResultFile, moves: _Moves) -> UUID:
    reused = await bank_files.name_reused(tx, county, came.name, digest)
    touched = {one.payment for one in (*moves.paid, *moves.returned, *moves.reversed)}
    detail = {
        "kind": parsed.kind, "rows": len(parsed.rows), "paid": len(moves.paid), "returned": len(moves.returned),
        "reversed": len(moves.reversed), "name_reused": reused,
    }  # fmt: skip
    return await audits.add(tx, county, came.actor, "bank.import", str(file), touched, came.now, detail)


async def post(tx: Tx, county: str, judged: Sequence[Judged], act: UUID, now: datetime, keys: Keys) -> None:
    """Book rows that two people found in a document of the bank, exactly as if a file of it had said so."""
    await db.plan_for(tx, len(judged))
    moves = await _sort(tx, county, judged)
    await _move(tx, county, moves, act, now)
    await _follow(tx, county, judged, moves, now, keys)


async def _move(tx: Tx, county: str, moves: _Moves, act: UUID, now: datetime) -> None:
    """Payment, instalment, transfer and balance move together, or the whole file waits for another attempt."""
    paid, returned, reversed_ = moves.paid, moves.returned, moves.reversed
    _all(paid, await settlements.pay(tx, county, _ids(paid), [m.bank_ref for m in paid], now, sources(PAYMENT, "paid")))
    _all(returned, await settlements.give_back(tx, county, _ids(returned), [m.reason for m in returned], now, _UNANSWERED))
    _all(paid, await settlements.move_instalments(tx, county, [m.instalment for m in paid], "settled", ["released"]))
    _all(reversed_, await settlements.give_back(tx, county, _ids(reversed_), [m.reason for m in reversed_], now, ["paid"]))
    _all(reversed_, await settlements.move_instalments(tx, county, [m.instalment for m in reversed_], "released", ["settled"]))
    for rows, source, target in ((paid, "in flight", "paid"), (returned, "in flight", "reserved"), (reversed_, "paid", "reserved")):
        await funds.record(tx, county, [(m.payment, m.fund, m.amount_fen) for m in rows], source, target, "payment", act, now)
    sums: dict[UUID, list[int]] = {}
    for place, rows in enumerate((paid, returned, reversed_)):
        for m in rows:
            sums.setdefault(m.fund, [0, 0, 0])[place] += m.amount_fen
    if sums and await settlements.book(tx, county, sums) != len(sums):
        raise Conflict("fund_moved", "资金在途余额不足以入账 · the fund has less in flight than the bank answers for")


async def _follow(tx: Tx, county: str, judged: Sequence[Judged], moves: _Moves, now: datetime, keys: Keys) -> None:
    """What follows from the rows: awards, batches, holds, confirmations and messages."""
    undone = {m.payment for m in moves.reversed}
    await settlements.complete(tx, county, [m.award for m in moves.kept], sources(AWARD, "completed"))
    if undone:
        await settlements.void_confirmation(tx, county, list(undone), sources(CONFIRMATION, "void"))
        await bank_files.close_parked(tx, county, list(undone), now)
    answered = sorted({j.batch for j in judged if j.batch is not None and j.verdict in DISPOSITIONS})
    await settlements.proven_sent(tx, county, answered, now, sources(BATCH, "sent"))
    await settlements.acknowledge(tx, county, answered, _FIRST_ANSWER)
    await settlements.settle(tx, county, answered, sources(BATCH, "settled"))
    contradicted = sorted({j.award for j in judged if j.verdict in CONTRADICTIONS})
    await settlements.freeze(tx, county, contradicted, now)
    if moves.paid:
        kept = moves.kept
        await settlements.await_confirmation(tx, county, _ids(kept), [m.household for m in kept], now)
        await _tell(tx, county, _ids(kept), now, keys)


async def _tell(tx: Tx, county: str, payments: Sequence[UUID], now: datetime, keys: Keys) -> None:
    """Letters to those who keep the money, a part at a time, so that memory does not grow with the file; a thread writes one part while the
    one before is queued and the next one is read."""
    ahead: notify.Letters | None = None
    for start in range(0, len(payments), _LETTERS):
        written = await notify.write(tx, county, payments[start : start + _LETTERS], keys)
        if ahead is not None:
            await notify.post(tx, county, ahead, now)
        ahead = written
    if ahead is not None:
        await notify.post(tx, county, ahead, now)


def _ids(rows: Sequence[Judged]) -> list[UUID]:
    return [row.payment for row in rows]


def _all(rows: Sequence[Judged], took: int) -> None:
    """The batch is locked and the rows were judged under that lock, so a row that will not move means a broken house."""
    if took != len(rows):
        raise Conflict(
            "moved_on", "支付或分期状态与回执不符，未入账 · a payment or instalment is not where it should be; nothing was booked"
        )


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
