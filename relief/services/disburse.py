"""Freeze payments into batches, let three officers sign them, and hand them over: claim → (call) → record."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import batch as batch_file
from relief.domain import project
from relief.domain.batch import BatchFile, BatchLine, Layout
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict
from relief.domain.moves import BATCH, sources
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.sealing import Keys
from relief.store import approvals, audits, batches, db, funds, payments
from relief.store.batches import Outgoing, Payable
from relief.store.db import Tx

#: Step of the signature → (policy action, status it leads to). 经办 → 复核 → 审批.
STEPS: Final = {
    "prepare": ("batch.prepare", "prepared"),
    "check": ("batch.check", "checked"),
    "authorise": ("batch.authorise", "authorised"),
}
#: Payments frozen by one act; more are frozen by the next one, so that a transaction stays bounded.
MOST_PER_FREEZE: Final = 200_000


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


async def freeze(tx: Tx, actor: Actor, county: str, now: datetime, keys: Keys, writer: Writer) -> list[Frozen]:
    """Put every approved payment of the county that nothing holds into batches per project × period × bank.

    The file's bytes are made here, once; what is signed and sent later is exactly these bytes.
    """
    require(actor, "batch.freeze", county)
    payable = await batches.payable(tx, county, now, MOST_PER_FREEZE)
    if not payable:
        return []
    await db.plan_for(tx, len(payable))
    payer = await funds.payer(tx, county)
    if payer is None:
        raise Conflict(
            "payer_missing", "尚未登记本县付款单位和账号 · the county's paying office and account are not set yet", county=county
        )
    serial = await batches.serials(tx, county)
    period = f"{beijing_day(now):%Y%m}"
    drafts: list[_Draft] = []
    for (incident, item, bank), group in groupby(payable, key=lambda p: (p.incident, project.code(p.aid, p.seq), p.bank)):
        members = list(group)
        for start in range(0, len(members), writer.max_lines):
            part = members[start : start + writer.max_lines]
            series = (item, period, bank)
            serial[series] = serial.get(series, 0) + 1
            drafts.append(
                _Draft(uuid4(), batch_file.number(county, item, period, bank, serial[series]), incident, item, period, bank, part)
            )
    # Lines are filled while a thread opens, writes and seals: the two need nothing of each other.
    written = asyncio.ensure_future(asyncio.to_thread(lambda: [_write(d, payer, keys, writer) for d in drafts]))
    lines = [(p.id, d.id, line) for d in drafts for line, p in enumerate(d.lines, 1)]
    filled = await batches.fill(tx, county, lines)
    rows = await written
    if filled != len(lines):
        raise Conflict("moved_on", "部分支付已变化，请重试 · some payments moved on, try again")
    await batches.insert(tx, county, writer.layout.name, now, rows)
    frozen = [Frozen(id=r[0], number=r[1], lines=r[7], total_fen=r[8], digest=r[9]) for r in rows]
    await batches.sign_lines(tx, county, [f.id for f in frozen], now)
    await audits.add(tx, county, actor, "batch.freeze", "batch", [f.id for f in frozen], now, {"lines": len(lines)})
    return frozen


class _Draft(msgspec.Struct, frozen=True):
    """A batch before its bytes are made."""

    id: UUID
    number: str
    incident: UUID
    project: str
    period: str
    bank: str
    lines: Sequence[Payable]


def _write(draft: _Draft, payer: funds.Payer, keys: Keys, writer: Writer) -> tuple[Any, ...]:
    """The batch as its row: counted, written, digested and sealed."""
    d = draft
    content = writer.layout.encode(_file(d, payer, keys))
    total, digest = sum(p.amount_fen for p in d.lines), hashlib.sha256(content).digest()
    sealed = keys.seal("batch", d.id, "sealed_file", content)
    return (d.id, d.number, d.incident, d.project, d.period, d.bank, d.lines[0].drill, len(d.lines), total, digest, sealed)


def _file(draft: _Draft, payer: funds.Payer, keys: Keys) -> BatchFile:
    name = project.name(draft.project)
    return BatchFile(
        number=draft.number, project=draft.project, project_name=name, period=draft.period, payer=payer.name, payer_account=payer.account,
        bank=draft.bank, lines=tuple(_line(i, p, keys) for i, p in enumerate(draft.lines, 1)), summary=f"{draft.period} {name}",
    )  # fmt: skip


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
        kind=project.code(payable.aid, payable.seq), note="",
    )  # fmt: skip


async def sign(tx: Tx, actor: Actor, county: str, step: str, ids: Sequence[UUID], digest: bytes, now: datetime) -> int:
    """One officer's step over an envelope of batches; `digest` is over their digests, as shown. Returns lines signed."""
    action, target = STEPS[step]
    require(actor, action, county)
    found = await batches.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)) or batch_file.envelope([b.digest for b in found]) != digest:
        raise Conflict("changed", "批次与您看到的不同，请重新核对 · these are not the batches you were shown, look again")
    chosen = [b.id for b in found]
    await approvals.sign(tx, county, chosen, "batch", step, actor.person, digest, now)
    if await batches.move(tx, county, chosen, target, sources(BATCH, target)) != len(chosen):
        raise Conflict(
            "out_of_order", "有批次不在此步骤，请按经办、复核、审批顺序办理 · a batch is not at this step: prepare, check, authorise"
        )
    await audits.add(tx, county, actor, action, "batch", chosen, now, {"total_fen": sum(b.total_fen for b in found)})
    return sum(b.lines for b in found)


async def void(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """Send batches back before they leave; their payments are approved again. Returns how many payments."""
    require(actor, "batch.void", county)
    found = await batches.lock(tx, county, sorted(set(ids)))
    if await batches.move(tx, county, [b.id for b in found], "voided", sources(BATCH, "voided")) != len(set(ids)):
        raise Conflict("too_late", "批次已授权或发出，不能退回 · a batch is authorised or gone and cannot be voided")
    freed = await batches.unbatch(tx, county, [b.id for b in found])
    await audits.add(tx, county, actor, "batch.void", "batch", [b.id for b in found], now, {"reason": reason, "payments": freed})
    return freed


async def claim(tx: Tx, now: datetime, lease: timedelta, real: bool, limit: int = 4) -> list[Outgoing]:
    """Take authorised batches for sending. From this commit on their money is in flight, whatever happens to the sender."""
    claimed = await batches.claim(tx, now, lease, real, limit)
    for county, group in groupby(sorted(claimed, key=lambda b: b.county), key=lambda b: b.county):
        await _depart(tx, county, [b.id for b in group], now)
    return claimed


async def _depart(tx: Tx, county: str, ids: Sequence[UUID], now: datetime) -> None:
    departing = await batches.depart(tx, county, ids, now)
    sums: dict[UUID, int] = {}
    for payment in departing:
        sums[payment.fund] = sums.get(payment.fund, 0) + payment.amount_fen
    await funds.depart(tx, county, sums)
    act = await audits.add(tx, county, SYSTEM, "batch.claim", "batch", ids, now, {"payments": len(departing)})
    await funds.record(tx, county, [(p.id, p.fund, p.amount_fen) for p in departing], "reserved", "in flight", "payment", act, now)


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
