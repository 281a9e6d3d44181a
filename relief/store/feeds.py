"""How each hazard feed answered when it was last asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from relief.domain.alert import FeedState, Source
from relief.store.db import Tx, many, run

_VISITED = """
INSERT INTO feed (source, asked_at, heard_at, silent, fault, fault_at)
VALUES ($1, $2, CASE WHEN $3 THEN $2::timestamptz END, CASE WHEN $3 THEN 0 ELSE 1 END, $4, CASE WHEN $4::text IS NOT NULL THEN $2::timestamptz END)
ON CONFLICT (source) DO UPDATE SET
    asked_at = excluded.asked_at, heard_at = coalesce(excluded.heard_at, feed.heard_at),
    silent = CASE WHEN $3 THEN 0 ELSE feed.silent + 1 END,
    fault = coalesce(excluded.fault, feed.fault), fault_at = coalesce(excluded.fault_at, feed.fault_at)
WHERE feed.asked_at <= excluded.asked_at
"""
_ALL = "SELECT source, asked_at, heard_at, silent, fault, fault_at FROM feed ORDER BY source"


async def visited(tx: Tx, source: Source, heard: bool, fault: str | None, now: datetime) -> None:
    """Keep how a visit went: `heard` where the feed answered and could be read, `fault` the code of what could not."""
    await run(tx, _VISITED, source, now, heard, fault)


async def states(tx: Tx) -> Sequence[FeedState]:
    """Every feed that was ever asked."""
    return await many(tx, _ALL, FeedState)
