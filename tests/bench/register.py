"""Registering: the service a phone's sync and the API call, everything sealed, guarded and traced."""

from __future__ import annotations

from collections.abc import Sequence

from relief.demo.families import Village, families
from relief.services.register import register
from relief.store import db
from tests.bench import world
from tests.bench.harness import Figure, Line, compared, copied, place, watch
from tests.make import NOW, VILLAGE

#: Records in one call, as a phone's sync sends them.
CHUNK = 500
PEER = "bare INSERT … SELECT"


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
    return [
        Line(name="register rate", rows=rows, rss_mb=round(seen.rss_mb), unit="households/s", value=round(rows / seen.seconds)),
        Line(name="register rate of people", rows=rows, unit="people/s", value=round(members / seen.seconds)),
        compared("register", rows, seen, PEER, bare, None),
    ]
