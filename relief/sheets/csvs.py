"""CSV as Excel and others write it: UTF-8, GB18030 or UTF-16; comma, semicolon or tab."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Final

from relief.sheets.model import MAX_COLUMNS, MAX_ROWS, Cell, Encoding, Row, SheetError, checked, too_many_columns, too_many_rows

_DELIMITERS: Final = (",", ";", "\t", "，")
#: The reader's own bound on a field; what is longer than a cell may be is a fault of that cell.
_FIELD: Final = 131_072


def decode(content: bytes, encoding: Encoding) -> tuple[str, str]:
    """The text and the encoding it was in. Bytes that fit neither become U+FFFD, so that each row with one can be named."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace"), name
    for name in ("utf-8", "gb18030") if encoding == "auto" else (encoding,):
        try:
            return content.decode(name), name
        except UnicodeDecodeError:
            continue
    likely = encoding if encoding != "auto" else _likelier(content)
    return content.decode(likely, "replace"), likely


def _likelier(content: bytes) -> str:
    """Of two encodings that both fail, the one that fails less."""
    return min(("utf-8", "gb18030"), key=lambda name: content.decode(name, "replace").count("\ufffd"))


def delimiter(text: str) -> str:
    """What separates the cells of the first line."""
    first = text.lstrip("\r\n").split("\n", 1)[0].split("\r", 1)[0]
    return max(_DELIMITERS, key=first.count)


def rows(text: str, separator: str) -> Iterator[Row]:
    """Numbered rows, blank ones included (as no cells). SheetError where quotes do not close or a field has no end."""
    csv.field_size_limit(_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            if number > MAX_ROWS + 1:
                raise too_many_rows()
            if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                raise too_many_columns(number)
            read: list[Cell] = [checked(c) for c in cells[:MAX_COLUMNS]]
            yield number, read if any(read) else []
    except csv.Error as error:
        raise _broken(str(error), number + 1) from None


def _broken(what: str, row: int) -> SheetError:
    if "field larger" in what:
        return SheetError("field_too_long", f"第 {row} 行有过长的内容 · a field of row {row} is too long", row)
    return SheetError("quote_open", f"第 {row} 行起引号没有成对 · quotation marks from row {row} on do not close", row)
