"""Money stands still by hand and goes on again; the rest of an award is cancelled and its money is available again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from relief.domain.errors import Invalid, NotFound, Refused, ReliefError
from relief.domain.sealing import Keys
from relief.services import approve, disburse, freeze, stages
from relief.services.disburse import Writer
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE
from tests.services.settled import LAYOUT

LATER = NOW + timedelta(hours=2)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[ReliefError]]:
    with pytest.raises(ReliefError) as info:
        yield info
    assert info.value.code == code


async def _approved(tx: Tx, keys: Keys, conditions: tuple[str, ...] = ("none", "ground_broken")) -> list[UUID]:
    """Two households rebuilding, the first stage of each released."""
    incident = await make.incident(tx)
    await make.fund(tx, incident=incident, amount_fen=10**7, purpose="HOUSE")
    reporter = await make.staff(tx, ("reporter", MOXI))
    shares = {1: (10_000,), 2: (4_000, 6_000)}[len(conditions)]
    made = await make.awards(
        tx, keys, incident=incident, reporter=reporter, count=2, aid="HOUSE", amount_fen=2_000_000, conditions=conditions, shares_bp=shares
    )
    approver = await make.staff(tx, ("county_approver", LUDING))
    await approve.approve(tx, approver, LUDING, made, approve.digest_of([(a, 2_000_000) for a in made]), NOW)
    return made


async def _sound(tx: Tx) -> None:
    for invariant in (*invariants.MONEY, *invariants.STANDING):
        found = await invariants.examine(tx, invariant)
        assert not found.broken, found


async def _fund(tx: Tx) -> tuple[int, int]:
    row = await tx.fetchrow("SELECT available_fen, reserved_fen FROM fund WHERE purpose = 'HOUSE'")
    assert row is not None
    return row[0], row[1]


async def test_a_frozen_village_keeps_its_payments_out_of_the_batch_until_it_goes_on(tx: Tx, keys: Keys) -> None:
    await _approved(tx, keys)
    officer, preparer = await make.staff(tx, ("county_officer", LUDING)), await make.staff(tx, ("finance_preparer", LUDING))
    await tx.execute("INSERT INTO payer (county, name, account) VALUES ($1, '泸定县应急管理局（演示）', '6299995133220000000')", LUDING)
    await freeze.freeze(tx, officer, LUDING, "village", [VILLAGE], "群众反映名单不实", NOW)
    assert not await disburse.freeze(tx, preparer, LUDING, NOW, keys, Writer(LAYOUT, 5_000))
    with refused("held_already"):
        await freeze.freeze(tx, officer, LUDING, "village", [VILLAGE], "再次暂停", NOW)
    (hold,) = [r["id"] for r in await tx.fetch("SELECT id FROM hold WHERE by_hand")]
    assert await freeze.thaw(tx, officer, LUDING, [hold], "核实无误", LATER) == 1
    assert [f.lines for f in await disburse.freeze(tx, preparer, LUDING, LATER, keys, Writer(LAYOUT, 5_000))] == [2]
    with refused("moved_on"):
        await freeze.thaw(tx, officer, LUDING, [hold], "核实无误", LATER)


async def test_only_what_is_there_can_stand_still_and_only_who_may_says_so(tx: Tx, keys: Keys) -> None:
    (award, _) = await _approved(tx, keys)
    reviewer, finance = await make.staff(tx, ("township_reviewer", MOXI)), await make.staff(tx, ("finance_checker", LUDING))
    with pytest.raises(NotFound):
        await freeze.freeze(tx, finance, LUDING, "fund", [str(award)], "核对账目", NOW)
    with pytest.raises(Refused):
        await freeze.freeze(tx, finance, LUDING, "award", [str(award)], "核对账目", NOW)
    with pytest.raises(Invalid):
        await freeze.freeze(tx, reviewer, LUDING, "award", [str(award)], " ", NOW)
    fund = str(await tx.fetchval("SELECT id FROM fund WHERE purpose = 'HOUSE'"))
    assert await freeze.freeze(tx, finance, LUDING, "fund", [fund], "核对账目", NOW) == 1


async def test_what_is_sent_back_to_be_mended_is_not_approved_before_somebody_has_looked(tx: Tx, keys: Keys) -> None:
    incident = await make.incident(tx)
    await make.fund(tx, incident=incident, amount_fen=10**6)
    made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)))
    reviewer, digest = await make.staff(tx, ("township_reviewer", MOXI)), approve.digest_of([(made[0], 90_000)])
    await freeze.send_back(tx, reviewer, LUDING, made, "补充受灾照片", NOW)
    with refused("on_hold"):
        await approve.approve(tx, reviewer, LUDING, made, digest, NOW)
    hold, reason = await tx.fetchrow("SELECT id, reason FROM hold WHERE kind = 'award'") or (None, None)
    assert reason == "退回补正：补充受灾照片"
    await freeze.thaw(tx, reviewer, LUDING, [hold], "已补齐", LATER)
    assert (await approve.approve(tx, reviewer, LUDING, made, digest, LATER)).awards == 1


async def test_the_rest_is_cancelled_and_its_money_available_again(tx: Tx, keys: Keys) -> None:
    made = await _approved(tx, keys)
    approver = await make.staff(tx, ("county_approver", LUDING))
    before = await _fund(tx)
    done = await freeze.cancel_rest(tx, approver, LUDING, made[:1], "moved", "已迁往外省，由当地救助", LATER)
    assert (done.stages, done.amount_fen, done.left) == (2, 2_000_000, 0)
    assert await _fund(tx) == (before[0] + 2_000_000, before[1] - 2_000_000)
    assert await tx.fetchval("SELECT status FROM award WHERE id = $1", made[0]) == "withdrawn"
    assert {r[0] for r in await tx.fetch("SELECT status FROM payment WHERE award = $1", made[0])} == {"cancelled"}
    await _sound(tx)
    with refused("moved_on"):
        await freeze.cancel_rest(tx, approver, LUDING, made[:1], "moved", "再来一次", LATER)


async def test_what_lies_in_a_batch_is_left_alone_when_the_rest_is_cancelled(tx: Tx, keys: Keys) -> None:
    made = await _approved(tx, keys)
    await tx.execute("INSERT INTO payer (county, name, account) VALUES ($1, '泸定县应急管理局（演示）', '6299995133220000000')", LUDING)
    await disburse.freeze(tx, await make.staff(tx, ("finance_preparer", LUDING)), LUDING, NOW, keys, Writer(LAYOUT, 5_000))
    approver = await make.staff(tx, ("county_approver", LUDING))
    done = await freeze.cancel_rest(tx, approver, LUDING, made, "death", "户主去世，余款停发", LATER)
    assert (done.stages, done.amount_fen, done.left) == (2, 2 * 1_200_000, 2)
    assert [r[0] for r in await tx.fetch("SELECT status FROM instalment WHERE award = $1 ORDER BY seq", made[0])] == [
        "released",
        "cancelled",
    ]
    await _sound(tx)
    with refused("nothing_left"):
        await freeze.cancel_rest(tx, approver, LUDING, made, "death", "户主去世，余款停发", LATER)
    assert await stages.fall_due(tx, NOW + timedelta(days=400)) == 0
