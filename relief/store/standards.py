"""Dated figures. The most specific area whose validity covers the day wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from relief.domain.standard import Standard
from relief.store.db import Tx, many, run

_INSERT = """
INSERT INTO standard (key, area, amount_fen, valid_from, valid_to, document, verified)
SELECT key, area, amount_fen, valid_from, valid_to, document, verified
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::date[], $5::date[], $6::text[], $7::bool[])
    AS t (key, area, amount_fen, valid_from, valid_to, document, verified)
ON CONFLICT ON CONSTRAINT standard_once DO NOTHING
"""
_SAME = """
SELECT s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified
FROM standard s JOIN unnest($1::text[], $2::text[], $3::date[]) AS t (key, area, valid_from) USING (key, area, valid_from)
"""
_IN_FORCE = """
SELECT DISTINCT ON (c.county, s.key) c.county, s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified
FROM unnest($1::text[]) AS c (county) JOIN standard s ON c.county LIKE s.area || '%'
WHERE s.key = ANY ($2::text[]) AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to >= $3)
ORDER BY c.county, s.key, length(s.area) DESC, s.valid_from DESC
"""


class _OfCounty(msgspec.Struct, frozen=True):
    county: str
    key: str
    area: str
    amount_fen: int
    valid_from: date
    valid_to: date | None
    document: str
    verified: bool


async def insert(tx: Tx, standards: Sequence[Standard]) -> int:
    """Add those that are new; how many were."""
    rows = [(s.key, s.area, s.amount_fen, s.valid_from, s.valid_to, s.document, s.verified) for s in standards]
    return await run(tx, _INSERT, *([list(c) for c in zip(*rows, strict=True)] if rows else [[]] * 7))


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
