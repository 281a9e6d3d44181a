"""Freeze payments into batches, let three officers sign them, and hand them over: claim → (call) → record."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID, uuid4

import msgspec
from msgspec import structs

from relief.domain import batch as batch_file
from relief.domain import project
from relief.domain.batch import BatchFile, BatchLine, Layout
from relief.domain.days import add_working_days, beijing_day
from relief.domain.errors import Conflict, Invalid
from relief.domain.moves import BATCH, sources
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.sealing import Keys
from relief.services import second_factor
from relief.store import approvals, audits, batches, db, exceptions, funds, payments
from relief.store.batches import Draft, Outgoing, Payable
from relief.store.db import Tx

#: Step of the signature → (policy action, status it leads to). 经办 → 复核 → 审批.
STEPS: Final = {
    "prepare": ("batch.prepare", "prepared"),
    "check": ("batch.check", "checked"),
    "authorise": ("batch.authorise", "authorised"),
}
#: Payments frozen by one act; more are frozen by the next one, so that a transaction stays bounded.
MOST_PER_FREEZE: Final = 200_000
#: Each file with lines that cannot be written is found by one more attempt.
_MOST_TRIES: Final = 50
#: Within so many working days somebody writes such a line otherwise.
_UNFIT_WORKING_DAYS: Final = 1
#: Rows read from the database at a time.
_AHEAD: Final = 5_000


class Writer(msgspec.Struct, frozen=True):
    """How batch files are written: the bank's layout and the most lines in a file."""

    layout: Layout
    max_lines: int


class Frozen(msgspec.Struct, frozen=True):
    """A batch that was just frozen; total in fen."""

    id: UUID
    number: str
    lines: int
    total_fen: int
    digest: bytes


class _Unfit(Exception):
    """Lines (payment, field) a layout cannot write."""

    def __init__(self, layout: str, lines: list[tuple[UUID, str]]) -> None:
        super().__init__(layout)
        self.layout, self.lines = layout, lines


class _Written(msgspec.Struct, frozen=True):
    """A file whose lines are filled while a thread makes its bytes."""

    lines: int
    filled: int
    draft: asyncio.Future[Draft]


async def freeze(tx: Tx, actor: Actor, county: str, now: datetime, keys: Keys, writer: Writer) -> list[Frozen]:
    """Put every approved payment of the county that nothing holds into batches per project × period × bank.

    A line the bank's file cannot hold (a character its encoding lacks, a name longer than its column) keeps nobody else waiting: it is set
    aside as a case, its account held until somebody writes it otherwise, and the rest is frozen.
    """
    require(actor, "batch.freeze", county)
    for _ in range(_MOST_TRIES):
        try:
            async with db.savepoint(tx):
                return await _freeze(tx, actor, county, now, keys, writer)
        except _Unfit as unfit:
            due = add_working_days(beijing_day(now), _UNFIT_WORKING_DAYS)
            await exceptions.set_aside(tx, county, unfit.lines, unfit.layout, now, due)
            await audits.add(tx, county, actor, "batch.unfit", "payment", [p for p, _ in unfit.lines], now, {"layout": unfit.layout})
    raise Conflict("unfit_lines", "有太多明细无法写入银行文件，请查看例外 · too many lines cannot be written, see the exceptions")


async def _freeze(tx: Tx, actor: Actor, county: str, now: datetime, keys: Keys, writer: Writer) -> list[Frozen]:
    """The file's bytes are made here, once; what is signed and sent later is exactly these bytes. Memory holds three files, not all: while a
    thread writes one, its lines are filled, the one before is kept and the next one is read.
    """
    await batches.queue(tx, county)
    payer, serial, period = await funds.payer(tx, county), await batches.serials(tx, county), f"{beijing_day(now):%Y%m}"
    await db.plan_for(tx, writer.max_lines)
    ready = batches.payable(tx, county, now, MOST_PER_FREEZE, min(writer.max_lines, _AHEAD))
    frozen: list[Frozen] = []
    before: _Written | None = None
    async for lines in _files(ready, writer.max_lines):
        if payer is None:
            raise Conflict(
                "payer_missing", "尚未登记本县付款单位和账号 · the county's paying office and account are not set yet", county=county
            )
        item, batch = _project(lines[0]), uuid4()
        series = (item, period, lines[0].bank)
        serial[series] = serial.get(series, 0) + 1
        number = batch_file.number(county, *series, serial[series])
        draft = asyncio.ensure_future(asyncio.to_thread(_write, batch, number, now, lines, payer, keys, writer))
        filled = await batches.fill(tx, county, batch, [p.id for p in lines])
        if before is not None:
            frozen.append(await _keep(tx, county, now, writer, before))
        before = _Written(lines=len(lines), filled=filled, draft=draft)
    if before is None:
        return []
    frozen.append(await _keep(tx, county, now, writer, before))
    await batches.sign_lines(tx, county, [f.id for f in frozen], now)
    await audits.add(tx, county, actor, "batch.freeze", "batch", [f.id for f in frozen], now, {"lines": sum(f.lines for f in frozen)})
    return frozen


