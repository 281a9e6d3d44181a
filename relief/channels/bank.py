"""The bank as the house sees it: files handed over, asked about, and collected. Here a shared folder; `bank_sftp` does the same far away.

`out/NUMBER.csv` is ours and stays for ever, `NUMBER.csv.ok` says it is complete; `in/NAME.csv` with its `.ok` is theirs and moves to
`in/archive` once imported (`.txt` where columns have widths, `.xml` in ISO 20022). A batch number is used once: handing over the same bytes again does nothing, other bytes are refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Final, Protocol

import msgspec

from relief.domain.batch import is_number
from relief.domain.errors import Conflict, Invalid, Refused
from relief.settings import Settings

log = logging.getLogger(__name__)

#: What an answer may be called: a plain name, nothing that could be a path.
ANSWER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,119}\.(csv|txt|xml)")
SUFFIXES: Final = (".csv", ".txt", ".xml")
_MIB: Final = 1024 * 1024


class Answer(msgspec.Struct, frozen=True):
    """A file the bank left for us."""

    name: str
    content: bytes


class Bank(Protocol):
    """What the house asks of a bank, however files travel."""

    async def deliver(self, number: str, content: bytes) -> None:
        """Hand over a batch; safe to repeat with the same bytes. Raises Conflict when the number carries other bytes."""

    async def delivered(self, number: str) -> bytes | None:
        """SHA-256 of what was handed over completely under that number, or None."""

    async def collect(self) -> list[Answer]:
        """Complete answers not yet done with, in a stable order."""

    async def done(self, name: str) -> None:
        """That answer is imported; it will not be collected again."""


def file_name(number: str, content: bytes) -> str:
    """What a batch file is called: its number, and an ending that says how it is to be opened. Raises Invalid for what is no number."""
    if not is_number(number):
        raise Invalid("batch_number", "批次号形式不符 · this is not a batch number")
    first = content[:4096].split(b"\n", 1)[0]
    return number + (".xml" if content.startswith(b"<?xml") else ".txt" if first.startswith(b"H") and b"," not in first else ".csv")


class FolderBank:
    """A folder exchanged with the bank. Disk work runs in threads, so the loop never waits for a disk."""

    def __init__(self, folder: Path, most_bytes: int = 256 * _MIB, most_files: int = 16) -> None:
        self._out, self._in = folder / "out", folder / "in"
        self._archive = self._in / "archive"
        self._most_bytes, self._most_files = most_bytes, most_files

    @classmethod
    def of(cls, settings: Settings) -> FolderBank:
        """The folder of the settings; Refused where real channels are off and the folder is one that a real bank may read."""
        if settings.bank_folder is not None and not settings.real_channels:
            raise Refused(
                "real_channels",
                "未开启真实通道，不得使用银行交换目录（RELIEF_BANK_FOLDER） · real channels are off: RELIEF_BANK_FOLDER may not be used",
            )
        return cls(settings.bank)

    async def deliver(self, number: str, content: bytes) -> None:
        """See `Bank.deliver`."""
        await asyncio.to_thread(self._deliver, number, content)

    async def delivered(self, number: str) -> bytes | None:
        """See `Bank.delivered`."""
        return await asyncio.to_thread(self._delivered, number)

    async def collect(self) -> list[Answer]:
        """See `Bank.collect`; at most `most_files` at a time. Odd names, links and oversized files stay and are logged."""
        return await asyncio.to_thread(self._collect)

    async def done(self, name: str) -> None:
        """See `Bank.done`."""
        await asyncio.to_thread(self._done, name)

    def _deliver(self, number: str, content: bytes) -> None:
        path = self._out / file_name(number, content)
        self._out.mkdir(parents=True, exist_ok=True)
        if any(other.exists() for other in self._places(number) if other != path):
            raise _used(number)
        if not path.exists():
            self._write_once(path, content)
        if hashlib.sha256(path.read_bytes()).digest() != hashlib.sha256(content).digest():
            raise _used(number)
        mark = _mark(path)
        if not mark.exists():
            mark.touch()
            _sync_folder(self._out)

    def _write_once(self, path: Path, content: bytes) -> None:
        """All of the file or none of it under its name; a link, unlike a rename, never replaces what another sender wrote."""
        handle, temporary = tempfile.mkstemp(dir=self._out, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o640)
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                return  # another sender was first; its bytes are compared by the caller
            _sync_folder(self._out)
        finally:
            os.unlink(temporary)

    def _delivered(self, number: str) -> bytes | None:
        path = next((p for p in self._places(number) if p.is_file() and _mark(p).is_file()), None)
        return hashlib.sha256(path.read_bytes()).digest() if path else None

    def _places(self, number: str) -> list[Path]:
        """Where a batch of that number can lie."""
        if not is_number(number):
            raise Invalid("batch_number", "批次号形式不符 · this is not a batch number")
        return [self._out / f"{number}{suffix}" for suffix in SUFFIXES]

    def _collect(self) -> list[Answer]:
        if not self._in.is_dir():
            return []
        found: list[Answer] = []
        for mark in sorted(self._in.glob("*.ok")):
            if len(found) == self._most_files:
                break
            name = mark.name.removesuffix(".ok")
            content = self._read(name)
            if content is not None:
                found.append(Answer(name, content))
        return found

    def _read(self, name: str) -> bytes | None:
        """The content of a plain, complete, reasonably named file; None and a log line for anything else."""
        if ANSWER.fullmatch(name) is None:
            log.warning("bank answer ignored: its name is not a plain file name (%d characters)", len(name))
            return None
        try:
            handle = os.open(self._in / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None  # another worker is done with it
        except OSError:
            log.warning("bank answer ignored: %s is a link or cannot be opened", name)
            return None
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > self._most_bytes:
            os.close(handle)
            log.warning("bank answer ignored: %s is no plain file or has %d bytes", name, facts.st_size)
            return None
        with os.fdopen(handle, "rb") as file:
            return file.read()

    def _done(self, name: str) -> None:
        if ANSWER.fullmatch(name) is None:
            raise Invalid("answer_name", "文件名不符 · this is not the name of an answer")
        self._archive.mkdir(parents=True, exist_ok=True)
        path, target = self._in / name, self._archive / name
        for again in range(1, 1000):
            if not target.exists():
                break
            target = self._archive / f"{name}.{again}"
        try:
            os.replace(path, target)
        except FileNotFoundError:
            return  # another worker was first
        _mark(path).unlink(missing_ok=True)
        _sync_folder(self._in)


def _used(number: str) -> Conflict:
    return Conflict("batch_number_used", "该批次号已发送过其他内容 · other bytes were handed over under this number", number=number)


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".ok")


def _sync_folder(folder: Path) -> None:
    """A name is only as durable as its folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
