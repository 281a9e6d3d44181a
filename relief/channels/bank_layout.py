"""A bank's text layout: a TOML file names the columns and words, this file turns a batch into bytes and answers into rows.

Adding a bank is adding a TOML file (`bank_layouts` finds it). The same batch always gives the same bytes, because those bytes are what
officers sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec

from relief.channels.bank_table import Column, Dialect, Section, Table, TooWide, read, text_of, written
from relief.domain.batch import BatchFile, BatchLine, Glimpse, ResultFile, ResultRow, is_number
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid
from relief.domain.money import yuan

#: What a cell of each kind must look like when we write it.
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "text": re.compile(r"(?![=+\-@])[^\x00-\x1f\x7f\u0085\u2028\u2029]*"),  # a spreadsheet would run =, +, - and @ as formulas
    "words": re.compile(r"(?![=+\-@])[^\x00-\x1f\x7f\u0085\u2028\u2029]+"),  # text that may not be empty
    "code": re.compile(r"[^\x00-\x1f\x7f]+"),
    "ascii": re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*"),
    "count": re.compile(r"[1-9][0-9]*"),
    "yuan": re.compile(r"(?!0\.00$)[0-9]+\.[0-9]{2}"),
    "fen": re.compile(r"[1-9][0-9]*"),
    "mark": re.compile(r".+"),
    "reference": re.compile(r"[A-Za-z0-9\-]{1,64}"),
    "account": re.compile(r"[0-9]{16,19}"),
    "cnaps": re.compile(r"([0-9]{12})?"),
    "digits": re.compile(r"[0-9]+"),
    "phone": re.compile(r"[0-9]*"),
}
_REFERENCE: Final = _FORMS["reference"]
_ACCOUNT: Final = _FORMS["account"]
_BANK_REF: Final = re.compile(r"[A-Za-z0-9\-]{1,64}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_OTHER: Final = "F99"
#: 系统超时: the bank itself does not know. That is no answer: the line stays open and is asked about.
_NO_ANSWER: Final = "F13"
_WITH_REASON: Final = frozenset({"returned", "reversed"})


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Code tables: ours → theirs for documents, theirs → ours for status and reason."""

    id_type: dict[str, str]
    status: dict[str, str]
    reason: dict[str, str]


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bank's files, as declared. Satisfies `relief.domain.batch.Layout`."""

    name: str
    title: str
    illustrative: bool  # true: not the interface of any real bank
    encoding: Literal["gb18030", "gbk", "gb2312", "utf-8"]
    newline: str
    trailer: str
    batch: Section
    result: Section
    statement: Section
    codes: Codes
    reasons: dict[str, str]  # F01 → 账号不存在
    banks: tuple[str, ...] = ()  # whose files look so (bank part of the CNAPS code); '*': every bank nobody else serves
    delimiter: str = ""  # '': columns have widths
    titles: bool = True
    trailer_widths: tuple[int, ...] = ()
    digest: Literal["", "sm3", "sha256"] = ""

    @property
    def dialect(self) -> Dialect:
        """How cells become bytes."""
        return Dialect(
            encoding=self.encoding, delimiter=self.delimiter, newline=self.newline, trailer=self.trailer, titles=self.titles,
            trailer_widths=self.trailer_widths, digest=self.digest,
        )  # fmt: skip

    def of(self, bank: str) -> Layout:
        """One layout serves whom it is asked to."""
        return self

    def knows(self, content: bytes) -> bool:
        """True where an answer begins as this layout's answers do."""
        return any(_begins(self, section, content) for section in (self.result, self.statement))

    def encode(self, batch: BatchFile) -> bytes:
        """See `encode`."""
        return encode(self, batch)

    def parse_result(self, content: bytes) -> ResultFile:
        """See `parse_result`."""
        return parse_result(self, content)

    def parse_statement(self, content: bytes) -> ResultFile:
        """See `parse_statement`."""
        return parse_statement(self, content)

    def glimpse(self, content: bytes) -> Glimpse:
        """See `glimpse`."""
        return glimpse(self, content)


