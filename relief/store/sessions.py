"""Server-side sessions. The cookie is 256 random bits; only its SHA-256 is stored."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run


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
    password_at: datetime | None


class Open(msgspec.Struct, frozen=True):
    """One of a person's sessions, to be recognised and ended."""

    id: UUID
    token_hash: bytes
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


_OPEN = """
INSERT INTO staff_session (token_hash, person, csrf, opened_at, seen_at, expires_at, address, agent) VALUES ($1, $2, $3, $4, $4, $5, $6, $7)
"""


async def open_(
    tx: Tx, token_hash: bytes, person: UUID, csrf: str, now: datetime, expires_at: datetime, address: str = "", agent: str = ""
) -> None:
    """Begin a session."""
    await run(tx, _OPEN, token_hash, person, csrf, now, expires_at, address, agent)


_FIND = """
SELECT s.person, p.login, p.name, s.csrf, s.seen_at, s.expires_at, p.password_at,
       coalesce(array_agg(g.role ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS roles,
       coalesce(array_agg(g.area ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS areas,
       coalesce((SELECT bool_and(i.drill) FROM incident i WHERE i.status <> 'closed'), false) AS drill
FROM staff_session s
JOIN staff p ON p.id = s.person AND p.active
LEFT JOIN role_grant g ON g.person = s.person AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
WHERE s.token_hash = $1 AND s.expires_at > $2
GROUP BY s.token_hash, s.person, p.login, p.name, s.csrf, s.seen_at, s.expires_at, p.password_at
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


_OF = """
SELECT id, token_hash, opened_at, seen_at, expires_at, address, agent FROM staff_session WHERE person = $1 AND expires_at > $2 ORDER BY seen_at DESC
"""


async def of(tx: Tx, person: UUID, now: datetime) -> list[Open]:
    """A person's open sessions, the last used first."""
    return await many(tx, _OF, Open, person, now)


_REVOKE = "DELETE FROM staff_session WHERE person = $1 AND ($2::uuid IS NULL OR id = $2) AND token_hash <> $3"


async def revoke(tx: Tx, person: UUID, session: UUID | None, but: bytes = b"") -> int:
    """End one session of a person, or all of them but that of a cookie; how many."""
    return await run(tx, _REVOKE, person, session, but)
