"""What a spreadsheet is once it has been read: headings, rows of cells, and what is wrong with it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 100
#: Characters of a cell.
MAX_CELL: Final = 4_096

#: Text as it stands; a number as the file writes it; or why the cell is not read.
#: (('number', '6.2E+18'), ('fault', 'formula')).
Cell = str | tuple[str, str]
Row = tuple[int, list[Cell]]
Encoding = Literal["auto", "utf-8", "gb18030"]


class SheetError(Exception):
    """The file is refused as a whole. `code` is stable; `row` is its line where one can be named."""

    def __init__(self, code: str, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.row = row


class Head(msgspec.Struct, frozen=True):
    """What stands before the rows. `merged` are first and last row of merged ranges below the headings; `encoding` is 'xlsx' for workbooks."""

    encoding: str
    delimiter: str
    headings: list[str]
    heading_row: int
    rows: int
    merged: list[tuple[int, int]]


class Request(msgspec.Struct, frozen=True):
    """What the parent says before the bytes of the file."""

    name: str
    encoding: Encoding = "auto"


class Refusal(msgspec.Struct, frozen=True):
    """A SheetError on the wire."""

    code: str
    message: str
    row: int | None


class Answer(msgspec.Struct, frozen=True):
    """Head, or refusal; then portions of rows follow, each a MessagePack document behind its length (4 bytes, big-endian)."""

    head: Head | None = None
    refusal: Refusal | None = None


def too_many_rows() -> SheetError:
    """More than one file may hold."""
    return SheetError("too_many_rows", f"超过 {MAX_ROWS:,} 行，请分成几个文件 · more than {MAX_ROWS:,} rows; split the file")


def too_many_columns(row: int) -> SheetError:
    """A cell far to the right."""
    return SheetError(
        "too_many_columns", f"第 {row} 行有超过 {MAX_COLUMNS} 列的内容 · row {row} has a cell beyond column {MAX_COLUMNS}", row
    )


def checked(text: str) -> Cell:
    """A cell's text, or why it is not read."""
    if len(text) > MAX_CELL:
        return ("fault", "field_too_long")
    if not text.isprintable() and any(
        (c < " " and c not in "\t\n\r") or c == "\x7f" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in text
    ):
        return ("fault", "control_char")
    if "\ufffd" in text:
        return ("fault", "bad_encoding")
    if text[:1] in ("=", "@") or (text[:1] in ("+", "-") and not text[1:2].isdigit() and len(text) > 1):
        return ("fault", "formula")
    return text.strip()
