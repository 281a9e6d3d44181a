"""Registrations that may be one: found, held back, decided, remembered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from relief.channels import bank_layouts
from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.household import Member
from relief.domain.identity import id_check_digit
from relief.domain.likeness import Limits
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import approve, disburse, suspect
from relief.services.adjudicate import Ruling, decide
from relief.services.register import register
from relief.store import blocks, db, invariants
from relief.store.db import Pool, Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, SHIMIAN

REASON = "户籍系统核对"


def slip_of(n: int) -> str:
    """The n-th householder's number with a slip in the sequence."""
    number = numbers.householder_id(n)
    first17 = number[:15] + str((int(number[15]) + 1) % 10) + number[16]
    return first17 + id_check_digit(first17)


async def registered(tx: Tx, keys: Keys, reporter: Actor, incident: UUID, n: int, **changes: Any) -> UUID:
    [receipt] = await register(tx, reporter, [make.registration(n, incident=incident, **changes)], NOW, keys)
    assert receipt.household, receipt
    return receipt.household


async def found(tx: Tx) -> list[Any]:
    return await tx.fetch(
        "SELECT county, id, household, other, keys, score, reasons, blocks, status, verdict, kept FROM suspicion ORDER BY found_at, id"
    )


async def twice(tx: Tx, keys: Keys, **changes: Any) -> tuple[UUID, UUID, UUID, Any]:
    """One household registered twice by two reporters, the second time with a slip; incident, both households, the suspicion."""
    incident, one, two = await make.incident(tx), await make.staff(tx, ("reporter", MOXI)), await make.staff(tx, ("reporter", MOXI))
    first = await registered(tx, keys, one, incident, 1, members=[Member("甄演红", numbers.householder_id(1))])
    changes.setdefault("members", [Member("甄演虹", slip_of(1))])
    second = await registered(tx, keys, two, incident, 2, **changes)
    await suspect.find(tx, Limits(), NOW, keys)
    [case] = await found(tx)
    return incident, first, second, case


async def test_a_misheard_name_and_a_slipped_number_are_suspected_with_reasons(tx: Tx, keys: Keys) -> None:
    _, first, second, case = await twice(tx, keys)
    assert {case["household"], case["other"]} == {first, second}
    assert (case["keys"], case["blocks"]) == ([], "stages")
    assert {"name_sound:34", "birth_same:35", "id_near:15", "village_same:5"} <= set(case["reasons"])


@pytest.mark.parametrize(
    ("changes", "keys_found"),
    [
        ({"members": [Member("莫演山", numbers.householder_id(1))]}, ["id"]),
        ({"members": [Member("莫演山", numbers.householder_id(9))], "account": numbers.account(1)}, ["account"]),
    ],
)
async def test_an_exact_key_stops_every_payment(tx: Tx, keys: Keys, changes: dict[str, Any], keys_found: list[str]) -> None:
    *_, case = await twice(tx, keys, **changes)
    assert (case["keys"], case["blocks"]) == (keys_found, "payment")


async def test_a_family_card_and_a_village_phone_are_allowed_by_rule(tx: Tx, keys: Keys) -> None:
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    limits = Limits(account_households=3, phone_households=3)
    for n, name in ((10, "莫演山"), (20, "尤夏"), (30, "贾演梅")):
        who = [Member(name, numbers.householder_id(n))]
        await registered(tx, keys, reporter, incident, n, members=who, account=numbers.account(10), phone=numbers.mainland_phone(10))
        await suspect.find(tx, limits, NOW, keys)
    assert await found(tx) == []
    await registered(tx, keys, reporter, incident, 40, members=1, account=numbers.account(10), phone=numbers.mainland_phone(10))
    await suspect.find(tx, limits, NOW, keys)
    assert [c["keys"] for c in await found(tx)] == [["account", "phone"]]


