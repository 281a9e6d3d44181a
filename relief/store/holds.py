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
# From a day to a day; one that stands already is not doubled.
_PLACE_UNTIL = """
INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from, valid_to)
SELECT $1, $2, t.subject, $4, $5, $6, t.until FROM unnest($3::text[], $7::timestamptz[]) AS t (subject, until)
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.county = $1 AND h.kind = $2 AND h.subject = t.subject AND h.reason = $4 AND h.valid_to > $6)
"""
_LIFT_OF = """
UPDATE hold SET valid_to = $5 WHERE county = $1 AND kind = $2 AND subject = ANY ($3::text[]) AND reason = $4 AND (valid_to IS NULL OR valid_to > $5)
"""
_LIFT = "UPDATE hold SET valid_to = $3 WHERE county = $1 AND reason = ANY ($2::text[]) AND valid_to IS NULL"


async def place(tx: Tx, kind: str, holds: Sequence[tuple[str, str, str]], person: UUID | None, now: datetime) -> int:
    """Place (county, subject, reason) holds of one kind from now on; one that stands already is not doubled. How many are new."""
    return await run(tx, _PLACE, [c for c, _, _ in holds], [s for _, s, _ in holds], kind, [r for _, _, r in holds], person, now)


async def place_until(
    tx: Tx, county: str, kind: str, holds: Sequence[tuple[str, datetime]], reason: str, person: UUID, now: datetime
) -> int:  # fmt: skip
    """(subject, until) of holds that end by themselves; how many are new."""
    return await run(tx, _PLACE_UNTIL, county, kind, [s for s, _ in holds], reason, person, now, [u for _, u in holds])


async def lift_of(tx: Tx, county: str, kind: str, subjects: Sequence[str], reason: str, now: datetime) -> int:
    """End holds of these subjects placed for one reason; how many ended."""
    return await run(tx, _LIFT_OF, county, kind, list(subjects), reason, now)


async def lift(tx: Tx, county: str, reasons: Sequence[str], now: datetime) -> int:
    """End the holds that stand for these reasons."""
    return await run(tx, _LIFT, county, list(reasons), now)
