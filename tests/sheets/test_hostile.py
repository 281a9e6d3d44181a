"""Hostile and mangled spreadsheets: every one has its exact code (the reader's own work, called without its process)."""

from __future__ import annotations

import io
import zipfile

import msgspec
import pytest

from geo import cage
from relief.sheets import read, sandbox
from relief.sheets.model import Row, SheetError
from relief.sheets.sandbox import Sheet
from tests.sheets.makers import HEADINGS, MAIN, book, rows, sheet, table

LINE = ("1", "户主", "甄演一", "519999196001011016", "513322103205", "农村信用社", "6299990000000000007")


def understand(content: bytes, name: str = "a.xlsx", encoding: str = "auto") -> Sheet:
    request = msgspec.convert({"name": name, "encoding": encoding}, read.Request)
    return sandbox.understood(0, b"".join(len(f).to_bytes(4, "big") + f for f in read.work(request, content)))


def all_rows(found: Sheet) -> list[Row]:
    return [r for portion in found.rows() for r in portion]


def code_of(content: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises(SheetError) as caught:
        understand(content, name)
    return caught.value.code


def lying() -> bytes:
    """A part that says it is ten bytes long and is not."""
    content = bytearray(table(LINE))
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    return bytes(content)


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n in range(2_001):
            z.writestr(f"xl/{n}", b"")
    return out.getvalue()


def swelling() -> bytes:
    return book(sheet(rows([HEADINGS])), extra={"xl/media/a.bin": b"\0" * 20_000_000})


def far(place: str, row: int) -> bytes:
    return book(sheet(rows([HEADINGS]) + f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'))


BOMB = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (many_entries(), "too_many_parts"),
        (swelling(), "zip_bomb"),
        (lying(), "zip_damaged"),
        (table(LINE)[:-40], "zip_damaged"),
        (b"PK\x03\x04garbage", "zip_damaged"),
        (book(sheet(rows([HEADINGS, LINE]), before=BOMB)), "doctype"),
        (book(sheet(rows([HEADINGS, LINE])), extra={"xl/sharedStrings.xml": BOMB.encode() + b"<sst/>"}), "doctype"),
        (far("A1048576", 1_048_576), "too_many_rows"),
        (far("XFD2", 2), "too_many_columns"),
        (OLE, "old_excel"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (book(sheet(rows([HEADINGS])), extra={"xl/vbaProject.bin": b"x"}), "macros"),
        (book(sheet(rows([HEADINGS])), extra={"xl/embeddings/oleObject1.bin": b"x"}), "embedded_object"),
        (book(sheet(rows([HEADINGS])), extra={"xl/externalLinks/externalLink1.xml": b"x"}), "external_link"),
        (book(sheet(rows([HEADINGS, LINE])), sheet(""), states=("visible", "hidden")), "hidden_sheet"),
        (book(sheet(rows([HEADINGS, LINE])), sheet(""), states=("visible", "veryHidden")), "hidden_sheet"),
        (book(sheet(rows([HEADINGS, LINE])), sheet(rows([LINE]))), "several_sheets"),
        (book(sheet("")), "no_rows"),
        (table(LINE, after='<mergeCells><mergeCell ref="A1:C1"/></mergeCells>'), "header_merged"),
        (book(sheet(rows([HEADINGS]) + rows([LINE], 1))), "rows_unordered"),
        (book("<worksheet><sheetData><row"), "zip_damaged"),
        (b"not a workbook", "type_mismatch"),
        (book(sheet(rows([HEADINGS])), extra={"xl/../../etc/passwd": b"x"}), "zip_path"),
        (book(sheet(rows([HEADINGS])), extra={"XL/WORKBOOK.XML": b"x"}), "zip_names"),
        (table(headings=(("<c><f>1+1</f><v>2</v></c>",), *HEADINGS[1:])), "formula"),
    ],
)  # fmt: skip
def test_a_hostile_workbook_is_refused_whole(content: bytes, code: str) -> None:
    assert code_of(content) == code


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        ('姓名,身份证号\n"甄演一,5199\n甄演二,1\n', "quote_open", None),
        ("姓名,身份证号\n甄演一," + "9" * 200_000 + "\n", "field_too_long", 2),
        ("姓名\n" + "甄\n" * 200_002, "too_many_rows", None),
        ("", "no_rows", None),
    ],
)
def test_a_broken_csv_is_refused_with_its_row(content: str, code: str, row: int | None) -> None:
    with pytest.raises(SheetError) as caught:
        understand(content.encode(), "a.csv")
    assert caught.value.code == code
    assert row is None or caught.value.row == row


