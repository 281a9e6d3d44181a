"""ISO 20022 as one more layout: pain.001.001.09 to the bank; pain.002, camt.054 and camt.053 from it.

Which status and reason codes mean what stands in the layout's file, as with any bank. Elements are found by their local names, so a bank
that answers in another version of the same message is read too. XML goes through the hardened reader of the house and no other way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec

from relief.channels import xml
from relief.domain import batch as batch_file
from relief.domain.batch import BatchFile, BatchLine, Glimpse, ResultFile, ResultRow, is_number
from relief.domain.days import BEIJING, beijing
from relief.domain.errors import Invalid
from relief.domain.money import yuan

OUT: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
#: A message of 100,000 lines has some three million elements; more is no message of a bank that was sent 5,000 lines at a time.
_MOST_ELEMENTS: Final = 4_000_000
_ROOTS: Final = {"CstmrPmtStsRpt": "result", "BkToCstmrDbtCdtNtfctn": "statement", "BkToCstmrStmt": "statement"}
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?")
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{1,140}")
_ID: Final = re.compile(r"[A-Za-z0-9_\-]{1,35}")
_ACCOUNT: Final = re.compile(r"[0-9]{16,19}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9\-]{1,35}")
_HEAD_NUMBER: Final = re.compile(rb"<(?:\w+:)?(?:OrgnlMsgId|PmtInfId|OrgnlPmtInfId)>([^<]{1,60})<")
_NO_ANSWER: Final = "F13"


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bank agreed to over ISO 20022. Satisfies `relief.domain.batch.Layout`."""

    name: str
    title: str
    illustrative: bool
    format: str
    clearing: str  # of 联行号: 'CNAPS'
    purpose: str  # ExternalPurpose1Code: SSBE, social security benefit
    banks: tuple[str, ...]
    status: dict[str, str]  # theirs → ours
    reason: dict[str, str]  # theirs → ours; any other is F99

    def of(self, bank: str) -> Layout:
        """One layout serves whom it is asked to."""
        return self

    def knows(self, content: bytes) -> bool:
        """True where the root is one of the bank's messages."""
        return _kind(content) is not None

    def encode(self, batch: BatchFile) -> bytes:
        """See `encode`."""
        return encode(self, batch)

    def parse_result(self, content: bytes) -> ResultFile:
        """A pain.002: one batch, perhaps a part of it."""
        return _result(self, xml.read(content, _MOST_ELEMENTS))

    def parse_statement(self, content: bytes) -> ResultFile:
        """A camt.053 or camt.054: entries of the paying account."""
        return _statement(self, xml.read(content, _MOST_ELEMENTS))

    def glimpse(self, content: bytes) -> Glimpse:
        """Kind and batch number if they can be seen in the first bytes."""
        found = _HEAD_NUMBER.search(content[:8192])
        number = found[1].decode("ascii", errors="replace") if found else ""
        return Glimpse(kind=_kind(content) or "result", batch_number=number if is_number(number) else "")


def _kind(content: bytes) -> str | None:
    head = content[:1024]
    return next((kind for root, kind in _ROOTS.items() if re.search(rb"<(?:\w+:)?" + root.encode() + rb"[\s>]", head)), None)


