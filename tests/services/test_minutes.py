"""一事一议: what a meeting adopted is paid exactly, by people who neither registered the household nor wrote the minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.household import Member
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import minutes, replay
from relief.services.approve import approve, digest_of
from relief.services.decide import Sum
from relief.services.minutes import NewMinutes
from relief.store.db import Tx
from tests import make
from tests.make import LUDING
from tests.services.test_standing import FIRE, Standing

pytestmark = pytest.mark.slow

AT = FIRE + timedelta(days=2)


class Meeting(Standing):
    """A standing activation of the county, one family in hardship, and the people of a meeting."""

    async def start(self) -> Meeting:
        await self.open("hardship", "900100", fund="CASE")
        self.one, self.two = [await make.staff(self.tx, ("county_approver", LUDING)) for _ in range(2)]
        self.home = await self.register(1, members=[Member("甄演一", make.numbers.householder_id(1))], circumstances=["no_means"])
        await self.decide(FIRE)
        return self

    def says(self, **changes: Any) -> NewMinutes:
        base = NewMinutes(
            household=self.home, activation=self.activation, aid="CASE", amount_fen=321_000, held_on=FIRE.date(),
            participants=["甄演甲 民政", "甄演乙 财政", "甄演丙 应急"], votes_for=2, votes_against=1, votes_abstained=0,
            reason="住院费用超出家庭承受能力", legal_basis="国发〔2014〕47号", attachment="ab" * 32,
        )  # fmt: skip
        return msgspec.structs.replace(base, **changes)

    async def record(self, by: Actor | None = None, **changes: Any) -> UUID:
        return await minutes.record(self.tx, by or self.officer, LUDING, self.says(**changes), AT, self.keys)

    async def sign(self, by: Actor) -> int:
        row = await self.tx.fetchrow("SELECT id, amount_fen FROM award WHERE status = 'proposed' AND aid = 'CASE'")
        return (await approve(self.tx, by, LUDING, [row["id"]], digest_of([(row["id"], row["amount_fen"])]), AT)).payments


@pytest.fixture
async def meeting(tx: Tx, keys: Keys) -> Meeting:
    return await Meeting(tx, keys).start()


async def test_what_was_adopted_is_what_is_paid_and_two_of_the_meeting_sign(meeting: Meeting) -> None:
    made = await meeting.record()
    assert await meeting.decision(meeting.home, "CASE") == (0, ["band.1", "has.no_means", "minutes.none"])
    (decided,) = (await minutes.adopt(meeting.tx, meeting.one, LUDING, [made], AT)).values()
    assert decided.new_awards["CASE"] == Sum(1, 321_000)
    assert await meeting.decision(meeting.home, "CASE") == (321_000, ["band.1", "has.no_means", "minutes.adopted"])
    assert await meeting.sign(meeting.one) == 0
    assert await meeting.sign(meeting.two) == 1
    assert await meeting.tx.fetchval("SELECT amount_fen FROM payment WHERE household = $1", meeting.home) == 321_000
    auditor = await make.staff(meeting.tx, ("auditor", "51"))
    again = await replay.replay(meeting.tx, auditor, [LUDING], meeting.activation)
    assert (again.differing, again.without_figures) == (0, 0)
    assert again.decisions > 0


async def test_new_minutes_take_the_place_of_the_old_and_add_only_the_difference(meeting: Meeting) -> None:
    await minutes.adopt(meeting.tx, meeting.one, LUDING, [await meeting.record()], AT)
    await meeting.sign(meeting.one)
    await meeting.sign(meeting.two)
    (decided,) = (await minutes.adopt(meeting.tx, meeting.one, LUDING, [await meeting.record(amount_fen=400_000)], AT)).values()
    assert decided.new_awards["CASE"] == Sum(1, 79_000)
    rows = await meeting.tx.fetch("SELECT status, amount_fen FROM minutes ORDER BY amount_fen")
    assert [tuple(r) for r in rows] == [("superseded", 321_000), ("adopted", 400_000)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"participants": ["甄演甲 民政", "甄演甲 民政", "甄演丙 应急"]}, "too_few"),
        ({"votes_against": 2}, "votes"),
        ({"votes_for": 1, "votes_against": 2}, "no_majority"),
        ({"held_on": (AT + timedelta(days=2)).date()}, "held_on"),
        ({"amount_fen": 10**9}, "above_cap"),
        ({"aid": "TEMP"}, "not_by_meeting"),
    ],
)
async def test_minutes_that_would_not_hold_are_refused_by_their_field(meeting: Meeting, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await meeting.record(**changes)
    assert refusal.value.code == code


async def test_the_cap_named_in_the_refusal_may_be_adopted_to_the_fen(meeting: Meeting) -> None:
    with pytest.raises(Invalid) as refusal:
        await meeting.record(amount_fen=10**9)
    most = int(str(refusal.value.data["most_fen"]))
    (decided,) = (await minutes.adopt(meeting.tx, meeting.one, LUDING, [await meeting.record(amount_fen=most)], AT)).values()
    assert decided.new_awards["CASE"] == Sum(1, most)


async def test_a_household_the_clause_does_not_cover_is_refused_with_the_reasons(meeting: Meeting) -> None:
    other = await meeting.register(2, members=[Member("甄演二", make.numbers.householder_id(2))])
    await meeting.decide(FIRE)
    with pytest.raises(Invalid) as refusal:
        await meeting.record(household=other)
    assert (refusal.value.code, refusal.value.data["reasons"]) == ("not_covered", ["band.1", "lacks.no_means"])


async def test_neither_recorder_nor_registrar_adopts_or_signs(meeting: Meeting) -> None:
    both = Actor(meeting.officer.id, "兼岗", (*meeting.officer.grants, *meeting.one.grants))
    made = await meeting.record()
    with pytest.raises(Refused) as refusal:
        await minutes.adopt(meeting.tx, both, LUDING, [made], AT)
    assert refusal.value.code == "same_person"
    registrar = Actor(meeting.reporter.id, "兼岗", (*meeting.reporter.grants, *meeting.one.grants))
    with pytest.raises(Refused) as refusal:
        await minutes.adopt(meeting.tx, registrar, LUDING, [made], AT)
    assert refusal.value.code == "own_registration"
    await minutes.adopt(meeting.tx, meeting.one, LUDING, [made], AT)
    for person in (both, registrar):
        with pytest.raises(Refused) as refusal:
            await meeting.sign(person)
        assert refusal.value.code == "own_registration"


async def test_minutes_taken_back_are_not_adopted(meeting: Meeting) -> None:
    made = await meeting.record()
    await minutes.withdraw(meeting.tx, meeting.officer, LUDING, [made], AT)
    with pytest.raises(Conflict):
        await minutes.adopt(meeting.tx, meeting.one, LUDING, [made], AT)


async def test_who_sat_there_and_why_is_not_in_clear(meeting: Meeting) -> None:
    made = await meeting.record()
    row = await meeting.tx.fetchval("SELECT minutes::text FROM minutes WHERE id = $1", made)
    assert "甄演" not in row
    assert "住院" not in row
    sealed = await meeting.tx.fetchval("SELECT sealed FROM minutes WHERE id = $1", made)
    said = msgspec.json.decode(meeting.keys.open("minutes", made, "sealed", sealed), type=minutes.Said)
    assert said.reason == "住院费用超出家庭承受能力"
