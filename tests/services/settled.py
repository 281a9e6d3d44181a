"""A batch at the bank, made in a few bulk statements, and the bank's files about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from relief.channels import bank_layouts
from relief.demo import numbers
from relief.domain import batch as batch_file
from relief.domain.days import beijing
from relief.domain.money import yuan
from relief.domain.sealing import Keys
from relief.services import settle
from relief.services.settle import Imported
from relief.store.db import Tx
from tests.make import LUDING, NOW, VILLAGE, incident

LAYOUT = bank_layouts.load("yikatong")
#: The batch left at NOW; the bank answers an hour later.
LATER = NOW + timedelta(hours=1)
FEN = 120_050

_WORDS = {"paid": "成功", "returned": "失败", "pending": "处理中", "reversed": "退票"}
_PEOPLE = """
WITH h AS (
    INSERT INTO household (county, id, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type,
        members, only_home, occupied, slip, slip_code_hash, registered_by, captured_at, received_at)
    SELECT $1, t.id, $2, gen_random_uuid(), '\\x00', $3, 102.1, 29.6, 10, true, 'verified', 'ordinary', 1, true, true, t.id::text, '\\x00',
           gen_random_uuid(), $4, $4 FROM unnest($5::uuid[]) AS t (id)
), p AS (
    INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
    SELECT $1, t.id, t.id, 'householder', t.sealed, uuid_send(t.id), uuid_send(t.id), 'two way', true
    FROM unnest($5::uuid[], $6::bytea[]) AS t (id, sealed)
)
INSERT INTO account (county, id, person, version, status, sealed, account_hash, bank, proposed_by, proposed_at)
SELECT $1, t.id, t.id, 1, 'current', t.sealed, t.hash, '402', gen_random_uuid(), $4
FROM unnest($5::uuid[], $7::bytea[], $8::bytea[]) AS t (id, hash, sealed)
"""
_MONEY = """
WITH d AS (
    INSERT INTO decision (county, id, household, activation, zone, playbook, aid, status, amount_fen, reasons, facts, standards, decided_at)
    SELECT $1, t.id, t.id, $2, $2, $2, 'EMERG', 'current', $5, '{}', '{}', '\\x00', $4 FROM unnest($6::uuid[]) AS t (id)
), a AS (
    INSERT INTO award (county, id, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, fund, village,
                       proposed_at, approved_at, signed)
    SELECT $1, t.id, t.id, t.id, $2, $2, t.id, 'EMERG', 'A', 'once', $5, 'approved', $3, '513322103205', $4, $4, 1 FROM unnest($6::uuid[]) AS t (id)
), i AS (
    INSERT INTO instalment (county, id, award, seq, amount_fen, condition, status, due_at)
    SELECT $1, t.id, t.id, 1, $5, 'none', 'released', $4 FROM unnest($6::uuid[]) AS t (id)
)
INSERT INTO payment (county, id, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, batch, line,
                     created_at, sent_at)