def encode(layout: Layout, batch: BatchFile) -> bytes:
    """The batch file, byte for byte. Raises Invalid `field` or `encoding` naming line and column, never what stands there."""
    if not batch.lines:
        raise Invalid("no_rows", "批次没有明细 · the batch has no lines")
    if [line.seq for line in batch.lines] != list(range(1, batch.count + 1)):
        raise Invalid("field", "序号须从1连续编号 · lines must be numbered 1, 2, 3 …", line=0, column="seq")
    header = _written(layout, layout.batch.header, [batch], 0)[0]
    rows = _written(layout, layout.batch.columns, batch.lines, 1)
    try:
        return written(layout.batch, layout.dialect, header, rows, batch.count, batch.total_fen)
    except UnicodeEncodeError:
        _blame(layout, [header, *rows])
        raise
    except TooWide as error:
        columns = layout.batch.columns if error.row >= 0 else layout.batch.header
        raise Invalid(
            "field", "该栏内容超出银行文件的栏宽 · this field is longer than its column in the bank file",
            line=error.row + 1, column=columns[error.column].key,
        ) from None  # fmt: skip


def _written(layout: Layout, columns: tuple[Column, ...], things: Sequence[object], first: int) -> list[list[str]]:
    """Column by column, because all cells of a column share one converter and one form."""
    grid = []
    for column in columns:
        convert, fits = _converter(layout, column.kind), _FORMS[column.kind].fullmatch
        if column.kind == "mark":
            grid.append([column.title] * len(things))
            continue
        cells = [convert(value) for value in map(attrgetter(column.key), things)]
        wrong = next((i for i, cell in enumerate(cells) if fits(cell) is None), None)
        if wrong is not None:
            raise Invalid(
                "field", "该栏内容不能写入银行文件 · this field cannot go into a bank file", line=first + wrong, column=column.key
            )
        grid.append(cells)
    return [list(row) for row in zip(*grid, strict=True)]


def _converter(layout: Layout, kind: str) -> Callable[[Any], str]:
    if kind == "yuan":
        return yuan
    if kind == "fen":
        return str
    if kind == "code":
        return lambda value: layout.codes.id_type.get(value, "")
    if kind == "phone":
        return _dialled
    return lambda value: str(value).strip()


def _dialled(phone: str) -> str:
    """Banks want bare mainland numbers, and 00 before those of other countries."""
    return phone[3:] if phone.startswith("+86") else "00" + phone[1:] if phone.startswith("+") else phone


def _blame(layout: Layout, rows: list[list[str]]) -> None:
    """Name the first line and column that the bank's encoding cannot hold (line 0 is the header)."""
    for line, cells in enumerate(rows):
        for at, cell in enumerate(cells):
            try:
                cell.encode(layout.encoding)
            except UnicodeEncodeError:
                columns = layout.batch.columns if line else layout.batch.header
                raise Invalid(
                    "encoding", "该行有银行编码无法表示的字 · this line holds a character the bank's encoding cannot hold",
                    line=line, column=columns[at].key,
                ) from None  # fmt: skip


def decode(layout: Layout, content: bytes) -> BatchFile:
    """Our own file read back: what was signed and sent, for screens and for the proof that nothing was lost in writing."""
    table = read(content, layout.batch, layout.dialect)
    documents = {theirs: ours for ours, theirs in layout.codes.id_type.items()}
    keys = [column.key for column in layout.batch.columns]
    lines = []
    for cells, amount in zip(table.rows, table.amounts, strict=True):
        given: dict[str, object] = {key: cell for key, cell in zip(keys, cells, strict=True) if key != "mark"}
        phone = str(given.get("phone", ""))
        given |= {
            "seq": int(str(given["seq"])),
            "amount_fen": amount,
            "id_type": documents[str(given["id_type"])],
            "phone": "+" + phone[2:] if phone.startswith("00") else "+86" + phone if phone else "",
        }
        lines.append(msgspec.convert(given, BatchLine))
    header = {key: value for key, value in table.header.items() if key not in ("count", "total_fen", "mark")}
    return msgspec.convert({**header, "lines": tuple(lines)}, BatchFile)


