"""Zip archives from strangers: names judged before anything is opened, bytes counted while unpacking, never written to disk."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Sequence
from typing import Final

from geo.model import ZoneFileError

MAX_ENTRIES: Final = 100
_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHUNK: Final = 1 << 16


def names(content: bytes) -> list[str]:
    """The names of the files in the archive, all of them harmless."""
    return [i.filename for i in _listed(content) if not i.is_dir()]


def _listed(content: bytes) -> list[zipfile.ZipInfo]:
    if content.count(_ENTRY) > 10 * MAX_ENTRIES:
        raise _too_many()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            found = opened.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        raise _damaged() from None
    if len(found) > MAX_ENTRIES:
        raise _too_many()
    for entry in found:
        _check(entry)
    if len({i.filename.lower() for i in found}) < len(found):
        raise ZoneFileError("zip_names", "压缩包内有重名文件 · the archive holds two files of one name")
    return found


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if name.startswith("/") or "\\" in name or "\0" in name or ":" in name or ".." in name.split("/"):
        raise ZoneFileError("zip_path", "压缩包内有越界路径，已拒绝 · the archive holds a path that leaves it; refused")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ZoneFileError("zip_link", "压缩包内有符号链接，已拒绝 · the archive holds a symbolic link; refused")
    if entry.flag_bits & _ENCRYPTED:
        raise ZoneFileError("zip_encrypted", "压缩包已加密，请解密后再导入 · the archive is encrypted")
    if entry.compress_type not in _METHODS:
        raise ZoneFileError("zip_method", "压缩方式不支持，请用普通 zip · the archive uses an unsupported compression")


def unpack(content: bytes, wanted: Sequence[str], limit: int) -> dict[str, bytes]:
    """The bytes of some of its files, at most `limit` in all, whatever sizes the archive claims."""
    left, found = limit, {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for name in wanted:
                parts = []
                with opened.open(name) as file:
                    while chunk := file.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise ZoneFileError(
                                "zip_too_large", f"解压后超过 {limit // 1_000_000} MB · more than {limit // 1_000_000} MB when unpacked"
                            )
                        parts.append(chunk)
                found[name] = b"".join(parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError):
        raise _damaged() from None
    return found


def _damaged() -> ZoneFileError:
    return ZoneFileError("zip_damaged", "压缩包损坏 · the archive is damaged")


def _too_many() -> ZoneFileError:
    return ZoneFileError("zip_entries", f"压缩包内文件超过 {MAX_ENTRIES} 个 · more than {MAX_ENTRIES} files in the archive")
