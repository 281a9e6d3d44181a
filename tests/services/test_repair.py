"""Every reason of the bank has its way back: another account, the same account once something is done, or none at all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from relief.channels import bank_layouts
from relief.demo import numbers
from relief.domain.batch import REASONS
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.repair import NO_RETRY, REPAIRS
from relief.domain.sealing import Keys
from relief.services import correct, disburse
from relief.services.correct import Correction
from relief.services.disburse import Frozen, Writer
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW
from tests.services.test_correct import _for, _returned
from tests.services.test_disburse import Office, office

DAY = timedelta(hours=24)


async def returned_for(tx: Tx, keys: Keys, reason: str) -> tuple[Office, UUID]:
    here, payment = await _returned(tx, keys)
    await tx.execute("UPDATE payment SET reason = $2 WHERE id = $1", payment, reason)
    return here, payment


def test_every_reason_says_who_does_what_and_when_it_is_tried_again() -> None:
    assert set(REPAIRS) == REASONS
    assert frozenset({"F09", "F10", "F13"}) == NO_RETRY
    assert all(r.who.zh and r.what.en and r.when.zh for r in REPAIRS.values())


@pytest.mark.parametrize("reason", sorted(NO_RETRY))
async def test_no_other_account_mends_a_death_a_duplicate_or_silence(tx: Tx, keys: Keys, reason: str) -> None:
    here, payment = await returned_for(tx, keys, reason)
    with pytest.raises(Conflict) as caught:
        await correct.propose(tx, here.reporter, LUDING, _for(payment), NOW, keys)
    assert caught.value.code == "no_retry"


@pytest.mark.parametrize(("reason", "tried"), [("F05", True), ("F07", True), ("F12", True), ("F01", False), ("F09", False)])
async def test_the_same_account_is_tried_again_only_where_that_can_help(tx: Tx, keys: Keys, reason: str, tried: bool) -> None:
    here, payment = await returned_for(tx, keys, reason)
    checker = await make.staff(tx, ("finance_checker", LUDING))
    if not tried:
        with pytest.raises(Conflict) as caught:
            await correct.again(tx, checker, LUDING, [payment], "已办妥", NOW)
        assert caught.value.code == "no_retry"
        return
    [attempt] = await correct.again(tx, checker, LUDING, [payment], "已到柜台激活", NOW)
    same = await tx.fetchval(
        "SELECT n.account = p.account AND n.attempt = 2 FROM payment n, payment p WHERE n.id = $1 AND p.id = $2", attempt, payment
    )
    assert same
    with pytest.raises(Conflict):
        await correct.again(tx, checker, LUDING, [payment], "又一次", NOW)
    assert here.reporter.id


async def cooling(tx: Tx, keys: Keys) -> tuple[Office, list[UUID]]:
    here, payment = await returned_for(tx, keys, "F01")
    accounts = await correct.propose(tx, here.reporter, LUDING, _for(payment), NOW, keys)
    await correct.confirm(tx, here.reviewer, LUDING, accounts, NOW)
    return here, accounts


async def frozen(tx: Tx, here: Office, keys: Keys, after: timedelta) -> list[Frozen]:
    writer = Writer(layout=bank_layouts.load_all(), max_lines=100)
    return await disburse.freeze(tx, here.prepare, LUDING, NOW + after, keys, writer)


async def test_a_changed_card_cools_off_for_a_day_and_is_then_paid(tx: Tx, keys: Keys) -> None:
    here, _ = await cooling(tx, keys)
    assert await frozen(tx, here, keys, DAY - timedelta(seconds=1)) == []
    assert len(await frozen(tx, here, keys, DAY)) == 1


async def test_a_third_person_may_release_a_changed_card_with_a_reason(tx: Tx, keys: Keys) -> None:
    here, accounts = await cooling(tx, keys)
    approver = await make.staff(tx, ("county_approver", LUDING))
    assert await correct.release(tx, approver, LUDING, accounts, "电话核实本人", NOW) == 1
    assert len(await frozen(tx, here, keys, timedelta(0))) == 1


async def test_only_the_countys_approver_releases_a_changed_card(tx: Tx, keys: Keys) -> None:
    here, accounts = await cooling(tx, keys)
    with pytest.raises(Refused) as refused:
        await correct.release(tx, here.reviewer, LUDING, accounts, "x", NOW)
    assert refused.value.code == "not_permitted"


async def test_the_same_number_once_it_works_again_need_not_cool_off(tx: Tx, keys: Keys) -> None:
    here, payment = await returned_for(tx, keys, "F05")
    accounts = await correct.propose(tx, here.reporter, LUDING, [Correction(payment, numbers.account(0), "402")], NOW, keys)
    await correct.confirm(tx, here.reviewer, LUDING, accounts, NOW)
    assert len(await frozen(tx, here, keys, timedelta(0))) == 1


async def test_a_name_the_banks_file_cannot_hold_becomes_a_case_and_the_others_are_frozen(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys, count=3)
    account = await tx.fetchrow(
        "SELECT c.id, c.person FROM account c JOIN payment p ON p.account = c.id AND p.status = 'approved' ORDER BY p.reference LIMIT 1"
    )
    assert account is not None
    sealed = keys.seal("account", account["id"], "sealed", msgspec.json.encode({"holder": "甄𠮷", "number": numbers.account(0)}))
    await tx.execute("UPDATE account SET sealed = $2 WHERE id = $1", account["id"], sealed)
    narrow = Writer(layout=msgspec.structs.replace(bank_layouts.load("yikatong"), encoding="gb2312"), max_lines=100)
    [batch] = await disburse.freeze(tx, here.prepare, LUDING, NOW, keys, narrow)
    assert batch.lines == 2
    case = await tx.fetchrow("SELECT payment, layout, field, closed_at FROM unfit_line")
    assert case is not None
    assert (case["layout"], case["field"], case["closed_at"]) == ("yikatong", "name", None)
    assert await disburse.freeze(tx, here.prepare, LUDING, NOW, keys, narrow) == []
    item = Correction(case["payment"], numbers.account(0), "402", holder="甄吉")
    accounts = await correct.propose(tx, here.reporter, LUDING, [item], NOW, keys)
    await correct.confirm(tx, here.reviewer, LUDING, accounts, NOW)
    assert [f.lines for f in await disburse.freeze(tx, here.prepare, LUDING, NOW + DAY, keys, narrow)] == [1]
    assert await tx.fetchval("SELECT count(*) FROM unfit_line WHERE closed_at IS NULL") == 0


async def test_a_wrong_check_digit_is_a_warning_that_somebody_who_compared_the_card_may_overrule(tx: Tx, keys: Keys) -> None:
    here, payment = await returned_for(tx, keys, "F01")
    odd = numbers.account(777)[:-1] + str((int(numbers.account(777)[-1]) + 1) % 10)
    with pytest.raises(Invalid) as caught:
        await correct.propose(tx, here.reporter, LUDING, [Correction(payment, odd, "402")], NOW, keys)
    assert caught.value.code == "account_checksum"
    assert len(await correct.propose(tx, here.reporter, LUDING, [Correction(payment, odd, "402", sure=True)], NOW, keys)) == 1
