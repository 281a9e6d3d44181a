"""A month of a thousand phones with everything that goes wrong: all records come home, none twice, none lost, none under another name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.domain.policy import SYSTEM, Actor, Grant
from relief.services.sign_in import CHEAP, NewStaff, create_staff
from relief.store import db, invariants
from tests.bench import world
from tests.bench.harness import Figure, Line, judge, place, watch
from tests.make import MOXI, NOW
from tests.phones import Month

DAYS: Final = 30
#: The seed of the month; another one is another month.
SEED: Final = 20220905
#: Records a phone writes in a day.
A_DAY: Final = 1.0
_JUDGED: Final = ("a_receipt_stands_for_a_household", "devices_count_their_records", "two_versions_are_two", "device_id_once")


async def run(rows: int) -> Sequence[Figure]:
    """`rows` phones for thirty days."""
    async with place() as here:
        at = await world.event(here.owner)
        pool, keys = here.house.pool, here.house.keys
        grants = (Grant("reporter", MOXI),)
        async with db.begin(pool) as tx:
            logins = await create_staff(
                tx, SYSTEM, [NewStaff(f"phone{n}", "信息员", "a calm long password", grants) for n in range(rows)], NOW, CHEAP
            )
        month = Month(pool, keys, at.incident, SEED)
        await month.enrol([Actor(i, "信息员", grants) for i in logins.values()])
        with watch(here) as seen:
            told = await month.live(DAYS, A_DAY)
        async with db.begin(pool) as tx:
            found = [await invariants.examine(tx, i) for i in invariants.ALL if i.name in _JUDGED]
        broken = sum(f.broken for f in found)
        whole = told.records - told.lost - told.waiting
        wrong = told.lost + told.doubled + told.waiting + told.wrong_author + broken
        say = f"{told.pushes:,} pushes, {told.cuts:,} cut, {told.repeats:,} repeats, {told.cases:,} cases, {told.refused:,} refused and corrected"
        return [
            Line(
                name="sync converges", rows=rows, seconds=round(seen.seconds, 1), cpu_s=round(seen.cpu_s, 1), unit="% of records",
                value=round(100 * whole / told.records, 4), promise="100 % with a receipt, 0 lost, 0 double, 0 under another name", kept=judge(wrong == 0, rows, 1),
            ),
            Line(name=f"sync: {say}", rows=rows, unit="records", value=told.records),
            Line(name="sync: lost", rows=rows, unit="records", value=told.lost),
            Line(name="sync: double", rows=rows, unit="records", value=told.doubled),
        ]  # fmt: skip
