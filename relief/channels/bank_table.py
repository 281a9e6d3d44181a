"""The shapes bank text files have: perhaps titles, a header, one row a line, a trailer; cells set apart by a sign or by their width.

Strict where money is concerned, lenient where machines differ: CRLF or LF, a byte order mark, trailing spaces, padding cells and
UTF-8 instead of GB18030 are read; a count, total or digest that disagrees, a missing or second trailer or a cut row refuses the whole file.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import Final, Literal, NoReturn

import msgspec
from cryptography.hazmat.primitives import hashes

from relief.domain.errors import Invalid
from relief.domain.money import parse_yuan, yuan

_UTF8_MARK: Final = b"\xef\xbb\xbf"
#: Kinds whose cells are set right where a column has a width, and what fills them.
_FILLS: Final = {"count": b"0", "fen": b"0", "yuan": b" "}


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cell: our key, their title, and how its text is checked and converted. A `mark` always holds its title."""

    key: str
    title: str
    kind: str
    width: int = 0  # bytes in the file's encoding; 0 where a sign sets cells apart


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of file."""

    header: tuple[Column, ...]
    columns: tuple[Column, ...]

    def place(self, key: str) -> int:
        """Index of a detail column; -1 when this bank has none."""
        return _place(self.columns, key)

    def header_place(self, key: str) -> int:
        """Index of a header cell; -1 when this bank has none."""
        return _place(self.header, key)


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How cells become bytes. `delimiter` is '' where columns have widths; then the trailer's cells have widths too."""

    encoding: str
    delimiter: str
    newline: str
    trailer: str
    titles: bool = True
    trailer_widths: tuple[int, ...] = ()
    digest: Literal["", "sm3", "sha256"] = ""  # over every byte before the trailer, in hex, last cell of the trailer

    @property
    def head(self) -> int:
        """Lines before the first row."""
        return 3 if self.titles else 1


class Table(msgspec.Struct, frozen=True):
    """A file whose controls agree. `lines[i]` is the line number (from 1) of `rows[i]`, `amounts[i]` its fen."""

    header: dict[str, str]
    lines: list[int]
    rows: list[list[str]]
    amounts: list[int]


