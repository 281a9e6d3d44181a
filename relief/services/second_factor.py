"""The second factor: enrol a phone, prove oneself for exactly what is being signed, demand the proof.

A code is tried in a transaction of its own that commits whatever comes of it, so a wrong one counts. The proof is bound to the digest of
what is signed and counts five minutes; the signature that needs it asks for it in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import second_factor
from relief.domain.errors import Conflict, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.store import audits, factors, staff
from relief.store.db import Tx

#: So many wrong codes within so long, and no more are tried.
WRONG: Final = 5
WITHIN: Final = timedelta(minutes=15)
#: How a signature is proven where the place has no second factor yet: a setting says so, and the act does.
OFF: Final = "off"


class Offer(msgspec.Struct, frozen=True):
    """A new secret, shown to its owner while they enrol: in base 32, and as the address the square holds."""

    secret: str
    uri: str


class Issued(msgspec.Struct, frozen=True):
    """A factor that was enrolled for somebody: its secret and recovery codes."""

    secret: str
    recovery: list[str]


class State(msgspec.Struct, frozen=True):
    """What a person's own page shows."""

    active: bool
    since: datetime | None
    recovery_left: int


async def state(tx: Tx, person: UUID) -> State:
    """Whether the person is enrolled."""
    found = await factors.find(tx, person)
    active = found is not None and found.status == "active"
    return State(active, found.enrolled_at if found and active else None, await factors.codes_left(tx, person))


async def offer(tx: Tx, actor: Actor, login: str, now: datetime, keys: Keys) -> Offer:
    """A new secret for oneself; it counts only after its first code."""
    secret = second_factor.new_secret()
    if not await factors.offer(tx, [actor.person], [_seal(keys, actor.person, secret)], "offered", now):
        raise Conflict(
            "factor_active", "已绑定验证器；更换手机请找安全管理员重置 · enrolled already; a security officer resets it for a new phone"
        )
    return Offer(secret, second_factor.uri(secret, login))


async def offered(tx: Tx, actor: Actor, login: str, keys: Keys) -> Offer | None:
    """The secret offered and not activated yet, to show it again."""
    found = await factors.find(tx, actor.person)
    if found is None or found.status != "offered" or not found.sealed:
        return None
    secret = _open(keys, actor.person, found.sealed)
    return Offer(secret, second_factor.uri(secret, login))


async def activate(tx: Tx, actor: Actor, code: str, now: datetime, keys: Keys) -> list[str] | None:
    """The first code makes it count: recovery codes, shown once. None for a wrong code, which is counted: commit all the same."""
    found = await factors.lock(tx, actor.person)
    if found is None or found.status != "offered" or not found.sealed:
        raise Conflict("factor_not_offered", "请先开始绑定 · begin to enrol first")
    await _throttle(tx, actor.person, now)
    step = second_factor.matching_step(_open(keys, actor.person, found.sealed), second_factor.clean(code), now)
    taken = step is not None and await factors.take(tx, actor.person, step, ["offered"])
    await staff.attempted(tx, _subject(actor.person), now, taken)
    if not taken:
        return None
    codes = second_factor.new_recovery_codes()
    await factors.add_codes(tx, [actor.person] * len(codes), [_hash(keys, c) for c in codes])
    await audits.add(tx, audits.SHARED, actor, "factor.enrol", "staff", [actor.person], now)
    return codes


async def prove(tx: Tx, actor: Actor, code: str, digest: bytes, now: datetime, keys: Keys) -> bool:
    """Try a code for this digest. False for a wrong or used one, which is counted: commit all the same."""
    found = await factors.lock(tx, actor.person)
    if found is None or found.status != "active":
        raise Refused("factor_missing", "请先在“我的账号”绑定验证器 · enrol a second factor under “my account” first")
    await _throttle(tx, actor.person, now)
    typed, way = second_factor.clean(code), "totp"
    step = second_factor.matching_step(_open(keys, actor.person, found.sealed), typed, now)
    right = step is not None and await factors.take(tx, actor.person, step, ["active"])
    if not right and len(typed) == 12:
        right, way = await factors.use_code(tx, actor.person, _hash(keys, typed), now), "recovery"
    await staff.attempted(tx, _subject(actor.person), now, right)
    if right:
        await factors.keep_proof(tx, actor.person, digest, way, now)
    else:
        await audits.add(tx, audits.SHARED, actor, "factor.wrong", "staff", [actor.person], now)
    return right


async def demand(tx: Tx, actor: Actor, digest: bytes, now: datetime) -> str:
    """How this person proved themselves for this digest within the last five minutes; refused when they did not."""
    found = await factors.proof(tx, actor.person, digest, now - second_factor.FRESH, now)
    if found is None:
        raise Refused("second_factor", "请输入验证器上的6位验证码 · enter the six-digit code of your authenticator")
    return found.way


async def issue(tx: Tx, people: Sequence[UUID], now: datetime, keys: Keys) -> dict[UUID, Issued]:
    """Enrol people at once, without their phones: for drills, where everybody may know the codes."""
    made = {person: Issued(second_factor.new_secret(), second_factor.new_recovery_codes()) for person in people}
    await factors.offer(tx, list(made), [_seal(keys, p, i.secret) for p, i in made.items()], "active", now)
    pairs = [(p, c) for p, i in made.items() for c in i.recovery]
    await factors.add_codes(tx, [p for p, _ in pairs], [_hash(keys, c) for _, c in pairs])
    return made


async def _throttle(tx: Tx, person: UUID, now: datetime) -> None:
    if await staff.failures(tx, _subject(person), now - WITHIN) >= WRONG:
        raise Refused("throttled", "验证码错误次数过多，请15分钟后再试 · too many wrong codes, try again in 15 minutes")


def _subject(person: UUID) -> str:
    return f"factor:{person}"


def _seal(keys: Keys, person: UUID, secret: str) -> bytes:
    return keys.seal("second_factor", person, "sealed", secret.encode())


def _open(keys: Keys, person: UUID, sealed: bytes) -> str:
    return keys.open("second_factor", person, "sealed", sealed).decode()


def _hash(keys: Keys, code: str) -> bytes:
    return keys.index("recovery", second_factor.clean(code))
