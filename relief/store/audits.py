"""The trace: one row an act, written in the act's own transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from relief.domain.policy import Actor
from relief.store.db import Tx, many, value

#: Acts on reference tables belong to no county.
SHARED = "000000"

# An act and its place in the sealer's queue are one statement: there is no act without it.
_ADD = """
WITH a AS (INSERT INTO audit (county, at, actor, act, subject, count, digest, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING county, id),
p AS (INSERT INTO audit_pending (county, id) SELECT county, id FROM a)
SELECT id FROM a
"""

_ADD_EACH = """
WITH a AS (
    INSERT INTO audit (county, at, actor, act, subject, count, digest, detail)
    SELECT county, $4, $5, $6, $7, count, digest, $8 FROM unnest($1::text[], $2::int[], $3::bytea[]) AS t (county, count, digest)
    RETURNING county, id),
p AS (INSERT INTO audit_pending (county, id) SELECT county, id FROM a)
SELECT county, id FROM a
"""


class _Act(msgspec.Struct, frozen=True):
    county: str
    id: UUID


async def add(
    tx: Tx, county: str, actor: Actor, act: str, subject: str, ids: Iterable[UUID], now: datetime, detail: dict[str, Any] | None = None
) -> UUID:
    """Record that `actor` did `act` to the set `ids` (its size and digest are kept) and return the act's id.

    `detail` holds figures and codes only, never a name or a number of a person.
    """
    members = sorted(i.bytes for i in ids)
    act_id: UUID = await value(tx, _ADD, county, now, actor.id, act, subject, len(members), digest(members), detail or {})
    return act_id


async def add_each(
    tx: Tx, sets: Mapping[str, Iterable[UUID]], actor: Actor, act: str, subject: str, now: datetime, detail: dict[str, Any] | None = None
) -> dict[str, UUID]:
    """The same act in several counties: one row each, in one statement. Returns the act's id per county."""
    members = {county: sorted(i.bytes for i in ids) for county, ids in sets.items()}
    rows = await many(
        tx, _ADD_EACH, _Act, list(members), [len(m) for m in members.values()], [digest(m) for m in members.values()],
        now, actor.id, act, subject, detail or {},
    )  # fmt: skip
    return {r.county: r.id for r in rows}


def digest(parts: Iterable[bytes]) -> bytes:
    """SHA-256 over the concatenated parts, which all have one fixed length."""
    return hashlib.sha256(b"".join(parts)).digest()