def encode(layout: Layout, batch: BatchFile) -> bytes:
    """The message, byte for byte. Raises Invalid `field` naming line and column, never what stands there."""
    if not batch.lines:
        raise Invalid("no_rows", "批次没有明细 · the batch has no lines")
    if batch.made_at is None:
        raise Invalid("field", "批次没有制作时间 · the batch has no time it was made at", line=0, column="made_at")
    for column, form in (("number", _ID), ("payer", _TEXT), ("payer_account", _ID), ("summary", _TEXT)):
        _fits(form, str(getattr(batch, column)), 0, column)
    bank = f"<FinInstnId><Nm>{escape(batch.lines[0].bank_name)}</Nm></FinInstnId>"
    control = f"<NbOfTxs>{batch.count}</NbOfTxs><CtrlSum>{yuan(batch.total_fen)}</CtrlSum>"
    made = beijing(batch.made_at)
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{OUT}"><CstmrCdtTrfInitn><GrpHdr><MsgId>{batch.number}</MsgId>',
        f"<CreDtTm>{made.isoformat(timespec='seconds')}</CreDtTm>{control}<InitgPty><Nm>{escape(batch.payer)}</Nm></InitgPty></GrpHdr>\n",
        f"<PmtInf><PmtInfId>{batch.number}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>{control}",
        f"<ReqdExctnDt><Dt>{made:%Y-%m-%d}</Dt></ReqdExctnDt><Dbtr><Nm>{escape(batch.payer)}</Nm></Dbtr>",
        f"<DbtrAcct><Id><Othr><Id>{batch.payer_account}</Id></Othr></Id><Ccy>CNY</Ccy></DbtrAcct><DbtrAgt>{bank}</DbtrAgt>\n",
    ]
    remittance = f"<Purp><Cd>{layout.purpose}</Cd></Purp><RmtInf><Ustrd>{escape(batch.summary)}</Ustrd></RmtInf></CdtTrfTxInf>\n"
    parts.extend(_transfer(layout, line) + remittance for line in batch.lines)
    parts.append("</PmtInf></CstmrCdtTrfInitn></Document>\n")
    return "".join(parts).encode()


def _transfer(layout: Layout, line: BatchLine) -> str:
    for column, form, text in (
        ("reference", _REFERENCE, line.reference), ("name", _TEXT, line.name), ("id_number", _ID, line.id_number),
        ("account", _ACCOUNT, line.account), ("bank_name", _TEXT, line.bank_name),
    ):  # fmt: skip
        _fits(form, text, line.seq, column)
    if line.amount_fen <= 0:
        _fits(_ID, "", line.seq, "amount_fen")
    member = f"<ClrSysMmbId><ClrSysId><Cd>{layout.clearing}</Cd></ClrSysId><MmbId>{line.cnaps}</MmbId></ClrSysMmbId>" if line.cnaps else ""
    return (
        f"<CdtTrfTxInf><PmtId><InstrId>{line.seq}</InstrId><EndToEndId>{line.reference}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="CNY">{yuan(line.amount_fen)}</InstdAmt></Amt>'
        f"<CdtrAgt><FinInstnId>{member}<Nm>{escape(line.bank_name)}</Nm></FinInstnId></CdtrAgt>"
        f"<Cdtr><Nm>{escape(line.name)}</Nm><Id><PrvtId><Othr><Id>{line.id_number}</Id><SchmeNm><Prtry>{line.id_type}</Prtry></SchmeNm>"
        f"</Othr></PrvtId></Id></Cdtr><CdtrAcct><Id><Othr><Id>{line.account}</Id></Othr></Id></CdtrAcct>"
    )


def _fits(form: re.Pattern[str], text: str, line: int, column: str) -> None:
    if form.fullmatch(text) is None:
        raise Invalid("field", "该栏内容不能写入银行文件 · this field cannot go into a bank file", line=line, column=column)


def _result(layout: Layout, root: ET.Element) -> ResultFile:
    report = _root(root, "CstmrPmtStsRpt")
    group = _one(report, "OrgnlGrpInfAndSts")
    number = _text(group, "OrgnlMsgId")
    if not is_number(number):
        raise Invalid("batch_number", "批次号形式不符 · this is not a batch number", row=0, column=0)
    told = [one for info in _all(report, "OrgnlPmtInfAndSts") for one in _all(info, "TxInfAndSts")]
    rows = tuple(_answer(layout, number, at, one) for at, one in enumerate(told, 1))
    _counted(report, rows)
    if rows:
        return ResultFile(kind="result", batch_number=number, rows=rows)
    return ResultFile(kind="receipt", batch_number=number, rows=(), accepted=_accepted(layout, group), reason=_why(layout, group))


