"""The peer of `register`: the same JSON taken by a bare litestar handler and inserted by asyncpg. No session, no right, no check, no seal, no
guard, no trace: what the machine can do at most.

    python -m tests.bench.bare_register URL PORT
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import uvicorn
from litestar import Litestar, Request, get, post

_HOUSEHOLDS = """
INSERT INTO bare.household (county, id, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type, members,
                            only_home, occupied, slip, slip_code_hash, registered_by, captured_at, received_at)
SELECT left(village, 6), id, incident, device, '\\x00', village, lon, lat, 10, true, 'staged', 'ordinary', members, true, true, id::text, '\\x00', id, now(), now()
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::float8[], $7::int[]) AS t (id, incident, device, village, lon, lat, members)
"""
_PEOPLE = """
INSERT INTO bare.person (county, id, household, role, sealed, id_hash, phone_route, adult)
SELECT '513322', id, household, role, convert_to(name, 'UTF8'), convert_to(number, 'UTF8'), 'none', true
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (id, household, role, name, number)
"""


class Person(msgspec.Struct):
    """One person."""

    name: str
    id_number: str


class Household(msgspec.Struct):
    """What is inserted of a record."""

    device_id: UUID
    incident: UUID
    village: str
    lon: float
    lat: float
    members: list[Person]
    captured_at: datetime


@get("/health")
async def health() -> str:
    """Up."""
    return "ok"


@post("/households", status_code=200, request_max_body_size=4_000_000)
async def take(request: Request[Any, Any, Any]) -> list[UUID]:
    """Insert and answer with the ids."""
    items = msgspec.json.decode(await request.body(), type=list[Household])
    ids = [uuid4() for _ in items]
    people = [
        (uuid4(), i, "member" if n else "householder", m.name, m.id_number)
        for i, h in zip(ids, items, strict=True)
        for n, m in enumerate(h.members)
    ]
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            _HOUSEHOLDS, ids, [h.incident for h in items], [h.device_id for h in items], [h.village for h in items], [h.lon for h in items],
            [h.lat for h in items], [len(h.members) for h in items],
        )  # fmt: skip
        await connection.execute(_PEOPLE, *(list(column) for column in zip(*people, strict=True)))
    return ids


def main(url: str, port: str) -> None:
    """Serve until ended."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(url, min_size=1, max_size=4)
        yield
        await app.state.pool.close()

    uvicorn.run(Litestar([health, take], lifespan=[lifespan]), port=int(port), log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
