"""Which amounts on a screen rest on figures nobody has compared with their document."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from relief.store.db import Tx, many, value

# Sets of figures are few, awards are many: the sets with a placeholder are found first. The text of a set is JSON without blanks.
_AWARDS = """
SELECT count(*) FROM award a JOIN decision d ON d.county = a.county AND d.id = a.decision
WHERE a.county = $1 AND a.id = ANY ($2::uuid[]) AND d.standards IN (SELECT digest FROM figure_set WHERE body LIKE '%"verified":false%')
"""
_BATCHES = """
SELECT b.id FROM unnest($1::text[], $2::uuid[]) AS b (county, id) WHERE EXISTS (
    SELECT FROM payment p JOIN award a ON a.county = p.county AND a.id = p.award JOIN decision d ON d.county = a.county AND d.id = a.decision
    WHERE p.county = b.county AND p.batch = b.id AND d.standards IN (SELECT digest FROM figure_set WHERE body LIKE '%"verified":false%'))
"""


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def awards(tx: Tx, county: str, ids: Sequence[UUID]) -> int:
    """How many of these awards were decided with a set of figures that holds a placeholder."""
    found: int = await value(tx, _AWARDS, county, list(ids))
    return found


async def batches(tx: Tx, ids: Sequence[tuple[str, UUID]]) -> set[UUID]:
    """Those of these batches (county, id) that pay such an award."""
    counties, batches_ = [c for c, _ in ids], [b for _, b in ids]
    return {row.id for row in await many(tx, _BATCHES, _Id, counties, batches_)}
