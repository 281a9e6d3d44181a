"""Workbooks made by hand, so that they can be wrong in every way a real one is not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: Raw XML of a cell, or its text.
Raw = tuple[str]
HEADINGS = ("户编号", "与户主关系", "姓名", "身份证号", "村（社区）代码", "开户银行", "社保卡银行账号")


def cell(content: str | Raw) -> str:
    return content[0] if isinstance(content, tuple) else f'<c t="inlineStr"><is><t xml:space="preserve">{escape(content)}</t></is></c>'


def rows(lines: Iterable[Sequence[str | Raw]], first: int = 1) -> str:
    return "".join(f'<row r="{n}">' + "".join(map(cell, line)) + "</row>" for n, line in enumerate(lines, first))


def sheet(body: str, after: str = "", before: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData>{after}</worksheet>'


def book(
    *sheets: str, states: Sequence[str] = (), names: Sequence[str] = (), extra: Mapping[str, bytes] = {}, texts: Sequence[str] = ()
) -> bytes:
    """A workbook of these sheet parts."""
    out = io.BytesIO()
    listed, related = "", ""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for n, part in enumerate(sheets, 1):
            state = states[n - 1] if states else "visible"
            name = names[n - 1] if names else f"Sheet{n}"
            listed += f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="r{n}"/>'
            related += f'<Relationship Id="r{n}" Type="{RELS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            z.writestr(f"xl/worksheets/sheet{n}.xml", part)
        z.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets>{listed}</sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="x">{related}</Relationships>')
        if texts:
            z.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">' + "".join(f"<si><t>{escape(t)}</t></si>" for t in texts) + "</sst>")
        for name, content in extra.items():
            z.writestr(name, content)
    return out.getvalue()


def table(*lines: Sequence[str | Raw], headings: Sequence[str | Raw] = HEADINGS, after: str = "") -> bytes:
    """A workbook of one sheet with headings."""
    return book(sheet(rows([headings, *lines]), after))
