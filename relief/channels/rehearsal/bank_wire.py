"""What the rehearsal bank reads and writes, byte by byte: titled CSV, fixed columns, ISO 20022. It knows the wire and not the product."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
from cryptography.hazmat.primitives import hashes

from relief.channels import xml
from relief.channels.rehearsal.bank_book import Line

_ENCODING: Final = "gb18030"
_TEXTS: Final = {"F02": "户名不符", "F04": "已销户或卡已注销", "F05": "卡已挂失", "F07": "金融功能未激活", "F99": "其他"}
_RESULT: Final = ["序号", "业务流水号", "社保卡银行账号", "金额(元)", "状态", "失败代码", "失败原因", "入账时间", "银行流水号"]
_STATEMENT: Final = [_RESULT[0], "批次号", *_RESULT[1:]]
#: Our words → theirs, in fixed columns and in ISO 20022.
_FIXED_WORDS: Final = {"成功": "00", "失败": "01", "处理中": "02", "退票": "03"}
_FIXED_REASONS: Final = {"F02": "1002", "F04": "1004", "F05": "1005", "F07": "1007"}
_ISO_WORDS: Final = {"成功": "ACSC", "失败": "RJCT", "处理中": "PDNG"}
_ISO_REASONS: Final = {"F02": "BE01", "F04": "AC04", "F05": "AC06", "F07": "AC14"}
_FIXED_HEADER: Final = (1, 40, 12, 60, 8, 60, 32, 3, 8, 16, 60)
_FIXED_LINE: Final = (8, 32, 40, 2, 20, 20, 40, 12, 14, 16, 12, 16, 30)
_NS: Final = "urn:iso:std:iso:20022:tech:xsd:"
#: The ending of a file of each form.
SUFFIX: Final = {"csv": ".csv", "fixed": ".txt", "iso": ".xml"}

Said = tuple[Line, str]


class Batch(msgspec.Struct, frozen=True):
    """A batch as it was read: (reference, account, fen) a line."""

    form: str
    number: str
    payer_account: str
    rows: list[tuple[str, str, int]]


def read(content: bytes) -> Batch:
    """A batch file of any form; ValueError when it does not hold together."""
    if content.startswith(b"<?xml"):
        return _read_iso(content)
    return _read_fixed(content) if content.startswith(b"H") else _read_csv(content)


def _read_csv(content: bytes) -> Batch:
    grid = list(csv.reader(content.decode(_ENCODING).splitlines()))
    header = dict(zip(grid[0], grid[1], strict=True))
    rows = [dict(zip(grid[2], cells, strict=True)) for cells in grid[3:-1]]
    found = [(row["业务流水号"], row["社保卡银行账号"], int(Decimal(row["金额(元)"]) * 100)) for row in rows]
    total = sum(fen for _, _, fen in found)
    if grid[-1][0] != "合计" or (int(grid[-1][1]), int(Decimal(grid[-1][2]) * 100)) != (len(rows), total):
        raise ValueError("trailer")
    if not rows or (int(header["总笔数"]), int(Decimal(header["总金额(元)"]) * 100)) != (len(rows), total):
        raise ValueError("header")
    return Batch("csv", header["批次号"], header["付款账号"], found)


def _read_fixed(content: bytes) -> Batch:
    head, *lines, last = content.rstrip(b"\n").split(b"\n")
    header = _cut(head, _FIXED_HEADER)
    rows = [_cut(line, _FIXED_LINE) for line in lines]
    found = [(row[1], row[5], int(row[8])) for row in rows]
    mark, count, total, digest = _cut(last, (1, 8, 16, 64))
    summed = (len(rows), sum(fen for _, _, fen in found))
    if mark != "T" or not rows or (int(count), int(total)) != summed or (int(header[8]), int(header[9])) != summed:
        raise ValueError("trailer")
    if digest != _sm3(content[: len(content.rstrip(b"\n")) - len(last)]):
        raise ValueError("digest")
    return Batch("fixed", header[1], header[6], found)


def _cut(line: bytes, widths: Sequence[int]) -> list[str]:
    if len(line) != sum(widths):
        raise ValueError("width")
    ends = [sum(widths[: i + 1]) for i in range(len(widths))]
    return [line[end - width : end].decode(_ENCODING).strip() for end, width in zip(ends, widths, strict=True)]


def _read_iso(content: bytes) -> Batch:
    space = {"p": f"{_NS}pain.001.001.09"}
    root = xml.read(content, 4_000_000)
    transfers = root.findall(".//p:CdtTrfTxInf", space)
    found = [(_at(t, "p:PmtId/p:EndToEndId", space), _at(t, "p:CdtrAcct/p:Id/p:Othr/p:Id", space), int(Decimal(_at(t, "p:Amt/p:InstdAmt", space)) * 100)) for t in transfers]  # fmt: skip
    header = root.find(".//p:GrpHdr", space)
    if header is None or not found:
        raise ValueError("header")
    total = int(Decimal(_at(header, "p:CtrlSum", space)) * 100)
    if (int(_at(header, "p:NbOfTxs", space)), total) != (len(found), sum(fen for _, _, fen in found)):
        raise ValueError("control")
    return Batch("iso", _at(header, "p:MsgId", space), _at(root, ".//p:DbtrAcct/p:Id/p:Othr/p:Id", space), found)


def _at(element: ET.Element, path: str, space: dict[str, str]) -> str:
    found = element.findtext(path, namespaces=space)
    if found is None:
        raise ValueError(path)
    return found


def result(form: str, number: str, made_at: str, said: Sequence[Said]) -> bytes:
    """An answer about lines of one batch: words 成功, 失败, 处理中 or 退票; in ISO a return is a camt.054 and the others a pain.002."""
    total = sum(line.amount_fen for line, _ in said)
    if form == "csv":
        head = {"批次号": number, "回执笔数": str(len(said)), "回执金额(元)": _yuan(total), "回执时间": made_at}
        return _csv(head, _RESULT, [[str(n), *_cells(line, word)] for n, (line, word) in enumerate(said, 1)], total)
    if form == "fixed":
        head_line = f"R{number:<40}{len(said):08d}{total:016d}{made_at:<19}"
        return _fixed(head_line, [f"{n:08d}{_fixed_cells(line, word)}" for n, (line, word) in enumerate(said, 1)], total)
    if any(word == "退票" for _, word in said):
        return _camt("054", f"R{number}", "", made_at, [(number, line, word) for line, word in said])
    return _pain002(number, made_at, said)


def statement(form: str, name: str, account: str, made_at: str, said: Sequence[tuple[str, Line, str]]) -> bytes:
    """The paying account's entries: (batch number, line, word)."""
    total = sum(line.amount_fen for _, line, _ in said)
    if form == "csv":
        head = {"对账单号": name, "付款账号": account, "对账笔数": str(len(said)), "对账金额(元)": _yuan(total), "出单时间": made_at}
        return _csv(head, _STATEMENT, [[str(n), number, *_cells(line, word)] for n, (number, line, word) in enumerate(said, 1)], total)
    if form == "fixed":
        head_line = f"S{name:<40}{account:<32}{len(said):08d}{total:016d}{made_at:<19}"
        rows = [f"{n:08d}{number:<40}{_fixed_cells(line, word)}" for n, (number, line, word) in enumerate(said, 1)]
        return _fixed(head_line, rows, total)
    return _camt("053", name, account, made_at, [s for s in said if s[2] != "失败"])


