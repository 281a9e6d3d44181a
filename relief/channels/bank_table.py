"""The one shape all bank text files share: titles, header, titles, rows, trailer, with count and total said three times.

Strict where money is concerned, lenient where machines differ: CRLF or LF, a byte order mark, trailing spaces, padding cells and
UTF-8 instead of GB18030 are read; a count or total that disagrees, a missing or second trailer or a cut row refuses the whole file.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec

from relief.domain.errors import Invalid
from relief.domain.money import parse_yuan, yuan

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_HEAD: Final = 3  # titles, header, titles


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cell: our key, their title, and how its text is checked and converted."""

    key: str
    title: str
    kind: str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of file."""

    header: tuple[Column, ...]
    columns: tuple[Column, ...]

    def place(self, key: str) -> int:
        """Index of a detail column; -1 when this bank has none."""
        return next((i for i, column in enumerate(self.columns) if column.key == key), -1)


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How cells become bytes."""

    encoding: str
    delimiter: str
    newline: str
    trailer: str


class Table(msgspec.Struct, frozen=True):
    """A file whose controls agree. `lines[i]` is the line number (from 1) of `rows[i]`, `amounts[i]` its fen."""

    header: dict[str, str]
    lines: list[int]
    rows: list[list[str]]
    amounts: list[int]


def refuse(code: str, message: str, row: int, column: int = 0) -> NoReturn:
    """Refuse a whole file, naming line and column from 1 (0: the whole line), never what stands there."""
    raise Invalid(code, message, row=row, column=column)


def titles(columns: Sequence[Column]) -> list[str]:
    """The titles as written."""
    return [column.title for column in columns]


def text_of(content: bytes, dialect: Dialect, first_title: str) -> str:
    """Bytes to text. Broken characters become U+FFFD, which no reference, amount or account accepts."""
    bare = content.removeprefix(_UTF8_MARK)
    encoding = "utf-8" if bare.startswith(first_title.encode()) else dialect.encoding
    return bare.decode(encoding, errors="replace").removeprefix("\ufeff")


def read(content: bytes, section: Section, dialect: Dialect) -> Table:
    """The rows of a file, or Invalid for all of it."""
    text = text_of(content, dialect, section.header[0].title).replace("\r\n", "\n").replace("\r", "\n")
    lines = text.rstrip("\n \t").split("\n")
    if lines == [""]:
        refuse("empty", "文件是空的 · the file is empty", 1)
    grid = _cells(lines, dialect.delimiter)
    _expect_titles(grid, 0, section.header)
    _expect_titles(grid, 2, section.columns)
    header = _header(grid[1], section)
    end = _trailer(grid, dialect.trailer)
    if end == _HEAD:
        refuse("no_rows", "文件没有明细 · the file has no rows", end + 1)
    place = section.place("amount_fen")
    rows = [_fit(cells, len(section.columns), _HEAD + i + 1) for i, cells in enumerate(grid[_HEAD:end])]
    amounts = [_amount(cells[place], _HEAD + i + 1, place + 1) for i, cells in enumerate(rows)]
    count_at, total_at = (next(i for i, c in enumerate(section.header) if c.key == key) for key in ("count", "total_fen"))
    _control(header["count"], header["total_fen"], amounts, 2, count_at + 1, total_at + 1)
    _, count, total = _fit(grid[end], 3, end + 1)
    _control(count, total, amounts, end + 1, 2, 3)
    return Table(header=header, lines=list(range(_HEAD + 1, end + 1)), rows=rows, amounts=amounts)


def _cells(lines: list[str], delimiter: str) -> list[list[str]]:
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


def _header(cells: list[str], section: Section) -> dict[str, str]:
    fitted = _fit(cells, len(section.header), 2)
    return {column.key: cell for column, cell in zip(section.header, fitted, strict=True)}


def _trailer(grid: list[list[str]], word: str) -> int:
    found = [i for i in range(_HEAD, len(grid)) if grid[i][:1] == [word]]
    if not found:
        refuse("trailer_missing", "没有合计行，文件可能被截断 · there is no trailer, the file may be cut", len(grid))
    if len(found) > 1:
        refuse("trailer_twice", "有两个合计行 · there are two trailers", found[1] + 1)
    if found[0] != len(grid) - 1:
        refuse("after_trailer", "合计行之后还有内容 · there are rows after the trailer", found[0] + 2)
    return found[0]


def _fit(cells: list[str], width: int, row: int) -> list[str]:
    """Exactly `width` cells; spreadsheets pad short rows with empty ones."""
    if len(cells) < width or any(cells[width:]):
        refuse(
            "row_shape", "列数不符（文件可能被截断） · the number of cells is wrong, the file may be cut", row, min(len(cells), width) + 1
        )
    return cells[:width]


def _amount(text: str, row: int, column: int) -> int:
    try:
        return parse_yuan(text)
    except Invalid as error:
        refuse("amount", error.message, row, column)


def _control(count: str, total: str, amounts: list[int], row: int, count_column: int, total_column: int) -> None:
    if not (count.isascii() and count.isdigit() and int(count[:9]) == len(amounts)):
        refuse("control_count", "笔数与明细不符 · the count disagrees with the rows", row, count_column)
    if _amount(total, row, total_column) != sum(amounts):
        refuse("control_total", "金额合计与明细不符 · the total disagrees with the rows", row, total_column)


def trailer_of(dialect: Dialect, count: int, total_fen: int) -> list[str]:
    """The last row."""
    return [dialect.trailer, str(count), yuan(total_fen)]
