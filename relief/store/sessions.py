"""Server-side sessions. The cookie is 256 random bits; only its SHA-256 is stored."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, maybe, run


class Session(msgspec.Struct, frozen=True):
    """Who is signed in, with the grants valid at the asked moment (two parallel lists); `drill`: every open incident is one."""

    person: UUID
    login: str
    name: str
    csrf: str
    seen_at: datetime
    expires_at: datetime
    roles: list[str]
    areas: list[str]
    drill: bool


_OPEN = """
INSERT INTO staff_session (token_hash, person, csrf, opened_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)
"""


async def open_(tx: Tx, token_hash: bytes, person: UUID, csrf: str, now: datetime, expires_at: datetime) -> None:
    """Begin a session."""
    await run(tx, _OPEN, token_hash, person, csrf, now, expires_at)


_FIND = """
SELECT s.person, p.login, p.name, s.csrf, s.seen_at, s.expires_at,
       coalesce(array_agg(g.role ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS roles,
       coalesce(array_agg(g.area ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS areas,
       coalesce((SELECT bool_and(i.drill) FROM incident i WHERE i.status <> 'closed'), false) AS drill
FROM staff_session s
JOIN staff p ON p.id = s.person AND p.active
LEFT JOIN role_grant g ON g.person = s.person AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
WHERE s.token_hash = $1 AND s.expires_at > $2
GROUP BY s.token_hash, s.person, p.login, p.name, s.csrf, s.seen_at, s.expires_at
"""


async def find(tx: Tx, token_hash: bytes, now: datetime) -> Session | None:
    """The live session of that cookie."""
    return await maybe(tx, _FIND, Session, token_hash, now)


_TOUCH = "UPDATE staff_session SET seen_at = $2 WHERE token_hash = $1"


async def touch(tx: Tx, token_hash: bytes, now: datetime) -> None:
    """Remember that it was used."""
    await run(tx, _TOUCH, token_hash, now)


_CLOSE = "DELETE FROM staff_session WHERE token_hash = $1"


async def close(tx: Tx, token_hash: bytes) -> None:
    """End it; ending it again does nothing."""
    await run(tx, _CLOSE, token_hash)


_EXPIRE = "DELETE FROM staff_session WHERE expires_at <= $1"


async def expire(tx: Tx, now: datetime) -> int:
    """Remove what has run out; how many."""
    return await run(tx, _EXPIRE, now)