def _accepted(layout: Layout, group: ET.Element | None) -> bool:
    """What the bank says of the file as a whole; a message without rows must say it."""
    word = _text(group, "GrpSts")
    if word not in layout.status:
        raise Invalid("no_rows", "文件没有明细，也没有整批状态 · the message has neither rows nor a status of the whole", row=0, column=0)
    return layout.status[word] != "returned"


def _counted(report: ET.Element, rows: tuple[ResultRow, ...]) -> None:
    """Where the bank counts its own lines, count and sum must be theirs."""
    counts = [c for info in _all(report, "OrgnlPmtInfAndSts") for c in _all(info, "NbOfTxsPerSts")]
    if counts and sum(_whole(_text(c, "DtldNbOfTxs")) for c in counts) != len(rows):
        raise Invalid("control_count", "笔数与明细不符 · the count disagrees with the rows", row=0, column=0)
    sums = [_fen(_text(c, "DtldCtrlSum")) for c in counts if _text(c, "DtldCtrlSum")]
    if sums and len(sums) == len(counts) and sum(s or 0 for s in sums) != sum(r.amount_fen for r in rows):
        raise Invalid("control_total", "金额合计与明细不符 · the total disagrees with the rows", row=0, column=0)


def _answer(layout: Layout, number: str, at: int, told: ET.Element) -> ResultRow:
    original = _one(told, "OrgnlTxRef")
    amount = _one(_one(original, "Amt"), "InstdAmt")
    outcome = layout.status.get(_text(told, "TxSts"), "")
    return _row(
        layout, at, number, _text(told, "OrgnlEndToEndId"), outcome, amount, _account(_one(original, "CdtrAcct")), _text(told, "AcctSvcrRef"),
        _moment(_text(told, "AccptncDtTm")), _why(layout, told),
    )  # fmt: skip


def _statement(layout: Layout, root: ET.Element) -> ResultFile:
    name = next(iter(_locals(root)), "")
    if _ROOTS.get(name) != "statement":
        raise Invalid("titles", "不是银行对账单报文 · this is no statement message", row=0, column=0)
    rows: list[ResultRow] = []
    for part in (p for top in root for p in top if _local(p) in ("Stmt", "Ntfctn")):
        entries = _all(part, "Ntry")
        _summed(part, entries)
        for entry in entries:
            rows.extend(_entry(layout, entry, len(rows) + 1))
    if not rows:
        raise Invalid("no_rows", "文件没有明细 · the file has no rows", row=0, column=0)
    return ResultFile(kind="statement", batch_number="", rows=tuple(rows))


def _summed(part: ET.Element, entries: list[ET.Element]) -> None:
    summary = _one(_one(part, "TxsSummry"), "TtlNtries")
    if summary is None:
        return
    if (count := _text(summary, "NbOfNtries")) and _whole(count) != len(entries):
        raise Invalid("control_count", "笔数与明细不符 · the count disagrees with the rows", row=0, column=0)
    if (total := _text(summary, "Sum")) and _fen(total) != sum(_fen(_text(e, "Amt")) or 0 for e in entries):
        raise Invalid("control_total", "金额合计与明细不符 · the total disagrees with the rows", row=0, column=0)


