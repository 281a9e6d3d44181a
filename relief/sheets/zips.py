"""The zip a workbook is: judged before anything is unpacked, counted while it is."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from relief.sheets.model import SheetError

MAX_ENTRIES: Final = 2_000
MAX_UNPACKED: Final = 200_000_000
#: A part that claims to be larger than this may not be packed tighter than MAX_RATIO.
_SMALL: Final = 10_000_000
MAX_RATIO: Final = 100
_ENTRY: Final = b"PK\x01\x02"
_CHUNK: Final = 1 << 18


class Parts:
    """The parts of a workbook by name; bytes are counted over all of them."""

    def __init__(self, content: bytes) -> None:
        if content.count(_ENTRY) > MAX_ENTRIES:
            raise _too_many()
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
            raise _damaged() from None
        self._left = MAX_UNPACKED
        self.names = [e.filename for e in entries]
        _judge(entries)

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of a part, at most MAX_UNPACKED over all parts whatever sizes are claimed."""
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise _too_large()
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, KeyError):
            raise _damaged() from None


def _judge(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _too_many()
    if len({e.filename.lower() for e in entries}) < len(entries):
        raise SheetError("zip_names", "工作簿内有重名部分，已拒绝 · the workbook holds two parts of one name")
    if sum(e.file_size for e in entries) > MAX_UNPACKED:
        raise _too_large()
    for e in entries:
        if e.flag_bits & 1:
            raise SheetError("encrypted", "工作簿有密码，请取消密码后再导入 · the workbook has a password; remove it")
        if e.filename.startswith("/") or "\\" in e.filename or ".." in e.filename.split("/") or stat.S_ISLNK(e.external_attr >> 16):
            raise SheetError("zip_path", "工作簿内有越界路径，已拒绝 · the workbook holds a path that leaves it")
        if e.file_size > _SMALL and e.file_size > MAX_RATIO * max(1, e.compress_size):
            raise SheetError("zip_bomb", "文件解压后异常膨胀，已拒绝 · the file swells beyond reason when unpacked; refused")


def _damaged() -> SheetError:
    return SheetError(
        "zip_damaged", "文件损坏，请在电子表格软件中另存后再导入 · the file is damaged; save it anew in your spreadsheet program"
    )


def _too_large() -> SheetError:
    return SheetError(
        "unpacked_too_large", f"解压后超过 {MAX_UNPACKED // 1_000_000} MB · more than {MAX_UNPACKED // 1_000_000} MB when unpacked"
    )


def _too_many() -> SheetError:
    return SheetError("too_many_parts", f"工作簿内部分超过 {MAX_ENTRIES} 个 · the workbook has more than {MAX_ENTRIES} parts")
