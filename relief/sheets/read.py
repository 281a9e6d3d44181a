"""The killable child: limits itself, reads one spreadsheet from standard input, writes what it found, ends.

    python -m relief.sheets.read < request

The request is one line of JSON (`Request`), then the bytes of the file; the answer is an `Answer`, then portions of rows.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from geo import cage
from relief.sheets import csvs
from relief.sheets.model import Answer, Cell, Head, Refusal, Request, Row, SheetError
from relief.sheets.xlsx import Workbook

CPU_SECONDS: Final = 40
MEMORY_BYTES: Final = 2 << 30
DATA_BYTES: Final = 640 << 20
PORTION: Final = 1_000
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


def main() -> None:
    """Nothing of the file is looked at before the limits hold; whoever reads a stranger's file writes none."""
    cage.limit(CPU_SECONDS, MEMORY_BYTES, DATA_BYTES, 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    for frame in work(msgspec.json.decode(head, type=Request), content):
        sys.stdout.buffer.write(len(frame).to_bytes(4, "big") + frame)


def work(asked: Request, content: bytes) -> Iterator[bytes]:
    """The answer and, where it is no refusal, the rows in portions."""
    try:
        head, portions = _read(asked, content)
    except SheetError as error:
        yield msgspec.msgpack.encode(Answer(refusal=Refusal(error.code, error.message, error.row)))
        return
    except MemoryError:
        yield msgspec.msgpack.encode(
            Answer(refusal=Refusal("file_too_heavy", "文件过大，请分成几个 · the file is too large; split it", None))
        )
        return
    yield msgspec.msgpack.encode(Answer(head=head))
    yield from portions


def _read(asked: Request, content: bytes) -> tuple[Head, list[bytes]]:
    if content.startswith(_OLE):
        if _ENCRYPTED in content:
            raise SheetError("encrypted", "工作簿有密码，请取消密码后再导入 · the workbook has a password; remove it")
        raise SheetError("old_excel", "这是旧版 .xls，请另存为 .xlsx · this is an old .xls file; save it as .xlsx")
    if content.startswith(b"PK"):
        return _workbook(content)
    if asked.name.lower().endswith((".xlsx", ".xlsm", ".xls")):
        raise SheetError("type_mismatch", "扩展名是 Excel，内容不是 · the name says Excel, the content does not")
    return _text(content, asked)


def _workbook(content: bytes) -> tuple[Head, list[bytes]]:
    book = Workbook(content)
    row, headings, portions, count = _portioned(book.rows())
    below = []
    for first, last, _ in book.merged:
        if first <= row:
            raise SheetError("header_merged", "表头有合并单元格，请取消合并 · the heading row has merged cells; unmerge them", row)
        below.append((first, last))
    return Head("xlsx", "", headings, row, count, below), portions


def _text(content: bytes, asked: Request) -> tuple[Head, list[bytes]]:
    text, encoding = csvs.decode(content, asked.encoding)
    separator = csvs.delimiter(text)
    row, headings, portions, count = _portioned(csvs.rows(text, separator))
    return Head(encoding, separator, headings, row, count, []), portions


def _portioned(rows: Iterable[Row]) -> tuple[int, list[str], list[bytes], int]:
    """Headings from the first row that is not blank; the others encoded as they come, so that they are held small."""
    heading, headings, portions, count = 0, list[str](), list[bytes](), 0
    portion: list[Row] = []
    for number, cells in rows:
        if not heading:
            if cells:
                heading, headings = number, [_heading(c, number) for c in cells]
            continue
        portion.append((number, cells))
        count += 1
        if len(portion) == PORTION:
            portions.append(msgspec.msgpack.encode(portion))
            portion = []
    if not heading:
        raise SheetError("no_rows", "文件是空的 · there are no rows")
    portions.append(msgspec.msgpack.encode(portion))
    return heading, headings, portions, count


def _heading(cell: Cell, row: int) -> str:
    if isinstance(cell, str):
        return cell
    if cell[0] == "fault":
        raise SheetError(cell[1], "表头单元格无法读懂 · a heading cannot be read", row)
    return cell[1]


if __name__ == "__main__":
    main()
