"""Files a township takes away: the template of a register with its drop-downs, and the list of what is wrong in an upload."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from relief.domain.errors import Invalid
from relief.domain.sheet_form import FORMS, Form
from relief.later import Later
from relief.sheets.xlsx import COMPANIONS
from relief.store import sheets
from relief.store.db import Tx

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Later("openpyxl")

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Rows that carry the drop-downs.
_ROWS: Final = 5_000
#: Kept as text, so that no digit is rounded and no zero lost.
_AS_TEXT: Final = ("id", "account", "phone", "village", "text", "date")
#: What a spreadsheet would calculate.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Made(msgspec.Struct, frozen=True):
    """A file to take away."""

    name: str
    media_type: str
    content: bytes

    @property
    def headers(self) -> dict[str, str]:
        """What makes a browser save it."""
        return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(self.name)}"}


async def template(tx: Tx, form: str, county: str) -> Made:
    """An empty register of a county: headings, drop-downs, columns that keep their digits, the county's village codes."""
    if form not in FORMS:
        raise Invalid("form", "没有此表 · there is no such form", field="form")
    villages = await sheets.village_names(tx, county)
    return Made(f"{FORMS[form].zh}_{county}.xlsx", XLSX, _book(FORMS[form], [f"{v.code} {v.name}" for v in villages]))


def _book(form: Form, villages: Sequence[str]) -> bytes:
    book = openpyxl.Workbook()
    sheet, lists = book.active, book.create_sheet(COMPANIONS[0])
    sheet.title, sheet.freeze_panes = "填报 register", "A2"
    for place, column in enumerate(form.columns, 1):
        letter = openpyxl.utils.get_column_letter(place)
        cell = sheet.cell(1, place, column.heading)
        cell.font, cell.alignment = openpyxl.styles.Font(bold=True), openpyxl.styles.Alignment(wrap_text=True, vertical="top")
        if column.required:
            cell.fill = openpyxl.styles.PatternFill("solid", fgColor="FFF2CC")
        width = sheet.column_dimensions[letter]
        width.width = 24 if column.kind in ("id", "account", "village") else 14
        if column.kind in _AS_TEXT:
            width.number_format = "@"
        choices = villages if column.kind == "village" else column.choices
        if choices and column.kind != "words":
            _list(sheet, lists, letter, column.heading, choices)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _list(
    sheet: openpyxl.worksheet.worksheet.Worksheet,
    lists: openpyxl.worksheet.worksheet.Worksheet,
    letter: str,
    heading: str,
    choices: Sequence[str],
) -> None:
    """A drop-down over a column of the second sheet."""
    column = lists.max_column + 1 if lists.cell(1, 1).value else 1
    lists.cell(1, column, heading)
    for row, choice in enumerate(choices, 2):
        lists.cell(row, column, choice)
    source = openpyxl.utils.get_column_letter(column)
    rule = openpyxl.worksheet.datavalidation.DataValidation(
        "list", formula1=f"'{lists.title}'!${source}$2:${source}${len(choices) + 1}", allow_blank=True, showErrorMessage=True
    )
    rule.error = "请从下拉列表选择 · choose from the list"
    rule.add(f"{letter}2:{letter}{_ROWS}")
    sheet.add_data_validation(rule)


def faults(name: str, rows: Sequence[tuple[int, str, str, str]]) -> Made:
    """What is wrong: row, column, code, what to do. UTF-8 with a mark, so that Excel reads it; nothing a spreadsheet would calculate."""
    out = io.StringIO()
    write = csv.writer(out, quoting=csv.QUOTE_ALL)
    write.writerow(["行 row", "列 column", "代码 code", "说明 what to do"])
    for row, place, code, says in rows:
        write.writerow([str(row), literal(place), code, literal(says)])
    return Made(f"{name.rpartition('.')[0] or name}_错误清单.csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf" + out.getvalue().encode())


def literal(text: str) -> str:
    """Text stays text."""
    return "'" + text if text.startswith(_FORMULA) else text
