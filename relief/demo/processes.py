"""The other processes of the story: web, worker and the two twins, each started as a user would start it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from relief.domain.errors import Unavailable
from relief.settings import Settings

_PATIENCE_S = 30.0


class Places(msgspec.Struct, frozen=True):
    """Where the processes listen, and the environment they share."""

    web_url: str
    phones_url: str
    environment: dict[str, str]


def places(settings: Settings) -> Places:
    """Loopback addresses: the configured port for the console when it is free, any free one otherwise."""
    web = f"http://127.0.0.1:{free_port(settings.listen_port)}"
    phones = f"http://127.0.0.1:{free_port(8081)}"
    mine = {
        "RELIEF_HOME": str(settings.home),
        "RELIEF_LISTEN_PORT": web.rsplit(":", 1)[1],
        "RELIEF_PUBLIC_URL": web,
        "RELIEF_SMS_BASE_URL": phones,
        "RELIEF_TICK_SECONDS": "0.3",
        "RELIEF_BANK_ANSWER_SECONDS": "6",
    }
    return Places(web_url=web, phones_url=phones, environment={**os.environ, **mine})


@asynccontextmanager
async def running(commands: Mapping[str, list[str]], where: Places, logs: Path, ready: Mapping[str, str]) -> AsyncIterator[None]:
    """Start `relief …` for each command, the worker last and only when the URLs in `ready` answer; stop all of them at the end."""
    await asyncio.to_thread(logs.mkdir, parents=True, exist_ok=True)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, arguments in commands.items():
            if name == "work":  # a callback that nobody hears is lost: whoever is spoken to must listen before the worker speaks
                await asyncio.gather(*(answers(listener, url, logs) for listener, url in ready.items()))
            with (logs / f"{name}.log").open("wb") as log:
                command = [sys.executable, "-m", "relief", *arguments]
                started.append(subprocess.Popen(command, env=where.environment, stdout=log, stderr=log))  # noqa: ASYNC220
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            await asyncio.to_thread(_end, process)


async def answers(name: str, url: str, logs: Path) -> None:
    """Wait until it does; Unavailable when it never will."""
    for _ in range(int(_PATIENCE_S / 0.1)):
        if await asyncio.to_thread(_opens, url):
            return
        await asyncio.sleep(0.1)
    raise Unavailable("not_started", f"进程 {name} 未能启动，见 {logs / name}.log · {name} did not start, see its log")


def _opens(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(preferred: int = 0) -> int:
    """The preferred port where it is free, any other otherwise."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given back is free, as the server will find too
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no_port", "没有空闲端口 · no free port")
