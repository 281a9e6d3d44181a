"""The life of an incident: moves, calm, end; duplicates become one and nobody is entitled twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import approve, report, respond, zoning
from relief.services import incidents as service
from relief.services.register import register
from relief.services.report import NewReport
from relief.services.respond import Decision
from relief.store import activations, db, incidents, invariants, recoveries
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, SHIMIAN

LATER = NOW + timedelta(hours=3)


async def officer(tx: Tx) -> Actor:
    return await make.staff(tx, ("county_officer", LUDING))


async def province(tx: Tx) -> Actor:
    return await make.staff(tx, ("province_officer", "51"))


async def reporter(tx: Tx) -> Actor:
    return await make.staff(tx, ("reporter", MOXI))


async def test_an_incident_goes_from_reported_to_recovery_and_never_back(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await officer(tx)
    await service.move(tx, actor, incident, "active", NOW)
    with pytest.raises(Conflict) as early:
        await service.move(tx, actor, incident, "recovery", NOW)
    assert early.value.code == "not_stable"
    await service.declare_stable(tx, actor, incident, NOW, NOW)
    await service.move(tx, actor, incident, "recovery", NOW)
    with pytest.raises(Conflict) as caught:
        await service.move(tx, actor, incident, "active", NOW)
    assert caught.value.code == "incident_moved"
    assert (await incidents.get(tx, incident)).status == "recovery"


async def test_every_move_is_in_the_trace(tx: Tx) -> None:
    incident = await make.incident(tx)
    await service.move(tx, await officer(tx), incident, "active", NOW)
    detail = await tx.fetchval("SELECT detail FROM audit WHERE act = 'incident.move' ORDER BY at DESC LIMIT 1")
    assert detail == {"from": "reported", "to": "active"}


async def test_another_countys_officer_moves_nothing(tx: Tx) -> None:
    stranger = await make.staff(tx, ("county_officer", SHIMIAN))
    with pytest.raises(Refused):
        await service.move(tx, stranger, await make.incident(tx), "active", NOW)


async def test_closing_needs_a_reason_and_happens_once(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await officer(tx)
    with pytest.raises(Invalid):
        await service.close(tx, actor, [incident], " ", NOW)
    await service.close(tx, actor, [incident], "误报", NOW)
    with pytest.raises(Conflict):
        await service.close(tx, actor, [incident], "误报", NOW)
    assert await tx.fetchval("SELECT closed_reason FROM incident WHERE id = $1", incident) == "误报"


async def test_closing_waits_for_responses_final_reports_and_money_under_way(tx: Tx, keys: Keys) -> None:
    """Each bar is named; when the last one is gone the incident is closed."""
    incident, county, chief = await make.incident(tx), await officer(tx), await province(tx)
    await told(tx, county, incident, 0, deaths=1)
    launch = Decision("province", "51", "launch", "川减灾委〔2022〕1号", "会商研判", NOW, 4)
    await respond.decide(tx, chief, incident, launch, NOW)
    await make.awards(tx, keys, incident=incident, reporter=await reporter(tx))
    await make.fund(tx, incident=incident, amount_fen=90_000)
    [award] = [r["id"] for r in await tx.fetch("SELECT id FROM award WHERE incident = $1", incident)]
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    await approve.approve(tx, reviewer, LUDING, [award], approve.digest_of([(award, 90_000)]), NOW)
    with pytest.raises(Conflict) as caught:
        await service.close(tx, chief, [incident], "救助结束", LATER)
    assert caught.value.data["open"] == {"response": 1, "final": 1, "payment": 1}
    await respond.decide(tx, chief, incident, msgspec.structs.replace(launch, act="end", level=None), LATER)
    await service.declare_stable(tx, county, incident, NOW, LATER)
    await told(tx, county, incident, 1, final=True, deaths=1)
    with pytest.raises(Conflict) as caught:
        await service.close(tx, chief, [incident], "救助结束", LATER)
    assert caught.value.data["open"] == {"payment": 1}
    await tx.execute("UPDATE payment SET status = 'cancelled'")
    await service.close(tx, chief, [incident], "救助结束", LATER)


async def told(tx: Tx, actor: Actor, incident: UUID, after: int, final: bool = False, **figures: int) -> None:
    new = NewReport(LUDING, after, NOW, "县应急局", {k: str(v) for k, v in figures.items()}, final=final)
    await report.report(tx, actor, incident, [new], LATER)


async def test_an_incident_of_several_counties_is_not_closed_by_one_of_them(tx: Tx) -> None:
    incident = await make.incident(tx)
    zone, _, _ = await make.activated(tx, incident=incident)
    await tx.execute("INSERT INTO zone_county (zone, county, area_km2, share) VALUES ($1, $2, 1, 1), ($1, $3, 1, 1)", zone, LUDING, SHIMIAN)
    with pytest.raises(Refused):
        await service.close(tx, await officer(tx), [incident], "救助结束", NOW)
    await service.close(tx, await province(tx), [incident], "救助结束", NOW)


async def test_a_duplicate_with_a_response_in_force_is_not_merged_away(tx: Tx) -> None:
    one, two = await make.incident(tx), await make.incident(tx)
    actor = await province(tx)
    await respond.decide(tx, actor, one, Decision("province", "51", "launch", "川减灾委〔2022〕1号", "会商研判", NOW, 4), NOW)
    with pytest.raises(Conflict) as caught:
        await service.merge(tx, actor, [one], two, "同一次地震", LATER)
    assert caught.value.code == "response_in_force"
    await service.merge(tx, actor, [two], one, "同一次地震", LATER)


async def test_calm_is_declared_once_and_not_for_the_future(tx: Tx) -> None:
    incident, actor = await make.incident(tx), await officer(tx)
    with pytest.raises(Invalid):
        await service.declare_stable(tx, actor, incident, LATER, NOW)
    await service.declare_stable(tx, actor, incident, LATER, LATER)
    with pytest.raises(Conflict):
        await service.declare_stable(tx, actor, incident, LATER, LATER)


@pytest.mark.parametrize("column", ["drill = false", "hazard = '010200'", "name = 'x'", "county = '511824'"])
async def test_what_an_incident_is_cannot_be_edited_by_the_application(tx: Tx, column: str) -> None:
    incident = await make.incident(tx)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tx.execute(f"UPDATE incident SET {column} WHERE id = $1", incident)


async def test_a_duplicate_is_closed_and_points_to_its_survivor(tx: Tx) -> None:
    one, two = await make.incident(tx), await make.incident(tx)
    done = await service.merge(tx, await province(tx), [one], two, "同一次地震", LATER)
    found = await incidents.get(tx, one)
    assert (found.status, found.merged_into, done.guards, done.cases) == ("closed", two, 0, 0)


async def test_a_chain_of_merges_is_always_one_step_long(tx: Tx) -> None:
    one, two, three = [await make.incident(tx) for _ in range(3)]
    actor = await province(tx)
    await service.merge(tx, actor, [one], two, "同一次地震", LATER)
    await service.merge(tx, actor, [two], three, "同一次地震", LATER)
    assert {(await incidents.get(tx, i)).merged_into for i in (one, two)} == {three}


async def test_a_drill_is_never_merged_with_a_real_incident(tx: Tx) -> None:
    drill, real = await make.incident(tx), await make.incident(tx, drill=False)
    with pytest.raises(Invalid) as caught:
        await service.merge(tx, await province(tx), [drill], real, "同一次地震", NOW)
    assert caught.value.code == "drill_and_real"


async def test_merging_is_refused_to_whoever_does_not_answer_for_every_county(tx: Tx) -> None:
    one, two = await make.incident(tx), await make.incident(tx, county=SHIMIAN)
    with pytest.raises(Refused):
        await service.merge(tx, await make.staff(tx, ("county_approver", LUDING)), [one], two, "同一次地震", NOW)


async def test_an_incident_is_not_merged_into_itself_nor_into_a_closed_one(tx: Tx) -> None:
    one, two = await make.incident(tx), await make.incident(tx)
    actor = await province(tx)
    with pytest.raises(Invalid):
        await service.merge(tx, actor, [one], one, "同一次地震", NOW)
    await service.close(tx, actor, [two], "误报", NOW)
    with pytest.raises(Conflict):
        await service.merge(tx, actor, [one], two, "同一次地震", NOW)


async def two_incidents(tx: Tx, keys: Keys, *, again: int, first_only: int = 0) -> tuple[UUID, UUID]:
    """A survivor and a duplicate; `again` households are awarded under both, with other device ids."""
    survivor, duplicate = await make.incident(tx), await make.incident(tx)
    if again:
        await make.awards(tx, keys, incident=survivor, reporter=await reporter(tx), count=again)
    for n in range(again + first_only):
        await make.awards(tx, keys, incident=duplicate, reporter=await reporter(tx), first=n, device_id=uuid4())
    return survivor, duplicate


async def guards_of(tx: Tx, incident: UUID) -> int:
    return int(await tx.fetchval("SELECT count(*) FROM entitlement_guard WHERE incident = $1", incident))


async def broken(tx: Tx) -> list[str]:
    (rule,) = [i for i in invariants.ALL if i.name == "entitled_once"]
    return (await invariants.examine(tx, rule)).rows


async def test_guards_move_to_the_survivor_and_awards_stay(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=0, first_only=2)
    done = await service.merge(tx, await province(tx), [duplicate], survivor, "同一次地震", LATER)
    assert (done.guards, done.cases) == (6, 0)
    assert (await guards_of(tx, duplicate), await guards_of(tx, survivor)) == (0, 6)
    assert await tx.fetchval("SELECT count(*) FROM award WHERE incident = $1", duplicate) == 2
    assert await broken(tx) == []


@pytest.mark.parametrize("both", [False, True])
async def test_what_a_merge_would_do_is_foreseen_exactly_and_nothing_is_done(tx: Tx, keys: Keys, both: bool) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=2, first_only=1)
    duplicates = [duplicate]
    if both:  # two duplicates collide with each other, too
        duplicates.append(await make.incident(tx))
        await make.awards(tx, keys, incident=duplicates[1], reporter=await reporter(tx), first=2, device_id=uuid4())
    actor = await province(tx)
    seen = await service.foresee(tx, actor, duplicates, survivor)
    assert await guards_of(tx, survivor) == 6
    done = await service.merge(tx, actor, duplicates, survivor, "同一次地震", LATER)
    opened = {(c.county, c.household, c.aid, c.period, c.holder, c.people) for c in await recoveries.open_cases(tx)}
    assert (seen.guards, seen.total) == (done.guards, done.cases)
    assert {(c.county, c.household, c.aid, c.period, c.holder, c.people) for c in seen.cases} == opened
    assert {c.award_status for c in seen.cases} == {"proposed"}


async def test_foreseeing_is_refused_like_the_merge_itself(tx: Tx) -> None:
    drill, real = await make.incident(tx), await make.incident(tx, drill=False)
    with pytest.raises(Invalid):
        await service.foresee(tx, await province(tx), [drill], real)
    with pytest.raises(Refused):
        await service.foresee(tx, await officer(tx), [drill], await make.incident(tx))


async def test_aid_held_twice_opens_one_case_a_household_and_holds_its_award(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=2, first_only=1)
    done = await service.merge(tx, await province(tx), [duplicate], survivor, "同一次地震", LATER)
    assert (done.guards, done.cases) == (9, 2)
    cases = await recoveries.open_cases(tx)
    assert {(c.people, c.incident, c.county, c.owner) for c in cases} == {(3, survivor, LUDING, "county_officer")}
    held = {r["subject"] for r in await tx.fetch("SELECT subject FROM hold WHERE kind = 'award'")}
    assert held == {str(c.award) for c in cases}
    assert await guards_of(tx, survivor) == 9
    assert await broken(tx) == []


async def test_two_duplicates_merged_at_once_collide_with_each_other(tx: Tx, keys: Keys) -> None:
    one, two = await two_incidents(tx, keys, again=1)
    done = await service.merge(tx, await province(tx), [one, two], await make.incident(tx), "同一次地震", LATER)
    assert (done.guards, done.cases) == (6, 1)


async def test_the_number_of_statements_of_a_merge_does_not_depend_on_its_guards(tx: Tx, keys: Keys) -> None:
    counts = []
    for size in (1, 8):
        survivor, duplicate = await two_incidents(tx, keys, again=0, first_only=size)
        actor, seen = await province(tx), []
        tx.add_query_logger(seen.append)
        await service.merge(tx, actor, [duplicate], survivor, "同一次地震", LATER)
        tx.remove_query_logger(seen.append)
        counts.append(len(seen))
        await tx.execute("DELETE FROM entitlement_guard")
        await tx.execute("UPDATE household SET status = 'duplicate'")
    assert counts[0] == counts[1]


async def test_after_a_merge_people_are_guarded_under_the_survivor(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=0, first_only=1)
    _, _, activation = await make.activated(tx, incident=duplicate)
    await service.merge(tx, await province(tx), [duplicate], survivor, "同一次地震", LATER)
    assert (await activations.get_steady(tx, activation)).survivor == survivor


async def test_records_that_come_home_late_for_a_merged_incident_are_taken(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await make.incident(tx), await make.incident(tx)
    actor = await province(tx)
    await service.merge(tx, actor, [duplicate], survivor, "同一次地震", LATER)
    (receipt,) = await register(tx, await reporter(tx), [make.registration(7, incident=duplicate)], LATER, keys)
    assert receipt.outcome == "new"
    await service.close(tx, actor, [survivor], "救助完成", LATER)
    (receipt,) = await register(tx, await reporter(tx), [make.registration(8, incident=duplicate)], LATER, keys)
    assert (receipt.outcome, receipt.code) == ("invalid", "incident_unknown")


async def test_a_case_is_answered_once_by_its_county(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=1)
    await service.merge(tx, await province(tx), [duplicate], survivor, "同一次地震", LATER)
    (case,) = await recoveries.open_cases(tx)
    with pytest.raises(Refused):
        await service.close_cases(tx, await make.staff(tx, ("county_officer", SHIMIAN)), LUDING, [case.id], "已追回", LATER)
    actor = await officer(tx)
    await service.close_cases(tx, actor, LUDING, [case.id], "已追回", LATER)
    with pytest.raises(Conflict):
        await service.close_cases(tx, actor, LUDING, [case.id], "已追回", LATER)
    assert await recoveries.open_cases(tx) == []


async def test_a_merge_waits_until_a_county_has_finished_deciding(pool: db.Pool) -> None:
    """Otherwise the decision would guard people under an incident that is no more."""
    async with db.begin(pool) as tx:
        survivor, duplicate = await make.incident(tx), await make.incident(tx)
        _, _, activation = await make.activated(tx, incident=duplicate)
        actor = await province(tx)

    async def merge() -> service.Merged:
        async with db.begin(pool) as tx:
            await tx.execute("SET LOCAL lock_timeout = '200ms'")
            return await service.merge(tx, actor, [duplicate], survivor, "同一次地震", LATER)

    async with db.begin(pool) as deciding:
        await activations.get_steady(deciding, activation)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await merge()
    assert (await merge()).merged == [duplicate]


async def test_two_merges_into_each_other_cannot_both_happen(pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        one, two, actor = await make.incident(tx), await make.incident(tx), await province(tx)

    async def merge(duplicate: UUID, survivor: UUID) -> bool:
        try:
            async with db.begin(pool) as tx:
                await service.merge(tx, actor, [duplicate], survivor, "同一次地震", LATER)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(merge(one, two), merge(two, one))) == [False, True]


async def held(tx: Tx) -> int:
    return int(await tx.fetchval("SELECT count(*) FROM hold WHERE kind = 'award' AND valid_to IS NULL"))


async def test_only_an_approver_releases_an_award_that_was_claimed_twice_and_no_other_hold_is_touched(tx: Tx, keys: Keys) -> None:
    survivor, duplicate = await two_incidents(tx, keys, again=2)
    await service.merge(tx, await province(tx), [duplicate], survivor, "同一次地震", LATER)
    first, second = await recoveries.open_cases(tx)
    await tx.execute(
        "INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from) VALUES ($1, 'award', $2, '投诉', $3, $4)",
        LUDING, str(first.award), (await officer(tx)).id, NOW,
    )  # fmt: skip
    with pytest.raises(Refused):
        await service.close_cases(tx, await officer(tx), LUDING, [first.id], "身份证号录入有误", LATER, release=True)
    approver = await make.staff(tx, ("county_approver", LUDING))
    await service.close_cases(tx, approver, LUDING, [first.id], "身份证号录入有误", LATER, release=True)
    assert await held(tx) == 2
    await service.close_cases(tx, approver, LUDING, [second.id], "确系重复", LATER)
    assert await held(tx) == 2


async def test_a_namesake_is_refused_while_it_is_open_and_numbered_after_it_was_closed(tx: Tx) -> None:
    """A false alarm in the morning does not keep the real one of the evening from being opened."""
    actor, quake = await officer(tx), NewIncident("020100", LUDING, NOW, drill=True)
    first = await zoning.open_incident(tx, actor, quake, NOW)
    with pytest.raises(Conflict) as caught:
        await zoning.open_incident(tx, actor, quake, NOW)
    assert caught.value.data["incident"] == str(first)
    await zoning.open_incident(tx, actor, msgspec.structs.replace(quake, drill=False), NOW)
    await service.close(tx, actor, [first], "误报", NOW)
    second = await zoning.open_incident(tx, actor, quake, NOW)
    assert (await incidents.get(tx, second)).name == "2022-09-05 泸定县地震（2）"
    with pytest.raises(Conflict):
        await zoning.open_incident(tx, actor, quake, NOW)
