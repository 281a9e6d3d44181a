"""Settle: the bank's word moves money once, only where everything agrees, in whatever order it comes."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from relief.domain.errors import Refused
from relief.domain.sealing import Keys
from relief.services import settle
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make
from tests.make import LUDING, NOW, SHIMIAN
from tests.services.settled import (
    FEN,
    LATER,
    LAYOUT,
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
)  # fmt: skip

pytestmark = pytest.mark.slow


async def test_paid_and_returned_lines_move_payment_fund_instalment_and_award(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 3)
    done = await take(tx, keys, result([row(sent, 0), row(sent, 1, "returned"), row(sent, 2, "pending")]))
    assert (done.status, done.paid, done.returned, done.pending, done.exceptions) == ("imported", 1, 1, 1, 0)
    assert await statuses(tx, sent) == ["paid", "returned", "sent"]
    assert await money(tx, sent) == (FEN, FEN, FEN)
    assert await ledger_agrees(tx, sent)
    assert await batch_status(tx, sent) == "acknowledged"
    states = await tx.fetch("SELECT i.status, a.status FROM payment p JOIN instalment i ON i.id = p.instalment JOIN award a ON a.id = p.award "
                            "WHERE p.batch = $1 ORDER BY p.line", sent.batch)  # fmt: skip
    assert [tuple(s) for s in states] == [("settled", "completed"), ("released", "approved"), ("released", "approved")]
    assert await tx.fetchval("SELECT reason FROM payment WHERE id = $1", sent.payments[1]) == "F04"


async def test_a_paid_line_awaits_confirmation_and_queues_one_message(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    await take(tx, keys, result([row(sent, 0), row(sent, 1, "returned")]))
    await take(tx, keys, statement([row(sent, 0), row(sent, 1, "returned")]))
    assert [tuple(r) for r in await tx.fetch("SELECT payment, status FROM confirmation")] == [(sent.payments[0], "awaited")]
    assert [r[0] for r in await tx.fetch("SELECT payment FROM message")] == [sent.payments[0]]


async def test_the_last_answer_settles_the_batch(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    await take(tx, keys, result([row(sent, 0)]))
    assert await batch_status(tx, sent) == "acknowledged"
    await take(tx, keys, result([row(sent, 1, "returned")]))
    assert await batch_status(tx, sent) == "settled"


@pytest.mark.parametrize("status", ["sending", "unknown"])
async def test_an_answer_proves_that_the_batch_was_sent(tx: Tx, keys: Keys, status: str) -> None:
    sent = await at_bank(tx, keys, 2, status=status)
    await take(tx, keys, result([row(sent, 0)]))
    assert await batch_status(tx, sent) == "acknowledged"
    assert await tx.fetchval("SELECT sent_at IS NOT NULL FROM batch WHERE id = $1", sent.batch)


async def test_the_same_file_again_under_any_name_changes_nothing(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    content = result([row(sent, 0), row(sent, 1, "returned")])
    first = await take(tx, keys, content)
    for name in ("result.csv", "copy.csv"):
        again = await take(tx, keys, content, name)
        assert (again.status, again.repeat, again.paid, again.file) == ("repeat", 2, 0, first.file)
    assert await tx.fetchval("SELECT count(*) FROM bank_row") == 2
    assert await money(tx, sent) == (0, FEN, FEN)
    assert await ledger_agrees(tx, sent)


async def test_the_raw_file_is_kept_sealed(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    content = result([row(sent, 0)])
    done = await take(tx, keys, content)
    kept = await tx.fetchrow("SELECT sealed, status, batch FROM bank_file WHERE id = $1", done.file)
    assert kept is not None
    assert keys.open("bank_file", done.file, "sealed", kept["sealed"]) == content
    assert (kept["status"], kept["batch"]) == ("imported", sent.batch)
    assert sent.accounts[0].encode() not in kept["sealed"]


async def test_a_result_for_an_unknown_batch_is_kept_as_cases(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 1)
    done = await take(tx, keys, result([row(sent, 0)], number="513322-EMERG-202209-402-0777"))
    assert (done.status, done.county, done.exceptions) == ("imported", LUDING, 1)
    assert await codes(tx, sent) == ["unknown_batch"]
    assert await statuses(tx, sent) == ["sent"]


@pytest.mark.parametrize(
    ("content", "code"),
    [("one fen", "control_total"), ("cut", "trailer_missing"), ("empty", "empty"), ("two trailers", "trailer_twice")],
)
async def test_a_refused_file_is_kept_once_and_moves_nothing(tx: Tx, keys: Keys, content: str, code: str) -> None:
    sent = await at_bank(tx, keys, 3)
    whole = result([row(sent, n) for n in range(3)])
    bad = {
        "one fen": whole.replace(b",3,3601.50", b",3,3601.51"), "cut": whole[: len(whole) // 2], "empty": b"",
        "two trailers": whole + whole.splitlines()[-1],
    }[content]  # fmt: skip
    done = await take(tx, keys, bad)
    assert (done.status, done.code) == ("refused", code)
    assert (await take(tx, keys, bad, "again.csv")).status == "repeat"
    assert await tx.fetchval("SELECT count(*) FROM bank_file WHERE code = $1", code) == 1
    assert done.county == ("000000" if content == "empty" else LUDING)
    assert await money(tx, sent) == (3 * FEN, 0, 0)
    assert (await take(tx, keys, whole)).paid == 3


async def test_an_unknown_status_word_leaves_the_row_to_a_person_and_the_others_move(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    done = await take(tx, keys, result([row(sent, 0, "已入账"), row(sent, 1)]))
    assert (done.paid, done.exceptions) == (1, 1)
    assert await codes(tx, sent) == ["status_word"]
    assert await statuses(tx, sent) == ["sent", "paid"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fen": FEN + 1}, "amount_differs"),
        ({"fen": FEN * 100}, "amount_differs"),
        ({"account": "6299990000000000009"}, "account_differs"),
        ({"reference": "513322999999999999999999"}, "unknown_line"),
        ({"reference": ""}, "reference"),
        ({"at": NOW - timedelta(hours=1)}, "dated_before_sending"),
        ({"at": LATER + timedelta(days=2)}, "dated_in_future"),
        ({"at": "昨天"}, "time"),
    ],
)
@pytest.mark.parametrize("outcome", ["paid", "returned", "reversed"])
async def test_a_row_that_does_not_agree_is_a_case_and_moves_nothing(
    tx: Tx, keys: Keys, outcome: str, change: dict[str, Any], code: str
) -> None:
    sent = await at_bank(tx, keys)
    done = await take(tx, keys, result([row(sent, 0, outcome, **change)]))
    assert (done.paid, done.returned, done.exceptions) == (0, 0, 1)
    assert await codes(tx, sent) == [code]
    assert await statuses(tx, sent) == ["sent"]
    assert await money(tx, sent) == (FEN, 0, 0)


async def test_a_line_of_another_batch_is_a_case(tx: Tx, keys: Keys) -> None:
    one, two = await at_bank(tx, keys, serial=1), await at_bank(tx, keys, serial=2)
    await take(tx, keys, result([row(one, 0)], number=two.number))
    assert await codes(tx, one) == ["other_batch"]
    assert await statuses(tx, one) == ["sent"]


async def test_an_answer_to_a_batch_that_never_left_is_a_case(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, status="checked", payments="batched")
    await take(tx, keys, result([row(sent, 0)]))
    assert await codes(tx, sent) == ["not_sent"]
    assert await batch_status(tx, sent) == "checked"


async def test_success_and_failure_in_one_file_freeze_both(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    done = await take(tx, keys, result([row(sent, 0), row(sent, 1), row(sent, 0, "returned")]))
    assert (done.paid, done.returned, done.exceptions) == (1, 0, 2)
    assert await statuses(tx, sent) == ["sent", "paid"]
    assert await tx.fetchval("SELECT subject FROM hold WHERE kind = 'award'") == str(sent.payments[0])


async def test_the_same_line_twice_in_one_file_counts_once(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    done = await take(tx, keys, result([row(sent, 0), row(sent, 0)]))
    assert (done.paid, done.repeat) == (1, 1)
    assert await money(tx, sent) == (0, FEN, 0)


async def test_a_faulty_row_does_not_hide_the_right_one_behind_it(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    done = await take(tx, keys, result([row(sent, 0, fen=FEN + 1), row(sent, 0)]))
    assert (done.paid, done.exceptions) == (1, 1)


async def test_a_second_credit_with_another_bank_serial_is_a_case(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0)]))
    done = await take(tx, keys, result([row(sent, 0, bank_ref="B-OTHER")]))
    assert (done.repeat, done.exceptions) == (0, 1)
    assert await codes(tx, sent) == ["paid_twice"]


async def test_a_return_after_success_takes_the_money_back_and_voids_the_confirmation(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0)]))
    await tx.execute("UPDATE confirmation SET status = 'confirmed', way = 'page', given_at = $1", LATER)
    done = await take(tx, keys, result([row(sent, 0, "reversed")]))
    assert done.reversed == 1
    assert await statuses(tx, sent) == ["returned"]
    assert await money(tx, sent) == (0, 0, FEN)
    assert await ledger_agrees(tx, sent)
    assert await tx.fetchval("SELECT status FROM confirmation") == "void"
    assert (
        await tx.fetchval("SELECT i.status FROM instalment i JOIN payment p ON p.instalment = i.id WHERE p.id = $1", sent.payments[0])
        == "released"
    )


async def test_a_return_that_comes_before_its_success_waits_for_it(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0, "reversed")]))
    assert await codes(tx, sent) == ["reversal_without_payment"]
    assert await statuses(tx, sent) == ["sent"]
    done = await take(tx, keys, result([row(sent, 0)]))
    assert (done.paid, done.reversed) == (1, 1)
    assert await codes(tx, sent) == []
    assert await statuses(tx, sent) == ["returned"]
    assert await money(tx, sent) == (0, 0, FEN)
    assert await tx.fetchval("SELECT count(*) FROM message") == 0


async def test_failure_after_success_is_a_case_and_holds_the_award(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0)]))
    for serial in ("", "X2"):
        await take(tx, keys, result([row(sent, 0, "returned", bank_ref=serial)]))
    assert await codes(tx, sent) == ["fail_after_success"] * 2
    assert await statuses(tx, sent) == ["paid"]
    assert await tx.fetchval("SELECT count(*) FROM hold WHERE subject = $1", str(sent.payments[0])) == 1


async def test_success_after_failure_is_a_case_and_holds_the_award(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0, "returned")]))
    await take(tx, keys, result([row(sent, 0)]))
    assert await codes(tx, sent) == ["success_after_fail"]
    assert await statuses(tx, sent) == ["returned"]
    assert await tx.fetchval("SELECT count(*) FROM hold WHERE subject = $1", str(sent.payments[0])) == 1


async def test_silence_makes_a_payment_unknown_and_only_the_statement_resolves_it(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 3)
    await take(tx, keys, result([row(sent, 0)]))
    day = timedelta(days=1)
    assert await settle.overdue(tx, NOW + day / 2, day) == 0
    assert await settle.overdue(tx, NOW + 2 * day, day) == 2
    assert await settle.overdue(tx, NOW + 2 * day, day) == 0
    assert await statuses(tx, sent) == ["paid", "unknown", "unknown"]
    assert await money(tx, sent) == (2 * FEN, FEN, 0)
    noted = await tx.fetchrow("SELECT county, count FROM audit WHERE act = 'payment.unknown'")
    assert noted is not None
    assert tuple(noted) == (LUDING, 2)
    done = await take(tx, keys, statement([row(sent, 0), row(sent, 1), row(sent, 2, "returned")]), now=NOW + 3 * day)
    assert (done.kind, done.paid, done.returned, done.repeat) == ("statement", 1, 1, 1)
    assert await statuses(tx, sent) == ["paid", "paid", "returned"]
    assert await batch_status(tx, sent) == "settled"


async def test_a_statement_covers_several_batches_but_one_county(tx: Tx, keys: Keys) -> None:
    one, two = await at_bank(tx, keys, serial=1), await at_bank(tx, keys, serial=2)
    far = await at_bank(tx, keys, county=SHIMIAN)
    refused = await take(tx, keys, statement([row(one, 0), row(far, 0)]))
    assert (refused.status, refused.code) == ("refused", "several_counties")
    done = await take(tx, keys, statement([row(one, 0), row(two, 0), row(one, 0, number="513322-EMERG-202209-402-0900")]))
    assert (done.paid, done.exceptions) == (2, 1)
    assert [await batch_status(tx, s) for s in (one, two, far)] == ["settled", "settled", "sent"]


async def test_only_finance_of_the_county_may_import_by_hand(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    content = result([row(sent, 0)])
    for grant in [("finance_preparer", SHIMIAN), ("county_officer", LUDING)]:
        with pytest.raises(Refused):
            await settle.import_result(tx, LAYOUT, "r.csv", content, LATER, keys, await make.staff(tx, grant))
    officer = await make.staff(tx, ("finance_preparer", LUDING))
    assert (await settle.import_result(tx, LAYOUT, "r.csv", content, LATER, keys, officer)).paid == 1


class _Counting:
    """Passes everything on and counts the statements."""

    def __init__(self, tx: Any) -> None:
        self._tx, self.statements = tx, 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.statements += 1
        return getattr(self._tx, name)


async def test_a_thousand_lines_take_as_many_statements_as_one(tx: Tx, keys: Keys) -> None:
    spent = []
    for serial, lines in enumerate((1, 1000), 1):
        sent = await at_bank(tx, keys, lines, serial=serial)
        counting: Any = _Counting(tx)
        done = await take(counting, keys, result([row(sent, n) for n in range(lines)]))
        assert done.paid == lines
        spent.append(counting.statements)
    assert spent[0] == spent[1]


async def test_two_workers_importing_one_file_at_once_move_the_money_once(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        sent = await at_bank(tx, keys, 5)
    content, other = result([row(sent, n) for n in range(5)]), statement([row(sent, n) for n in range(5)])

    async def work(content: bytes) -> str:
        async with db.begin(pool) as tx:
            return (await take(tx, keys, content)).status

    outcomes = await asyncio.gather(*(work(c) for c in (content, other) * 3))
    assert sorted(outcomes) == ["imported"] * 2 + ["repeat"] * 4
    async with db.begin(pool) as tx:
        assert await money(tx, sent) == (0, 5 * FEN, 0)
        assert await ledger_agrees(tx, sent)


#: What a bank may say about one line; the same word twice is the bank repeating itself in another file.
_STORIES = {
    "late success": (["pending", "paid", "paid", "pending", "statement paid"], {"paid"}),
    "failure": (["pending", "returned", "returned", "statement returned"], {"returned"}),
    "success then return": (["pending", "paid", "reversed", "paid", "reversed", "statement both"], {"returned"}),
    "return also told as failure": (["paid", "reversed", "returned"], {"returned", "case"}),
    "contradiction": (["paid", "returned", "paid", "returned", "pending"], {"paid", "returned", "case"}),
    "everything": (["pending", "paid", "returned", "reversed", "statement both", "paid", "reversed"], {"returned", "case"}),
}


def _file(sent: AtBank, event: str, lines: list[int], n: int) -> bytes:
    """Each telling is a file with bytes of its own: another second, the same serials."""
    at = LATER + timedelta(seconds=n)
    words = ("paid", "reversed") if event == "statement both" else (event.removeprefix("statement "),)
    rows = [row(sent, line, word, at=at) for word in words for line in lines]
    return statement(rows) if event.startswith("statement ") else result(rows)


@pytest.mark.parametrize("story", _STORIES)
async def test_files_in_any_order_end_in_the_same_state_or_a_case(tx: Tx, keys: Keys, story: str) -> None:
    """Every line of one batch hears the same events in an order of its own: all orders there are, 5,040 of seven events."""
    events, allowed = _STORIES[story]
    orders = sorted(itertools.permutations(enumerate(events)))
    sent = await at_bank(tx, keys, len(orders))
    for step in range(len(events)):
        for n, event in enumerate(events):
            lines = [line for line, order in enumerate(orders) if order[step] == (n, event)]
            if lines:
                await take(tx, keys, _file(sent, event, lines, n + 100 * step))
    ended = await statuses(tx, sent)
    assert await money(tx, sent) == (0, FEN * ended.count("paid"), FEN * ended.count("returned"))
    assert await ledger_agrees(tx, sent)
    assert await batch_status(tx, sent) == "settled"
    cases = {r[0] for r in await tx.fetch("SELECT payment FROM bank_row WHERE code IS NOT NULL AND closed_at IS NULL")}
    without_case = {status for payment, status in zip(sent.payments, ended, strict=True) if payment not in cases}
    assert set(ended) <= allowed
    assert len(without_case) <= 1
    assert "case" in allowed or not cases
