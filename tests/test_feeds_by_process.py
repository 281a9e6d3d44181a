"""`relief work` asks `relief rehearse feeds`: two processes, one loopback, and the twin's recorded messages stand in the inbox."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from relief.domain.sealing import Keys
from relief.store import db
from tests.processes import free_url, port, process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]
TOLD = {"cap proposed": 1, "cap superseded": 1, "cap withdrawn": 1, "cap noted": 3, "comcat proposed": 1, "comcat noted": 1}


async def test_the_worker_polls_the_twin_and_nothing_is_opened(database: str, pool: db.Pool, keys: Keys, home: Path) -> None:
    (home / "keys.json").write_bytes(msgspec.json.encode(keys))
    url = free_url()
    environment = {
        "RELIEF_HOME": str(home), "RELIEF_DATABASE_URL": database, "RELIEF_TICK_SECONDS": "0.3", "RELIEF_FEED_POLL_SECONDS": "1",
        "RELIEF_FEED_CAP_URL": f"{url}/cap/atom.xml", "RELIEF_FEED_COMCAT_URL": f"{url}/comcat.geojson",
    }  # fmt: skip
    with ExitStack() as running:
        running.enter_context(process({}, "rehearse", "feeds", "--port", port(url)))
        running.enter_context(process(environment, "work"))
        for _ in range(240):
            async with db.read(pool) as tx:
                told = {
                    r["key"]: r["n"] for r in await tx.fetch("SELECT source || ' ' || status AS key, count(*) AS n FROM alert GROUP BY 1")
                }
                heard = await db.value(tx, "SELECT count(*) FROM feed WHERE heard_at IS NOT NULL")
            if told == TOLD and heard == 2:
                break
            await asyncio.sleep(0.25)
    assert (told, heard) == (TOLD, 2)
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM incident") == 0
