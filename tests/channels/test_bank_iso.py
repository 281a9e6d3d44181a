"""ISO 20022 with the published schemas beside it: what goes out is valid, and what a bank sends comes in through the hardened reader."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
import xmlschema

from relief.channels import bank_iso, bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.rehearsal.bank import Options, RehearsalBank
from relief.domain.batch import BatchFile, ResultFile
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid
from tests.channels.test_rehearsal_bank import NOW, QUIET, badly, batch

SCHEMAS = Path(__file__).with_name("schemas")
[ISO] = [one for one in bank_layouts.load_all().known if isinstance(one, bank_iso.Layout)]
NUMBER = "513322-EMERG-202209-402-0001"


@cache
def schema(message: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / f"{message}.xsd"))


def made(lines: int = 3) -> BatchFile:
    return msgspec.structs.replace(batch(lines), made_at=NOW, summary="202209 应急期救助（第1期）")


async def answers(folder: Path, options: Options, lines: int = 3) -> list[bytes]:
    """What the rehearsal bank says to a message until it has stated it."""
    await FolderBank(folder).deliver(NUMBER, ISO.encode(made(lines)))
    bank = RehearsalBank(folder, options)
    for seconds in (0, 2, 9):
        bank.tick(NOW + timedelta(seconds=seconds))
    bank.close()
    return [a.content for a in await FolderBank(folder).collect()]


def read(content: bytes) -> ResultFile:
    return (ISO.parse_statement if ISO.glimpse(content).kind == "statement" else ISO.parse_result)(content)


def refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read(content)
    return caught.value.code


@pytest.mark.slow
def test_a_batch_is_a_valid_pain_001_001_09_whatever_the_names_are() -> None:
    plain = made(2)
    rare = msgspec.structs.replace(
        plain.lines[0], name="𠮷䶮·<阿依 & 木呷>", cnaps="402684000012", id_type="passport", id_number="E5199990"
    )
    content = ISO.encode(msgspec.structs.replace(plain, lines=(rare, plain.lines[1])))
    schema("pain.001.001.09").validate(content.decode())
    assert "𠮷䶮·&lt;阿依 &amp; 木呷&gt;".encode() in content
    assert b"<EndToEndId>513322000001000000000001</EndToEndId>" in content
    assert content == ISO.encode(msgspec.structs.replace(plain, lines=(rare, plain.lines[1])))


@pytest.mark.slow
async def test_what_the_rehearsal_bank_sends_is_valid_and_read(tmp_path: Path) -> None:
    found = await answers(tmp_path, badly(reverse_rate=0.4, closed_rate=0.3, late_rate=0.2, statement_s=5, seed=3), 12)
    kinds = set()
    for content in found:
        message = content.split(b"xsd:")[1][:15].decode()
        kinds.add(message)
        schema(message).validate(content.decode())
        read(content)
    assert kinds == {"pain.002.001.12", "camt.053.001.08", "camt.054.001.08"}


async def test_a_receipt_says_that_the_file_is_taken_and_a_result_what_became_of_its_lines(tmp_path: Path) -> None:
    receipt, result, statement = [read(c) for c in await answers(tmp_path, badly(statement_s=5))]
    assert (receipt.kind, receipt.batch_number, receipt.rows, receipt.accepted) == ("receipt", NUMBER, (), True)
    assert [(r.reference, r.outcome, r.amount_fen, r.account) for r in result.rows] == [
        (line.reference, "paid", line.amount_fen, line.account) for line in made().lines
    ]
    assert result.rows[0].at == datetime(2022, 9, 5, 14, 0, tzinfo=BEIJING)
    assert [(r.batch_number, r.reference, r.outcome) for r in statement.rows] == [(NUMBER, line.reference, "paid") for line in made().lines]


async def test_a_file_refused_as_a_whole_credits_nothing_and_says_why(tmp_path: Path) -> None:
    [receipt] = [read(c) for c in await answers(tmp_path, badly(refuse_rate=1))]
    assert (receipt.kind, receipt.accepted, receipt.reason) == ("receipt", False, "F12")


async def test_returns_come_as_notifications_with_their_reason(tmp_path: Path) -> None:
    said = [read(c) for c in await answers(tmp_path, badly(reverse_rate=1, late_s=1, statement_s=5))]
    [notified] = [f for f in said if f.kind == "statement" and len(f.rows) == 3]
    assert [(r.outcome, r.reason) for r in notified.rows] == [("reversed", "F04")] * 3


@pytest.mark.parametrize(
    ("old", "new", "outcome", "code"),
    [
        ("<TxSts>ACSC<", "<TxSts>acsc<", "unreadable", "status_word"), ("<TxSts>ACSC<", "<TxSts>PART<", "unreadable", "status_word"),
        ('Ccy="CNY">100.01<', 'Ccy="USD">100.01<', "unreadable", "amount"), (">100.01</InstdAmt", ">100.010</InstdAmt", "unreadable", "amount"),
        (">100.01</InstdAmt", ">-100.01</InstdAmt", "unreadable", "amount"), (">100.01</InstdAmt", ">1E2</InstdAmt", "unreadable", "amount"),
        ("<OrgnlEndToEndId>513322000001000000000001<", "<OrgnlEndToEndId>５13322<", "unreadable", "reference"),
        ("<Id>6299990000000000009<", "<Id>62 99<", "unreadable", "account"),
    ],
)  # fmt: skip
async def test_a_line_that_is_malformed_is_kept_unreadable_and_the_others_stand(
    tmp_path: Path, old: str, new: str, outcome: str, code: str
) -> None:
    _, result, _ = await answers(tmp_path, badly(statement_s=5))
    bare = result.decode().replace("<NbOfTxsPerSts>", "<Was>").replace("</NbOfTxsPerSts>", "</Was>")
    rows = read(bare.replace(old, new, 1).encode()).rows
    assert (rows[0].outcome, rows[0].code) == (outcome, code)
    assert [r.outcome for r in rows[1:]] == ["paid", "paid"]


async def test_a_timeout_reason_leaves_the_line_open(tmp_path: Path) -> None:
    _, result = await answers(tmp_path, badly(closed_rate=1, statement_s=5))
    rows = read(result.replace(b"<Cd>AC04</Cd>", b"<Cd>MS03</Cd>")).rows
    assert {(r.outcome, r.reason) for r in rows} == {("pending", None)}


async def test_a_message_whose_controls_or_form_disagree_is_refused_whole(tmp_path: Path) -> None:
    _, result, statement = await answers(tmp_path, badly(statement_s=5))
    assert refusal(result.replace(b"<DtldNbOfTxs>3<", b"<DtldNbOfTxs>4<")) == "control_count"
    assert refusal(result.replace(b"<DtldCtrlSum>300.06<", b"<DtldCtrlSum>300.07<")) == "control_total"
    assert refusal(statement.replace(b"<NbOfNtries>3<", b"<NbOfNtries>2<")) == "control_count"
    assert refusal(statement.replace(b"<Sum>300.06<", b"<Sum>300.05<")) == "control_total"
    assert refusal(result.replace(NUMBER.encode(), b"../../etc/passwd")) == "batch_number"
    assert refusal(result[: len(result) // 2]) == "xml"
    assert refusal(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]>' + result.split(b"?>", 1)[1]) == "xml_dtd"
    assert refusal(result.replace(b"CstmrPmtStsRpt", b"CstmrCdtTrfInitn")) == "titles"


async def test_an_entry_that_names_no_line_of_ours_is_a_line_without_a_reference(tmp_path: Path) -> None:
    *_, statement = await answers(tmp_path, badly(statement_s=5))
    fee = b'<Ntry><Amt Ccy="CNY">12.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2022-09-05</Dt></BookgDt></Ntry></Stmt>'
    bare = statement.replace(b"<TxsSummry>", b"<Was>").replace(b"</TxsSummry>", b"</Was>")
    rows = read(bare.replace(b"</Stmt>", fee)).rows
    assert (rows[-1].code, rows[-1].reference, rows[-1].amount_fen) == ("reference", "", 1200)
    assert rows[-1].at == datetime(2022, 9, 5, 23, 59, 59, tzinfo=BEIJING)


def test_nothing_is_written_without_the_time_it_was_frozen_at_or_with_a_name_xml_cannot_hold() -> None:
    with pytest.raises(Invalid):
        ISO.encode(batch(1))
    bad = made(1)
    with pytest.raises(Invalid) as caught:
        ISO.encode(msgspec.structs.replace(bad, lines=(msgspec.structs.replace(bad.lines[0], name="甲\x0b"),)))
    assert caught.value.data == {"line": 1, "column": "name"}
    assert QUIET.refuse_rate == 0
