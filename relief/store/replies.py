"""The answers already given to money writes, kept for the life of the payment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, maybe, run, value


class Reply(msgspec.Struct, frozen=True):
    """What was answered, and to which content."""

    route: str
    fingerprint: bytes
    status: int
    response: bytes


_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ':' || $2, 7))"


async def lock(tx: Tx, person: UUID, key: str) -> bool:
    """Take the key for this transaction; False while another request with it is running."""
    taken: bool = await value(tx, _LOCK, str(person), key)
    return taken


_FIND = "SELECT route, fingerprint, status, response FROM idempotency WHERE person = $1 AND key = $2"


async def find(tx: Tx, person: UUID, key: str) -> Reply | None:
    """The answer given under that key."""
    return await maybe(tx, _FIND, Reply, person, key)


_KEEP = """
INSERT INTO idempotency (person, key, route, fingerprint, status, response, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def keep(tx: Tx, person: UUID, key: str, reply: Reply, now: datetime) -> None:
    """Keep an answer in the act's own transaction."""
    await run(tx, _KEEP, person, key, reply.route, reply.fingerprint, reply.status, reply.response, now)