def parse_result(layout: Layout, content: bytes) -> ResultFile:
    """A result file: one batch, perhaps a part of it. Invalid refuses the whole file; an unreadable row keeps its place."""
    table = read(content, layout.result, layout.dialect)
    number = table.header["number"]
    if not is_number(number):
        where = {"row": layout.dialect.head - 1 or 1, "column": layout.result.header_place("number") + 1}
        raise Invalid("batch_number", "批次号形式不符 · this is not a batch number", **where)
    return ResultFile(kind="result", batch_number=number, rows=_rows(layout, layout.result, table, number))


def parse_statement(layout: Layout, content: bytes) -> ResultFile:
    """A statement of the paying account: rows name their batches."""
    table = read(content, layout.statement, layout.dialect)
    return ResultFile(kind="statement", batch_number="", rows=_rows(layout, layout.statement, table, None))


def _rows(layout: Layout, section: Section, table: Table, number: str | None) -> tuple[ResultRow, ...]:
    places = [section.place(key) for key in ("reference", "outcome", "reason", "reason_text", "at", "bank_ref", "account", "batch_number")]
    by_text = {text: code for code, text in layout.reasons.items()}
    out = []
    for line, cells, amount in zip(table.lines, table.rows, table.amounts, strict=True):
        reference, word, reason, reason_text, at, bank_ref, account, own = (cells[p] if p >= 0 else "" for p in places)
        outcome, code = layout.codes.status.get(word, ""), None
        moment = _moment(at)
        said = _reason(layout, by_text, reason, reason_text) if outcome in _WITH_REASON else None
        if outcome == "returned" and said == _NO_ANSWER:
            outcome, said = "pending", None
        if not outcome:
            code = "status_word"
        elif _REFERENCE.fullmatch(reference) is None:
            code = "reference"
        elif at and moment is None:
            code = "time"
        elif account and _ACCOUNT.fullmatch(account) is None:
            code = "account"
        out.append(
            ResultRow(
                row=line,
                batch_number=number if number is not None else own if is_number(own) else "",
                reference=reference if _REFERENCE.fullmatch(reference) else "",
                outcome="unreadable" if code else outcome,
                amount_fen=amount,
                reason=said,
                bank_ref=bank_ref if _BANK_REF.fullmatch(bank_ref) else None,
                at=moment,
                account=account if account and code != "account" else None,
                code=code,
            )
        )
    return tuple(out)


def _reason(layout: Layout, by_text: Mapping[str, str], code: str, text: str) -> str:
    return layout.codes.reason.get(code) or by_text.get(text) or _OTHER


def _moment(text: str) -> datetime | None:
    """The bank's wall clock is Beijing's."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def glimpse(layout: Layout, content: bytes) -> Glimpse:
    """Kind and batch number of a file that may be broken anywhere; guesses 'result' and '' rather than raise."""
    section, kind = (layout.statement, "statement") if _begins(layout, layout.statement, content) else (layout.result, "result")
    in_rows = kind == "statement"
    place = section.place("batch_number") if in_rows else section.header_place("number")
    lines = content[:4096].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    head = layout.dialect.head
    line = lines[head if in_rows else max(0, head - 2) :][:1]
    found = _cell(layout, section.columns if in_rows else section.header, line[0], place) if line else ""
    return Glimpse(kind=kind, batch_number=found if is_number(found) else "")


def _begins(layout: Layout, section: Section, content: bytes) -> bool:
    """The first cell is this section's first title; where columns have widths, the first line is as long as the header too."""
    first = section.header[0].title
    line = content[:4096].replace(b"\r", b"\n").split(b"\n", 1)[0]
    if not layout.delimiter:
        return line.startswith(first.encode(layout.encoding)) and len(line) == sum(column.width for column in section.header)
    return text_of(line, layout.dialect, first).split(layout.delimiter, 1)[0].strip(' "\t') == first


def _cell(layout: Layout, columns: Sequence[Column], line: bytes, place: int) -> str:
    """One cell of a line that may be broken."""
    if layout.delimiter:
        cells = line.decode(layout.encoding, errors="replace").split(layout.delimiter)
        return cells[place].strip(' "\t') if 0 <= place < len(cells) else ""
    start = sum(column.width for column in columns[:place])
    return line[start : start + columns[place].width].decode("ascii", errors="replace").strip()
