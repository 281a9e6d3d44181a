"""Funds come down the levels, are cut only as far as nobody has reserved them, and are corrected by the opposite entry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from relief.domain.errors import Conflict, Refused, ReliefError
from relief.domain.sealing import Keys
from relief.services import approve, coming, fund
from relief.services.fund import NewAllotment, NewFund
from relief.store import db, invariants
from relief.store.db import Pool, Tx
from relief.store.views import standing
from tests import make
from tests.make import LUDING, MOXI, NOW

LATER = NOW + timedelta(days=3)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[ReliefError]]:
    with pytest.raises(ReliefError) as info:
        yield info
    assert info.value.code == code


def _new(incident: UUID, amount_fen: int, **changes: object) -> NewFund:
    plain = NewFund(LUDING, incident, "province", 2022, "川财〔2022〕9号", "2240703", "EMERG", amount_fen)
    return msgspec.structs.replace(plain, **changes)


async def _sound(tx: Tx) -> None:
    for invariant in (*invariants.MONEY, *invariants.STANDING):
        found = await invariants.examine(tx, invariant)
        assert not found.broken, found


async def test_an_allotment_is_passed_down_the_levels_and_never_twice(tx: Tx) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    above = NewAllotment("51", incident, "central", 2022, "财资环〔2022〕1号", "2240703", "EMERG", 1_000_000)
    province = await fund.allot(tx, officer, above, NOW)
    city = await fund.allot(
        tx, officer, NewAllotment("5133", incident, "central", 2022, "川财〔2022〕2号", "2240703", "EMERG", 600_000, province), NOW
    )
    await fund.allocate(tx, officer, _new(incident, 500_000, allotment=city), NOW)
    with refused("allotment_short") as told:
        await fund.allocate(tx, officer, _new(incident, 200_000, allotment=city, document="川财〔2022〕10号"), NOW)
    assert (told.value.data["amount_fen"], told.value.data["passed_fen"], told.value.data["asked_fen"]) == (600_000, 500_000, 200_000)
    with refused("allotment_differs"):
        await fund.allocate(tx, officer, _new(incident, 100, allotment=city, document="川财〔2022〕11号", county="511824"), NOW)
    await _sound(tx)


async def test_a_donation_keeps_its_donors_purpose_and_nothing_else_has_one(tx: Tx) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    given = await fund.allocate(tx, officer, _new(incident, 100, source="donation", donor_purpose="仅用于磨西镇儿童"), NOW)
    assert await tx.fetchval("SELECT donor_purpose FROM fund WHERE id = $1", given) == "仅用于磨西镇儿童"
    with refused("donor_purpose"):
        await fund.allocate(tx, officer, _new(incident, 100, donor_purpose="x", document="y"), NOW)


async def test_a_fund_past_its_last_day_pays_for_nothing_more(tx: Tx, keys: Keys) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    await fund.allocate(tx, officer, _new(incident, 10**6, valid_to=NOW.date()), NOW)
    made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)))
    reviewer, digest = await make.staff(tx, ("township_reviewer", MOXI)), approve.digest_of([(made[0], 90_000)])
    with refused("fund_short"):
        await approve.approve(tx, reviewer, LUDING, made, digest, LATER)
    assert (await approve.approve(tx, reviewer, LUDING, made, digest, NOW)).awards == 1


async def test_a_cut_below_what_is_reserved_is_refused_with_figures(tx: Tx, keys: Keys) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    held = await fund.allocate(tx, officer, _new(incident, 200_000), NOW)
    made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)))
    await approve.approve(tx, await make.staff(tx, ("township_reviewer", MOXI)), LUDING, made, approve.digest_of([(made[0], 90_000)]), NOW)
    with refused("below_reserved") as told:
        await fund.adjust(tx, officer, LUDING, held, -150_000, "川财〔2022〕15号", NOW)
    assert told.value.data == {"allocated_fen": 200_000, "used_fen": 90_000, "available_fen": 110_000, "asked_fen": 150_000}
    await fund.adjust(tx, officer, LUDING, held, -110_000, "川财〔2022〕15号", LATER)
    await fund.adjust(tx, officer, LUDING, held, 5_000, "川财〔2022〕16号", LATER)
    assert tuple(await tx.fetchrow("SELECT allocated_fen, available_fen, reserved_fen FROM fund WHERE id = $1", held) or ()) == (
        95_000,
        5_000,
        90_000,
    )
    await _sound(tx)


async def test_a_correction_is_the_opposite_entry_and_names_the_one_it_corrects(tx: Tx) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    held = await fund.allocate(tx, officer, _new(incident, 200_000), NOW)
    await fund.adjust(tx, officer, LUDING, held, 77_000, "川财〔2022〕15号", NOW)
    checker = await make.staff(tx, ("finance_checker", LUDING))
    wrong = next(e for e in await standing.entries(tx, LUDING, held, 10) if e.amount_fen == 77_000)
    with pytest.raises(Refused):
        await fund.correct(tx, await make.staff(tx, ("reporter", MOXI)), LUDING, wrong.id, "录错", LATER)
    await fund.correct(tx, checker, LUDING, wrong.id, "金额录错", LATER)
    opposite = next(e for e in await standing.entries(tx, LUDING, held, 10) if e.corrects == wrong.id)
    assert (opposite.source, opposite.target, opposite.amount_fen) == (wrong.target, wrong.source, 77_000)
    for again in (wrong.id, opposite.id):
        with refused("corrected_already"):
            await fund.correct(tx, checker, LUDING, again, "再来", LATER)
    await _sound(tx)


async def test_a_balance_can_be_read_at_any_past_moment(tx: Tx, keys: Keys) -> None:
    incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
    held = await fund.allocate(tx, officer, _new(incident, 200_000), NOW)
    made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)))
    await approve.approve(
        tx, await make.staff(tx, ("township_reviewer", MOXI)), LUDING, made, approve.digest_of([(made[0], 90_000)]), LATER
    )

    async def at(moment: object) -> tuple[int, int, int]:
        (one,) = [f for f in await standing.funds_at(tx, [f"{LUDING}%"], moment, 50) if f.id == held]  # type: ignore[arg-type]
        return one.allocated_fen, one.available_fen, one.reserved_fen

    assert await at(NOW - timedelta(seconds=1)) == (0, 0, 0)
    assert await at(NOW) == (200_000, 200_000, 0)
    assert await at(LATER) == (200_000, 110_000, 90_000)


async def test_what_is_approved_stands_in_the_calendar_and_what_waits_without_money_is_told(tx: Tx, keys: Keys) -> None:
    incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
    await make.fund(tx, incident=incident, amount_fen=1_000_000, purpose="HOUSE")
    made = await make.awards(
        tx,
        keys,
        incident=incident,
        reporter=reporter,
        aid="HOUSE",
        amount_fen=900_000,
        conditions=("none", "ground_broken"),
        shares_bp=(3_000, 7_000),
    )
    await approve.approve(tx, await make.staff(tx, ("county_approver", LUDING)), LUDING, made, approve.digest_of([(made[0], 900_000)]), NOW)
    assert [(m.month, m.stages, m.amount_fen) for m in await coming.calendar(tx, [f"{LUDING}%"], NOW)] == [("", 1, 630_000)]
    await make.awards(tx, keys, incident=incident, reporter=reporter, first=50, aid="HOUSE", amount_fen=400_000)
    (short,) = [s for s in await standing.short(tx, [f"{LUDING}%"], NOW.date()) if s.incident == incident]
    assert (short.awards, short.proposed_fen, short.available_fen) == (1, 400_000, 100_000)


async def test_two_cuts_at_once_never_pass_what_is_available(pool: Pool) -> None:
    async with db.begin(pool) as tx:
        incident, officer = await make.incident(tx), await make.staff(tx, ("province_officer", "51"))
        held = await fund.allocate(tx, officer, _new(incident, 100_000), NOW)

    async def cut() -> str:
        try:
            async with db.begin(pool) as tx:
                await fund.adjust(tx, officer, LUDING, held, -60_000, "川财〔2022〕15号", NOW)
        except Conflict as error:
            return error.code
        return "cut"

    assert sorted(await asyncio.gather(cut(), cut())) == ["below_reserved", "cut"]
