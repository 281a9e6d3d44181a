"""The bare peer of a money write: litestar and asyncpg, one statement in one transaction, the same rows and nothing else.

    python -m tests.bench.bare PORT DATABASE_URL

No sign-in, no key, no check, no lock, no balance: what is left is what any such service must pay for its framework and its rows.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from litestar import Litestar, Request, post
from msgspec import Struct

_WRITE = """
WITH a AS (
    INSERT INTO bare.audit (county, at, actor, act, subject, count, digest, detail) VALUES ($1, $2, $3, 'award.approve', 'award', 1, $4, '{}') RETURNING id
), p AS (
    INSERT INTO bare.audit_pending (county, id) SELECT $1, id FROM a
), s AS (
    INSERT INTO bare.signature (county, subject, kind, step, person, digest, signed_at) VALUES ($1, $5, 'award', 'township', $3, $4, $2)
), t AS (
    INSERT INTO bare.transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at)
    SELECT $1, $3, 'available', 'reserved', 30000, 'award', $5, id, $2 FROM a
), m AS (
    INSERT INTO bare.payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, created_at)
    VALUES ($1, $5, $5, $5, $5, $5, '402', $3, 1, $5::text, 30000, 'approved', $2) RETURNING id
), q AS (
    INSERT INTO bare.payable (county, payment) SELECT $1, id FROM m
), w AS (
    INSERT INTO bare.paperwork (county, award, due_on, status) VALUES ($1, $5, $2::date, 'open')
)
INSERT INTO bare.idempotency (person, key, route, fingerprint, status, response, created_at) VALUES ($3, $5::text, 'POST /', $4, 200, '\\x7b7d', $2)
"""


class Approve(Struct):
    """What the real write is asked."""

    awards: list[UUID]
    digest: str


@post("/write", status_code=200)
async def write(request: Request[Any, Any, Any], data: Approve) -> dict[str, int]:
    """The rows of one approval."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(_WRITE, "513322", datetime.now(UTC), data.awards[0], bytes.fromhex(data.digest), data.awards[0])
    return {"awards": 1}


def main() -> None:
    """Entry point."""
    port, url = int(sys.argv[1]), sys.argv[2]

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(url, min_size=1, max_size=10)
        yield

    uvicorn.run(Litestar([write], lifespan=[lifespan], openapi_config=None), port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
