"""Workbooks, read cell by cell as the file writes them: nothing is calculated, guessed or loaded from elsewhere.

A library that turns `<v>` into a float has lost what a clerk must be told: that the number was mangled. So the parts are read here, with
expat as a stream, and a document type declaration ends the reading at once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from relief.sheets.model import MAX_COLUMNS, MAX_ROWS, Cell, Row, SheetError, checked, too_many_columns, too_many_rows
from relief.sheets.zips import Parts

#: Characters of all shared texts together.
_MAX_TEXTS: Final = 100_000_000
_PLACE: Final = re.compile("([A-Z]{1,3})([0-9]{1,7})")
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_TEXTS: Final = "xl/sharedStrings.xml"
#: Sheets our own templates bring along; they hold lists, not rows.
COMPANIONS: Final = ("代码 codes", "说明 notes")
_FORBIDDEN: Final = (
    ("vbaproject.bin", "macros", "工作簿含宏，请另存为 .xlsx（不含宏） · the workbook holds macros; save it as .xlsx"),
    ("xl/externallinks/", "external_link", "工作簿链接了别的文件，请断开链接后再导入 · the workbook links to other files; break the links"),
    ("xl/embeddings/", "embedded_object", "工作簿嵌入了对象，请删除后再导入 · the workbook embeds objects; remove them"),
    ("xl/activex/", "embedded_object", "工作簿嵌入了控件，请删除后再导入 · the workbook embeds controls; remove them"),
)

Attributes = dict[str, str]


class Workbook:
    """One sheet with rows. `merged` is complete once `rows` has run through."""

    def __init__(self, content: bytes) -> None:
        self.merged: list[tuple[int, int, int]] = []  # first row, last row, first column
        self._parts = Parts(content)
        _harmless(self._parts)
        self._sheet = _only_sheet(self._parts)
        self._texts = _shared(self._parts)

    def rows(self) -> Iterator[Row]:
        """Rows that hold something, by their own number."""
        reader = _Rows(self._texts)
        yield from _parse(self._parts, self._sheet, reader)
        self.merged = reader.merged


def _harmless(parts: Parts) -> None:
    names = [n.lower() for n in parts.names]
    if _WORKBOOK not in names:
        raise SheetError("not_a_workbook", "不是 Excel 工作簿 · this is no Excel workbook")
    for mark, code, message in _FORBIDDEN:
        if any(mark in n for n in names):
            raise SheetError(code, message)


class _Collected:
    """Elements of one kind with their attributes."""

    def __init__(self, *wanted: str) -> None:
        self.found: list[tuple[str, Attributes]] = []
        self._wanted = wanted

    def start(self, name: str, attributes: Attributes) -> None:
        if name in self._wanted:
            self.found.append((name, {k.rpartition(":")[2]: v for k, v in attributes.items()}))

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...

    def take(self) -> list[Any]:
        return []


def _only_sheet(parts: Parts) -> str:
    """The part of the one visible sheet that holds rows."""
    book, relations = _Collected("sheet"), _Collected("Relationship")
    list(_parse(parts, _WORKBOOK, book))
    list(_parse(parts, _RELATIONS, relations))
    targets = {a.get("Id"): a.get("Target", "") for _, a in relations.found}
    if any(a.get("state", "visible") != "visible" for _, a in book.found):
        raise SheetError("hidden_sheet", "工作簿有隐藏的工作表，请显示或删除 · the workbook has a hidden sheet; show it or remove it")
    sheets = [
        (a.get("name", ""), posixpath.normpath(posixpath.join("xl", targets.get(a.get("id"), "").removeprefix("/xl/"))))
        for _, a in book.found
    ]
    filled = [path for name, path in sheets if name not in COMPANIONS and _filled(parts, path)]
    if len(filled) > 1:
        raise SheetError("several_sheets", "有多个工作表填了内容，请只留一个 · several sheets hold rows; keep one")
    if not filled:
        raise SheetError("no_rows", "工作表是空的 · there are no rows")
    return filled[0]


class _Found(Exception):
    """Enough was seen."""


class _AnyCell(_Collected):
    def start(self, name: str, attributes: Attributes) -> None:
        if name in ("v", "is", "f"):
            raise _Found


def _filled(parts: Parts, path: str) -> bool:
    if path not in parts.names:
        raise SheetError("zip_damaged", "文件损坏，缺少工作表 · the file is damaged: a sheet is missing")
    try:
        list(_parse(parts, path, _AnyCell()))
    except _Found:
        return True
    return False


class _Texts(_Collected):
    """The shared texts in order, without phonetic guides."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._now: list[str] = []
        self._reading = self._guide = False
        self._left = _MAX_TEXTS

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "si":
            self._now = []
        elif name == "rPh":
            self._guide = True
        elif name == "t":
            self._reading = not self._guide

    def end(self, name: str) -> None:
        if name == "si":
            self.texts.append("".join(self._now))
        elif name == "rPh":
            self._guide = False
        elif name == "t":
            self._reading = False

    def text(self, data: str) -> None:
        if self._reading:
            self._left -= len(data)
            if self._left < 0:
                raise SheetError("unpacked_too_large", "工作簿文字过多 · the workbook holds too much text")
            self._now.append(data)


