"""A top-up of staged aid: the difference and no more, each part when the first award's part has come, nothing proven twice."""

from __future__ import annotations

from uuid import UUID

import pytest

from relief.domain import playbook
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import evidence
from relief.services.approve import approve, digest_of
from relief.services.decide import decide, top_up_parts
from relief.services.evidence import Piece
from relief.store.db import Tx
from tests import make
from tests.make import LUDING
from tests.services.test_over_time import LATER, Running

pytestmark = pytest.mark.slow

KINDS = ("materials_ready", "ground_broken", "first_storey_done")


class Rebuilding(Running):
    """A house of 20,000 yuan approved in three parts, and a figure raised to 26,000 afterwards."""

    async def start(self) -> UUID:
        self.house = await self.family(0, rooms_collapsed=2)
        await self.decide()
        await self.approve("B")
        self.reporter, self.reviewer = await make.staff(self.tx, ("reporter", LUDING)), self.township
        return self.house

    async def stages(self, more: bool) -> list[tuple[int, int, str, str]]:
        rows = await self.tx.fetch(
            "SELECT i.seq, i.amount_fen, i.condition, i.status FROM instalment i JOIN award a ON a.id = i.award "
            "WHERE a.household = $1 AND a.aid = 'HOUSE' AND (a.tops_up IS NOT NULL) = $2 ORDER BY i.seq",
            self.house, more,
        )  # fmt: skip
        return [tuple(r) for r in rows]

    async def prove(self, seq: int) -> int:
        stage = await self.tx.fetchval(
            "SELECT i.id FROM instalment i JOIN award a ON a.id = i.award WHERE a.household = $1 AND a.aid = 'HOUSE' AND a.tops_up IS NULL AND i.seq = $2",
            self.house, seq,
        )  # fmt: skip
        await self.tx.execute(
            "UPDATE instalment SET status = 'settled' WHERE award = (SELECT award FROM instalment WHERE id = $1) AND seq < $2", stage, seq
        )
        pieces = await evidence.submit(self.tx, self.reporter, LUDING, [Piece(stage, KINDS[seq - 1], "ab" * 32)], LATER)
        return (await evidence.accept(self.tx, self.reviewer, LUDING, pieces, LATER)).payments

    async def raise_figure(self) -> None:
        await self.new_figure("HOUSE.rebuild", 2_600_000)
        await decide(self.tx, self.officer, LUDING, self.activation, LATER)

    async def sign_top_up(self, by: Actor | None = None) -> int:
        row = await self.tx.fetchrow("SELECT id, amount_fen FROM award WHERE status = 'proposed' AND aid = 'HOUSE'")
        done = await approve(self.tx, by or self.county, LUDING, [row["id"]], digest_of([(row["id"], row["amount_fen"])]), LATER)
        return done.payments


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> Rebuilding:
    world = Rebuilding(tx, keys)
    await world.open()
    await world.start()
    return world


async def test_what_the_first_award_has_reached_is_paid_at_once_and_the_rest_follows_it(world: Rebuilding) -> None:
    await world.prove(1)
    await world.prove(2)
    await world.raise_figure()
    assert await world.stages(more=True) == [(1, 360_000, "none", "waiting"), (3, 240_000, "first_storey_done", "waiting")]
    assert await world.sign_top_up() == 1
    assert await world.prove(3) == 2, "one proof pays the last part of both"
    assert [s[3] for s in await world.stages(more=True)] == ["released", "released"]


async def test_before_the_first_part_the_difference_is_parted_alike_and_no_proof_is_asked_twice(world: Rebuilding) -> None:
    await world.raise_figure()
    assert [s[:3] for s in await world.stages(more=True)] == [
        (n, fen, k) for n, fen, k in zip((1, 2, 3), (180_000, 180_000, 240_000), KINDS, strict=True)
    ]
    assert await world.sign_top_up() == 0
    assert await world.prove(1) == 2


async def test_a_part_reached_while_the_top_up_waited_is_paid_when_it_is_signed(world: Rebuilding) -> None:
    await world.raise_figure()
    assert await world.prove(1) == 1, "what nobody has approved is not paid"
    assert await world.sign_top_up() == 1
    assert [s[3] for s in await world.stages(more=True)] == ["released", "waiting", "waiting"]


async def test_a_top_up_comes_to_exactly_the_difference_however_far_the_first_has_come() -> None:
    house = playbook.read((make.ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")).aid("HOUSE")
    for total in (1, 2, 600_001, 7):
        for reached in range(len(house.stages) + 1):
            parts = [p for p in top_up_parts(house, [total]) if p.reached == reached]
            assert sum(p.part_fen for p in parts) == total
            assert len({p.seq for p in parts}) == len(parts)