def _entry(layout: Layout, entry: ET.Element, first: int) -> Iterator[ResultRow]:
    """The lines of one entry; an entry that names none is one line without a reference."""
    details = [d for group in _all(entry, "NtryDtls") for d in _all(group, "TxDtls")]
    booked = _text(_one(entry, "Sts"), "Cd") in ("BOOK", "")
    lump = _one(_one(entry, "NtryDtls"), "Btch")
    for at, one in enumerate(details or [entry], first):
        references, back = _one(one, "Refs"), _one(one, "RtrInf")
        credit = (_text(one, "CdtDbtInd") or _text(entry, "CdtDbtInd")) == "CRDT"
        outcome = "pending" if not booked else "reversed" if credit and (back is not None or _text(entry, "RvslInd") == "true") else "paid"
        number = next((n for n in (_text(references, "PmtInfId"), _text(references, "MsgId"), _text(lump, "PmtInfId")) if is_number(n)), "")
        moment = _moment(_text(_one(one, "RltdDts"), "AccptncDtTm")) or _day(_one(entry, "BookgDt"))
        yield _row(
            layout, at, number, _text(references, "EndToEndId"), "" if credit and outcome == "paid" else outcome, _one(one, "Amt"),
            _account(_one(_one(one, "RltdPties"), "CdtrAcct")), _text(references, "AcctSvcrRef") or _text(entry, "AcctSvcrRef"), moment,
            _why(layout, back, "Rsn"),
        )  # fmt: skip


def _row(
    layout: Layout, at: int, number: str, reference: str, outcome: str, amount: ET.Element | None, account: str, bank_ref: str,
    moment: datetime | None, reason: str | None,
) -> ResultRow:  # fmt: skip
    """One line judged by its form; whatever is malformed leaves it unreadable, and nothing of it is kept."""
    fen = _fen((amount.text or "").strip()) if amount is not None and amount.get("Ccy") == "CNY" else None
    good = _REFERENCE.fullmatch(reference) is not None and reference != "NOTPROVIDED"
    code = None
    if not outcome:
        code = "status_word"
    elif not good:
        code = "reference"
    elif fen is None:
        code = "amount"
    elif account and _ACCOUNT.fullmatch(account) is None:
        code = "account"
    if outcome == "returned" and reason == _NO_ANSWER:
        outcome = "pending"
    return ResultRow(
        row=at, batch_number=number, reference=reference if good else "", outcome="unreadable" if code else outcome, amount_fen=fen or 0,
        reason=(reason or "F99") if outcome in ("returned", "reversed") else None,
        bank_ref=bank_ref if _REFERENCE.fullmatch(bank_ref) else None, at=moment, account=account if account and code != "account" else None,
        code=code,
    )  # fmt: skip


def _why(layout: Layout, told: ET.Element | None, path: str = "StsRsnInf") -> str | None:
    """The reason in our words; None where none is given."""
    found = _one(told, path)
    reason = _one(found, "Rsn") if path == "StsRsnInf" else found
    code = _text(reason, "Cd") or _text(reason, "Prtry")
    if not code:
        return None
    return layout.reason.get(code) or (code if code in batch_file.REASONS else "F99")


def _fen(text: str) -> int | None:
    """An amount of at most two decimals in fen; None for anything else."""
    match = _AMOUNT.fullmatch(text)
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else -1


def _moment(text: str) -> datetime | None:
    """A date and time; one without an offset is Beijing's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _day(booked: ET.Element | None) -> datetime | None:
    """When an entry was booked; a bare day counts to its end, so that nothing seems dated before it was sent."""
    at = _moment(_text(booked, "DtTm"))
    day = _moment(_text(booked, "Dt"))
    return at or (day and datetime.combine(day.date(), time(23, 59, 59), tzinfo=BEIJING))


def _account(account: ET.Element | None) -> str:
    return _text(_one(_one(account, "Id"), "Othr"), "Id")


def _root(root: ET.Element, name: str) -> ET.Element:
    found = _one(root, name)
    if _local(root) != "Document" or found is None:
        raise Invalid("titles", "不是约定的银行报文 · this is not a message that was agreed", row=0, column=0)
    return found


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _locals(element: ET.Element) -> list[str]:
    return [_local(child) for child in element]


def _all(element: ET.Element | None, name: str) -> list[ET.Element]:
    return [] if element is None else [child for child in element if _local(child) == name]


def _one(element: ET.Element | None, name: str) -> ET.Element | None:
    return next((child for child in element if _local(child) == name), None) if element is not None else None


def _text(element: ET.Element | None, name: str) -> str:
    found = _one(element, name)
    return (found.text or "").strip() if found is not None else ""