async def _keep(tx: Tx, county: str, now: datetime, writer: Writer, written: _Written) -> Frozen:
    d = await written.draft
    if written.filled != written.lines:
        raise Conflict("moved_on", "部分支付已变化，请重试 · some payments moved on, try again")
    await batches.insert(tx, county, writer.layout.of(d.bank).name, now, d)
    return Frozen(id=d.id, number=d.number, lines=written.lines, total_fen=d.total_fen, digest=d.digest)


async def _files(ready: AsyncIterator[Payable], most: int) -> AsyncIterator[list[Payable]]:
    """Cut the stream of payments into files: at most so many lines of one incident, project and bank."""
    lines: list[Payable] = []
    async for payable in ready:
        if lines and (len(lines) == most or _series(payable) != _series(lines[0])):
            yield lines
            lines = []
        lines.append(payable)
    if lines:
        yield lines


def _series(payable: Payable) -> tuple[UUID, str, int, str]:
    return payable.incident, payable.aid, payable.seq, payable.bank


def _project(payable: Payable) -> str:
    return project.code(payable.aid, payable.seq)


def _write(batch: UUID, number: str, now: datetime, lines: Sequence[Payable], payer: funds.Payer, keys: Keys, writer: Writer) -> Draft:
    """The batch as it will be kept: counted, written, digested and sealed."""
    item, bank, name, period = _project(lines[0]), lines[0].bank, project.name(_project(lines[0])), f"{beijing_day(now):%Y%m}"
    file = BatchFile(
        number=number, project=item, project_name=name, period=period, payer=payer.name, payer_account=payer.account, bank=bank,
        lines=tuple(_line(i, p, keys) for i, p in enumerate(lines, 1)), summary=f"{period} {name}", made_at=now,
    )  # fmt: skip
    try:
        content = writer.layout.encode(file)
    except Invalid as error:
        if not error.data.get("line"):
            raise
        raise _unfit(writer.layout.of(bank), file, lines) from None
    return Draft(
        id=batch, number=number, incident=lines[0].incident, project=item, period=period, bank=bank, drill=lines[0].drill, total_fen=file.total_fen,
        digest=hashlib.sha256(content).digest(), sealed_file=keys.seal("batch", batch, "sealed_file", content), payments=[p.id for p in lines],
    )  # fmt: skip


def _unfit(layout: Layout, file: BatchFile, lines: Sequence[Payable]) -> _Unfit:
    """Every line that cannot be written by itself, so that one attempt finds them all."""
    found = []
    for payable, line in zip(lines, file.lines, strict=True):
        try:
            layout.encode(structs.replace(file, lines=(structs.replace(line, seq=1),)))
        except Invalid as error:
            found.append((payable.id, str(error.data.get("column", ""))))
    return _Unfit(layout.name, found)


class _Person(msgspec.Struct):
    name: str
    id_type: str
    id_number: str
    phone: str | None


class _Account(msgspec.Struct):
    holder: str
    number: str


_PERSON: Final = msgspec.json.Decoder(_Person)
_ACCOUNT: Final = msgspec.json.Decoder(_Account)


def _line(seq: int, payable: Payable, keys: Keys) -> BatchLine:
    person = _PERSON.decode(keys.open("person", payable.person, "sealed", payable.sealed_person))
    account = _ACCOUNT.decode(keys.open("account", payable.account, "sealed", payable.sealed_account))
    return BatchLine(
        seq=seq, reference=payable.reference, name=account.holder, id_type=person.id_type, id_number=person.id_number, account=account.number,
        bank_name=project.BANKS.get(payable.bank, payable.bank), cnaps="", amount_fen=payable.amount_fen, phone=person.phone or "", area=payable.village,
        kind=_project(payable), note="",
    )  # fmt: skip


