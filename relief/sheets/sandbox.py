"""Reads a stranger's spreadsheet in the cage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from geo import cage
from relief.sheets.model import MAX_BYTES, Answer, Encoding, Head, Request, Row, SheetError

WALL_SECONDS: Final = 120.0
_ANSWER: Final = msgspec.msgpack.Decoder(Answer)
_ROWS: Final = msgspec.msgpack.Decoder(list[Row])


class Sheet(msgspec.Struct, frozen=True):
    """A spreadsheet: what stands above, and the rows, still packed."""

    head: Head
    portions: list[bytes]

    def rows(self) -> Iterator[list[Row]]:
        """The rows a portion at a time; may be asked again."""
        for portion in self.portions:
            yield _ROWS.decode(portion)


async def read(content: bytes, name: str, encoding: Encoding = "auto", wall_seconds: float = WALL_SECONDS) -> Sheet:
    """Understand an uploaded spreadsheet or raise SheetError. The caller is unharmed whatever the file does to the child."""
    if len(content) > MAX_BYTES:
        raise SheetError("too_large", f"文件超过 {MAX_BYTES // 1_000_000} MB · the file is larger than {MAX_BYTES // 1_000_000} MB")
    request = msgspec.json.encode(Request(name=name, encoding=encoding)) + b"\n" + content
    try:
        status, output = await cage.run("relief.sheets.read", request, cage.ENVIRONMENT, wall_seconds)
    except cage.Busy:
        raise SheetError("busy", "正在处理的文件太多，请稍后再试 · too many files are being read; try again in a minute") from None
    except cage.Heavy:
        raise _too_heavy() from None
    return understood(status, output)


def understood(status: int | None, output: bytes) -> Sheet:
    """What the child said, or the refusal that its end means."""
    if status in cage.HEAVY:
        raise _too_heavy()
    frames = list(_frames(output)) if status == 0 else []
    try:
        answer = _ANSWER.decode(frames[0]) if frames else Answer()
    except msgspec.DecodeError:
        answer = Answer()
    if answer.refusal is not None:
        raise SheetError(answer.refusal.code, answer.refusal.message, answer.refusal.row)
    if answer.head is None:
        raise SheetError("file_unreadable", "文件无法读取 · the file cannot be read")
    return Sheet(answer.head, frames[1:])


def _frames(output: bytes) -> Iterator[bytes]:
    place = 0
    while place + 4 <= len(output):
        length = int.from_bytes(output[place : place + 4], "big")
        yield output[place + 4 : place + 4 + length]
        place += 4 + length


def _too_heavy() -> SheetError:
    return SheetError("file_too_heavy", "文件过大或过于复杂，请分成几个 · the file is too large or too complex; split it")