def _shared(parts: Parts) -> list[str]:
    if _TEXTS not in parts.names:
        return []
    reader = _Texts()
    list(_parse(parts, _TEXTS, reader))
    return reader.texts


class _Rows(_Collected):
    """Cells into rows."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.merged: list[tuple[int, int, int]] = []
        self._texts = texts
        self._done: list[Row] = []
        self._row = self._last = 0
        self._cells: list[Cell] = []
        self._column = 0
        self._kind = ""
        self._value: list[str] = []
        self._reading = self._formula = self._guide = False
        self._cell = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._begin(attributes)
        elif name == "v" or (name == "t" and not self._guide):
            self._reading = True
        elif name == "row":
            self._row = int(attributes["r"]) if attributes.get("r", "").isdecimal() else self._last + 1
            if self._row > MAX_ROWS + 1:
                raise too_many_rows()
            if self._row <= self._last:
                raise SheetError("rows_unordered", f"第 {self._row} 行次序错乱，文件可能损坏 · row {self._row} is out of order", self._row)
            self._last, self._column, self._cells = self._row, 0, []
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._guide = True
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def _begin(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else _column(place)
        if self._column > MAX_COLUMNS:
            raise too_many_columns(self._row)
        self._kind, self._value, self._formula = attributes.get("t", "n"), [], False

    def end(self, name: str) -> None:
        if name == "c":
            cell = self._read()
            if cell != "":
                self._cells.extend([""] * (self._column - 1 - len(self._cells)))
                self._cells.append(cell)
        elif name in ("v", "t"):
            self._reading = False
        elif name == "row":
            if self._cells:
                self._done.append((self._row, self._cells))
        elif name == "rPh":
            self._guide = False

    def text(self, data: str) -> None:
        if self._reading:
            self._value.append(data)

    def _read(self) -> Cell:
        if self._formula:
            return ("fault", "formula")
        value = "".join(self._value)
        match self._kind:
            case "s":
                place = int(value) if value.isdecimal() and len(value) < 10 else -1
                return checked(self._texts[place]) if 0 <= place < len(self._texts) else ("fault", "error_value")
            case "inlineStr" | "str":
                return checked(value)
            case "e":
                return ("fault", "error_value")
            case "b":
                return {"1": "TRUE", "0": "FALSE"}.get(value, "")
        return ("number", value[:64]) if value else ""

    def _merge(self, ref: str) -> None:
        ends = _PLACE.findall(ref)
        if len(ends) == 2 and len(self.merged) < MAX_ROWS:
            self.merged.append((int(ends[0][1]), int(ends[1][1]), _column(ends[0][0] + ends[0][1])))

    def take(self) -> list[Row]:
        done, self._done = self._done, []
        return done


def _column(place: str) -> int:
    """1 for 'A7', 28 for 'AB7'."""
    number = 0
    for c in place:
        if not "A" <= c <= "Z":
            break
        number = number * 26 + ord(c) - 64
    return number


def _parse(parts: Parts, name: str, reader: _Collected) -> Iterator[Any]:
    """Feed a part to a reader, chunk by chunk; what the reader has done so far is handed on after each."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = reader.start, reader.end, reader.text

    def prefix(first: str, _: Attributes) -> None:
        """Some programs write every element with a prefix; found out from the first one, so that the others pay nothing."""
        parser.StartElementHandler = reader.start
        if ":" in first:
            parser.StartElementHandler = lambda name, attributes: reader.start(name.rpartition(":")[2], attributes)
            parser.EndElementHandler = lambda name: reader.end(name.rpartition(":")[2])

    parser.StartElementHandler = prefix
    parser.StartDoctypeDeclHandler = _doctype
    try:
        for chunk in parts.read(name):
            parser.Parse(chunk)
            yield from reader.take()
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise SheetError("zip_damaged", "文件损坏，请另存后再导入 · the file is damaged; save it anew") from None
    yield from reader.take()


def _doctype(*_: object) -> None:
    raise SheetError("doctype", "文件含文档类型声明，已拒绝 · the file holds a document type declaration; refused")
