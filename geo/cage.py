"""A child process that may be killed: whoever reads a stranger's bytes does it in here, with processor, memory, files and time limited.

There is no network where the kernel lets us take it away, and nothing of the server's environment. Knows nobody.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

#: Children at work at once, per process: a flood of uploads may not take the processor from the payments.
CHILDREN: Final = 2
#: How long a file waits for its turn.
QUEUE_SECONDS: Final = 30.0
#: Out of processor time, killed, aborted by an allocation that failed, or ended by the C library for the same reason (127).
HEAVY: Final = (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, 127)
#: Nothing of the server's (database address, keys) is inherited.
ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Busy(Exception):
    """Too many files are being read; nothing was done."""


class Heavy(Exception):
    """The child did not end in time."""


async def run(module: str, request: bytes, environment: Mapping[str, str], wall_seconds: float) -> tuple[int | None, bytes]:
    """Run `python -m module` with these bytes as its standard input; its exit status and what it wrote. Raises Busy or Heavy."""
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CHILDREN))
    try:
        await asyncio.wait_for(turn.acquire(), QUEUE_SECONDS)
    except TimeoutError:
        raise Busy from None
    try:
        return await _child(module, request, environment, wall_seconds)
    finally:
        turn.release()


async def _child(module: str, request: bytes, environment: Mapping[str, str], wall_seconds: float) -> tuple[int | None, bytes]:
    child = await asyncio.create_subprocess_exec(
        *await asyncio.to_thread(_isolated), sys.executable, "-I", "-B", "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=dict(environment), cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(child.communicate(request), wall_seconds)
    except TimeoutError:
        raise Heavy from None
    finally:
        _end(child)
    return child.returncode, output


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


def limit(cpu_seconds: int, memory_bytes: int, data_bytes: int, file_bytes: int) -> None:
    """What the child does first: nothing of the file is looked at before the limits hold.

    `data_bytes` is what it may hold in memory of its own; the libraries' code and the data they map come on top and are shared.
    """
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_DATA, data_bytes, data_bytes),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(which, (soft, hard))
