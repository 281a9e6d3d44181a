"""Holds: rows that say what may not go on, why, from when to when. Approval and freezing ask for them; nothing else stops money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from relief.store.db import Tx, run

_PLACE = """
INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from)
SELECT t.county, $3, t.subject, t.reason, $5::uuid, $6 FROM unnest($1::text[], $2::text[], $4::text[]) AS t (county, subject, reason)
WHERE NOT EXISTS (
    SELECT FROM hold h WHERE h.county = t.county AND h.kind = $3 AND h.subject = t.subject AND h.reason = t.reason AND h.valid_to IS NULL)
"""
_LIFT = "UPDATE hold SET valid_to = $3 WHERE county = $1 AND reason = ANY ($2::text[]) AND valid_to IS NULL"


async def place(tx: Tx, kind: str, holds: Sequence[tuple[str, str, str]], person: UUID | None, now: datetime) -> int:
    """Place (county, subject, reason) holds of one kind from now on; one that stands already is not doubled. How many are new."""
    return await run(tx, _PLACE, [c for c, _, _ in holds], [s for _, s, _ in holds], kind, [r for _, _, r in holds], person, now)


async def lift(tx: Tx, county: str, reasons: Sequence[str], now: datetime) -> int:
    """End the holds that stand for these reasons."""
    return await run(tx, _LIFT, county, list(reasons), now)
