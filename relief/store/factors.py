"""Second factors, recovery codes, and proofs bound to what is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, maybe, run


class Factor(msgspec.Struct, frozen=True):
    """A person's factor; its secret still sealed."""

    person: UUID
    sealed: bytes
    status: str
    last_step: int
    enrolled_at: datetime


class Proof(msgspec.Struct, frozen=True):
    """How and when a person proved themselves for one digest."""

    way: str
    at: datetime


# An active factor is never replaced by offering another one: it is reset first, by somebody else.
_OFFER = """
INSERT INTO second_factor (person, sealed, status, enrolled_at)
SELECT person, sealed, $3, $4 FROM unnest($1::uuid[], $2::bytea[]) AS t (person, sealed)
ON CONFLICT (person) DO UPDATE SET sealed = excluded.sealed, status = excluded.status, enrolled_at = excluded.enrolled_at, last_step = 0
WHERE second_factor.status = 'offered'
"""
_LOCK = "SELECT person, sealed, status, last_step, enrolled_at FROM second_factor WHERE person = $1 FOR UPDATE"
_FIND = "SELECT person, sealed, status, last_step, enrolled_at FROM second_factor WHERE person = $1"
_TAKE = "UPDATE second_factor SET last_step = $2, status = 'active' WHERE person = $1 AND last_step < $2 AND status = ANY ($3::text[])"
_RESET = "UPDATE second_factor SET status = 'offered', sealed = '' WHERE person = $1 AND status = 'active'"
_VOID_CODES = "UPDATE recovery_code SET used_at = $2 WHERE person = $1 AND used_at IS NULL"
_CODES = """
INSERT INTO recovery_code (person, code_hash) SELECT person, hash FROM unnest($1::uuid[], $2::bytea[]) AS t (person, hash)
"""
_USE = "UPDATE recovery_code SET used_at = $3 WHERE person = $1 AND code_hash = $2 AND used_at IS NULL"
_LEFT = "SELECT code_hash FROM recovery_code WHERE person = $1 AND used_at IS NULL"
_PROVE = "INSERT INTO factor_proof (person, digest, at, way) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_PROVEN = "SELECT way, at FROM factor_proof WHERE person = $1 AND digest = $2 AND at > $3 AND at <= $4 ORDER BY at DESC LIMIT 1"


class _Left(msgspec.Struct, frozen=True):
    code_hash: bytes


async def offer(tx: Tx, people: Sequence[UUID], sealed: Sequence[bytes], status: str, now: datetime) -> int:
    """Keep new secrets as 'offered' (to be activated by a first code) or 'active'; how many were kept: an active factor stays."""
    return await run(tx, _OFFER, list(people), list(sealed), status, now)


async def find(tx: Tx, person: UUID) -> Factor | None:
    """The person's factor."""
    return await maybe(tx, _FIND, Factor, person)


async def lock(tx: Tx, person: UUID) -> Factor | None:
    """The person's factor, and nobody else tries a code of theirs meanwhile."""
    return await maybe(tx, _LOCK, Factor, person)


async def take(tx: Tx, person: UUID, step: int, statuses: Sequence[str]) -> bool:
    """Take the code of a step, once; the factor is active from then on."""
    return await run(tx, _TAKE, person, step, list(statuses)) == 1


async def reset(tx: Tx, person: UUID, now: datetime) -> bool:
    """Take the factor and its recovery codes away; the person may enrol anew."""
    await run(tx, _VOID_CODES, person, now)
    return await run(tx, _RESET, person) == 1


async def add_codes(tx: Tx, people: Sequence[UUID], hashes: Sequence[bytes]) -> None:
    """Keep recovery codes."""
    await run(tx, _CODES, list(people), list(hashes))


async def use_code(tx: Tx, person: UUID, code_hash: bytes, now: datetime) -> bool:
    """Use a recovery code, once."""
    return await run(tx, _USE, person, code_hash, now) == 1


async def codes_left(tx: Tx, person: UUID) -> int:
    """How many recovery codes are left."""
    return len(await many(tx, _LEFT, _Left, person))


async def keep_proof(tx: Tx, person: UUID, digest: bytes, way: str, now: datetime) -> None:
    """Write down that the person proved themselves for this digest."""
    await run(tx, _PROVE, person, digest, now, way)


async def proof(tx: Tx, person: UUID, digest: bytes, since: datetime, now: datetime) -> Proof | None:
    """The latest proof for this digest after `since`."""
    return await maybe(tx, _PROVEN, Proof, person, digest, since, now)