async def test_the_same_family_after_the_next_disaster_is_no_duplicate_but_one_person_in_two_open_ones_is_told(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", MOXI))
    for n in (1, 2):
        await registered(tx, keys, reporter, await make.incident(tx), 1, device_id=UUID(int=n))
    await suspect.find(tx, Limits(), NOW, keys)
    [case] = await found(tx)
    assert (case["keys"], case["blocks"]) == (["id"], "nothing")


async def test_two_sides_of_a_county_border_are_compared(tx: Tx, keys: Keys) -> None:
    incident = await make.incident(tx)
    village = await tx.fetchval("SELECT code FROM region WHERE level = 'village' AND code LIKE $1 LIMIT 1", SHIMIAN + "%")
    here, there = await make.staff(tx, ("reporter", LUDING)), await make.staff(tx, ("reporter", SHIMIAN))
    await registered(tx, keys, here, incident, 1)
    await registered(tx, keys, there, incident, 1, device_id=UUID(int=77), village=village)
    await suspect.find(tx, Limits(), NOW, keys)
    [case] = await found(tx)
    assert "id" in case["keys"]
    for county in (LUDING, SHIMIAN, "510107"):
        await tx.execute("SELECT set_config('relief.scope', $1, true)", county)
        assert len(await found(tx)) == (county != "510107")
    await tx.execute("SELECT set_config('relief.scope', '%', true)")
    reviewer = await make.staff(tx, ("county_officer", LUDING))
    with pytest.raises(Refused, match="辖区"):
        await decide(tx, reviewer, [Ruling(case["county"], case["id"])], "different", REASON, NOW, keys)


async def test_found_again_is_found_once(tx: Tx, keys: Keys) -> None:
    _, _, second, _ = await twice(tx, keys)
    await tx.execute(
        "INSERT INTO unmatched SELECT county, household, array_agg(block) FROM block WHERE household = $1 GROUP BY 1, 2", second
    )
    await suspect.find(tx, Limits(), NOW, keys)
    assert len(await found(tx)) == 1


async def test_one_number_under_two_names_in_two_villages_is_suspected(tx: Tx, keys: Keys) -> None:
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", LUDING))
    elsewhere = await tx.fetchval("SELECT code FROM region WHERE level = 'village' AND code LIKE '513322105%' LIMIT 1")
    await registered(tx, keys, reporter, incident, 1, members=[Member("莫演山", numbers.householder_id(1))])
    await registered(tx, keys, reporter, incident, 2, members=[Member("尤夏", numbers.householder_id(1))], village=elsewhere)
    await suspect.find(tx, Limits(), NOW, keys)
    assert [c["keys"] for c in await found(tx)] == [["id"]]


async def test_doubles_of_this_disaster_are_found_although_an_earlier_one_knows_the_same_people(tx: Tx, keys: Keys) -> None:
    reporter, before = await make.staff(tx, ("reporter", MOXI)), await make.incident(tx)
    shared = {"account": numbers.account(1), "phone": None}
    await registered(tx, keys, reporter, before, 1, members=[Member("莫演山", numbers.householder_id(1))], **shared)
    await suspect.find(tx, Limits(), NOW, keys)
    await tx.execute("UPDATE incident SET status = 'closed' WHERE id = $1", before)
    incident = await make.incident(tx)
    for n, name in ((2, "尤夏"), (3, "贾演梅")):
        await registered(tx, keys, reporter, incident, n, members=[Member(name, numbers.householder_id(n + 7))], **shared)
    await suspect.find(tx, Limits(), NOW, keys)
    assert [c["keys"] for c in await found(tx)] == [["account"]]


async def test_a_card_two_families_were_found_to_share_is_not_asked_about_again(tx: Tx, keys: Keys) -> None:
    *_, case = await twice(tx, keys, members=[Member("莫演山", numbers.householder_id(9))], account=numbers.account(1))
    await decide(tx, await make.staff(tx, ("township_reviewer", MOXI)), [Ruling(LUDING, case["id"])], "different", REASON, NOW, keys)
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    for n, (name, who) in enumerate([("甄演红", 1), ("莫演山", 9)]):
        changes = {"members": [Member(name, numbers.householder_id(who))], "account": numbers.account(1)}
        await registered(tx, keys, reporter, incident, 100 + n, **changes)
    await suspect.find(tx, Limits(), NOW, keys)
    assert [c for c in await found(tx) if c["status"] == "open" and c["blocks"] != "nothing"] == []


async def test_a_corrected_account_that_is_somebody_elses_is_suspected(tx: Tx, keys: Keys) -> None:
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    await registered(tx, keys, reporter, incident, 1, members=[Member("莫演山", numbers.householder_id(1))])
    await registered(tx, keys, reporter, incident, 2, members=[Member("尤夏", numbers.householder_id(2))])
    await suspect.find(tx, Limits(), NOW, keys)
    assert await found(tx) == []
    hashes = [keys.index("account", numbers.account(n)) for n in (1, 2)]
    await tx.execute("UPDATE account SET account_hash = $1 WHERE account_hash = $2", *hashes)
    changed = await tx.fetchval("SELECT max(id::text)::uuid FROM account WHERE account_hash = $1", hashes[0])
    await blocks.queue_accounts(tx, LUDING, [changed])
    await suspect.find(tx, Limits(), NOW, keys)
    assert [c["keys"] for c in await found(tx)] == [["account"]]


async def _awarded(tx: Tx, keys: Keys, aid: str, changes: dict[str, Any]) -> tuple[list[UUID], Actor]:
    """Two awards of households that look like one, and their approver."""
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    ids = await make.awards(tx, keys, incident=incident, reporter=reporter, aid=aid, members=[Member("甄演红", numbers.householder_id(1))])
    other = {"members": [Member("甄演虹", slip_of(1))], **changes}
    ids += await make.awards(tx, keys, incident=incident, reporter=reporter, aid=aid, first=5, **other)
    await make.fund(tx, incident=incident, amount_fen=10**9, purpose=aid)
    await suspect.find(tx, Limits(), NOW, keys)
    assert len(await found(tx)) == 1
    return ids, await make.staff(tx, ("township_reviewer", MOXI), ("county_approver", LUDING))


async def _approve(tx: Tx, actor: Actor, ids: list[UUID]) -> Any:
    return await approve.approve(tx, actor, LUDING, ids, approve.digest_of([(i, 90_000) for i in ids]), NOW)


async def test_a_fuzzy_suspicion_lets_the_first_advance_pass_and_stops_staged_aid(tx: Tx, keys: Keys) -> None:
    ids, approver = await _awarded(tx, keys, "EMERG", {})
    assert (await _approve(tx, approver, ids)).payments == 2
    frozen = await disburse.freeze(tx, await preparer(tx), LUDING, NOW, keys, writer())
    assert sum(f.lines for f in frozen) == 2


async def test_staged_aid_waits_for_a_fuzzy_suspicion(tx: Tx, keys: Keys) -> None:
    ids, approver = await _awarded(tx, keys, "HOUSE", {})
    with pytest.raises(Refused) as refused:
        await _approve(tx, approver, ids)
    assert refused.value.code == "suspected_twice"


async def test_an_exact_suspicion_stops_approval_and_what_was_approved_before_is_not_frozen(tx: Tx, keys: Keys) -> None:
    ids, approver = await _awarded(tx, keys, "EMERG", {"account": numbers.account(0)})
    with pytest.raises(Refused) as refused:
        await _approve(tx, approver, ids)
    assert refused.value.code == "suspected_twice"
    await tx.execute("UPDATE suspicion SET status = 'decided', verdict = 'different', reason = 'x', decided_at = $1", NOW)
    await _approve(tx, approver, ids)
    await tx.execute("UPDATE suspicion SET status = 'open', verdict = NULL, reason = NULL, decided_at = NULL")
    assert await disburse.freeze(tx, await preparer(tx), LUDING, NOW, keys, writer()) == []


async def preparer(tx: Tx) -> Actor:
    await tx.execute("INSERT INTO payer (county, name, account) VALUES ($1, '演示', '6299995133220000000') ON CONFLICT DO NOTHING", LUDING)
    return await make.staff(tx, ("finance_preparer", LUDING))


def writer() -> disburse.Writer:
    return disburse.Writer(layout=bank_layouts.load("yikatong"), max_lines=100)


async def test_different_releases_both_and_is_remembered_in_the_next_disaster(tx: Tx, keys: Keys) -> None:
    *_, case = await twice(tx, keys)
    done = await decide(tx, await make.staff(tx, ("township_reviewer", MOXI)), [Ruling(LUDING, case["id"])], "different", REASON, NOW, keys)
    assert (done.suspicions, done.duplicates) == (1, 0)
    assert await db.value(tx, "SELECT count(*) FROM suspected") == 0
    assert await db.value(tx, "SELECT count(*) FROM household WHERE status = 'duplicate'") == 0
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    for n, (name, number) in enumerate([("甄演红", numbers.householder_id(1)), ("甄演虹", slip_of(1))]):
        await registered(tx, keys, reporter, incident, 100 + n, members=[Member(name, number)])
    await suspect.find(tx, Limits(), NOW, keys)
    assert [c for c in await found(tx) if c["status"] == "open" and c["blocks"] != "nothing"] == []


async def test_same_keeps_the_earlier_one_and_is_remembered(tx: Tx, keys: Keys) -> None:
    _, first, second, case = await twice(tx, keys)
    kept, lost = case["other"], case["household"]
    done = await decide(tx, await make.staff(tx, ("township_reviewer", MOXI)), [Ruling(LUDING, case["id"])], "same", REASON, NOW, keys)
    assert (done.duplicates, done.recoveries) == (1, 0)
    rows = await tx.fetch("SELECT id, status, duplicate_of FROM household WHERE id = ANY ($1)", [first, second])
    assert {(r["id"], r["status"], r["duplicate_of"]) for r in rows} == {(kept, "staged", None), (lost, "duplicate", kept)}
    assert await db.value(tx, "SELECT verdict FROM known_pair") == "same"
    with pytest.raises(Conflict):
        await decide(tx, await make.staff(tx, ("township_reviewer", MOXI)), [Ruling(LUDING, case["id"])], "different", REASON, NOW, keys)


async def test_merge_brings_over_whom_only_the_duplicate_names(tx: Tx, keys: Keys) -> None:
    _, first, _, case = await twice(tx, keys, members=[Member("甄演虹", slip_of(1)), Member("甄演梅", numbers.member_id(77))])
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    done = await decide(tx, reviewer, [Ruling(LUDING, case["id"], kept=first)], "merge", REASON, NOW, keys)
    assert (done.duplicates, done.people) == (1, 2)
    people = await tx.fetch("SELECT id, sealed, role FROM person WHERE household = $1", first)
    names = {keys.open("person", p["id"], "sealed", p["sealed"]).decode()[9:12] for p in people}
    assert {"甄演红", "甄演梅"} <= names
    assert await db.value(tx, "SELECT members FROM household WHERE id = $1", first) == len(people) == 3
    assert (await invariants.examine(tx, next(i for i in invariants.ALL if i.name == "squares_count_households"))).broken == 0


async def test_whoever_registered_a_side_does_not_decide_and_a_stranger_household_cannot_stay(tx: Tx, keys: Keys) -> None:
    _, first, _, case = await twice(tx, keys)
    registrar = await db.value(tx, "SELECT registered_by FROM household WHERE id = $1", first)
    own = Actor(registrar, "演", (make.Grant(role="township_reviewer", area=MOXI),))
    with pytest.raises(Refused) as refused:
        await decide(tx, own, [Ruling(LUDING, case["id"])], "same", REASON, NOW, keys)
    assert refused.value.code == "own_registration"
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    with pytest.raises(Invalid) as invalid:
        await decide(tx, reviewer, [Ruling(LUDING, case["id"], kept=UUID(int=1))], "same", REASON, NOW, keys)
    assert invalid.value.code == "kept"


async def test_money_already_granted_to_a_duplicate_becomes_a_recovery_case_and_is_held(tx: Tx, keys: Keys) -> None:
    ids, approver = await _awarded(tx, keys, "EMERG", {})
    await _approve(tx, approver, ids)
    [case] = await found(tx)
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    done = await decide(tx, reviewer, [Ruling(LUDING, case["id"])], "same", REASON, NOW, keys)
    assert (done.duplicates, done.recoveries) == (1, 1)
    assert sum(f.lines for f in await disburse.freeze(tx, await preparer(tx), LUDING, NOW, keys, writer())) == 1


async def test_households_registered_before_there_were_blocks_are_compared_too(database: str, pool: Pool, keys: Keys) -> None:
    owner = await db.connect_owner(database)
    async with db.begin(pool) as tx:
        incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
        for n, (name, number) in enumerate([("甄演红", numbers.householder_id(1)), ("甄演虹", slip_of(1))]):
            await registered(tx, keys, reporter, incident, 100 + n, members=[Member(name, number)])
        queued = await tx.fetch("DELETE FROM unmatched RETURNING household, blocks")
    await owner.execute("INSERT INTO block_backfill VALUES ($1, now(), $2)", LUDING, UUID(int=0))
    await owner.close()
    for expected in (3, 0):
        async with db.begin(pool) as tx:
            assert await suspect.queue_older(tx, NOW, keys) == expected
    async with db.begin(pool) as tx:
        again = await tx.fetch("SELECT household, blocks FROM unmatched")
        assert {(r["household"], *r["blocks"]) for r in again} == {(r["household"], *r["blocks"]) for r in queued}
        await suspect.find(tx, Limits(), NOW, keys)
        assert len(await found(tx)) == 1
