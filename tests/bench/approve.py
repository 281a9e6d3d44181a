"""Approving in bulk: one township reviewer, one signature over a whole list, funds reserved and payments made."""

from __future__ import annotations

from collections.abc import Sequence

from relief.services.approve import approve, digest_of
from relief.store import db
from tests.bench import world
from tests.bench.harness import Figure, Omitted, compared, copied, place, timed, watch
from tests.make import LUDING, NOW

#: Every row of these an approval writes anew; it also moves its award, instalment and household.
_ROWS = ("signature", "transfer", "payment", "payable", "paperwork")


async def run(rows: int) -> Sequence[Figure]:
    """`rows` advances as the decision left them."""
    async with place() as here:
        at, shown = await world.proposed(here, rows)
        await here.owner.execute("CHECKPOINT")
        with watch(here) as seen:
            async with db.begin(here.house.pool) as tx:
                done = await approve(tx, at.township, LUDING, [i for i, _ in shown], digest_of(shown), NOW)
        assert done.payments == rows
        bare = await copied(here, *_ROWS)
    return [
        timed("approve", rows, seen, 1.0, 32_768),
        compared(
            "approve against its rows",
            rows,
            seen,
            "bare INSERT of the rows an approval writes: what no approval can be quicker than",
            bare,
            None,
        ),
        Omitted("approve against 121 Platform", rows, "121 Platform is not installed here (measured elsewhere: 78.5 s for 131,072)"),
    ]
