"""Instalments that wait for a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

# Days are those of the playbook the award's decision pins, so a later version moves nothing that was approved.
_WAITING = """
SELECT DISTINCT a.county, d.playbook
FROM instalment i
JOIN award a ON a.county = i.county AND a.id = i.award AND a.status = 'approved'
JOIN decision d ON d.county = a.county AND d.id = a.decision
WHERE i.status = 'waiting' AND i.condition = 'none' AND i.seq > 1
ORDER BY a.county, d.playbook
"""
# An earlier stage that is not settled holds this one, and so does a hold.
_FALL_DUE = """
UPDATE instalment i SET status = 'due', due_at = $2
FROM award a
JOIN decision d ON d.county = $1 AND d.id = a.decision
JOIN unnest($3::uuid[], $4::text[], $5::int[], $6::int[]) AS s (playbook, aid, seq, days) ON s.playbook = d.playbook AND s.aid = a.aid
WHERE i.county = $1 AND i.status = 'waiting' AND i.condition = 'none' AND i.seq = s.seq AND i.award = a.id
  AND a.county = $1 AND a.status = 'approved' AND a.tops_up IS NULL AND a.approved_at + make_interval(days => s.days) <= $2
  AND NOT EXISTS (SELECT FROM instalment b WHERE b.county = $1 AND b.award = i.award AND b.seq < i.seq AND b.status <> 'settled')
  AND NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.valid_from <= $2 AND (h.valid_to IS NULL OR h.valid_to > $2)
                  AND (h.kind, h.subject) IN (('award', a.id::text), ('household', a.household::text), ('village', a.village)))
RETURNING i.award AS id
"""

# A stage of a top-up waits for the same stage of the award it adds to, and for nothing of its own.
_CATCH_UP = """
UPDATE instalment i SET status = 'due', due_at = $3
FROM award t JOIN instalment f ON f.county = $1 AND f.award = t.tops_up AND f.status IN ('due', 'released', 'settled')
WHERE t.county = $1 AND t.tops_up IS NOT NULL AND (t.id = ANY ($2::uuid[]) OR t.tops_up = ANY ($2::uuid[])) AND t.status = 'approved'
  AND i.county = $1 AND i.award = t.id AND i.seq = f.seq AND i.status = 'waiting'
  AND NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.valid_from <= $3 AND (h.valid_to IS NULL OR h.valid_to > $3)
                  AND (h.kind, h.subject) IN (('award', t.id::text), ('household', t.household::text), ('village', t.village)))
RETURNING i.award AS id
"""


class Waiting(msgspec.Struct, frozen=True):
    """A county where instalments of awards by this playbook wait for a day."""

    county: str
    playbook: UUID


class Day(msgspec.Struct, frozen=True):
    """So many days after approval this stage of an aid falls due."""

    playbook: UUID
    aid: str
    seq: int
    days: int


class _Id(msgspec.Struct, frozen=True):
    id: UUID


async def waiting(tx: Tx) -> list[Waiting]:
    """Where something waits for a day."""
    return await many(tx, _WAITING, Waiting)


async def fall_due(tx: Tx, county: str, stages: Sequence[Day], now: datetime) -> list[UUID]:
    """waiting → due for those whose day has come, whose earlier stages are settled and that nothing holds; their awards."""
    columns = [s.playbook for s in stages], [s.aid for s in stages], [s.seq for s in stages], [s.days for s in stages]
    return [r.id for r in await many(tx, _FALL_DUE, _Id, county, now, *columns)]


async def catch_up(tx: Tx, county: str, awards: Sequence[UUID], now: datetime) -> list[UUID]:
    """waiting → due for the stages of top-ups (these awards, or what tops them up) that their first award has reached; the top-ups."""
    return [r.id for r in await many(tx, _CATCH_UP, _Id, county, list(awards), now)]
