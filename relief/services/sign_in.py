"""Signing in: look up (transaction) → check the password (none held) → record (transaction).

Passwords are Argon2id; checking one costs some 85 ms and 64 MiB, so at most two are checked at a time, in threads.

Guessing is stopped per login and address, per address, and per login from addresses it has never come in from: a stranger who types wrong
passwords stops themselves, never the officer at their own desk.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from uuid import UUID

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from relief.domain import password, policy
from relief.domain.errors import Invalid, Refused
from relief.domain.policy import Actor, Grant
from relief.store import audits, sessions, staff
from relief.store.db import Tx

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=65_536, parallelism=1)
#: For throw-away people only: demos and tests make many.
CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

SESSION: Final = timedelta(hours=12)
IDLE: Final = timedelta(hours=2)
WINDOW: Final = timedelta(minutes=15)
FAILURES: Final = 8
#: From one address on any login; on one login from addresses it has never come in from.
ADDRESS_FAILURES: Final = 60
LOGIN_FAILURES: Final = 60
#: Attempts are kept so long for whoever looks into them, then forgotten.
KEPT: Final = timedelta(days=180)

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _nobody() -> str:
    """Checked when the login is unknown, so that the answer takes as long as for a known one. Made at the first sign-in, not at start."""
    return HASHER.hash(secrets.token_urlsafe(16))


class NewStaff(msgspec.Struct, frozen=True):
    """A person to be given an account; a temporary password must be changed at the first sign-in."""

    login: str
    name: str
    password: str
    grants: tuple[Grant, ...] = ()
    temporary: bool = False


class Known(msgspec.Struct, frozen=True):
    """The login asked for, whether or not anybody has it, and the attempt as it is counted."""

    subject: str
    person: UUID | None
    password_hash: str
    attempt: UUID
    address: str


class Opened(msgspec.Struct, frozen=True):
    """A new session: the cookie's value (shown once) and the form token."""

    token: str
    csrf: str
    expires_at: datetime


async def look_up(tx: Tx, login: str, now: datetime, address: str = "") -> Known:
    """Refuse where too much failed lately; otherwise count the attempt and return what there is to check. Commit before checking."""
    login = "".join(c for c in login if c.isprintable())  # a login has no control characters, and the database refuses NUL
    subject = "login:" + login.strip().lower()[:64]
    tries = await staff.tries(tx, subject, address, now - WINDOW)
    if tries.pair >= FAILURES or tries.address >= ADDRESS_FAILURES or (tries.login >= LOGIN_FAILURES and not tries.known_here):
        raise Refused("throttled", "尝试次数过多，请15分钟后再试 · too many attempts, try again in 15 minutes")
    attempt = await staff.begin_attempt(tx, subject, address, now)
    found = await staff.by_login(tx, login.strip().lower())
    return Known(subject, found.id if found else None, found.password_hash if found else _nobody(), attempt, address)


async def matches(known: Known, typed: str) -> bool:
    """Check the password in a thread; no transaction may be open meanwhile."""
    right = await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, known.password_hash, typed)
    return right and known.person is not None


async def record(tx: Tx, known: Known, right: bool, now: datetime, agent: str = "") -> Opened | None:
    """When it was right, say so of the attempt and open a session under a fresh token."""
    if not right or known.person is None:
        return None
    await staff.was_right(tx, known.subject, known.attempt)
    opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(24), now + SESSION)
    await sessions.open_(tx, token_hash(opened.token), known.person, opened.csrf, now, opened.expires_at, known.address, agent[:200])
    await audits.add(tx, audits.SHARED, Actor(known.person, ""), "sign in", known.subject, [known.person], now)
    return opened


async def record_right(tx: Tx, known: Known) -> None:
    """A password that was checked for something else than a session was right."""
    await staff.was_right(tx, known.subject, known.attempt)


async def sign_out(tx: Tx, token: str) -> None:
    """End the session of that cookie."""
    await sessions.close(tx, token_hash(token))


async def create_staff(tx: Tx, actor: Actor, people: Sequence[NewStaff], now: datetime, hasher: PasswordHasher = HASHER) -> dict[str, UUID]:
    """Create accounts with their grants; the id of each login. Pass CHEAP only for throw-away people."""
    for person in people:
        _check(person)
        if actor.id is not None and person.grants:
            raise Refused("separate_powers", "建账号的人不能授权，请由安全管理员授权 · whoever makes an account gives it no rights")
    if actor.id is not None and not actor.areas("staff.create"):
        raise Refused("not_permitted", "您没有此项权限 · you do not hold this right", action="staff.create")
    hashes = await asyncio.to_thread(lambda: [hasher.hash(p.password) for p in people])
    ids: dict[str, UUID] = {}
    for temporary in (False, True):
        chosen = [(p, h) for p, h in zip(people, hashes, strict=True) if p.temporary is temporary]
        if chosen:
            at = None if temporary else now
            ids |= await staff.add(tx, [p.login for p, _ in chosen], [p.name for p, _ in chosen], [h for _, h in chosen], now, actor.id, at)
    grants = [(ids[p.login], g.role, g.area) for p in people for g in p.grants]
    await staff.grant(tx, [p for p, _, _ in grants], [r for _, r, _ in grants], [a for _, _, a in grants], now)
    await audits.add(tx, audits.SHARED, actor, "staff create", "staff", ids.values(), now, {"grants": [f"{r} {a}" for _, r, a in grants]})
    return ids


async def hashed(typed: str) -> str:
    """A password's hash, made in a thread; no transaction may be open meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, HASHER.hash, typed)


async def change_password(tx: Tx, actor: Actor, password_hash: str, token: str, now: datetime) -> None:
    """One's own new password; every other session of the person ends."""
    await staff.set_password(tx, actor.person, password_hash, now)
    ended = await sessions.revoke(tx, actor.person, None, token_hash(token))
    await audits.add(tx, audits.SHARED, actor, "password.change", "staff", [actor.person], now, {"sessions_ended": ended})


async def end_sessions(tx: Tx, actor: Actor, session: UUID | None, token: str, now: datetime) -> int:
    """End one other session of one's own, or all others; how many."""
    ended = await sessions.revoke(tx, actor.person, session, token_hash(token))
    await audits.add(tx, audits.SHARED, actor, "session.revoke", "staff", [actor.person], now, {"sessions_ended": ended})
    return ended


async def tidy(tx: Tx, now: datetime) -> int:
    """Remove sessions that have run out and attempts too old to count; how many rows went."""
    return await sessions.expire(tx, now) + await staff.forget_attempts(tx, now - KEPT)


def token_hash(token: str) -> bytes:
    """What is stored of a cookie."""
    return hashlib.sha256(token.encode()).digest()


def _verify(password_hash: str, typed: str) -> bool:
    try:
        return HASHER.verify(password_hash, typed)
    except (VerificationError, InvalidHashError):
        return False


def _check(person: NewStaff) -> None:
    if not 2 <= len(person.login) <= 64 or person.login != person.login.strip().lower():
        raise Invalid("login_form", "账号须为2至64个小写字符 · a login has 2–64 characters in lower case")
    password.check(person.password, person.login)
    unknown = [g.role for g in person.grants if g.role not in policy.ROLES]
    if unknown:
        raise Invalid("role_unknown", "没有这个角色 · there is no such role", role=unknown[0])
