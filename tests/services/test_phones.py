"""A month of phones in small: whatever is cut, repeated, shuffled or killed, every record comes home once, under its author's name."""

from __future__ import annotations

import pytest

from relief.domain.sealing import Keys
from relief.store import db, invariants
from tests import make
from tests.make import MOXI
from tests.phones import Chances, Month, Told


async def a_month(pool: db.Pool, keys: Keys, seed: int, phones: int, days: int, chances: Chances | None = None) -> Told:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        people = [await make.staff(tx, ("reporter", MOXI)) for _ in range(phones)]
    month = Month(pool, keys, incident, seed, chances)
    await month.enrol(people)
    return await month.live(days, 1.5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_record_comes_home_once_under_its_authors_name(pool: db.Pool, keys: Keys, seed: int) -> None:
    rough = Chances(lost=0.3, unanswered=0.3, half_answered=0.2, killed_inside=0.2, twice=0.4, same_house=0.2, changed=0.2, faulty=0.1)
    told = await a_month(pool, keys, seed, phones=6, days=8, chances=rough)
    assert told.records >= 60
    assert min(told.cuts, told.repeats, told.cases, told.refused) > 0
    assert (told.waiting, told.lost, told.doubled, told.wrong_author) == (0, 0, 0, 0)
    async with db.begin(pool) as tx:
        assert [(f.name, f.rows) for f in [await invariants.examine(tx, i) for i in invariants.ALL] if f.broken] == []
