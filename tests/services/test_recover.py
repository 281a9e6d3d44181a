"""Money asked back: claimed, written for, repaid, set off against a later stage, written off by two — and every fen of it in the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import incidents, recover
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING
from tests.services.settled import FEN, LATER, AtBank, at_bank, result, row, take

pytestmark = pytest.mark.slow

NOTE = "泸应急函〔2022〕3号"


class Owed(msgspec.Struct, frozen=True):
    """A household that was paid FEN and has a second stage of FEN to come; who works on it and who decides."""

    sent: AtBank
    stage: UUID
    officer: Actor
    second: Actor

    @property
    def payment(self) -> UUID:
        return self.sent.payments[0]


async def owed(tx: Tx, keys: Keys) -> Owed:
    sent = await at_bank(tx, keys)
    await tx.execute("UPDATE award SET amount_fen = 2 * amount_fen WHERE id = $1", sent.payments[0])
    stage = await tx.fetchval(
        "INSERT INTO instalment (county, award, seq, amount_fen, condition, status) VALUES ($1, $2, 2, $3, 'framed', 'waiting') RETURNING id",
        LUDING, sent.payments[0], FEN,
    )  # fmt: skip
    await tx.execute("UPDATE fund SET reserved_fen = reserved_fen + $2, allocated_fen = allocated_fen + $2 WHERE id = $1", sent.fund, FEN)
    await take(tx, keys, result([row(sent, 0)]))
    officer = await make.staff(tx, ("county_officer", LUDING))
    return Owed(sent, stage, officer, await make.staff(tx, ("county_approver", LUDING)))


async def case(tx: Tx, o: Owed, fen: int = 50_000) -> UUID:
    return await recover.open_case(tx, o.officer, LUDING, o.payment, fen, "房屋等级核低", LATER)


async def purse(tx: Tx, o: Owed) -> tuple[int, int, int]:
    """Available, reserved and paid of the fund."""
    found = await tx.fetchrow("SELECT available_fen, reserved_fen, paid_fen FROM fund WHERE id = $1", o.sent.fund)
    assert found is not None
    return tuple(found)


async def sound(tx: Tx, *names: str) -> None:
    """These invariants hold."""
    for invariant in invariants.ALL:
        if invariant.name in names:
            found = await invariants.examine(tx, invariant)
            assert not found.broken, (found.name, found.rows)


#: What a recovery could break.
BOOKS = ("fund_equation", "in_flight_and_paid_are_payments", "reserved_covers_awards", "instalments_sum_to_award", "settled_means_paid", "recoveries_add_up", "transfer_has_its_act")  # fmt: skip


async def stages(tx: Tx, o: Owed) -> list[tuple[Any, ...]]:
    rows = await tx.fetch("SELECT seq, amount_fen, status FROM instalment WHERE award = $1 ORDER BY seq", o.payment)
    return [tuple(r) for r in rows]


async def test_what_is_repaid_goes_back_to_the_fund_it_came_from_and_the_case_closes(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    id_ = await case(tx, o)
    await recover.letter(tx, o.officer, LUDING, id_, NOTE, LATER)
    await recover.repay(tx, o.officer, LUDING, id_, 20_000, "回单1", LATER)
    with pytest.raises(Conflict) as early:
        await recover.close(tx, o.officer, LUDING, id_, "已结", LATER)
    assert early.value.code == "still_owed"
    await recover.repay(tx, o.officer, LUDING, id_, 30_000, "回单2", LATER)
    assert await purse(tx, o) == (1000 + 50_000, FEN, FEN - 50_000)
    moved = await tx.fetch("SELECT source, target, amount_fen FROM transfer WHERE subject = 'recovery' ORDER BY amount_fen")
    assert [tuple(m) for m in moved] == [("paid", "available", 20_000), ("paid", "available", 30_000)]
    await recover.close(tx, o.officer, LUDING, id_, "已全部收回", LATER)
    await sound(tx, *BOOKS)


async def test_a_stage_set_off_pays_less_and_the_stages_still_sum_to_the_award(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    id_ = await case(tx, o)
    entry = await recover.propose_offset(tx, o.officer, LUDING, id_, o.stage, 50_000, "consent", "同意书", LATER)
    assert await stages(tx, o) == [(1, FEN, "settled"), (2, FEN, "waiting")]
    assert await recover.decide(tx, o.second, LUDING, [entry], True, LATER) == 1
    assert await stages(tx, o) == [(1, FEN, "settled"), (2, FEN - 50_000, "waiting"), (3, 50_000, "cancelled")]
    assert await purse(tx, o) == (1000 + 50_000, FEN - 50_000, FEN)
    await recover.close(tx, o.officer, LUDING, id_, "已抵扣", LATER)
    await sound(tx, *BOOKS)


async def test_a_whole_stage_set_off_completes_the_award(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    id_ = await case(tx, o, FEN)
    entry = await recover.propose_offset(tx, o.officer, LUDING, id_, o.stage, FEN, "decision", "县政府决定", LATER)
    await recover.decide(tx, o.second, LUDING, [entry], True, LATER)
    assert await stages(tx, o) == [(1, FEN, "settled"), (2, FEN, "cancelled")]
    assert await tx.fetchval("SELECT status FROM award WHERE id = $1", o.payment) == "completed"
    await sound(tx, *BOOKS)


async def test_a_write_off_and_a_set_off_need_a_second_person(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    both = await make.staff(tx, ("county_officer", LUDING), ("county_approver", LUDING))
    id_ = await case(tx, o)
    mine = [
        await recover.propose_write_off(tx, both, LUDING, id_, 10_000, "五保户", LATER),
        await recover.propose_offset(tx, both, LUDING, id_, o.stage, 10_000, "consent", "同意书", LATER),
    ]
    for entry in mine:
        with pytest.raises(Refused) as refused:
            await recover.decide(tx, both, LUDING, [entry], True, LATER)
        assert refused.value.code == "same_person"
    assert await recover.decide(tx, o.second, LUDING, mine[1:], False, LATER) == 0
    assert await recover.decide(tx, o.second, LUDING, mine[:1], True, LATER) == 1
    assert await stages(tx, o) == [(1, FEN, "settled"), (2, FEN, "waiting")]
    with pytest.raises(Conflict):
        await recover.decide(tx, o.second, LUDING, mine[:1], True, LATER)
    await recover.repay(tx, o.officer, LUDING, id_, 40_000, "回单", LATER)
    await recover.close(tx, o.officer, LUDING, id_, "收回四百元，核销一百元", LATER)
    await sound(tx, *BOOKS)


async def test_no_more_is_claimed_than_was_paid_and_no_more_comes_back_than_is_owed(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    with pytest.raises(Invalid):
        await case(tx, o, FEN + 1)
    id_ = await tx.fetchval("SELECT id FROM recovery_case WHERE county = $1", LUDING)
    await recover.claim(tx, o.officer, LUDING, id_, FEN, "全部", LATER)
    for act in (
        recover.claim(tx, o.officer, LUDING, id_, 1, "再多", LATER), recover.repay(tx, o.officer, LUDING, id_, FEN + 1, "回单", LATER),
        recover.repay(tx, o.officer, LUDING, id_, -5, "回单", LATER), recover.repay(tx, o.officer, LUDING, id_, 5, " ", LATER),
        recover.propose_write_off(tx, o.officer, LUDING, id_, FEN + 1, "x", LATER),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await act
    await recover.propose_write_off(tx, o.officer, LUDING, id_, FEN, "全部核销", LATER)
    with pytest.raises(Invalid):
        await recover.repay(tx, o.officer, LUDING, id_, 1, "回单", LATER)


async def test_only_a_stage_of_that_household_and_fund_that_has_not_left_is_set_off_against(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    id_ = await case(tx, o)
    first = await tx.fetchval("SELECT id FROM instalment WHERE award = $1 AND seq = 1", o.payment)
    for stage in (first, uuid4()):
        with pytest.raises(Conflict) as caught:
            await recover.propose_offset(tx, o.officer, LUDING, id_, stage, 100, "consent", "同意书", LATER)
        assert caught.value.code == "no_such_stage"
    entry = await recover.propose_offset(tx, o.officer, LUDING, id_, o.stage, 100, "consent", "同意书", LATER)
    await tx.execute("UPDATE instalment SET status = 'released' WHERE id = $1", o.stage)
    with pytest.raises(Conflict):
        await recover.decide(tx, o.second, LUDING, [entry], True, LATER)


async def test_a_case_that_is_still_owed_on_is_closed_by_no_answer(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    id_ = await case(tx, o)
    with pytest.raises(Conflict) as caught:
        await incidents.close_cases(tx, o.officer, LUDING, [id_], "无法收回", LATER)
    assert caught.value.code == "still_owed"


async def test_one_payment_has_one_open_case_and_only_a_paid_one_has_any(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    await case(tx, o)
    with pytest.raises(Conflict):
        await case(tx, o)
    other = await at_bank(tx, keys, serial=2)
    with pytest.raises(Conflict) as caught:
        await recover.open_case(tx, o.officer, LUDING, other.payments[0], 100, "x", LATER)
    assert caught.value.code == "not_paid"


async def test_the_county_alone_asks_money_back(tx: Tx, keys: Keys) -> None:
    o = await owed(tx, keys)
    for who in (await make.staff(tx, ("reporter", LUDING)), await make.staff(tx, ("county_officer", make.SHIMIAN))):
        with pytest.raises(Refused):
            await recover.open_case(tx, who, LUDING, o.payment, 100, "x", LATER)
