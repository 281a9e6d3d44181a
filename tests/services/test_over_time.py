"""Decisions over time: new facts, figures or zones give a new decision; the difference is proposed, held or asked back, never silent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from relief.demo import numbers
from relief.domain import standard
from relief.domain.assessment import Changes
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.household import Member
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import enact, reassess
from relief.services.approve import approve, digest_of
from relief.services.decide import Sum, decide
from relief.services.reassess import Look, Withdrawal
from relief.store import db, invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW, staff
from tests.noticed import hang_out
from tests.services.test_decide import Counter, World

pytestmark = pytest.mark.slow

LATER = NOW + timedelta(days=3)


class Running(World):
    """The world of deciding, with funds and somebody who approves."""

    async def open(self) -> Running:
        await super().open()
        self.township = await staff(self.tx, ("township_reviewer", LUDING))
        self.county = await staff(self.tx, ("county_approver", LUDING))
        for purpose in ("EMERG", "HOUSE"):
            await make.fund(self.tx, incident=self.incident, amount_fen=10**11, purpose=purpose)
        return self

    async def approve(self, mode: str = "A", by: Actor | None = None) -> None:
        await hang_out(self.tx)
        rows = await self.tx.fetch("SELECT id, amount_fen FROM award WHERE status = 'proposed' AND mode = $1", mode)
        shown = [(r["id"], r["amount_fen"]) for r in rows]
        await approve(self.tx, by or (self.township if mode == "A" else self.county), LUDING, [i for i, _ in shown], digest_of(shown), NOW)

    async def look(self, household: UUID, by: Actor | None = None, **changes: Any) -> reassess.Reassessed:
        items = [Look(household, Changes(**changes), "复核")]
        return await reassess.reassess(self.tx, by or self.officer, LUDING, items, LATER)

    async def awards(self, household: UUID, aid: str = "EMERG") -> list[tuple[str, int, bool]]:
        rows = await self.tx.fetch(
            "SELECT status, amount_fen, tops_up IS NOT NULL AS more FROM award WHERE household = $1 AND aid = $2 ORDER BY proposed_at, amount_fen DESC",
            household, aid,
        )  # fmt: skip
        return [tuple(r) for r in rows]

    async def cases(self) -> list[tuple[str, int]]:
        rows = await self.tx.fetch("SELECT status, amount_fen FROM recovery_case ORDER BY opened_at, amount_fen")
        return [tuple(r) for r in rows]

    async def new_figure(self, key: str, fen: int) -> None:
        """Put in force by two people of the province, from today on."""
        one, two = [await staff(self.tx, ("province_officer", "51")) for _ in range(2)]
        day = LATER.date()
        ids = await enact.draft_figures(self.tx, one, [standard.Standard(key, LUDING, fen, day, None, "泸府发〔2022〕9号", True)], LATER)
        await enact.force_figures(self.tx, two, ids, LATER)


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> Running:
    return await Running(tx, keys).open()


async def test_more_damage_found_later_tops_up_what_was_approved(world: Running) -> None:
    household = await world.family(0, rooms_collapsed=0)
    await world.decide()
    await world.approve()
    (done,) = (await world.look(household, rooms_collapsed=3)).decided.values()
    assert done.new_awards == {"EMERG": Sum(0, 0), "HOUSE": Sum(1, 2_000_000)}
    assert await world.awards(household) == [("approved", 90_000, False)]
    await world.new_figure("EMERG.per_person_day", 3_000)
    again = await decide(world.tx, world.officer, LUDING, world.activation, LATER)
    assert again.new_awards["EMERG"] == Sum(1, 45_000)
    assert await world.awards(household) == [("approved", 90_000, False), ("proposed", 45_000, True)]
    await world.approve()
    assert await world.awards(household) == [("approved", 90_000, False), ("approved", 45_000, True)]
    third = await decide(world.tx, world.officer, LUDING, world.activation, LATER)
    assert (third.new_decisions, third.new_awards["EMERG"], third.recoveries) == (0, Sum(0, 0), Sum(0, 0))


async def test_whoever_assessed_cannot_approve_what_follows(world: Running) -> None:
    household = await world.family(0, relocated="none")
    await world.decide()
    both = await staff(world.tx, ("township_reviewer", LUDING))
    await world.look(household, by=both, relocated="dispersed")
    with pytest.raises(Refused) as refusal:
        await world.approve(by=both)
    assert refusal.value.code == "own_registration"
    await world.approve()


async def test_a_proposal_whose_facts_changed_cannot_be_approved_any_more(world: Running) -> None:
    household = await world.family(0)
    await world.decide()
    old = await world.tx.fetchrow("SELECT id, amount_fen FROM award WHERE household = $1", household)
    (done,) = (await world.look(household, relocated="none")).decided.values()
    assert (done.lapsed, done.by_aid["EMERG"]) == (1, Sum(0, 0))
    with pytest.raises(Conflict):
        await approve(world.tx, world.township, LUDING, [old["id"]], digest_of([tuple(old)]), LATER)
    assert await world.tx.fetchval("SELECT count(*) FROM entitlement_guard WHERE household = $1", household) == 0


async def test_less_than_was_approved_opens_one_case_and_holds_the_money(world: Running) -> None:
    household = await world.family(0, rooms_collapsed=2)
    await world.decide()
    await world.approve("B")
    (done,) = (await world.look(household, rooms_collapsed=0, rooms_severe=2)).decided.values()
    assert done.recoveries == Sum(1, 2_000_000)
    assert await world.cases() == [("open", 2_000_000)]
    held = await world.tx.fetchval(
        "SELECT count(*) FROM hold h JOIN award a ON h.subject = a.id::text WHERE a.household = $1 AND h.valid_to IS NULL", household
    )
    assert held == 1
    again = await decide(world.tx, world.officer, LUDING, world.activation, LATER)
    assert (again.recoveries, await world.cases()) == (Sum(0, 0), [("open", 2_000_000)])
    assert await world.tx.fetchval("SELECT count(*) FROM entitlement_guard WHERE household = $1 AND aid = 'HOUSE'", household) > 0


async def test_a_case_ends_when_the_first_facts_turn_out_right_after_all(world: Running) -> None:
    household = await world.family(0, rooms_collapsed=2)
    await world.decide()
    await world.approve("B")
    await world.look(household, rooms_collapsed=0)
    (done,) = (await world.look(household, rooms_collapsed=2)).decided.values()
    assert (done.new_awards["HOUSE"], await world.cases()) == (Sum(0, 0), [("closed", 2_000_000)])
    assert await world.tx.fetchval("SELECT count(*) FROM hold WHERE valid_to IS NULL") == 0


async def test_a_lower_figure_leaves_past_decisions_as_they_were(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    before = await world.decision(household)
    await world.approve()
    await world.new_figure("EMERG.per_person_day", 1_000)
    done = await decide(world.tx, world.officer, LUDING, world.activation, LATER)
    assert (done.recoveries, done.new_awards["EMERG"]) == (Sum(1, 45_000), Sum(0, 0))
    old = await world.tx.fetchrow("SELECT * FROM decision WHERE id = $1", before["id"])
    assert {**dict(old), "status": "current"} == dict(before)


async def test_a_zone_that_leaves_an_approved_household_out_proposes_recovery(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    await world.approve()
    await world.place(household, -1, zone=1)
    await world.move(1)
    assert (await world.decide()).recoveries == Sum(1, 90_000)
    assert await world.awards(household) == [("approved", 90_000, False)]


async def test_old_facts_stay_readable_with_their_reason(world: Running) -> None:
    household = await world.family(1, missing=1)
    await world.look(household, dead=1, missing=0)
    await world.look(household, rooms_severe=4, circumstances=["no_income"])
    first, second = await reassess.history(world.tx, world.officer, LUDING, household)
    assert (first.version, first.before["missing"], first.after["dead"], first.reason) == (1, 1, 1, "复核")
    assert (second.before["rooms_severe"], second.after["rooms_severe"], second.after["dead"]) == (0, 4, 1)
    assert await world.tx.fetchval("SELECT circumstances FROM household WHERE id = $1", household) > 0


async def test_an_assessment_that_says_nothing_new_or_cannot_be_is_refused(world: Running) -> None:
    household = await world.family(1)
    for changes, code in (({"rooms_severe": 0}, "nothing_changed"), ({"dead": 4}, "more_than_members")):
        with pytest.raises(Invalid) as refusal:
            await world.look(household, **changes)
        assert (refusal.value.code, str(refusal.value.data["field"])[:9]) == (code, "items[0].")
    with pytest.raises(Conflict):
        await world.look(UUID(int=1), dead=1)
    with pytest.raises(Refused):
        await world.look(household, by=await staff(world.tx, ("reporter", LUDING)), dead=1)


async def test_a_duplicate_is_entitled_to_nothing_and_frees_its_people(world: Running) -> None:
    shared = Member(name="甄共享", id_number=numbers.member_id(710_001))
    first = await world.family(1, members=[Member(name="甄户主", id_number=numbers.householder_id(710_000)), shared])
    second = await world.family(1, members=[Member(name="甄户主", id_number=numbers.householder_id(710_002)), shared])
    await world.tx.execute("UPDATE household SET received_at = received_at + interval '1 minute' WHERE id = $1", second)
    await world.decide()
    assert (await world.decision(second))["reasons"][-1] == "guard.held"
    await world.tx.execute("UPDATE household SET status = 'duplicate' WHERE id = $1", first)
    done = await world.decide()
    assert (await world.decision(first))["reasons"] == ["household.duplicate"]
    assert (done.lapsed, done.released, done.new_awards["EMERG"]) == (1, 2, Sum(1, 60_000))


async def test_a_proposal_taken_back_frees_its_people_and_does_not_return_by_itself(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    award = await world.tx.fetchval("SELECT id FROM award WHERE household = $1", household)
    freed = await reassess.withdraw(world.tx, world.township, LUDING, Withdrawal([award], "登记有误"), LATER)
    assert (freed, (await world.decide()).new_awards["EMERG"]) == (3, Sum(0, 0))
    with pytest.raises(Conflict):
        await reassess.withdraw(world.tx, world.township, LUDING, Withdrawal([award], "再次"), LATER)
    (done,) = (await world.look(household, rooms_severe=1)).decided.values()
    assert done.new_awards["EMERG"] == Sum(1, 90_000)


async def test_a_proposal_left_on_an_old_decision_breaks_the_house_rule(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    rule = next(i for i in invariants.ALL if i.name == "proposal_rests_on_its_decision")
    assert (await invariants.examine(world.tx, rule)).broken == 0
    await world.tx.execute("UPDATE decision SET status = 'superseded' WHERE household = $1", household)
    assert (await invariants.examine(world.tx, rule)).broken == 1


async def test_assessing_a_hundred_costs_the_statements_of_one(world: Running) -> None:
    households = [await world.family(n % 4, relocated="none") for n in range(101)]
    await world.decide()
    counter: Any = Counter(world.tx)
    look = [Look(h, Changes(rooms_collapsed=2), "复核") for h in households]
    await reassess.reassess(counter, world.officer, LUDING, look[:1], LATER)
    one, counter.sent = counter.sent, 0
    done = await reassess.reassess(counter, world.officer, LUDING, look[1:], LATER)
    assert (counter.sent, done.households) == (one, 100)


async def test_assessing_decides_nobody_else(world: Running) -> None:
    one = await world.family(1)
    await world.family(1)
    (done,) = (await world.look(one, rooms_severe=2)).decided.values()
    assert (done.households, done.new_decisions) == (1, 2)


async def test_deciding_and_approving_at_once_never_approves_what_was_superseded(pool: db.Pool, keys: Keys) -> None:
    """The decider holds the county's part; the approver waits for it and then finds the proposal gone."""
    async with db.begin(pool) as tx:
        world = await Running(tx, keys).open()
        household = await world.family(0)
        await world.decide()
        row = await tx.fetchrow("SELECT id, amount_fen FROM award WHERE household = $1", household)
    async with db.begin(pool) as first:
        await reassess.reassess(first, world.officer, LUDING, [Look(household, Changes(relocated="none"), "复核")], LATER)
        second = asyncio.create_task(_approve_alone(pool, world, tuple(row)))
        while not await first.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110  another session has no event to wait for
            await asyncio.sleep(0.01)
    with pytest.raises(Conflict):
        await second
    async with db.begin(pool) as tx:
        assert [r["status"] for r in await tx.fetch("SELECT status FROM award")] == ["superseded"]


async def _approve_alone(pool: db.Pool, world: Running, shown: tuple[UUID, int]) -> None:
    async with db.begin(pool) as tx:
        await approve(tx, world.township, LUDING, [shown[0]], digest_of([shown]), LATER)


async def test_two_deciders_of_one_county_write_every_decision_once(pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        world = await Running(tx, keys).open()
        for rank in range(4):
            await world.family(rank, rooms_collapsed=1)

    async def one() -> int:
        async with db.begin(pool) as tx:
            return (await decide(tx, world.officer, LUDING, world.activation, NOW)).new_decisions

    assert sorted(await asyncio.gather(one(), one())) == [0, 8]