SELECT $1, t.id, t.id, t.id, t.id, t.id, t.id, '402', $3, 1, t.reference, $5, $8, $7, t.n, $4, $4
FROM unnest($6::uuid[], $9::text[]) WITH ORDINALITY AS t (id, reference, n)
"""


class AtBank(msgspec.Struct, frozen=True):
    """One batch whose lines are in flight."""

    county: str
    number: str
    batch: UUID
    fund: UUID
    incident: UUID
    payments: list[UUID]
    references: list[str]
    accounts: list[str]


async def at_bank(
    tx: Tx, keys: Keys, lines: int = 1, *, county: str = LUDING, serial: int = 1, status: str = "sent", payments: str = "sent"
) -> AtBank:
    """Households, awards and payments of FEN each, sent at NOW in one batch of that status."""
    event, fund, batch = await incident(tx), uuid4(), uuid4()
    number = batch_file.number(county, "EMERG", "202209", "402", serial)
    ids = [uuid4() for _ in range(lines)]
    references = [f"{county}{serial:06d}{n:012d}" for n in range(lines)]
    accounts = [numbers.account(serial * 1_000_000 + n) for n in range(lines)]
    people = [keys.seal("person", i, "sealed", _person(n)) for n, i in enumerate(ids)]
    cards = [
        keys.seal("account", i, "sealed", msgspec.json.encode({"holder": "甄演一", "number": a}))
        for i, a in zip(ids, accounts, strict=True)
    ]
    await tx.execute(_PEOPLE, county, event, VILLAGE, NOW, ids, people, [keys.index("account", a) for a in accounts], cards)
    await tx.execute(
        "INSERT INTO fund (county, id, source, year, document, budget_item, purpose, incident, drill, allocated_fen, available_fen, in_flight_fen) "
        "VALUES ($1, $2, 'county', 2022, '川应急〔2022〕1号', '2240703', 'EMERG', $3, true, $4, 1000, $5)",
        county, fund, event, lines * FEN + 1000, lines * FEN,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO batch (county, id, number, incident, project, period, bank, drill, layout, status, lines, total_fen, digest, sealed_file, "
        "frozen_at, claimed_at, sent_at, payments) "
        "VALUES ($1, $2, $3, $4, 'EMERG', '202209', '402', true, 'yikatong', $5, $6, $7, '\\x00', '\\x00', $8, $8, $9, $10)",
        county, batch, number, event, status, lines, lines * FEN, NOW, None if status == "sending" else NOW, ids,
    )  # fmt: skip
    await tx.execute(_MONEY, county, event, fund, NOW, FEN, ids, batch, payments, references)
    return AtBank(county, number, batch, fund, event, ids, references, accounts)


def _person(n: int) -> bytes:
    return msgspec.json.encode(
        {"name": "甄演一", "id_type": "resident", "id_number": "519999196001011016", "phone": numbers.two_way_phone(n)}
    )


def row(sent: AtBank, n: int, outcome: str = "paid", **changes: Any) -> dict[str, Any]:
    """What the bank says about the n-th line; `outcome` may be any word."""
    bank_ref = "" if outcome in ("returned", "pending") else f"B{sent.references[n][-12:]}"
    return {
        "reference": sent.references[n], "account": sent.accounts[n], "fen": FEN, "word": _WORDS.get(outcome, outcome), "number": sent.number,
        "reason": "F04" if outcome in ("returned", "reversed") else "", "at": LATER, "bank_ref": bank_ref, **changes,
    }  # fmt: skip


def result(rows: list[dict[str, Any]], number: str | None = None) -> bytes:
    """A result file over these rows."""
    lines = [
        "批次号,回执笔数,回执金额(元),回执时间",
        f"{number or rows[0]['number']},{len(rows)},{yuan(sum(r['fen'] for r in rows))},2022-09-05 14:12:00",
        "序号,业务流水号,社保卡银行账号,金额(元),状态,失败代码,失败原因,入账时间,银行流水号",
        *(f"{n},{_cells(r)}" for n, r in enumerate(rows, 1)),
    ]
    return _closed(lines, rows)


def statement(rows: list[dict[str, Any]]) -> bytes:
    """A statement over these rows, whatever their batches."""
    lines = [
        "对账单号,付款账号,对账笔数,对账金额(元),出单时间",
        f"S1,629999001,{len(rows)},{yuan(sum(r['fen'] for r in rows))},2022-09-06 08:00:00",
        "序号,批次号,业务流水号,社保卡银行账号,金额(元),状态,失败代码,失败原因,入账时间,银行流水号",
        *(f"{n},{r['number']},{_cells(r)}" for n, r in enumerate(rows, 1)),
    ]
    return _closed(lines, rows)


def _cells(r: dict[str, Any]) -> str:
    at = f"{beijing(r['at']):%Y-%m-%d %H:%M:%S}" if isinstance(r["at"], datetime) else r["at"]
    return f"{r['reference']},{r['account']},{yuan(r['fen'])},{r['word']},{r['reason']},,{at},{r['bank_ref']}"


def _closed(lines: list[str], rows: list[dict[str, Any]]) -> bytes:
    return "\r\n".join([*lines, f"合计,{len(rows)},{yuan(sum(r['fen'] for r in rows))}", ""]).encode("gb18030")


async def take(tx: Tx, keys: Keys, content: bytes, name: str = "result.csv", now: datetime = LATER) -> Imported:
    """Import whatever it is."""
    return await settle.import_answer(tx, LAYOUT, name, content, now, keys)


async def statuses(tx: Tx, sent: AtBank) -> list[str]:
    """Status of each payment, in the order of the lines."""
    return [
        r[0] for r in await tx.fetch("SELECT status FROM payment WHERE county = $1 AND batch = $2 ORDER BY line", sent.county, sent.batch)
    ]


async def money(tx: Tx, sent: AtBank) -> tuple[int, int, int]:
    """Fen in flight, paid and reserved of the batch's fund."""
    found = await tx.fetchrow(
        "SELECT in_flight_fen, paid_fen, reserved_fen FROM fund WHERE county = $1 AND id = $2", sent.county, sent.fund
    )
    assert found is not None
    return found[0], found[1], found[2]


async def batch_status(tx: Tx, sent: AtBank) -> str:
    """Where the batch stands."""
    return str(await tx.fetchval("SELECT status FROM batch WHERE county = $1 AND id = $2", sent.county, sent.batch))


async def codes(tx: Tx, sent: AtBank) -> list[str]:
    """Codes of the open cases of the county."""
    return [r[0] for r in await tx.fetch(
        "SELECT code FROM bank_row WHERE county = $1 AND disposition = 'exception' AND closed_at IS NULL ORDER BY code", sent.county
    )]  # fmt: skip


async def ledger_agrees(tx: Tx, sent: AtBank) -> bool:
    """Σ transfers of the fund's payments = what left and entered each place since the batch was in flight."""
    moved = await tx.fetchrow(
        "SELECT coalesce(sum(amount_fen) FILTER (WHERE source = 'in flight'), 0), "
        "coalesce(sum(CASE WHEN target = 'paid' THEN amount_fen WHEN source = 'paid' THEN -amount_fen END), 0), "
        "coalesce(sum(amount_fen) FILTER (WHERE target = 'reserved'), 0) FROM transfer WHERE county = $1 AND fund = $2",
        sent.county, sent.fund,
    )  # fmt: skip
    in_flight, paid, reserved = await money(tx, sent)
    return moved is not None and (len(sent.payments) * FEN - moved[0], moved[1], moved[2]) == (in_flight, paid, reserved)
