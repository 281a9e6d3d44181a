"""Registering: the service a phone's sync and the API call, everything sealed, guarded, traced and made ready to be compared; then over HTTP
by `relief serve` beside a bare handler that only inserts the same rows."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

import httpx
import msgspec

from relief.demo import processes
from relief.demo.families import Village, families
from relief.domain.household import Registration
from relief.domain.policy import SYSTEM, Grant
from relief.services import sign_in
from relief.services.register import register
from relief.store import db, ready
from tests.bench import world
from tests.bench.harness import Against, Figure, Line, Place, compared, copied, judge, like, place, watch
from tests.make import LUDING, NOW, VILLAGE

#: Records in one call, as a phone's sync sends them.
CHUNK: Final = 500
PEER: Final = "bare INSERT … SELECT"
HTTP_PEER: Final = "bare litestar + asyncpg"
#: Over HTTP with everything on, at least this share of what the bare handler does.
SHARE: Final = 0.4
_PASSWORD: Final = "a calm long password"


async def run(rows: int) -> Sequence[Figure]:
    """`rows` families in chunks, each chunk a transaction of its own."""
    async with place() as here:
        at = await world.event(here.owner)
        items = list(families(rows, at.incident, [Village(VILLAGE, 102.11, 29.64)], NOW))
        with watch(here) as seen:
            for start in range(0, rows, CHUNK):
                async with db.begin(here.house.pool) as tx:
                    receipts = await register(tx, at.registrar, items[start : start + CHUNK], NOW, here.house.keys)
                assert {r.outcome for r in receipts} == {"new"}
        bare = await copied(here, "device_guard", "household", "person", "account")
        members = sum(len(i.members) for i in items)
        lines: list[Figure] = [
            Line(name="register rate", rows=rows, rss_mb=round(seen.rss_mb), unit="households/s", value=round(rows / seen.seconds)),
            Line(name="register rate of people", rows=rows, unit="people/s", value=round(members / seen.seconds)),
            compared("register", rows, seen, PEER, bare, None),
        ]
        more = list(families(rows, at.incident, [Village(VILLAGE, 102.11, 29.64)], NOW, first=2_000_000))
        return [*lines, await _over_http(here, rows, more)]


async def _over_http(here: Place, rows: int, items: Sequence[Registration]) -> Line:
    """The same requests to both, turn by turn, so that the machine's other work falls on both alike."""
    async with db.begin(here.house.pool) as tx:
        await sign_in.create_staff(tx, SYSTEM, [sign_in.NewStaff("bench", "测试员", _PASSWORD, (Grant("reporter", LUDING),))], NOW)
    await like(here.owner, "household", "person")
    where, logs = processes.places(here.house.settings), here.house.settings.home / "logs"
    port = processes.free_port()
    url = (await ready.make_ready(here.house.settings)).owner_url
    bodies = [msgspec.json.encode(items[start : start + CHUNK]) for start in range(0, rows, CHUNK)]
    spent = {"ours": 0.0, "bare": 0.0}
    async with processes.running({"serve": ["serve"]}, where, logs, {}):
        bare = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_register", url, str(port)])  # noqa: ASYNC220
        try:
            await asyncio.gather(
                processes.answers("serve", f"{where.web_url}/health", logs),
                processes.answers("bare", f"http://127.0.0.1:{port}/health", logs),
            )
            async with httpx.AsyncClient(timeout=120, headers={"Content-Type": "application/json"}) as client:
                entered = await client.post(f"{where.web_url}/api/v1/session", json={"login": "bench", "password": _PASSWORD})
                assert entered.status_code == 201, entered.text
                for body in bodies:
                    for name, target in (("bare", f"http://127.0.0.1:{port}/households"), ("ours", f"{where.web_url}/api/v1/households")):
                        started = time.perf_counter()
                        answer = await client.post(target, content=body)
                        spent[name] += time.perf_counter() - started
                        assert answer.status_code == 200, answer.text
                        assert name == "bare" or b'"outcome":"invalid"' not in answer.content, answer.text[:300]
        finally:
            bare.terminate()
            await asyncio.to_thread(bare.wait)
    share = spent["bare"] / spent["ours"]
    return Line(
        name="register over HTTP", rows=rows, seconds=round(spent["ours"], 2), unit="households/s", value=round(rows / spent["ours"]),
        against=Against(HTTP_PEER, seconds=round(spent["bare"], 2)), ratio=round(share, 2), promise=f"≥ {SHARE} × {HTTP_PEER}",
        kept=judge(share >= SHARE, rows, 20_000),
    )  # fmt: skip
