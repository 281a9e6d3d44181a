"""Staff, their grants, and their attempts to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, one, run, value


class Login(msgspec.Struct, frozen=True):
    """What is needed to check a password, and who made the account."""

    id: UUID
    password_hash: str
    created_by: UUID | None = None


class Person(msgspec.Struct, frozen=True):
    """One line of the list of staff."""

    id: UUID
    login: str
    name: str
    active: bool
    grants: list[str]


class Tries(msgspec.Struct, frozen=True):
    """Failed attempts lately: on this login from this address, from this address on any login, on this login from anywhere; and whether
    this login has ever come in from this address."""

    pair: int
    address: int
    login: int
    known_here: bool


_ADD = """
INSERT INTO staff (login, name, password_hash, created_at, created_by, password_at)
SELECT login, name, hash, $4, $5, $6 FROM unnest($1::text[], $2::text[], $3::text[]) AS t (login, name, hash)
RETURNING id, login, password_hash
"""


class _Added(msgspec.Struct, frozen=True):
    id: UUID
    login: str
    password_hash: str


async def add(
    tx: Tx, logins: Sequence[str], names: Sequence[str], hashes: Sequence[str], now: datetime, creator: UUID | None = None,
    password_at: datetime | None = None,
) -> dict[str, UUID]:  # fmt: skip
    """Create people; the id of each login. Without `password_at` the password must be changed at the first sign-in."""
    added = await many(tx, _ADD, _Added, list(logins), list(names), list(hashes), now, creator, password_at)
    return {r.login: r.id for r in added}


_GRANT = """
INSERT INTO role_grant (person, role, area, valid_from, valid_to, granted_by)
SELECT person, role, area, $4, $5, $6 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (person, role, area)
"""


async def grant(
    tx: Tx, people: Sequence[UUID], roles: Sequence[str], areas: Sequence[str], since: datetime, until: datetime | None = None,
    granter: UUID | None = None,
) -> None:  # fmt: skip
    """Give roles in areas from a moment on, to another or without end."""
    await run(tx, _GRANT, list(people), list(roles), list(areas), since, until, granter)


_END = """
UPDATE role_grant SET valid_to = $4 WHERE person = $1 AND role = $2 AND area = $3 AND (valid_to IS NULL OR valid_to > $4)
"""


async def end_grant(tx: Tx, person: UUID, role: str, area: str, now: datetime) -> int:
    """End a grant now; how many were ended."""
    return await run(tx, _END, person, role, area, now)


_BY_LOGIN = "SELECT id, password_hash, created_by FROM staff WHERE login = $1 AND active"


async def by_login(tx: Tx, login: str) -> Login | None:
    """The active person of that login."""
    return await maybe(tx, _BY_LOGIN, Login, login)


_PASSWORD = "UPDATE staff SET password_hash = $2, password_at = $3 WHERE id = $1 AND active"


async def set_password(tx: Tx, person: UUID, password_hash: str, at: datetime | None) -> bool:
    """Another password; without `at` it must be changed at the next sign-in."""
    return await run(tx, _PASSWORD, person, password_hash, at) == 1


_DEACTIVATE = "UPDATE staff SET active = false WHERE id = $1 AND active"


async def deactivate(tx: Tx, person: UUID) -> bool:
    """Close an account; its acts stay."""
    return await run(tx, _DEACTIVATE, person) == 1


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


_LOCK = "SELECT pg_advisory_xact_lock(hashtext('sign in ' || $1))"
_TRIES = """
SELECT count(*) FILTER (WHERE subject = $1 AND address = $2) AS pair, count(*) FILTER (WHERE address = $2 AND address <> '') AS address,
       count(*) FILTER (WHERE subject = $1) AS login,
       EXISTS (SELECT FROM sign_in_attempt k WHERE k.subject = $1 AND k.address = $2 AND k.ok) AS known_here
FROM sign_in_attempt WHERE (subject = $1 OR address = $2 AND address <> '') AND at > $3 AND NOT ok
"""


async def tries(tx: Tx, subject: str, address: str, since: datetime) -> Tries:
    """What has failed since a moment; attempts from one address are counted one after the other."""
    await run(tx, _LOCK, address)
    return await one(tx, _TRIES, Tries, subject, address, since)


_BEGIN = "INSERT INTO sign_in_attempt (subject, address, at, ok) VALUES ($1, $2, $3, false) RETURNING id"
_RIGHT = "UPDATE sign_in_attempt SET ok = true WHERE subject = $1 AND id = $2"


async def begin_attempt(tx: Tx, subject: str, address: str, now: datetime) -> UUID:
    """Count an attempt as failed before it is made, so that many at once do not slip through."""
    id_: UUID = await value(tx, _BEGIN, subject, address, now)
    return id_


async def was_right(tx: Tx, subject: str, attempt: UUID) -> None:
    """It was right after all."""
    await run(tx, _RIGHT, subject, attempt)


_ATTEMPT = "INSERT INTO sign_in_attempt (subject, at, ok) VALUES ($1, $2, $3)"


async def attempted(tx: Tx, subject: str, now: datetime, ok: bool) -> None:
    """Keep one attempt that has nothing to do with an address: a slip's code, a second factor."""
    await run(tx, _ATTEMPT, subject, now, ok)


_FORGET = "DELETE FROM sign_in_attempt WHERE at < $1"


async def forget_attempts(tx: Tx, before: datetime) -> int:
    """Old attempts are of no use; how many were removed."""
    return await run(tx, _FORGET, before)