def receipt(number: str, made_at: str, accepted: bool) -> bytes:
    """A pain.002 about the file as a whole."""
    reason = "" if accepted else "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>"
    group = f"<GrpSts>{'ACCP' if accepted else 'RJCT'}</GrpSts>{reason}"
    return _status_report(f"A{number}", number, made_at, group, "")


def _csv(head: dict[str, str], titles: list[str], rows: list[list[str]], total: int) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([list(head), list(head.values()), titles, *rows, ["合计", str(len(rows)), _yuan(total)]])
    return out.getvalue().encode(_ENCODING)


def _cells(line: Line, word: str) -> list[str]:
    reason = line.reason if word in ("失败", "退票") else ""
    known = word in ("成功", "退票")
    return [
        line.reference, line.account, _yuan(line.amount_fen), word, reason, _TEXTS.get(reason, ""), line.at if known else "",
        line.serial if known else "",
    ]  # fmt: skip


def _fixed_cells(line: Line, word: str) -> str:
    reason = _FIXED_REASONS.get(line.reason, "9999") if word in ("失败", "退票") else ""
    at, serial = (line.at, line.serial) if word in ("成功", "退票") else ("", "")
    return f"{line.reference:<32}{line.account:<20}{line.amount_fen:014d}{_FIXED_WORDS[word]}{reason:<4}{at:<19}{serial:<32}"


def _fixed(head: str, rows: list[str], total: int) -> bytes:
    before = "".join(f"{line}\n" for line in [head, *rows]).encode(_ENCODING)
    return before + f"T{len(rows):08d}{total:016d}{_sm3(before)}\n".encode()


