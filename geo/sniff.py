"""What kind of file it is, by its bytes; the name may only agree."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from geo.model import ZoneFileError

_ZIP: Final = b"PK\x03\x04"
_SQLITE: Final = b"SQLite format 3\x00"
#: What a name promises → what the bytes may be.
_PROMISED: Final = {
    ".geojson": "json", ".json": "json", ".kml": "xml", ".cap": "xml", ".xml": "xml", ".kmz": "zip", ".zip": "zip", ".gpkg": "sqlite",
    ".csv": "text", ".txt": "text",
}  # fmt: skip


def kind(content: bytes, name: str) -> str:
    """`json`, `xml`, `zip`, `sqlite` or `text`; `type_mismatch` when the name says otherwise."""
    found = _by_bytes(content)
    promised = _PROMISED.get(PurePath(name).suffix.lower())
    if promised not in (None, found):
        raise mismatch()
    return found


def _by_bytes(content: bytes) -> str:
    if content.startswith(_ZIP):
        return "zip"
    if content.startswith(_SQLITE):
        return "sqlite"
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise ZoneFileError("empty", "文件是空的 · the file is empty")
    if head.startswith(b"<"):
        return "xml"
    return "json" if head[:1] in (b"{", b"[") else "text"


def mismatch() -> ZoneFileError:
    """Not what it says it is, or nothing that is known."""
    return ZoneFileError(
        "type_mismatch", "文件内容与扩展名不符，或格式不支持 · the content is not what the name says, or is of no supported kind"
    )
