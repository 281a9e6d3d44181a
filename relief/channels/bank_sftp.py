"""The bank's folder at the far end of SFTP: the same names, the same marks, the same promise that a number carries one content.

The host is known by its key, the house by its own: an unknown or changed host key is refused before anything is said, and no password is
ever tried. A file is written under a name of its own, flushed to the far disk, renamed (which in SFTP never replaces) and then marked.
"""

from __future__ import annotations

import hashlib
import logging
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

from relief.channels.bank import ANSWER, SUFFIXES, Answer, file_name
from relief.domain.batch import is_number
from relief.domain.errors import Conflict, Invalid, Refused, Unavailable
from relief.later import Later
from relief.settings import Settings

if TYPE_CHECKING:
    import asyncssh
else:
    asyncssh = Later("asyncssh")

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 20
_MIB: Final = 1024 * 1024


class SftpBank:
    """One account at one host. Every call is a connection of its own: batches are few, and a half-dead connection is worse than a new one."""

    def __init__(self, url: str, key: str, known_hosts: str, most_bytes: int = 256 * _MIB, most_files: int = 16) -> None:
        at = urlsplit(url)
        if at.scheme != "sftp" or not at.hostname or not at.username or at.password:
            raise Invalid(
                "settings",
                "RELIEF_BANK_SFTP 应为 sftp://用户@主机:端口/目录，不含口令 · RELIEF_BANK_SFTP is sftp://user@host:port/folder, no password",
            )
        self._host, self._port, self._user = at.hostname, at.port or 22, at.username
        folder = at.path.rstrip("/") or "."
        self._out, self._in = f"{folder}/out", f"{folder}/in"
        self._archive = f"{self._in}/archive"
        self._key, self._known = key, known_hosts
        self._most_bytes, self._most_files = most_bytes, most_files

    @classmethod
    def of(cls, settings: Settings) -> SftpBank:
        """The account of the settings; Refused where real channels are off, Invalid where key or known hosts are missing."""
        if not settings.real_channels:
            raise Refused(
                "real_channels",
                "未开启真实通道，不得连接银行（RELIEF_BANK_SFTP） · real channels are off: RELIEF_BANK_SFTP may not be used",
            )
        key, known = settings.bank_sftp_key, settings.bank_sftp_known_hosts
        if not settings.bank_sftp or key is None or known is None:
            raise Invalid("settings", "SFTP 须同时给出密钥和已知主机文件 · SFTP needs both a key file and a file of known hosts")
        return cls(settings.bank_sftp, str(key), str(known))

    async def deliver(self, number: str, content: bytes) -> None:
        """See `Bank.deliver`."""
        path = f"{self._out}/{file_name(number, content)}"
        async with self._session() as sftp:
            there = await self._existing(sftp, number)
            if there is None:
                await self._write_once(sftp, path, content)
                there = await self._existing(sftp, number) or path
            if there != path or await _digest(sftp, there) != hashlib.sha256(content).digest():
                raise Conflict(
                    "batch_number_used", "该批次号已发送过其他内容 · other bytes were handed over under this number", number=number
                )
            if not await sftp.exists(f"{path}.ok"):
                await _put(sftp, f"{path}.ok", b"")

    async def _write_once(self, sftp: asyncssh.SFTPClient, path: str, content: bytes) -> None:
        """All of the file or none of it under its name."""
        part = f"{self._out}/.{uuid4().hex}.part"
        await _put(sftp, part, content)
        try:
            await sftp.rename(part, path)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            await sftp.remove(part)  # another sender was first; its bytes are compared by the caller
            if not await sftp.exists(path):
                raise

    async def delivered(self, number: str) -> bytes | None:
        """See `Bank.delivered`."""
        async with self._session() as sftp:
            path = await self._existing(sftp, number)
            if path is None or not await sftp.exists(f"{path}.ok"):
                return None
            return await _digest(sftp, path)

    async def _existing(self, sftp: asyncssh.SFTPClient, number: str) -> str | None:
        if not is_number(number):
            raise Invalid("batch_number", "批次号形式不符 · this is not a batch number")
        for suffix in SUFFIXES:
            if await sftp.exists(path := f"{self._out}/{number}{suffix}"):
                return path
        return None

    async def collect(self) -> list[Answer]:
        """See `Bank.collect`; odd names, links and oversized files stay and are logged."""
        found: list[Answer] = []
        async with self._session() as sftp:
            names = await sftp.listdir(self._in) if await sftp.isdir(self._in) else []
            for name in sorted(str(n)[:-3] for n in names if str(n).endswith(".ok")):
                if len(found) == self._most_files:
                    break
                content = await self._read(sftp, name)
                if content is not None:
                    found.append(Answer(name, content))
        return found

    async def _read(self, sftp: asyncssh.SFTPClient, name: str) -> bytes | None:
        if ANSWER.fullmatch(name) is None:
            log.warning("bank answer ignored: its name is not a plain file name (%d characters)", len(name))
            return None
        path = f"{self._in}/{name}"
        try:
            facts = await sftp.lstat(path)
        except asyncssh.SFTPNoSuchFile:
            return None  # another worker is done with it
        size = facts.size or 0
        if facts.permissions is None or not stat.S_ISREG(facts.permissions) or size > self._most_bytes:
            log.warning("bank answer ignored: %s is no plain file or has %d bytes", name, size)
            return None
        async with sftp.open(path, "rb") as file:
            return _bytes(await file.read())

    async def done(self, name: str) -> None:
        """See `Bank.done`."""
        if ANSWER.fullmatch(name) is None:
            raise Invalid("answer_name", "文件名不符 · this is not the name of an answer")
        async with self._session() as sftp:
            await sftp.makedirs(self._archive, exist_ok=True)
            target = f"{self._archive}/{name}"
            for again in range(1, 1000):
                if not await sftp.exists(target):
                    break
                target = f"{self._archive}/{name}.{again}"
            try:
                await sftp.rename(f"{self._in}/{name}", target)
                await sftp.remove(f"{self._in}/{name}.ok")
            except asyncssh.SFTPNoSuchFile:
                return  # another worker was first

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncssh.SFTPClient]:
        try:
            async with (
                asyncssh.connect(
                    self._host, self._port, username=self._user, client_keys=[self._key], known_hosts=self._known, config=None,
                    agent_path=None, preferred_auth="publickey", connect_timeout=_PATIENCE_S, login_timeout=_PATIENCE_S,
                ) as connection,
                connection.start_sftp_client() as sftp,
            ):  # fmt: skip
                yield sftp
        except asyncssh.HostKeyNotVerifiable:
            raise Refused(
                "bank_host_key", "银行主机密钥不在已知主机中，未连接 · the bank's host key is not among the known hosts; nothing was sent"
            ) from None
        except asyncssh.PermissionDenied:
            raise Refused("bank_login", "银行未接受本单位密钥 · the bank does not take our key") from None
        except (OSError, asyncssh.Error) as error:
            raise Unavailable(
                "bank_unreachable", f"银行通道暂不可用，稍后自动重试 · the bank cannot be reached now: {type(error).__name__}"
            ) from None


async def _put(sftp: asyncssh.SFTPClient, path: str, content: bytes) -> None:
    """Written and on the far disk; a file that is there stays as it is."""
    async with sftp.open(path, "wb") as file:
        await file.write(content)
        with suppress(asyncssh.SFTPOpUnsupported):  # an extension of OpenSSH; other servers keep what they confirmed
            await file.fsync()


async def _digest(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    made = hashlib.sha256()
    async with sftp.open(path, "rb") as file:
        while block := await file.read(_MIB):
            made.update(_bytes(block))
    return made.digest()


def _bytes(read: bytes | str) -> bytes:
    """Files are opened binary; the library's types cannot say so."""
    return read if isinstance(read, bytes) else read.encode()