def _pain002(number: str, made_at: str, said: Sequence[Said]) -> bytes:
    words = sorted({word for _, word in said})
    counts = "".join(
        f"<NbOfTxsPerSts><DtldNbOfTxs>{sum(w == word for _, w in said)}</DtldNbOfTxs><DtldSts>{_ISO_WORDS[word]}</DtldSts>"
        f"<DtldCtrlSum>{_yuan(sum(line.amount_fen for line, w in said if w == word))}</DtldCtrlSum></NbOfTxsPerSts>"
        for word in words
    )
    told = "".join(_told(line, word) for line, word in said)
    info = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{number}</OrgnlPmtInfId>{counts}{told}</OrgnlPmtInfAndSts>"
    return _status_report(f"S{number}", number, made_at, "", info)


def _told(line: Line, word: str) -> str:
    why = f"<StsRsnInf><Rsn><Cd>{_ISO_REASONS.get(line.reason, 'NARR')}</Cd></Rsn></StsRsnInf>" if word == "失败" else ""
    known = f"<AccptncDtTm>{_iso_time(line.at)}</AccptncDtTm><AcctSvcrRef>{line.serial}</AcctSvcrRef>" if word == "成功" else ""
    return (
        f"<TxInfAndSts><OrgnlInstrId>{line.seq}</OrgnlInstrId><OrgnlEndToEndId>{line.reference}</OrgnlEndToEndId>"
        f"<TxSts>{_ISO_WORDS[word]}</TxSts>{why}{known}"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{_yuan(line.amount_fen)}</InstdAmt></Amt>'
        f"<CdtrAcct><Id><Othr><Id>{line.account}</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts>\n"
    )


def _status_report(message: str, number: str, made_at: str, group: str, info: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NS}pain.002.001.12"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{message[:35]}</MsgId><CreDtTm>{_iso_time(made_at)}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{number}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>"
        f"{info}</CstmrPmtStsRpt></Document>\n"
    ).encode()


def _camt(kind: str, name: str, account: str, made_at: str, said: Sequence[tuple[str, Line, str]]) -> bytes:
    """A statement (053) or notification (054): one entry a line, balances where it is a statement."""
    at, total = _iso_time(made_at), sum(line.amount_fen for _, line, _ in said)
    top, part, balances = ("BkToCstmrStmt", "Stmt", "") if kind == "053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "")
    if kind == "053":
        net = sum(line.amount_fen if word == "退票" else -line.amount_fen for _, line, word in said)
        balances = _balance("OPBD", total, made_at) + _balance("CLBD", total + net, made_at)
    entries = "".join(_entry(number, line, word) for number, line, word in said)
    owner = f"<Acct><Id><Othr><Id>{account or 'UNSTATED'}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
    summary = f"<TxsSummry><TtlNtries><NbOfNtries>{len(said)}</NbOfNtries><Sum>{_yuan(total)}</Sum></TtlNtries></TxsSummry>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NS}camt.{kind}.001.08"><{top}>'
        f"<GrpHdr><MsgId>{name[:35]}</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>"
        f"<{part}><Id>{name[:35]}</Id><CreDtTm>{at}</CreDtTm>{owner}{balances}{summary}{entries}</{part}></{top}></Document>\n"
    ).encode()


def _balance(kind: str, fen: int, made_at: str) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{_yuan(abs(fen))}</Amt>'
        f"<CdtDbtInd>{'CRDT' if fen >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{made_at[:10]}</Dt></Dt></Bal>"
    )


def _entry(number: str, line: Line, word: str) -> str:
    back = word == "退票"
    way, amount = ("CRDT" if back else "DBIT"), f'<Amt Ccy="CNY">{_yuan(line.amount_fen)}</Amt>'
    why = f"<RtrInf><Rsn><Cd>{_ISO_REASONS.get(line.reason, 'NARR')}</Cd></Rsn></RtrInf>" if back else ""
    return (
        f"<Ntry>{amount}<CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>{_iso_time(line.at)}</DtTm></BookgDt>"
        f"<BkTxCd><Prtry><Cd>{'RRTN' if back else 'SALA'}</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><AcctSvcrRef>{line.serial}</AcctSvcrRef><PmtInfId>{number}</PmtInfId><EndToEndId>{line.reference}</EndToEndId></Refs>"
        f"{amount}<CdtDbtInd>{way}</CdtDbtInd><RltdPties><CdtrAcct><Id><Othr><Id>{line.account}</Id></Othr></Id></CdtrAcct></RltdPties>"
        f"{why}</TxDtls></NtryDtls></Ntry>\n"
    )


def _iso_time(wall: str) -> str:
    """Beijing's wall clock as ISO 20022 writes it."""
    return wall.replace(" ", "T") + "+08:00"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _sm3(content: bytes) -> str:
    made = hashes.Hash(hashes.SM3())
    made.update(content)
    return made.finalize().hex()
