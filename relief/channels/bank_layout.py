"""A bank's layout: a TOML file names the columns and words, this file turns a batch into bytes and answers into rows.

Adding a bank is adding a TOML file. The same batch always gives the same bytes, because those bytes are what officers sign.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from relief.channels.bank_table import Column, Dialect, Section, Table, read, text_of, titles, trailer_of
from relief.domain.batch import BatchFile, BatchLine, Glimpse, ResultFile, ResultRow, is_number
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid
from relief.domain.money import yuan

_FOLDER: Final = Path(__file__).with_name("layouts")
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
#: What a cell of each kind must look like when we write it.
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "text": re.compile(r"(?![=+\-@])[^\x00-\x1f\x7f\u0085\u2028\u2029]*"),  # a spreadsheet would run =, +, - and @ as formulas
    "words": re.compile(r"(?![=+\-@])[^\x00-\x1f\x7f\u0085\u2028\u2029]+"),  # text that may not be empty
    "code": re.compile(r"[^\x00-\x1f\x7f]+"),
    "ascii": re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*"),
    "count": re.compile(r"[1-9][0-9]*"),
    "yuan": re.compile(r"(?!0\.00$)[0-9]+\.[0-9]{2}"),
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
    encoding: str
    delimiter: str
    newline: str
    trailer: str
    batch: Section
    result: Section
    statement: Section
    codes: Codes
    reasons: dict[str, str]  # F01 → 账号不存在

    @property
    def dialect(self) -> Dialect:
        """How cells become bytes."""
        return Dialect(encoding=self.encoding, delimiter=self.delimiter, newline=self.newline, trailer=self.trailer)

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


def load(name: str) -> Layout:
    """The layout of that name, or Invalid when there is none or its file is wrong."""
    path = _FOLDER / f"{name}.toml"
    if _NAME.fullmatch(name) is None or not path.is_file():
        raise Invalid("layout_unknown", "没有这种银行文件格式 · there is no bank layout of that name")
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Layout)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid("layout_form", f"银行文件格式定义有误 · the layout file is wrong: {error}") from None


def encode(layout: Layout, batch: BatchFile) -> bytes:
    """The batch file, byte for byte. Raises Invalid `field` or `encoding` naming line and column, never what stands there."""
    if not batch.lines:
        raise Invalid("no_rows", "批次没有明细 · the batch has no lines")
    if [line.seq for line in batch.lines] != list(range(1, batch.count + 1)):
        raise Invalid("field", "序号须从1连续编号 · lines must be numbered 1, 2, 3 …", line=0, column="seq")
    rows = [_written(layout, layout.batch.header, [batch], 0)[0]]
    body = _written(layout, layout.batch.columns, batch.lines, 1)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=layout.delimiter, lineterminator=layout.newline)
    writer.writerow(titles(layout.batch.header))
    writer.writerows(rows)
    writer.writerow(titles(layout.batch.columns))
    writer.writerows(body)
    writer.writerow(trailer_of(layout.dialect, batch.count, batch.total_fen))
    try:
        return out.getvalue().encode(layout.encoding)
    except UnicodeEncodeError:
        _blame(layout, [*rows, *body])
        raise


def _written(layout: Layout, columns: tuple[Column, ...], things: Sequence[object], first: int) -> list[list[str]]:
    """Column by column, because all cells of a column share one converter and one form."""
    grid = []
    for column in columns:
        convert, fits = _converter(layout, column.kind), _FORMS[column.kind].fullmatch
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
        given: dict[str, object] = dict(zip(keys, cells, strict=True))
        phone = str(given["phone"])
        given |= {
            "seq": int(str(given["seq"])),
            "amount_fen": amount,
            "id_type": documents[str(given["id_type"])],
            "phone": "+" + phone[2:] if phone.startswith("00") else "+86" + phone if phone else "",
        }
        lines.append(msgspec.convert(given, BatchLine))
    header = {key: value for key, value in table.header.items() if key not in ("count", "total_fen")}
    return msgspec.convert({**header, "lines": tuple(lines)}, BatchFile)


def parse_result(layout: Layout, content: bytes) -> ResultFile:
    """A result file: one batch, perhaps a part of it. Invalid refuses the whole file; an unreadable row keeps its place."""
    table = read(content, layout.result, layout.dialect)
    number = table.header["number"]
    if not is_number(number):
        raise Invalid("batch_number", "批次号形式不符 · this is not a batch number", row=2, column=1)
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
                reason=_reason(layout, by_text, reason, reason_text) if outcome in _WITH_REASON else None,
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
    head = text_of(content[:4096], layout.dialect, layout.result.header[0].title)
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kind = "statement" if lines[0].startswith(layout.statement.header[0].title) else "result"
    place = layout.statement.place("batch_number") if kind == "statement" else 0
    line = lines[3 if kind == "statement" else 1 :][:1]
    cells = line[0].split(layout.delimiter) if line else []
    found = cells[place].strip(' "\t') if place < len(cells) else ""
    return Glimpse(kind=kind, batch_number=found if is_number(found) else "")
