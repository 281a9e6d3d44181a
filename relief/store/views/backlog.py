"""What waits for the background process, over all counties: counts and ages for a watching machine, nobody's name in it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from relief.store.db import Tx, many

_WAITING = """
SELECT 'audit unsealed' AS what, count(*) AS rows, min(since) AS oldest FROM audit_pending
UNION ALL SELECT 'message to send', count(*), min(due_at) FROM message WHERE status IN ('queued', 'sending', 'unknown')
UNION ALL SELECT 'batch to deliver', count(*), min(frozen_at) FROM batch WHERE status IN ('authorised', 'sending')
UNION ALL SELECT 'payment unknown', count(*), min(created_at) FROM payment WHERE trouble = 'unknown'
UNION ALL SELECT 'payment returned', count(*), min(settled_at) FROM payment WHERE trouble = 'returned'
UNION ALL SELECT 'background process', count(*), min(due_at) FROM errand WHERE name = 'background work'
"""


class Waiting(msgspec.Struct, frozen=True):
    """One kind of waiting row; `oldest` is None where nothing waits."""

    what: str
    rows: int
    oldest: datetime | None


async def waiting(tx: Tx) -> list[Waiting]:
    """All kinds, also those where nothing waits."""
    return await many(tx, _WAITING, Waiting)
