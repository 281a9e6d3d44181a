"""Stages that wait for a day: transitional aid is approved once and paid by the month."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import activate, approve, stages
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, ROOT
from tests.noticed import hang_out


class Approved:
    """Awards of transitional aid in three monthly parts, approved at NOW."""

    def __init__(self, tx: Tx, keys: Keys) -> None:
        self.tx, self.keys = tx, keys

    async def open(self, count: int = 1, first: int = 0) -> Approved:
        tx = self.tx
        self.incident = await make.incident(tx)
        await make.fund(tx, incident=self.incident, amount_fen=10**9, purpose="TRANS")
        reporter = await make.staff(tx, ("reporter", MOXI))
        self.awards = await make.awards(
            tx, self.keys, incident=self.incident, reporter=reporter, count=count, first=first, aid="TRANS", amount_fen=540_000,
            conditions=("none", "none", "none"), shares_bp=(3334, 3333, 3333),
        )  # fmt: skip
        book = await activate.import_playbook(tx, SYSTEM, (ROOT / "playbooks" / "earthquake_recovery.toml").read_text("utf-8"), NOW)
        await tx.execute(
            "UPDATE decision SET playbook = $1 WHERE id IN (SELECT decision FROM award WHERE id = ANY ($2::uuid[]))", book, self.awards
        )
        await hang_out(tx)
        approver = await make.staff(tx, ("county_approver", LUDING))
        digest = approve.digest_of([(a, 540_000) for a in self.awards])
        await approve.approve(tx, approver, LUDING, self.awards, digest, NOW)
        return self

    async def settle(self, award: UUID, seq: int) -> None:
        await self.tx.execute("UPDATE instalment SET status = 'settled' WHERE award = $1 AND seq = $2", award, seq)

    async def states(self, award: UUID) -> list[str]:
        return [r["status"] for r in await self.tx.fetch("SELECT status FROM instalment WHERE award = $1 ORDER BY seq", award)]

    async def run(self, days: int) -> int:
        return await stages.fall_due(self.tx, NOW + timedelta(days=days))


@pytest.fixture
async def approved(tx: Tx, keys: Keys) -> Approved:
    return await Approved(tx, keys).open()


async def test_a_month_after_approval_the_second_part_is_paid_and_not_a_day_before(approved: Approved) -> None:
    (award,) = approved.awards
    assert await approved.states(award) == ["released", "waiting", "waiting"]
    await approved.settle(award, 1)
    assert await approved.run(29) == 0
    assert await approved.run(30) == 1
    assert await approved.states(award) == ["settled", "released", "waiting"]
    assert await approved.run(30) == 0, "run again it does nothing"
    payment = await approved.tx.fetchrow("SELECT amount_fen, status FROM payment WHERE award = $1 ORDER BY created_at DESC LIMIT 1", award)
    assert tuple(payment) == (179_982, "approved")


async def test_a_part_waits_for_the_one_before_even_when_its_day_has_come(approved: Approved) -> None:
    (award,) = approved.awards
    assert await approved.run(60) == 0, "the bank has not said yet that the first part arrived"
    await approved.settle(award, 1)
    assert await approved.run(60) == 1
    assert await approved.states(award) == ["settled", "released", "waiting"]
    await approved.settle(award, 2)
    assert await approved.run(60) == 1
    assert await approved.states(award) == ["settled", "settled", "released"]


@pytest.mark.parametrize("kind", ["award", "household", "village"])
async def test_a_hold_stops_it(approved: Approved, kind: str) -> None:
    (award,) = approved.awards
    await approved.settle(award, 1)
    row = await approved.tx.fetchrow("SELECT id::text AS award, household::text AS household, village FROM award WHERE id = $1", award)
    person = await make.staff(approved.tx)
    await approved.tx.execute(
        "INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from) VALUES ($1, $2, $3, '核实', $4, $5)",
        LUDING, kind, row[kind], person.id, NOW,
    )  # fmt: skip
    assert await approved.run(30) == 0
    await approved.tx.execute("UPDATE hold SET valid_to = $1", NOW + timedelta(days=31))
    assert await approved.run(31) == 1


async def test_statements_are_as_many_for_one_award_as_for_thirty(tx: Tx, keys: Keys) -> None:
    counts: list[int] = []
    seen: list[str] = []
    for count in (1, 30):
        approved = await Approved(tx, keys).open(count, first=count)
        await tx.execute("UPDATE instalment SET status = 'settled' WHERE award = ANY ($1::uuid[]) AND seq = 1", approved.awards)
        before = len(seen)
        with tx.query_logger(lambda record: seen.append(record.query)):
            assert await approved.run(30) == count
        counts.append(len(seen) - before)
    assert counts[0] == counts[1]
