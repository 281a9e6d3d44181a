"""Signing in: look up (transaction) → check the password (none held) → record (transaction).

Passwords are Argon2id; checking one costs some 15 ms and 19 MiB, so at most two are checked at a time, in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from relief.domain import policy
from relief.domain.errors import Invalid, Refused
from relief.domain.policy import Actor, Grant
from relief.store import audits, sessions, staff
from relief.store.db import Tx

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: For throw-away people only: demos and tests make many.
CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

SESSION: Final = timedelta(hours=12)
IDLE: Final = timedelta(hours=2)
WINDOW: Final = timedelta(minutes=15)
FAILURES: Final = 8
#: Attempts are kept so long for whoever looks into them, then forgotten.
KEPT: Final = timedelta(days=180)

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Checked when the login is unknown, so that the answer takes as long as for a known one.
_NOBODY: Final = HASHER.hash(secrets.token_urlsafe(16))


class NewStaff(msgspec.Struct, frozen=True):
    """A person to be given an account."""

    login: str
    name: str
    password: str
    grants: tuple[Grant, ...] = ()


class Known(msgspec.Struct, frozen=True):
    """The login asked for, whether or not anybody has it."""

    subject: str
    person: UUID | None
    password_hash: str


class Opened(msgspec.Struct, frozen=True):
    """A new session: the cookie's value (shown once) and the form token."""

    token: str
    csrf: str
    expires_at: datetime


async def look_up(tx: Tx, login: str, now: datetime) -> Known:
    """Refuse when this login failed too often lately; otherwise what there is to check."""
    login = "".join(c for c in login if c.isprintable())  # a login has no control characters, and the database refuses NUL
    subject = "login:" + login.strip().lower()[:64]
    if await staff.failures(tx, subject, now - WINDOW) >= FAILURES:
        raise Refused("throttled", "尝试次数过多，请15分钟后再试 · too many attempts, try again in 15 minutes")
    found = await staff.by_login(tx, login.strip().lower())
    return Known(subject, found.id if found else None, found.password_hash if found else _NOBODY)


async def matches(known: Known, password: str) -> bool:
    """Check the password in a thread; no transaction may be open meanwhile."""
    right = await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, known.password_hash, password)
    return right and known.person is not None


async def record(tx: Tx, known: Known, right: bool, now: datetime) -> Opened | None:
    """Keep the attempt and, when it was right, open a session under a fresh token."""
    await staff.attempted(tx, known.subject, now, right)
    if not right or known.person is None:
        return None
    opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(24), now + SESSION)
    await sessions.open_(tx, token_hash(opened.token), known.person, opened.csrf, now, opened.expires_at)
    await audits.add(tx, audits.SHARED, Actor(known.person, ""), "sign in", known.subject, [known.person], now)
    return opened


async def sign_out(tx: Tx, token: str) -> None:
    """End the session of that cookie."""
    await sessions.close(tx, token_hash(token))


async def create_staff(tx: Tx, actor: Actor, people: Sequence[NewStaff], now: datetime, hasher: PasswordHasher = HASHER) -> dict[str, UUID]:
    """Create accounts with their grants; the id of each login. Pass CHEAP only for throw-away people."""
    for person in people:
        _check(person)
        policy.require(actor, "staff.manage", [g.area for g in person.grants])
    hashes = await asyncio.to_thread(lambda: [hasher.hash(p.password) for p in people])
    ids = await staff.add(tx, [p.login for p in people], [p.name for p in people], hashes, now)
    grants = [(ids[p.login], g.role, g.area) for p in people for g in p.grants]
    await staff.grant(tx, [p for p, _, _ in grants], [r for _, r, _ in grants], [a for _, _, a in grants], now)
    await audits.add(tx, audits.SHARED, actor, "staff create", "staff", ids.values(), now, {"grants": [f"{r} {a}" for _, r, a in grants]})
    return ids


async def tidy(tx: Tx, now: datetime) -> int:
    """Remove sessions that have run out and attempts too old to count; how many rows went."""
    return await sessions.expire(tx, now) + await staff.forget_attempts(tx, now - KEPT)


def token_hash(token: str) -> bytes:
    """What is stored of a cookie."""
    return hashlib.sha256(token.encode()).digest()


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _check(person: NewStaff) -> None:
    if not 2 <= len(person.login) <= 64 or person.login != person.login.strip().lower():
        raise Invalid("login_form", "账号须为2至64个小写字符 · a login has 2–64 characters in lower case")
    if not 8 <= len(person.password) <= 200:
        raise Invalid("password_form", "口令须为8至200个字符 · a password has 8–200 characters")
    unknown = [g.role for g in person.grants if g.role not in policy.ROLES]
    if unknown:
        raise Invalid("role_unknown", "没有这个角色 · there is no such role", role=unknown[0])
