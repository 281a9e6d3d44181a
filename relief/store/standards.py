"""Dated figures. The most specific area whose validity covers the day wins; a draft counts for nothing until it is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from relief.domain.moves import RULES, sources
from relief.domain.standard import Standard
from relief.store.db import Tx, many, run

_INSERT = """
INSERT INTO standard (key, area, amount_fen, valid_from, valid_to, document, verified, status, drafted_by, drafted_at)
SELECT key, area, amount_fen, valid_from, valid_to, document, verified, $8, $9, $10
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::date[], $5::date[], $6::text[], $7::bool[])
    AS t (key, area, amount_fen, valid_from, valid_to, document, verified)
ON CONFLICT (key, area, valid_from) WHERE status <> 'withdrawn' DO NOTHING RETURNING id
"""
_SAME = """
SELECT s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified
FROM standard s JOIN unnest($1::text[], $2::text[], $3::date[]) AS t (key, area, valid_from) USING (key, area, valid_from)
WHERE s.status <> 'withdrawn'
"""
_IN_FORCE = """
SELECT DISTINCT ON (c.county, s.key) c.county, s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified
FROM unnest($1::text[]) AS c (county) JOIN standard s ON c.county LIKE s.area || '%'
WHERE s.key = ANY ($2::text[]) AND s.status = 'in force' AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to >= $3)
ORDER BY c.county, s.key, length(s.area) DESC, s.valid_from DESC
"""
_LOCK = """
SELECT id, key, area, amount_fen, valid_from, valid_to, document, verified, status, drafted_by, drafted_at, approved_by, in_force_at
FROM standard WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
"""
_GET = """
SELECT id, key, area, amount_fen, valid_from, valid_to, document, verified, status, drafted_by, drafted_at, approved_by, in_force_at
FROM standard WHERE id = ANY ($1::uuid[]) ORDER BY id
"""
_LISTED = """
SELECT id, key, area, amount_fen, valid_from, valid_to, document, verified, status, drafted_by, drafted_at, approved_by, in_force_at
FROM standard WHERE ($1::text[] IS NULL OR EXISTS (SELECT FROM unnest($1) AS c (county) WHERE c.county LIKE standard.area || '%'))
ORDER BY key, area, valid_from DESC, status
"""
_MOVE = """
UPDATE standard SET status = $2, approved_by = CASE WHEN $2 = 'in force' THEN $3::uuid END, in_force_at = CASE WHEN $2 = 'in force' THEN $4::timestamptz END
WHERE id = ANY ($1::uuid[]) AND status = ANY ($5::text[])
"""
_KEEP_SET = "INSERT INTO figure_set (digest, body) SELECT digest, body FROM unnest($1::bytea[], $2::text[]) AS t (digest, body) ON CONFLICT DO NOTHING"
_SETS = "SELECT digest, body FROM figure_set WHERE digest = ANY ($1::bytea[])"


class _OfCounty(msgspec.Struct, frozen=True):
    county: str
    key: str
    area: str
    amount_fen: int
    valid_from: date
    valid_to: date | None
    document: str
    verified: bool


class Listed(msgspec.Struct, frozen=True):
    """A figure with its life: drafted by one person, put in force by another. What the installation brought has neither."""

    id: UUID
    key: str
    area: str
    amount_fen: int
    valid_from: date
    valid_to: date | None
    document: str
    verified: bool
    status: str
    drafted_by: UUID | None
    drafted_at: datetime | None
    approved_by: UUID | None
    in_force_at: datetime | None

    @property
    def figure(self) -> Standard:
        """The figure alone."""
        return Standard(self.key, self.area, self.amount_fen, self.valid_from, self.valid_to, self.document, self.verified)


class _Id(msgspec.Struct, frozen=True):
    id: UUID


class _Set(msgspec.Struct, frozen=True):
    digest: bytes
    body: str


async def insert(
    tx: Tx, standards: Sequence[Standard], status: str = "in force", person: UUID | None = None, now: datetime | None = None
) -> list[UUID]:
    """Add those that are new; their ids."""
    rows = [(s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified) for s in standards]
    columns = [list(c) for c in zip(*rows, strict=True)] if rows else [[]] * 7
    return [r.id for r in await many(tx, _INSERT, _Id, *columns, status, person, now)]


async def same(tx: Tx, standards: Sequence[Standard]) -> list[Standard]:
    """What stands under the same keys, areas and days."""
    return await many(
        tx, _SAME, Standard, [s.key for s in standards], [s.area for s in standards], [s.valid_from for s in standards]
    )  # fmt: skip


async def in_force(tx: Tx, counties: Sequence[str], keys: Sequence[str], day: date) -> dict[str, list[Standard]]:
    """Per county the one standard of each key that holds on that day; a key without any is absent."""
    found: dict[str, list[Standard]] = {c: [] for c in counties}
    for row in await many(tx, _IN_FORCE, _OfCounty, counties, keys, day):
        fields = msgspec.structs.asdict(row)
        found[fields.pop("county")].append(Standard(**fields))
    return found


async def get(tx: Tx, ids: Sequence[UUID]) -> list[Listed]:
    """These figures, whatever their status."""
    return await many(tx, _GET, Listed, list(ids))


async def lock(tx: Tx, ids: Sequence[UUID]) -> list[Listed]:
    """The same, locked in one order."""
    return await many(tx, _LOCK, Listed, list(ids))


async def listed(tx: Tx, counties: Sequence[str] | None) -> list[Listed]:
    """Every figure ever given that speaks of one of these counties (None: all), newest day first under each key and area."""
    return await many(tx, _LISTED, Listed, None if counties is None else list(counties))


async def move(tx: Tx, ids: Sequence[UUID], target: str, person: UUID, now: datetime) -> int:
    """draft → in force, or draft → withdrawn; how many moved."""
    return await run(tx, _MOVE, list(ids), target, person, now, sources(RULES, target))


async def keep_sets(tx: Tx, sets: Mapping[bytes, str]) -> None:
    """Keep the figures decisions are about to use, by digest; those kept before stay."""
    await run(tx, _KEEP_SET, list(sets), list(sets.values()))


async def sets(tx: Tx, digests: Sequence[bytes]) -> dict[bytes, str]:
    """The figures of old decisions, as JSON, by digest; one never kept is absent."""
    return {s.digest: s.body for s in await many(tx, _SETS, _Set, list(digests))}
