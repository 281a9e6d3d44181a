"""The close of a day: ledger, files and bank say the same of every line, or the line that does not is named."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import reconcile
from relief.services.reconcile import Standing
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW
from tests.services.settled import FEN, LATER, AtBank, at_bank, result, row, statement, take

DAY = beijing_day(LATER)
EVENING = LATER + timedelta(hours=5)


async def people(tx: Tx) -> tuple[Actor, Actor]:
    """Who closes, and who may open again."""
    return await make.staff(tx, ("finance_checker", LUDING)), await make.staff(tx, ("finance_authoriser", LUDING))


async def left(tx: Tx, keys: Keys, lines: int, serial: int = 1) -> AtBank:
    """A batch at the bank with the transfers of its departure."""
    sent = await at_bank(tx, keys, lines, serial=serial)
    await tx.execute(
        "INSERT INTO transfer (county, fund, source, target, amount_fen, subject, subject_id, act, at) "
        "SELECT county, fund, 'reserved', 'in flight', amount_fen, 'payment', id, gen_random_uuid(), sent_at FROM payment WHERE batch = $1", sent.batch,
    )  # fmt: skip
    return sent


async def at(tx: Tx, moment: timedelta = timedelta(hours=5)) -> Standing:
    return await reconcile.standing(tx, LUDING, LATER + moment)


async def test_what_left_is_what_the_bank_has_gave_back_or_still_owes_an_answer_for(tx: Tx, keys: Keys) -> None:
    sent = await left(tx, keys, 4)
    await take(tx, keys, result([row(sent, 0), row(sent, 1, "returned"), row(sent, 2)]))
    await take(tx, keys, result([row(sent, 2, "reversed")]), now=LATER + timedelta(hours=1))
    found = await at(tx)
    assert found.balanced
    [batch], [fund] = found.batches, found.funds
    for sums in (batch, fund, found.total):
        assert (sums.ledger, sums.files, sums.bank, sums.returns, sums.open) == (4 * FEN, 4 * FEN, FEN, 2 * FEN, FEN)
    assert (batch.unstated, batch.open_lines) == (1, 1)
    await take(tx, keys, statement([row(sent, 0)]), now=LATER + timedelta(hours=2))
    assert (await at(tx)).total.unstated == 0


async def test_the_balance_of_an_earlier_moment_stays_what_it_was(tx: Tx, keys: Keys) -> None:
    sent = await left(tx, keys, 1)
    before = await at(tx, timedelta(minutes=-1))
    await take(tx, keys, result([row(sent, 0)]))
    again = await at(tx, timedelta(minutes=-1))
    assert (before.total.open, before.digest) == (FEN, again.digest)
    assert (await at(tx)).total.open == 0


async def test_a_return_that_came_before_its_payment_counts_once(tx: Tx, keys: Keys) -> None:
    sent = await left(tx, keys, 1)
    await take(tx, keys, result([row(sent, 0, "reversed")]))
    assert (await at(tx)).total.open == FEN
    await take(tx, keys, result([row(sent, 0)]), now=LATER + timedelta(minutes=5))
    found = await at(tx)
    assert (found.balanced, found.total.bank, found.total.returns) == (True, 0, FEN)


@pytest.mark.parametrize(
    "bend",
    [
        "UPDATE batch SET total_fen = total_fen + 1 WHERE id = $1",
        "UPDATE bank_row SET outcome = 'returned' WHERE payment = (SELECT payments[1] FROM batch WHERE id = $1)",
        "DELETE FROM transfer WHERE target = 'paid' AND subject_id = (SELECT payments[1] FROM batch WHERE id = $1)",
        "UPDATE transfer SET amount_fen = amount_fen - 1 WHERE target = 'in flight' AND subject_id = (SELECT payments[1] FROM batch WHERE id = $1)",
    ],
)
async def test_what_does_not_balance_is_named_and_the_day_cannot_be_closed(tx: Tx, keys: Keys, bend: str) -> None:
    sent, (checker, _) = await left(tx, keys, 2), await people(tx)
    await take(tx, keys, result([row(sent, 0), row(sent, 1)]))
    await tx.execute("SET LOCAL ROLE NONE")
    await tx.execute(bend, sent.batch)
    found = await at(tx)
    assert sent.number in [s.name for s in found.wrong]
    assert ("total_fen" in bend) or [d.reference for d in found.differing] == [sent.references[0]]
    with pytest.raises(Conflict, match=sent.number) as caught:
        await reconcile.close(tx, checker, LUDING, DAY, EVENING)
    assert caught.value.code == "out_of_balance"


async def test_a_day_is_closed_once_and_opened_again_by_another_with_a_reason(tx: Tx, keys: Keys) -> None:
    sent, (checker, authoriser) = await left(tx, keys, 1), await people(tx)
    await take(tx, keys, result([row(sent, 0)]))
    await reconcile.close(tx, checker, LUDING, DAY, EVENING)
    with pytest.raises(Conflict) as closed:
        await reconcile.close(tx, checker, LUDING, DAY, EVENING)
    assert closed.value.code == "day_closed"
    with pytest.raises(Invalid):
        await reconcile.reopen(tx, authoriser, LUDING, DAY, " ", EVENING)
    await reconcile.reopen(tx, authoriser, LUDING, DAY, "漏导一份回单", EVENING)
    with pytest.raises(Conflict) as opened:
        await reconcile.reopen(tx, authoriser, LUDING, DAY, "再来", EVENING)
    assert opened.value.code == "day_open"
    await reconcile.close(tx, checker, LUDING, DAY, EVENING)
    turns = await tx.fetch("SELECT turn, reopen_reason, bank_fen FROM day_close ORDER BY turn")
    assert [tuple(t) for t in turns] == [(1, "漏导一份回单", FEN), (2, None, FEN)]
    acts = [r[0] for r in await tx.fetch("SELECT act FROM audit WHERE act LIKE 'day.%' ORDER BY act")]
    assert acts == ["day.close", "day.close", "day.reopen"]


async def test_whoever_closed_a_day_may_not_open_it_and_tomorrow_cannot_be_closed(tx: Tx, keys: Keys) -> None:
    both = await make.staff(tx, ("finance_checker", LUDING), ("finance_authoriser", LUDING))
    await left(tx, keys, 1)
    with pytest.raises(Invalid):
        await reconcile.close(tx, both, LUDING, DAY + timedelta(days=1), EVENING)
    await reconcile.close(tx, both, LUDING, DAY, EVENING)
    with pytest.raises(Refused) as refused:
        await reconcile.reopen(tx, both, LUDING, DAY, "x", EVENING)
    assert refused.value.code == "same_person"


async def test_a_day_that_is_over_is_closed_on_its_last_moment(tx: Tx, keys: Keys) -> None:
    sent, (checker, _) = await left(tx, keys, 1), await people(tx)
    await take(tx, keys, result([row(sent, 0)]), now=NOW + timedelta(days=1))
    found = await reconcile.close(tx, checker, LUDING, DAY, NOW + timedelta(days=2))
    assert (found.total.bank, found.total.open) == (0, FEN)