@pytest.mark.parametrize(
    ("xml", "cell_found"),
    [
        ("<c><f>A1</f><v>5</v></c>", ("fault", "formula")),
        ('<c t="str"><f>HYPERLINK("x")</f><v>x</v></c>', ("fault", "formula")),
        ("<c><f>A1</f></c>", ("fault", "formula")),
        ('<c t="e"><v>#REF!</v></c>', ("fault", "error_value")),
        ("<c><v>5.19999196001011E+17</v></c>", ("number", "5.19999196001011E+17")),
        ("<c><v>6.22848040256489e+18</v></c>", ("number", "6.22848040256489e+18")),
        ('<c t="s"><v>99</v></c>', ("fault", "error_value")),
        ('<c t="inlineStr"><is><t>=cmd|calc</t></is></c>', ("fault", "formula")),
        ('<c t="inlineStr"><is><t>\u202e甄</t></is></c>', ("fault", "control_char")),
        ('<c t="inlineStr"><is><t>' + "长" * 5_000 + "</t></is></c>", ("fault", "field_too_long")),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="inlineStr"><is><r><t>甄</t></r><r><t>演</t></r><rPh><t>zhen</t></rPh></is></c>', "甄演"),
    ],
)
def test_a_cell_is_what_the_file_says_or_a_fault_and_never_calculated(xml: str, cell_found: object) -> None:
    [(_, cells)] = all_rows(understand(table(((xml,), *LINE[1:]))))
    assert cells[0] == cell_found


def test_a_lie_about_the_dimension_changes_nothing() -> None:
    lie = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{rows([HEADINGS, LINE])}</sheetData></worksheet>'
    assert all_rows(understand(book(lie))) == [(2, list(LINE))]


def test_shared_texts_prefixes_and_columns_by_place_are_read() -> None:
    part = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row>'
    part += '<x:row r="3"><x:c r="C3" t="s"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    found = understand(book(part, texts=("姓名", "NA")))
    assert (found.head.headings, all_rows(found)) == (["姓名"], [(3, ["", "", "NA"])])


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        ("姓名,号\n甄演一,1\n".encode("gb18030"), "gb18030", ","),
        ("姓名,号\n甄演一,1\n".encode("utf-8-sig"), "utf-8", ","),
        ("姓名;号\r\n甄演一;1\r\n".encode(), "utf-8", ";"),
        ("\ufeff姓名\t号\n甄演一\t1\n".encode("utf-16-le"), "utf-16-le", "\t"),
        ("姓名,号\r甄演一,1\r".encode(), "utf-8", ","),
    ],
)
def test_encoding_and_delimiter_are_found(content: bytes, encoding: str, delimiter: str) -> None:
    found = understand(content, "a.csv")
    assert (found.head.encoding, found.head.delimiter, all_rows(found)) == (encoding, delimiter, [(2, ["甄演一", "1"])])


def test_a_row_in_another_encoding_is_a_fault_of_its_cells_only() -> None:
    mixed = "姓名,号\n甄演一,1\n".encode() * 3 + "甄演二,2\n".encode("gb18030")
    found = all_rows(understand(mixed, "a.csv"))
    assert found[0] == (2, ["甄演一", "1"])
    assert found[-1][1][0] == ("fault", "bad_encoding")


@pytest.mark.parametrize(
    ("status", "code"), [(-9, "file_too_heavy"), (-24, "file_too_heavy"), (-11, "file_unreadable"), (1, "file_unreadable")]
)
def test_a_child_that_died_is_a_clear_refusal(status: int, code: str) -> None:
    with pytest.raises(SheetError) as caught:
        sandbox.understood(status, b"")
    assert caught.value.code == code


@pytest.mark.slow
async def test_a_file_is_read_in_a_process_of_its_own_and_hurts_nobody_else() -> None:
    assert all_rows(await sandbox.read(table(LINE), "a.xlsx")) == [(2, list(LINE))]
    for content, code in ((swelling(), "zip_bomb"), (b"PK\x03\x04x", "zip_damaged")):
        with pytest.raises(SheetError) as caught:
            await sandbox.read(content, "a.xlsx")
        assert caught.value.code == code
    with pytest.raises(SheetError) as caught:
        await sandbox.read(table(LINE), "a.xlsx", wall_seconds=0.01)
    assert caught.value.code == "file_too_heavy"
    with pytest.raises(SheetError) as caught:
        await sandbox.read(b" " * 50_000_001, "a.csv")
    assert caught.value.code == "too_large"
    assert not any(name.startswith(("RELIEF", "PG")) for name in cage.ENVIRONMENT)
