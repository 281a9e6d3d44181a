"""Things done every so often by whichever worker comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from relief.store.db import Tx, many

#: The errand that every background process does: its due time is a little after it last lived.
LIFE: Final = "background work"

_CLAIM = """
INSERT INTO errand (name, due_at) SELECT name, $2::timestamptz + $3::interval FROM unnest($1::text[]) AS t (name) ORDER BY name
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE errand.due_at <= $2 RETURNING name
"""


class _Name(msgspec.Struct, frozen=True):
    name: str


async def claim(tx: Tx, names: Sequence[str], now: datetime, every: timedelta) -> list[str]:
    """Those of these errands that are due; they are this worker's, and due again after `every`."""
    return [e.name for e in await many(tx, _CLAIM, _Name, list(names), now, every)]