class TooWide(ValueError):
    """A cell is longer than its column."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(row, column)
        self.row, self.column = row, column


def refuse(code: str, message: str, row: int, column: int = 0) -> NoReturn:
    """Refuse a whole file, naming line and column from 1 (0: the whole line), never what stands there."""
    raise Invalid(code, message, row=row, column=column)


def titles(columns: Sequence[Column]) -> list[str]:
    """The titles as written."""
    return [column.title for column in columns]


def money(kind: str, fen: int) -> str:
    """An amount as its column writes it."""
    return str(fen) if kind == "fen" else yuan(fen)


def written(section: Section, dialect: Dialect, header: list[str], rows: list[list[str]], count: int, total_fen: int) -> bytes:
    """The file, byte for byte. Raises UnicodeEncodeError or TooWide (rows and columns from 0; row -1 is the header)."""
    before = _titled(dialect, [header], section.header, -1) + _titled(dialect, rows, section.columns, 0)
    kind = _money_kind(section)
    cells = [dialect.trailer, str(count), money(kind, total_fen)]
    if dialect.digest:
        cells.append(digest_of(dialect.digest, before))
    kinds = ("text", "count", kind, "text")
    columns = [Column("", "", k, width) for k, width in zip(kinds, dialect.trailer_widths, strict=False)]
    return before + _lines(dialect, [cells], columns)


def _titled(dialect: Dialect, rows: list[list[str]], columns: Sequence[Column], first: int) -> bytes:
    head = _lines(dialect, [titles(columns)], columns) if dialect.titles else b""
    return head + _lines(dialect, rows, columns, first)


def _lines(dialect: Dialect, rows: list[list[str]], columns: Sequence[Column], first: int = 0) -> bytes:
    if dialect.delimiter:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=dialect.delimiter, lineterminator=dialect.newline).writerows(rows)
        return out.getvalue().encode(dialect.encoding)
    end = dialect.newline.encode(dialect.encoding)
    made = []
    for at, row in enumerate(rows, first):
        for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
            plain = cell.encode(dialect.encoding)
            if len(plain) > column.width:
                raise TooWide(at, place)
            fill = _FILLS.get(column.kind)
            made.append(plain.rjust(column.width, fill) if fill else plain.ljust(column.width))
        made.append(end)
    return b"".join(made)


def digest_of(name: str, content: bytes) -> str:
    """SM3 (GB/T 32905) or SHA-256 in hex."""
    if name == "sha256":
        return hashlib.sha256(content).hexdigest()
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(content)
    return sm3.finalize().hex()


def text_of(content: bytes, dialect: Dialect, first_title: str) -> str:
    """Bytes to text. Broken characters become U+FFFD, which no reference, amount or account accepts."""
    bare = content.removeprefix(_UTF8_MARK)
    encoding = "utf-8" if bare.startswith(first_title.encode()) else dialect.encoding
    return bare.decode(encoding, errors="replace").removeprefix("\ufeff")


def read(content: bytes, section: Section, dialect: Dialect) -> Table:
    """The rows of a file, or Invalid for all of it."""
    grid = cells_of(content, section, dialect)
    head = dialect.head
    if dialect.titles:
        _expect_titles(grid, 0, section.header)
        _expect_titles(grid, 2, section.columns)
    header = _header(grid[head - 2 if dialect.titles else 0], section, head - 1 if dialect.titles else 1)
    end = _trailer(grid, dialect)
    if end == head:
        refuse("no_rows", "文件没有明细 · the file has no rows", end + 1)
    place, kind = section.place("amount_fen"), _money_kind(section)
    rows = [_fit(cells, len(section.columns), head + i + 1) for i, cells in enumerate(grid[head:end])]
    amounts = [_amount(kind, cells[place], head + i + 1, place + 1) for i, cells in enumerate(rows)]
    _control(
        kind,
        header["count"],
        header["total_fen"],
        amounts,
        head - 1 or 1,
        section.header_place("count") + 1,
        section.header_place("total_fen") + 1,
    )
    _, count, total, *rest = _fit(grid[end], 4 if dialect.digest else 3, end + 1)
    _control(kind, count, total, amounts, end + 1, 2, 3)
    if dialect.digest and rest[0].lower() != digest_of(dialect.digest, _before_trailer(content)):
        refuse("file_digest", "文件摘要与内容不符 · the file's digest is not that of its content", end + 1, 4)
    return Table(header=header, lines=list(range(head + 1, end + 1)), rows=rows, amounts=amounts)


def cells_of(content: bytes, section: Section, dialect: Dialect) -> list[list[str]]:
    """The lines of a file cut into cells; refused where it is empty or cannot be cut."""
    if not content.strip():
        refuse("empty", "文件是空的 · the file is empty", 1)
    if dialect.delimiter:
        text = text_of(content, dialect, section.header[0].title).replace("\r\n", "\n").replace("\r", "\n")
        lines = text.rstrip("\n \t").split("\n")
        if lines == [""]:
            refuse("empty", "文件是空的 · the file is empty", 1)
        return _split(lines, dialect.delimiter)
    bare = content.removeprefix(_UTF8_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    return [_cut(line, at, section, dialect) for at, line in enumerate(bare.split(b"\n"))]


def _cut(line: bytes, at: int, section: Section, dialect: Dialect) -> list[str]:
    """A line of fixed widths; what is too short or too long is refused, its file may be cut."""
    if at and line.startswith(dialect.trailer.encode(dialect.encoding)):
        widths: Sequence[int] = dialect.trailer_widths
    else:
        widths = [c.width for c in (section.columns if at else section.header)]
    if len(line) != sum(widths):
        refuse("row_shape", "行长与约定不符（文件可能被截断） · the line has another length than agreed, the file may be cut", at + 1)
    cells, place = [], 0
    for width in widths:
        cells.append(line[place : place + width].decode(dialect.encoding, errors="replace").strip())
        place += width
    return cells


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    grid: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            grid.append([cell.strip() for cell in cells])
            if reader.line_num != len(grid):
                refuse("row_shape", "一行明细跨了多行 · a cell runs over a line end", len(grid))
    except csv.Error:
        refuse("row_shape", "该行无法按列拆分（文件可能被截断） · the line cannot be split, the file may be cut", len(grid) + 1)
    return grid


def _expect_titles(grid: list[list[str]], at: int, columns: Sequence[Column]) -> None:
    wanted = titles(columns)
    given = grid[at] if at < len(grid) else []
    if given[: len(wanted)] != wanted or any(given[len(wanted) :]):
        wrong = next((i for i, title in enumerate(wanted) if given[i : i + 1] != [title]), len(wanted))
        refuse("titles", "栏目与约定的格式不符 · the titles are not those of the agreed layout", at + 1, wrong + 1)


def _header(cells: list[str], section: Section, row: int) -> dict[str, str]:
    fitted = _fit(cells, len(section.header), row)
    for place, (column, cell) in enumerate(zip(section.header, fitted, strict=True), 1):
        if column.kind == "mark" and cell != column.title:
            refuse("titles", "文件头标识与约定的格式不符 · the file's mark is not that of the agreed layout", row, place)
    return {column.key: cell for column, cell in zip(section.header, fitted, strict=True)}


def _trailer(grid: list[list[str]], dialect: Dialect) -> int:
    found = [i for i in range(dialect.head, len(grid)) if grid[i][:1] == [dialect.trailer]]
    if not found:
        refuse("trailer_missing", "没有合计行，文件可能被截断 · there is no trailer, the file may be cut", len(grid))
    if len(found) > 1:
        refuse("trailer_twice", "有两个合计行 · there are two trailers", found[1] + 1)
    if found[0] != len(grid) - 1:
        refuse("after_trailer", "合计行之后还有内容 · there are rows after the trailer", found[0] + 2)
    return found[0]


def _before_trailer(content: bytes) -> bytes:
    """Every byte before the last line."""
    bare = content.rstrip(b"\r\n")
    return content[: max(bare.rfind(b"\n"), bare.rfind(b"\r")) + 1]


def _fit(cells: list[str], width: int, row: int) -> list[str]:
    """Exactly `width` cells; spreadsheets pad short rows with empty ones."""
    if len(cells) < width or any(cells[width:]):
        refuse(
            "row_shape", "列数不符（文件可能被截断） · the number of cells is wrong, the file may be cut", row, min(len(cells), width) + 1
        )
    return cells[:width]


def _amount(kind: str, text: str, row: int, column: int) -> int:
    if kind == "fen":
        if text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0:
            return int(text)
        refuse("amount", "金额须为正整数分 · an amount is a whole number of fen above zero", row, column)
    try:
        return parse_yuan(text)
    except Invalid as error:
        refuse("amount", error.message, row, column)


def _control(kind: str, count: str, total: str, amounts: list[int], row: int, count_column: int, total_column: int) -> None:
    if not (count.isascii() and count.isdigit() and len(count) <= 12 and int(count) == len(amounts)):
        refuse("control_count", "笔数与明细不符 · the count disagrees with the rows", row, count_column)
    if _amount(kind, total, row, total_column) != sum(amounts):
        refuse("control_total", "金额合计与明细不符 · the total disagrees with the rows", row, total_column)


def _money_kind(section: Section) -> str:
    return section.columns[section.place("amount_fen")].kind


def _place(columns: Sequence[Column], key: str) -> int:
    return next((i for i, column in enumerate(columns) if column.key == key), -1)
