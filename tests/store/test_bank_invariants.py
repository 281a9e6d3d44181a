"""Each promise about the bank's word holds on a day's work, and is seen to break when somebody bends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relief.domain.sealing import Keys
from relief.services import exceptions, reconcile, recover, settle, verdict
from relief.services.exceptions import Item
from relief.store import invariants
from relief.store.bank_invariants import BANK_WORD
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW
from tests.services.settled import FEN, LATER, at_bank, result, row, take
from tests.services.test_exceptions import finding, people
from tests.services.test_reconcile import DAY, EVENING, left
from tests.services.test_recover import owed

pytestmark = pytest.mark.slow

BENT = {
    "every_row_is_kept": "UPDATE audit SET detail = detail || '{\"rows\": 99}' WHERE act = 'bank.import'",
    "exceptions_end_by_a_word": "DELETE FROM bank_row_answer",
    "contradictions_are_held": "DELETE FROM hold WHERE reason = 'bank_contradiction'",
    "unfit_lines_wait": "INSERT INTO unfit_line (county, payment, account, layout, field, due_on, opened_at) "
    "SELECT county, id, account, 'x', 'name', '2022-09-06', now() FROM payment LIMIT 1",
    "closed_day_stands": "UPDATE day_close SET bank_fen = bank_fen + 1",
    "recoveries_add_up": "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE subject = 'recovery'",
    "answer_has_its_evidence": "UPDATE verdict SET status = 'refused'",
}


async def day(tx: Tx, keys: Keys) -> None:
    """Two batches, an exception answered and one that holds its award, a verdict, a recovery, a day closed."""
    officer, checker = await people(tx)
    sent = await left(tx, keys, 3)
    await take(tx, keys, result([row(sent, 0), row(sent, 1, fen=FEN + 1), row(sent, 2)]))
    file = await tx.fetchval("SELECT file FROM bank_row WHERE disposition = 'exception'")
    await exceptions.answer(tx, officer, LUDING, [Item(file, 5)], "bank corrects", "请银行更正", LATER)
    await take(tx, keys, result([row(sent, 2, "returned")]))
    quiet = await at_bank(tx, keys, serial=2)
    await settle.overdue(tx, NOW + timedelta(days=2), timedelta(days=1))
    ids = await verdict.propose(tx, officer, LUDING, quiet.payments, finding(), LATER + timedelta(days=2))
    await verdict.confirm(tx, checker, LUDING, ids, LATER + timedelta(days=2), keys)


@pytest.mark.parametrize("name", sorted(BENT))
async def test_a_bent_row_is_found_and_named(tx: Tx, keys: Keys, name: str) -> None:
    if name == "recoveries_add_up":
        o = await owed(tx, keys)
        case = await recover.open_case(tx, o.officer, LUDING, o.payment, 500, "多付", LATER)
        await recover.repay(tx, o.officer, LUDING, case, 500, "回单", LATER)
    elif name == "closed_day_stands":
        sent = await left(tx, keys, 1)
        await take(tx, keys, result([row(sent, 0)]))
        await reconcile.close(tx, await make.staff(tx, ("finance_checker", LUDING)), LUDING, DAY, EVENING)
    else:
        await day(tx, keys)
    [invariant] = [i for i in invariants.ALL if i.name == name]
    sound = await invariants.examine(tx, invariant)
    assert (sound.broken, sound.examined > 0) == (0, True), sound.rows
    await tx.execute("SET LOCAL ROLE NONE")
    await tx.execute(BENT[name])
    found = await invariants.examine(tx, invariant)
    assert found.broken > 0
    assert found.rows


def test_every_promise_about_the_banks_word_is_bent_here() -> None:
    assert {i.name for i in BANK_WORD} <= set(BENT)
