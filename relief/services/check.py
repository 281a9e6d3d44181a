"""Check every invariant on one snapshot of the live database."""

from __future__ import annotations

from relief.store import invariants
from relief.store.db import Tx
from relief.store.invariants import Finding


async def check(tx: Tx) -> list[Finding]:
    """All findings, broken or not, in the order of the list; run it in a read transaction over every county."""
    return [await invariants.examine(tx, i) for i in invariants.ALL]
