"""`relief serve` over a bench's own home, and people signed in to it over HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from relief.domain.policy import SYSTEM, Grant
from relief.services import sign_in
from relief.store import db
from tests.bench.harness import Place
from tests.make import NOW
from tests.processes import free_url, port, process

PASSWORD: Final = "a calm long password"


class Served(msgspec.Struct, frozen=True):
    """A web process that has just started."""

    url: str
    process: subprocess.Popen[bytes]


async def staff(here: Place, login: str, role: str, area: str) -> None:
    """An account that can sign in."""
    async with db.begin(here.house.pool) as tx:
        await sign_in.create_staff(tx, SYSTEM, [sign_in.NewStaff(login, "测试员", PASSWORD, (Grant(role, area),))], NOW)


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[Served]:
    """Started now; it answers once somebody has signed in."""
    url = free_url()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")}
    environment |= {"RELIEF_HOME": str(home), "RELIEF_LISTEN_PORT": port(url), "RELIEF_PUBLIC_URL": url}
    with process(environment, "serve") as started:
        yield Served(url, started)


@asynccontextmanager
async def signed_in(served: Served, login: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session, which waits for the door to open."""
    async with httpx.AsyncClient(base_url=served.url, timeout=60) as client:
        while True:
            try:
                answer = await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
                break
            except httpx.TransportError:
                assert served.process.poll() is None, "relief serve ended before it answered"
                await asyncio.sleep(0.1)
        assert answer.status_code == 201, answer.text
        yield client
