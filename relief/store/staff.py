"""Staff, their grants, and their attempts to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run, value


class Login(msgspec.Struct, frozen=True):
    """What is needed to check a password."""

    id: UUID
    password_hash: str


class Person(msgspec.Struct, frozen=True):
    """One line of the list of staff."""

    id: UUID
    login: str
    name: str
    active: bool
    grants: list[str]


_ADD = """
INSERT INTO staff (login, name, password_hash, created_at)
SELECT login, name, hash, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS t (login, name, hash)
RETURNING id, login, password_hash
"""


class _Added(msgspec.Struct, frozen=True):
    id: UUID
    login: str
    password_hash: str


async def add(tx: Tx, logins: Sequence[str], names: Sequence[str], hashes: Sequence[str], now: datetime) -> dict[str, UUID]:
    """Create people; the id of each login."""
    return {r.login: r.id for r in await many(tx, _ADD, _Added, list(logins), list(names), list(hashes), now)}


_GRANT = """
INSERT INTO role_grant (person, role, area, valid_from)
SELECT person, role, area, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (person, role, area)
"""


async def grant(tx: Tx, people: Sequence[UUID], roles: Sequence[str], areas: Sequence[str], now: datetime) -> None:
    """Give roles in areas from now on."""
    await run(tx, _GRANT, list(people), list(roles), list(areas), now)


_BY_LOGIN = "SELECT id, password_hash FROM staff WHERE login = $1 AND active"


async def by_login(tx: Tx, login: str) -> Login | None:
    """The active person of that login."""
    return await maybe(tx, _BY_LOGIN, Login, login)


_ALL = """
SELECT p.id, p.login, p.name, p.active,
       coalesce(array_agg(g.role || ' ' || g.area ORDER BY g.role, g.area) FILTER (WHERE g.role IS NOT NULL), '{}') AS grants
FROM staff p
LEFT JOIN role_grant g ON g.person = p.id AND g.valid_from <= $1 AND (g.valid_to IS NULL OR g.valid_to > $1)
GROUP BY p.id, p.login, p.name, p.active
ORDER BY p.login
"""


async def all_(tx: Tx, now: datetime) -> list[Person]:
    """Everybody with the grants valid now."""
    return await many(tx, _ALL, Person, now)


_FAILURES = "SELECT count(*) FROM sign_in_attempt WHERE subject = $1 AND at > $2 AND NOT ok"


async def failures(tx: Tx, subject: str, since: datetime) -> int:
    """Failed attempts on a subject since a moment."""
    count: int = await value(tx, _FAILURES, subject, since)
    return count


_ATTEMPT = "INSERT INTO sign_in_attempt (subject, at, ok) VALUES ($1, $2, $3)"


async def attempted(tx: Tx, subject: str, now: datetime, ok: bool) -> None:
    """Keep one attempt."""
    await run(tx, _ATTEMPT, subject, now, ok)


_FORGET = "DELETE FROM sign_in_attempt WHERE at < $1"


async def forget_attempts(tx: Tx, before: datetime) -> int:
    """Old attempts are of no use; how many were removed."""
    return await run(tx, _FORGET, before)