async def sign(
    tx: Tx, actor: Actor, county: str, step: str, ids: Sequence[UUID], digest: bytes, now: datetime, *, demand_factor: bool = True
) -> int:
    """One officer's step over an envelope of batches; `digest` is over their digests, as shown. Returns lines signed.

    审批 demands a second factor proven for this very digest within five minutes, unless a setting of the place says it has none yet.
    """
    action, target = STEPS[step]
    require(actor, action, county)
    found = await batches.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)) or batch_file.envelope([b.digest for b in found]) != digest:
        raise Conflict("changed", "批次与您看到的不同，请重新核对 · these are not the batches you were shown, look again")
    chosen = [b.id for b in found]
    detail: dict[str, object] = {"total_fen": sum(b.total_fen for b in found)}
    if step == "authorise":
        detail["factor"] = await second_factor.demand(tx, actor, digest, now) if demand_factor else second_factor.OFF
    await approvals.sign(tx, county, chosen, "batch", step, actor.person, digest, now)
    if await batches.move(tx, county, chosen, target, sources(BATCH, target)) != len(chosen):
        raise Conflict(
            "out_of_order", "有批次不在此步骤，请按经办、复核、审批顺序办理 · a batch is not at this step: prepare, check, authorise"
        )
    await audits.add(tx, county, actor, action, "batch", chosen, now, detail)
    return sum(b.lines for b in found)


async def void(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """Send batches back before they leave; their payments are approved again. Returns how many payments."""
    require(actor, "batch.void", county)
    if not reason.strip():
        raise Invalid("reason", "请写明退回原因 · say why the batch is sent back", field="reason")
    found = await batches.lock(tx, county, sorted(set(ids)))
    if await batches.move(tx, county, [b.id for b in found], "voided", sources(BATCH, "voided")) != len(set(ids)):
        raise Conflict("too_late", "批次已授权或发出，不能退回 · a batch is authorised or gone and cannot be voided")
    freed = await batches.unbatch(tx, county, [b.id for b in found])
    await audits.add(tx, county, actor, "batch.void", "batch", [b.id for b in found], now, {"reason": reason, "payments": freed})
    return freed


async def claim(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int = 4) -> list[Outgoing]:
    """Take authorised batches for sending. From this commit on their money is in flight, whatever happens to the sender.

    `real` says whether the channel is the real bank: it gets no drill, and a twin gets no real incident's money, or it would call it paid.
    """
    claimed = await batches.claim(tx, now, lease, real, limit)
    for county, group in groupby(sorted(claimed, key=lambda b: b.county), key=lambda b: b.county):
        await _depart(tx, county, list(group), now)
    return claimed


async def _depart(tx: Tx, county: str, leaving: Sequence[Outgoing], now: datetime) -> None:
    ids, lines = [b.id for b in leaving], sum(b.lines for b in leaving)
    act = await audits.add(tx, county, SYSTEM, "batch.claim", "batch", ids, now, {"payments": lines})
    departed = await batches.depart(tx, county, ids, act, now)
    if sum(d.payments for d in departed) != lines:
        raise Conflict("moved_on", "批次内有支付已变化，未发出 · a payment of a batch has moved on; nothing was sent")
    await funds.depart(tx, county, {d.fund: d.amount_fen for d in departed})


async def claim_stale(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int = 4) -> list[Outgoing]:
    """Batches left in `sending` by a sender that died: the channel is asked about them, never blindly sent to.

    A drill that was being rehearsed when the channel became a real one stays where it is: it is not the real bank's business.
    """
    return await batches.claim_stale(tx, now, lease, real, limit)


def content(batch: Outgoing, keys: Keys) -> bytes:
    """The frozen bytes of a batch, proven by their digest."""
    plain = keys.open("batch", batch.id, "sealed_file", batch.sealed_file)
    if hashlib.sha256(plain).digest() != batch.digest:
        raise Conflict("bytes_changed", "批次文件与签署内容不一致，已停发 · the file is not what was signed; not sent", number=batch.number)
    return plain


async def record_sent(tx: Tx, batch: Outgoing, now: datetime) -> None:
    """The channel has the whole file. A batch that an answer has moved on meanwhile stays where it is."""
    if await batches.sent(tx, batch.county, batch.id, now):
        await audits.add(tx, batch.county, SYSTEM, "batch.sent", "batch", [batch.id], now, {"number": batch.number})


async def release_due(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> int:
    """Make the payments of instalments that have fallen due; how many."""
    return len(await payments.release(tx, county, awards, now))
