"""Members change: born, moved in, moved away; the household is decided anew and only the difference is proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from relief.demo import numbers
from relief.domain.errors import Invalid, Refused
from relief.domain.household import Member
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import members, reassess
from relief.services.decide import Sum
from relief.services.members import Change, Leave
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING
from tests.services.test_over_time import LATER, Running

pytestmark = pytest.mark.slow

BABY = Member("甄演宝", numbers.member_id(777_011))


class Families(Running):
    """Households whose members come and go."""

    async def change(self, household: UUID, by: Actor | None = None, **said: Any) -> reassess.Reassessed:
        return await members.change(self.tx, by or self.officer, LUDING, [Change(household, "派出所户籍证明", **said)], LATER, self.keys)

    async def member(self, household: UUID, role: str = "member") -> UUID:
        found: UUID = await self.tx.fetchval(
            "SELECT id FROM person WHERE household = $1 AND role = $2 ORDER BY id LIMIT 1", household, role
        )
        return found

    async def guards(self, household: UUID) -> int:
        return int(await self.tx.fetchval("SELECT count(*) FROM entitlement_guard WHERE household = $1 AND aid = 'EMERG'", household))


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> Families:
    world = Families(tx, keys)
    await world.open()
    return world


async def test_a_child_born_tops_up_what_was_approved_by_one_share(world: Families) -> None:
    home = await world.family(0, members=3)
    await world.decide()
    await world.approve()
    (done,) = (await world.change(home, joins=[BABY])).decided.values()
    assert done.new_awards["EMERG"] == Sum(1, 30_000)
    assert await world.awards(home) == [("approved", 90_000, False), ("proposed", 30_000, True)]
    assert await world.guards(home) == 4
    assert tuple(await world.tx.fetchrow("SELECT members, adults FROM household WHERE id = $1", home)) == (4, await adults(world, home))
    [look] = await reassess.history(world.tx, world.officer, LUDING, home)
    assert (look.before["members"], look.after["members"], look.after["joined"]) == (3, 4, 1)
    squares = next(i for i in invariants.ALL if i.name == "squares_count_households")
    assert (await invariants.examine(world.tx, squares)).broken == 0


async def adults(world: Families, home: UUID) -> int:
    return int(
        await world.tx.fetchval("SELECT count(*) FROM person WHERE household = $1 AND adult AND role IN ('householder', 'member')", home)
    )


async def test_whoever_moved_away_before_approval_is_free_to_be_aided_where_they_are(world: Families) -> None:
    home = await world.family(0, members=3)
    await world.decide()
    gone = await world.member(home)
    (done,) = (await world.change(home, leaves=[Leave(gone, "moved")])).decided.values()
    assert (done.lapsed, done.new_awards["EMERG"]) == (1, Sum(1, 60_000))
    assert await world.guards(home) == 2


async def test_whoever_was_paid_and_moves_away_keeps_the_guard_and_opens_a_case(world: Families) -> None:
    home = await world.family(0, members=3)
    await world.decide()
    await world.approve()
    (done,) = (await world.change(home, leaves=[Leave(await world.member(home), "moved")])).decided.values()
    assert done.recoveries == Sum(1, 30_000)
    assert await world.guards(home) == 3


async def test_a_missing_person_found_dead_changes_the_facts_and_not_the_members(world: Families) -> None:
    home = await world.family(0, members=3, missing=1)
    await world.decide()
    await world.look(home, missing=0, dead=1)
    assert tuple(await world.tx.fetchrow("SELECT members, dead, missing FROM household WHERE id = $1", home)) == (3, 1, 0)


async def test_who_says_so_does_not_approve_what_follows(world: Families) -> None:
    home = await world.family(0, members=2)
    await world.decide()
    both = await make.staff(world.tx, ("township_reviewer", LUDING))
    await world.change(home, by=both, joins=[BABY])
    with pytest.raises(Refused) as refusal:
        await world.approve(by=both)
    assert refusal.value.code == "own_registration"


async def test_what_cannot_be_is_refused_by_its_field(world: Families) -> None:
    home = await world.family(0, members=2)
    already = Member("甄演一", numbers.householder_id(world.serial))
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "nothing_changed"),
        ({"leaves": [Leave(home, "moved")]}, "not_a_member"),
        ({"leaves": [Leave(await world.member(home, "householder"), "died")]}, "householder_leaves"),
        ({"joins": [already]}, "member_already"),
        ({"joins": [Member("甄演宝", "519999202209010001")]}, "id_checksum"),
        ({"joins": [BABY, BABY]}, "member_already"),
    ]
    for said, code in cases:
        with pytest.raises(Invalid) as refusal:
            await world.change(home, **said)
        assert refusal.value.code == code
        assert str(refusal.value.data["field"]).startswith("items[0]")
