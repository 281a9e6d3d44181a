"""What the bank said and could not be booked is worked off by people, and moves no money by that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from relief.domain.bank_cases import CASES, CONTRADICTIONS, alarm, due_on
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import exceptions, settle, verdict
from relief.services.exceptions import Item
from relief.services.verdict import Finding
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW
from tests.services.settled import (
    FEN,
    LATER,
    AtBank,
    at_bank,
    batch_status,
    codes,
    ledger_agrees,
    money,
    result,
    row,
    statement,
    statuses,
    take,
)
from tests.services.test_receipts import receipt

pytestmark = pytest.mark.slow

LETTER = Finding(outcome="returned", document="泸农信函〔2022〕7号", digest="ab" * 32, note="柜面流水核对", reason="F13")


async def people(tx: Tx) -> tuple[Actor, Actor]:
    """经办 and 复核."""
    return await make.staff(tx, ("finance_preparer", LUDING)), await make.staff(tx, ("finance_checker", LUDING))


async def open_rows(tx: Tx, sent: AtBank) -> list[Item]:
    rows = await tx.fetch(
        "SELECT file, row FROM bank_row WHERE county = $1 AND disposition = 'exception' AND closed_at IS NULL", sent.county
    )
    return [Item(r["file"], r["row"]) for r in rows]


async def holds(tx: Tx, sent: AtBank) -> int:
    return int(
        await tx.fetchval(
            "SELECT count(*) FROM hold WHERE subject = ANY ($1::text[]) AND valid_to IS NULL", [str(p) for p in sent.payments]
        )
    )


async def test_an_answered_exception_is_closed_once_with_who_and_why(tx: Tx, keys: Keys) -> None:
    sent, (officer, _) = await at_bank(tx, keys), await people(tx)
    await take(tx, keys, result([row(sent, 0, fen=FEN + 1)]))
    [item] = await open_rows(tx, sent)
    await exceptions.answer(tx, officer, LUDING, [item], "bank corrects", "已电话请银行重发", LATER)
    assert await codes(tx, sent) == []
    kept = await tx.fetchrow("SELECT answer, note, by_person FROM bank_row_answer WHERE file = $1", item.file)
    assert kept is not None
    assert tuple(kept) == ("bank corrects", "已电话请银行重发", officer.id)
    assert (await statuses(tx, sent), await money(tx, sent)) == (["sent"], (FEN, 0, 0))
    with pytest.raises(Conflict):
        await exceptions.answer(tx, officer, LUDING, [item], "bank corrects", "又一次", LATER)


@pytest.mark.parametrize(
    ("said", "note", "code"),
    [("not ours", "x", "answer"), ("verdict", "x", "answer"), ("nonsense", "x", "answer"), ("bank corrects", " ", "note")],
)
async def test_only_what_the_code_allows_may_be_said_and_never_without_a_note(tx: Tx, keys: Keys, said: str, note: str, code: str) -> None:
    sent, (officer, _) = await at_bank(tx, keys), await people(tx)
    await take(tx, keys, result([row(sent, 0, fen=FEN + 1)]))
    with pytest.raises(Invalid) as caught:
        await exceptions.answer(tx, officer, LUDING, await open_rows(tx, sent), said, note, LATER)
    assert caught.value.code == code


async def test_an_exception_is_not_called_answered_before_another_file_has_done_so(tx: Tx, keys: Keys) -> None:
    sent, (officer, _) = await at_bank(tx, keys), await people(tx)
    await take(tx, keys, result([row(sent, 0, "已入账")]))
    with pytest.raises(Conflict, match="no other file"):
        await exceptions.answer(tx, officer, LUDING, await open_rows(tx, sent), "answered", "对账单", LATER)
    await take(tx, keys, statement([row(sent, 0)]))
    await exceptions.answer(tx, officer, LUDING, await open_rows(tx, sent), "answered", "对账单", LATER)
    assert await codes(tx, sent) == []


async def test_the_hold_of_a_contradiction_ends_with_the_last_answer(tx: Tx, keys: Keys) -> None:
    sent, (_, checker) = await at_bank(tx, keys), await people(tx)
    await take(tx, keys, result([row(sent, 0)]))
    await take(tx, keys, result([row(sent, 0, "returned")]))
    await take(tx, keys, statement([row(sent, 0, bank_ref="B999")]))
    assert (await codes(tx, sent), await holds(tx, sent)) == (["fail_after_success", "paid_twice"], 1)
    for left, item in ((1, (await open_rows(tx, sent))[0]), (0, (await open_rows(tx, sent))[1])):
        await exceptions.answer(tx, checker, LUDING, [item], "lifted", "银行书面确认仅入账一次", LATER)
        assert await holds(tx, sent) == left


async def test_only_finance_of_the_county_works_exceptions_off(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0, fen=FEN + 1)]))
    for who in (await make.staff(tx, ("county_officer", LUDING)), await make.staff(tx, ("finance_preparer", make.SHIMIAN))):
        with pytest.raises(Refused):
            await exceptions.answer(tx, who, LUDING, await open_rows(tx, sent), "bank corrects", "x", LATER)


def test_every_code_a_row_can_get_has_an_owner_a_deadline_and_a_way_out() -> None:
    assert set(CONTRADICTIONS) == set(settle.CONTRADICTIONS)
    for code, case in CASES.items():
        assert case.may, code
        assert case.owner in ("finance_preparer", "finance_checker")
        assert due_on(code, NOW) > NOW.date()


async def silent(tx: Tx, keys: Keys, lines: int = 1) -> AtBank:
    """A batch the bank never answered."""
    sent = await at_bank(tx, keys, lines)
    await settle.overdue(tx, NOW + timedelta(days=2), timedelta(days=1))
    assert set(await statuses(tx, sent)) == {"unknown"}
    return sent


def finding(**changes: Any) -> Finding:
    return Finding(**{"outcome": "returned", "document": "函1号", "digest": "ab" * 32, "note": "核对", "reason": "F13", **changes})


async def decided(tx: Tx, keys: Keys, sent: AtBank, outcome: str, payments: list[UUID] | None = None) -> int:
    officer, checker = await people(tx)
    ids = await verdict.propose(tx, officer, LUDING, payments or sent.payments, finding(outcome=outcome), LATER)
    return await verdict.confirm(tx, checker, LUDING, ids, LATER, keys)


async def test_silence_found_not_paid_gives_the_money_back_by_two_people(tx: Tx, keys: Keys) -> None:
    sent = await silent(tx, keys, 2)
    assert await decided(tx, keys, sent, "returned") == 2
    assert (await statuses(tx, sent), await money(tx, sent)) == (["returned", "returned"], (0, 0, 2 * FEN))
    assert await ledger_agrees(tx, sent)
    assert await batch_status(tx, sent) == "settled"
    assert await tx.fetchval("SELECT DISTINCT reason FROM payment WHERE batch = $1", sent.batch) == "F13"


async def test_silence_found_paid_is_paid_and_the_resident_is_told(tx: Tx, keys: Keys) -> None:
    sent = await silent(tx, keys)
    await decided(tx, keys, sent, "paid")
    assert (await statuses(tx, sent), await money(tx, sent)) == (["paid"], (0, FEN, 0))
    assert await tx.fetchval("SELECT count(*) FROM message WHERE payment = $1", sent.payments[0]) == 1
    assert (await take(tx, keys, result([row(sent, 0, bank_ref="")]))).repeat == 1


async def test_whoever_proposed_a_verdict_may_not_decide_it_and_nothing_moves_before(tx: Tx, keys: Keys) -> None:
    sent = await silent(tx, keys)
    both = await make.staff(tx, ("finance_preparer", LUDING), ("finance_checker", LUDING))
    ids = await verdict.propose(tx, both, LUDING, sent.payments, LETTER, LATER)
    for decide in (verdict.refuse(tx, both, LUDING, ids, LATER), verdict.confirm(tx, both, LUDING, ids, LATER, keys)):
        with pytest.raises(Refused) as caught:
            await decide
        assert caught.value.code == "same_person"
    assert await money(tx, sent) == (FEN, 0, 0)


async def test_a_refused_verdict_moves_nothing_and_another_may_be_proposed(tx: Tx, keys: Keys) -> None:
    sent, (officer, checker) = await silent(tx, keys), await people(tx)
    ids = await verdict.propose(tx, officer, LUDING, sent.payments, LETTER, LATER)
    assert await verdict.refuse(tx, checker, LUDING, ids, LATER) == 1
    with pytest.raises(Conflict):
        await verdict.confirm(tx, checker, LUDING, ids, LATER, keys)
    assert await statuses(tx, sent) == ["unknown"]
    assert await decided(tx, keys, sent, "paid") == 1


async def test_what_the_bank_may_still_answer_is_not_judged_by_hand(tx: Tx, keys: Keys) -> None:
    sent, (officer, _) = await at_bank(tx, keys), await people(tx)
    with pytest.raises(Conflict) as caught:
        await verdict.propose(tx, officer, LUDING, sent.payments, LETTER, LATER)
    assert caught.value.code == "not_unknown"
    await take(tx, keys, result([row(sent, 0, "returned")]))
    with pytest.raises(Conflict):
        await verdict.propose(tx, officer, LUDING, sent.payments, LETTER, LATER)


async def test_an_answer_that_comes_before_the_second_person_makes_the_verdict_moot(tx: Tx, keys: Keys) -> None:
    sent, (officer, checker) = await silent(tx, keys), await people(tx)
    ids = await verdict.propose(tx, officer, LUDING, sent.payments, finding(outcome="paid"), LATER)
    await take(tx, keys, result([row(sent, 0, "returned")]))
    with pytest.raises(Conflict):
        await verdict.confirm(tx, checker, LUDING, ids, LATER, keys)
    assert (await statuses(tx, sent), await money(tx, sent)) == (["returned"], (0, 0, FEN))


async def test_a_batch_turned_down_is_given_back_line_by_line_when_the_bank_has_said_so_in_writing(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    await receipt(tx, keys, sent, False)
    assert await decided(tx, keys, sent, "returned") == 2
    assert (await batch_status(tx, sent), await money(tx, sent)) == ("rejected", (0, 0, 2 * FEN))


async def test_a_failure_after_success_that_did_come_back_is_undone_by_two_people_and_its_hold_ends(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0)]))
    await take(tx, keys, result([row(sent, 0, "returned")]))
    await decided(tx, keys, sent, "returned")
    assert (await statuses(tx, sent), await money(tx, sent)) == (["returned"], (0, 0, FEN))
    assert await tx.fetchval("SELECT status FROM confirmation WHERE payment = $1", sent.payments[0]) == "void"
    assert (await codes(tx, sent), await holds(tx, sent)) == ([], 0)
    assert await ledger_agrees(tx, sent)


def test_silence_ages_into_an_alarm() -> None:
    assert [alarm(NOW, NOW + timedelta(hours=h)) for h in (1, 24, 71, 72)] == ["watch", "alarm", "alarm", "escalated"]
