"""Reads a stranger's file in a child that may be killed: processor, memory, files and time are limited, and there is no network."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import cache
from typing import Final

import msgspec

from geo.model import MAX_BYTES, SICHUAN, Box, ZoneFile, ZoneFileError
from geo.read import Answer, Request

WALL_SECONDS: Final = 8.0
#: Out of processor time, killed, aborted by an allocation that failed, or ended by the C library for the same reason (127).
_HEAVY: Final = (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, 127)
#: A clean environment: nothing of the server's (database address, keys) is inherited. The drivers skipped can read other files.
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OGR_SKIP": "OGR_VRT,VRT",
    "GDAL_SKIP": "VRT",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}


async def inspect(content: bytes, name: str, box: Box = SICHUAN, wall_seconds: float = WALL_SECONDS) -> ZoneFile:
    """Understand an uploaded zone file or raise ZoneFileError.

    A child that is too slow or too large is `file_too_heavy`, one that crashes is `file_unreadable`; the caller is unharmed.
    """
    if len(content) > MAX_BYTES:
        raise ZoneFileError("too_large", f"文件超过 {MAX_BYTES // 1_000_000} MB · the file is larger than {MAX_BYTES // 1_000_000} MB")
    request = msgspec.json.encode(Request(name=name, box=box)) + b"\n" + content
    child = await asyncio.create_subprocess_exec(
        *await asyncio.to_thread(_isolated), sys.executable, "-I", "-B", "-m", "geo.read",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(child.communicate(request), wall_seconds)
    except TimeoutError:
        raise _too_heavy() from None
    finally:
        _end(child)
    return _understood(child.returncode, output)


def _understood(status: int | None, output: bytes) -> ZoneFile:
    if status in _HEAVY:
        raise _too_heavy()
    try:
        answer = msgspec.json.decode(output, type=Answer) if status == 0 else Answer()
    except msgspec.DecodeError:
        answer = Answer()
    if answer.refusal is not None:
        raise ZoneFileError(answer.refusal.code, answer.refusal.message, answer.refusal.at)
    if answer.zone is None:
        raise ZoneFileError("file_unreadable", "文件无法读取 · the file cannot be read")
    return answer.zone


def _too_heavy() -> ZoneFileError:
    return ZoneFileError("file_too_heavy", "文件过于复杂，请简化后再导入 · the file is too complex; simplify it and try again")


def _end(child: asyncio.subprocess.Process) -> None:
    """Kill the child's whole session, also when the caller was cancelled."""
    if child.returncode is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@cache
def _isolated() -> tuple[str, ...]:
    """The prefix that takes the network away, where the kernel lets us (root or user namespaces); found out once."""
    for prefix in (("unshare", "-n"), ("unshare", "-rn")):
        try:
            if subprocess.run([*prefix, "true"], capture_output=True, timeout=5, check=False).returncode == 0:
                return prefix
        except (OSError, subprocess.TimeoutExpired):
            return ()
    return ()
