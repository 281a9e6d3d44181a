"""先行救助 has hours, not days: advances that are not on their way to the bank although the playbook's hours since registration are nearly over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

#: From this share of the hours on an advance is shown as running out.
WARN_PERCENT: Final = 75

_RUNNING = """
SELECT a.id, a.incident, p.body FROM activation a JOIN playbook p ON p.id = a.playbook
WHERE a.status = 'active' AND EXISTS (SELECT FROM county_activation c WHERE c.activation = a.id AND c.status = 'active')
"""
# What waits stands in queues: proposals, payments ready for a batch, lines of batches that have not left.
_LATE = """
WITH waiting AS (
    SELECT 'proposed' AS stage, a.county, a.household, a.activation, a.aid
    FROM proposal q JOIN award a ON a.county = q.county AND a.id = q.award
    WHERE a.status = 'proposed' AND a.mode = 'A' AND a.village LIKE ANY ($1::text[])
    UNION ALL
    SELECT 'ready', a.county, a.household, a.activation, a.aid
    FROM payable q JOIN payment p ON p.county = q.county AND p.id = q.payment JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE p.status = 'approved' AND a.mode = 'A' AND a.village LIKE ANY ($1::text[])
    UNION ALL
    SELECT 'unsent', a.county, a.household, a.activation, a.aid
    FROM (SELECT county, unnest(payments) AS payment FROM batch WHERE status IN ('frozen', 'prepared', 'checked', 'authorised')) b
    JOIN payment p ON p.county = b.county AND p.id = b.payment JOIN award a ON a.county = p.county AND a.id = p.award
    WHERE a.mode = 'A' AND a.village LIKE ANY ($1::text[])
)
SELECT w.stage, r.hours, count(*) FILTER (WHERE h.received_at + make_interval(hours => r.hours) <= $5) AS late, count(*) AS households,
       min(h.received_at + make_interval(hours => r.hours)) AS due
FROM waiting w JOIN unnest($2::uuid[], $3::text[], $4::int[]) AS r (activation, aid, hours) ON r.activation = w.activation AND r.aid = w.aid
JOIN household h ON h.county = w.county AND h.id = w.household
WHERE h.received_at + make_interval(mins => r.hours * 60 * $6::int / 100) <= $5
GROUP BY w.stage, r.hours ORDER BY array_position(ARRAY['proposed', 'ready', 'unsent'], w.stage), r.hours
"""


class Running(msgspec.Struct, frozen=True):
    """An activation some county is active in, with its playbook's text."""

    id: UUID
    incident: UUID
    body: str


class Late(msgspec.Struct, frozen=True):
    """Advances at one stage whose hours are nearly over: `late` of the `households` are past them; `due` is when the first one is or was."""

    stage: str
    hours: int
    late: int
    households: int
    due: datetime


async def running(tx: Tx) -> list[Running]:
    """What runs in the reader's area."""
    return await many(tx, _RUNNING, Running)


async def late(tx: Tx, villages: Sequence[str], rules: Sequence[tuple[UUID, str, int]], now: datetime) -> list[Late]:
    """By (activation, aid, hours since registration)."""
    if not rules:
        return []
    activations, aids, hours = ([r[i] for r in rules] for i in range(3))
    return await many(tx, _LATE, Late, list(villages), activations, aids, hours, now, WARN_PERCENT)
