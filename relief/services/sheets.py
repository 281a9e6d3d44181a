"""Sheets written for others: text stays text, whatever it begins with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from relief.later import Later

if TYPE_CHECKING:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
else:
    openpyxl = Later("openpyxl")

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: A cell that begins with one of these could be taken for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
Value = str | int | float | Decimal | None


def cell(value: Value) -> Value:
    """Text stays text."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def book(sheets: Iterable[tuple[str, Sequence[Sequence[Value]], int]]) -> bytes:
    """A workbook of (title, rows, number of head rows); heads are bold and stay in sight."""
    made = openpyxl.Workbook(write_only=True)
    for title, rows, heads in sheets:
        sheet = made.create_sheet(title)
        sheet.freeze_panes = f"A{heads + 1}"
        for i, width in enumerate((26, 10, 14)):
            sheet.column_dimensions["ABC"[i]].width = width
        for n, row in enumerate(rows):
            sheet.append([_bold(sheet, value) for value in row] if n < heads else [cell(value) for value in row])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _bold(sheet: object, value: Value) -> WriteOnlyCell:
    made = openpyxl.cell.WriteOnlyCell(sheet, value=cell(value))
    made.font, made.alignment = openpyxl.styles.Font(bold=True), openpyxl.styles.Alignment(wrap_text=True, vertical="top")
    return made
