"""Every route has an owner and every area its border: the walk over route × role × area × state."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from litestar import Litestar

from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.web import walk
from tests.web.conftest import Clock

#: `make proof` walks all cells; here a sample, drawn anew from a printed seed.
_SAMPLE = 1_500


@pytest.mark.slow
async def test_every_route_answers_each_role_in_each_area_as_the_policy_table_says(
    app: Litestar, pool: db.Pool, keys: Keys, clock: Clock
) -> None:
    clock.now = make.NOW
    whole = list(walk.cells(app))
    assert len(whole) >= 20_000
    seed = random.SystemRandom().getrandbits(32)
    asked = whole if os.environ.get("HYPOTHESIS_PROFILE") == "proof" else random.Random(seed).sample(whole, _SAMPLE)
    place = await walk.world(app, pool, keys)
    faults: Counter[str] = Counter()
    outcomes: Counter[int] = Counter()
    for cell in asked:
        answer = await place.ask(cell)
        outcomes[answer.status_code] += 1
        wrong = walk.fault(cell, answer)
        if wrong:
            faults[
                f"{wrong}: {cell.route.method} {cell.route.path} as {cell.role} {cell.area} {cell.state} → {answer.status_code} {answer.text[:200]}"
            ] += 1
    assert not faults, (seed, "\n".join(faults))
    assert len(outcomes) >= 5
