"""抚慰金 goes to the next of kin who was named and checked, never to the householder's account for somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.household import Member
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import disburse, payees
from relief.services.approve import approve, digest_of
from relief.services.payees import Payee
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING
from tests.services.test_standing import FIRE, Standing

pytestmark = pytest.mark.slow


class Bereaved(Standing):
    """A flood, a household of two of whom one died, and a daughter who lives elsewhere."""

    async def start(self) -> Bereaved:
        await self.open("flood", "010200", fund="SOLACE")
        self.desk, self.county = self.reviewer, await make.staff(self.tx, ("county_approver", LUDING))
        people = [Member("甄演一", numbers.householder_id(1)), Member("甄演二", numbers.householder_id(2))]
        self.home = await self.register(1, members=people, dead=1)
        await self.decide(FIRE)
        return self

    def kin(self, **changes: Any) -> Payee:
        base = Payee(
            household=self.home, aid="SOLACE", name="甄演三", id_number=numbers.householder_id(3), account=numbers.account(33), bank="403",
            relation="child", proof="cd" * 32, phone=numbers.mainland_phone(33),
        )  # fmt: skip
        return msgspec.structs.replace(base, **changes)

    async def name(self, by: Actor | None = None, **changes: Any) -> list[UUID]:
        return await payees.name(self.tx, by or self.desk, LUDING, [self.kin(**changes)], FIRE, self.keys)

    async def check(self, ids: list[UUID], by: Actor | None = None) -> int:
        return await payees.check(self.tx, by or self.officer, LUDING, ids, FIRE, self.keys)

    async def awards(self) -> list[tuple[str, int]]:
        rows = await self.tx.fetch(
            "SELECT p.role, a.amount_fen FROM award a JOIN person p ON p.id = a.payee WHERE a.household = $1 AND a.aid = 'SOLACE' AND a.status <> 'superseded'",
            self.home,
        )  # fmt: skip
        return [tuple(r) for r in rows]

    async def approve(self) -> int:
        row = await self.tx.fetchrow("SELECT id, amount_fen FROM award WHERE status = 'proposed' AND aid = 'SOLACE'")
        return (await approve(self.tx, self.county, LUDING, [row["id"]], digest_of([(row["id"], row["amount_fen"])]), FIRE)).payments


@pytest.fixture
async def bereaved(tx: Tx, keys: Keys) -> Bereaved:
    return await Bereaved(tx, keys).start()


async def test_granted_but_not_proposed_until_somebody_is_named_and_checked(bereaved: Bereaved) -> None:
    amount, _ = await bereaved.decision(bereaved.home, "SOLACE")
    assert amount > 0
    assert await bereaved.awards() == []
    ids = await bereaved.name()
    assert await bereaved.awards() == []
    await bereaved.check(ids)
    assert await bereaved.awards() == [("kin", amount)]


async def test_the_money_goes_to_the_persons_own_card(bereaved: Bereaved) -> None:
    await bereaved.check(await bereaved.name())
    assert await bereaved.approve() == 1
    row = await bereaved.tx.fetchrow(
        "SELECT p.bank, c.account_hash, c.sealed, c.id, e.id AS person, e.sealed AS who FROM payment p JOIN account c ON c.id = p.account "
        "JOIN person e ON e.id = p.payee WHERE p.household = $1",
        bereaved.home,
    )  # fmt: skip
    assert row["account_hash"] == bereaved.keys.index("account", numbers.account(33))
    line = disburse._ACCOUNT.decode(bereaved.keys.open("account", row["id"], "sealed", row["sealed"]))
    who = disburse._PERSON.decode(bereaved.keys.open("person", row["person"], "sealed", row["who"]))
    assert (line.holder, line.number, who.id_number) == ("甄演三", numbers.account(33), numbers.householder_id(3))
    for invariant in invariants.ALL:
        if invariant.name in ("paid_to_the_person_named", "nothing_is_orphaned", "account_is_the_one_checked"):
            assert (await invariants.examine(bereaved.tx, invariant)).broken == 0


async def test_the_householders_card_is_refused_for_anybody_else(bereaved: Bereaved) -> None:
    ids = await bereaved.name(account=numbers.account(1))
    with pytest.raises(Refused) as refusal:
        await bereaved.check(ids)
    assert refusal.value.code == "householder_account"
    assert await bereaved.awards() == []


async def test_the_householder_may_be_the_one_who_is_named(bereaved: Bereaved) -> None:
    await bereaved.check(
        await bereaved.name(name="甄演一", id_number=numbers.householder_id(1), account=numbers.account(1), relation="spouse")
    )
    assert [role for role, _ in await bereaved.awards()] == ["householder"]


async def test_two_people_and_not_the_registrar(bereaved: Bereaved) -> None:
    ids = await bereaved.name()
    with pytest.raises(Refused) as refusal:
        await bereaved.check(ids, by=bereaved.desk)
    assert refusal.value.code == "same_person"
    registrar = Actor(bereaved.reporter.id, "兼岗", (*bereaved.reporter.grants, *bereaved.officer.grants))
    with pytest.raises(Refused) as refusal:
        await bereaved.check(ids, by=registrar)
    assert refusal.value.code == "own_registration"


async def test_another_payee_takes_the_open_proposal_along_but_not_what_is_approved(bereaved: Bereaved) -> None:
    await bereaved.check(await bereaved.name())
    await bereaved.check(await bereaved.name(name="甄演二", id_number=numbers.householder_id(2), account=numbers.account(44)))
    assert [role for role, _ in await bereaved.awards()] == ["member"]
    await bereaved.approve()
    with pytest.raises(Conflict) as refusal:
        await bereaved.check(await bereaved.name())
    assert refusal.value.code == "payee_fixed"


async def test_what_is_wrong_is_named_by_its_field(bereaved: Bereaved) -> None:
    for changes, code, field in (
        ({"id_number": "519999199001010000"}, "id_checksum", "items[0].id_number"),
        ({"account": "6299990000000000"}, "account_checksum", "items[0].account"),
        ({"id_number": numbers.member_id(11)}, "minor", "items[0].id_number"),
    ):
        with pytest.raises(Invalid) as refusal:
            await bereaved.name(**changes)
        assert (refusal.value.code, refusal.value.data["field"]) == (code, field)


async def test_a_payee_is_no_member_and_guards_nobody(bereaved: Bereaved) -> None:
    await bereaved.check(await bereaved.name())
    guarded = await bereaved.tx.fetchval(
        "SELECT count(*) FROM entitlement_guard WHERE id_hash = $1", bereaved.keys.index("id", numbers.householder_id(3))
    )
    assert guarded == 0
    assert await bereaved.tx.fetchval("SELECT members FROM household WHERE id = $1", bereaved.home) == 2
