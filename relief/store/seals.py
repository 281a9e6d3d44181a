"""Sealing the trace: which acts wait, how far each county's chain has come, and the whole of it as an export.

The act as one line of JSON is written out in both statements that need it (and once more in the invariant), not kept in a view: what is
sealed and verified is the row itself, never what an object of the database says about it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.domain.trail import Head
from relief.store.db import Tx, many, maybe, one, run, stream, value


class Pending(msgspec.Struct, frozen=True):
    """An act that waits for its seal, as the line that is sealed."""

    county: str
    id: UUID
    line: str


class Seal(msgspec.Struct, frozen=True):
    """An act's place in its county's chain."""

    county: str
    seq: int
    id: UUID
    chain: bytes


class Waiting(msgspec.Struct, frozen=True):
    """How many acts are not sealed yet, and since when the one that has waited longest."""

    acts: int
    since: datetime | None


class Kept(msgspec.Struct, frozen=True):
    """The last checkpoint written outside."""

    serial: int
    at: datetime
    digest: bytes
    counties: int
    acts: int


class _Head(msgspec.Struct, frozen=True):
    county: str
    seq: int
    chain: bytes


# One sealer at a time; whoever comes second goes away instead of waiting.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('relief.seal'))"
_PENDING = """
SELECT a.county, a.id, jsonb_build_array(a.county, a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.act, a.subject, a.count,
                                         encode(a.digest, 'hex'), a.detail)::text AS line
FROM audit_pending p JOIN audit a ON a.county = p.county AND a.id = p.id
ORDER BY a.at, a.id LIMIT $1
"""
_HEADS = """
SELECT c.county, s.seq, s.chain FROM unnest($1::text[]) AS c (county)
CROSS JOIN LATERAL (SELECT seq, chain FROM audit_seal s WHERE s.county = c.county ORDER BY seq DESC LIMIT 1) s
"""
_SEAL = """
INSERT INTO audit_seal (county, seq, id, chain, sealed_at)
SELECT county, seq, id, chain, $1 FROM unnest($2::text[], $3::bigint[], $4::uuid[], $5::bytea[]) AS t (county, seq, id, chain)
"""
_SEALED = "DELETE FROM audit_pending p USING unnest($1::text[], $2::uuid[]) AS t (county, id) WHERE p.county = t.county AND p.id = t.id"
_WAITING = "SELECT count(*) AS acts, min(since) AS since FROM audit_pending"
_ALL_HEADS = "SELECT DISTINCT ON (county) county, seq, chain FROM audit_seal ORDER BY county, seq DESC"
_EXPORT = """
SELECT s.county || E'\\t' || s.seq || E'\\t' || encode(s.chain, 'hex') || E'\\t' || coalesce(
           jsonb_build_array(a.county, a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.act, a.subject, a.count,
                             encode(a.digest, 'hex'), a.detail)::text, 'null')
FROM audit_seal s LEFT JOIN audit a ON a.county = s.county AND a.id = s.id
WHERE s.county LIKE ANY ($1::text[]) ORDER BY s.county COLLATE "C", s.seq
"""
# Acts that are neither sealed nor waiting: nobody of ours leaves one.
_STRAY = """
SELECT a.county || E'\\t\\t\\t' || a.id FROM audit a
WHERE a.county LIKE ANY ($1::text[]) AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.county = a.county AND s.id = a.id)
  AND NOT EXISTS (SELECT FROM audit_pending p WHERE p.county = a.county AND p.id = a.id)
ORDER BY a.county COLLATE "C", a.at, a.id
"""
_KEEP = "INSERT INTO audit_checkpoint (serial, at, digest, counties, acts) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING"
_KEPT = "SELECT serial, at, digest, counties, acts FROM audit_checkpoint ORDER BY at DESC LIMIT 1"


async def lock(tx: Tx) -> bool:
    """Be the sealer for the rest of this transaction; False when somebody else is."""
    return bool(await value(tx, _LOCK))


async def pending(tx: Tx, limit: int) -> list[Pending]:
    """Acts to seal now: every one of them is committed."""
    return await many(tx, _PENDING, Pending, limit)


async def heads(tx: Tx, counties: Sequence[str]) -> dict[str, Head]:
    """How far these counties' chains have come; a county without acts is left out."""
    return {h.county: Head(h.seq, h.chain.hex()) for h in await many(tx, _HEADS, _Head, list(counties))}


async def seal(tx: Tx, rows: Sequence[Seal], now: datetime) -> None:
    """Keep the seals; their acts wait no longer."""
    counties, ids = [r.county for r in rows], [r.id for r in rows]
    await run(tx, _SEAL, now, counties, [r.seq for r in rows], ids, [r.chain for r in rows])
    await run(tx, _SEALED, counties, ids)


async def waiting(tx: Tx) -> Waiting:
    """What is not sealed yet."""
    return await one(tx, _WAITING, Waiting)


async def all_heads(tx: Tx) -> dict[str, Head]:
    """How far every county's chain has come."""
    return {h.county: Head(h.seq, h.chain.hex()) for h in await many(tx, _ALL_HEADS, _Head)}


async def export(tx: Tx, counties: Sequence[str]) -> AsyncIterator[str]:
    """Lines of the trace in the order of county and number, then those of acts that slipped past the seal; see domain/trail.py."""
    async for line in stream(tx, _EXPORT, list(counties)):
        yield line
    async for line in stream(tx, _STRAY, list(counties)):
        yield line


async def keep_checkpoint(tx: Tx, kept: Kept) -> None:
    """Remember that a checkpoint was written outside."""
    await run(tx, _KEEP, kept.serial, kept.at, kept.digest, kept.counties, kept.acts)


async def last_checkpoint(tx: Tx) -> Kept | None:
    """The last one written outside."""
    return await maybe(tx, _KEPT, Kept)
