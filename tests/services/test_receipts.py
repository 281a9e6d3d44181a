"""The bank takes a file as a whole or turns it down: the first of three levels, and no money moves by it."""

from __future__ import annotations

import pytest

from relief.channels import bank_layouts
from relief.channels.rehearsal import bank_wire
from relief.domain.sealing import Keys
from relief.services import settle
from relief.services.settle import Imported
from relief.store.db import Tx
from tests.services.settled import FEN, LATER, AtBank, at_bank, batch_status, money, result, row, statuses, take

ALL = bank_layouts.load_all()


async def receipt(tx: Tx, keys: Keys, sent: AtBank, accepted: bool, number: str | None = None) -> Imported:
    content = bank_wire.receipt(number or sent.number, "2022-09-05 14:12:00", accepted)
    return await settle.import_answer(tx, ALL, "receipt.xml", content, LATER, keys)


@pytest.mark.parametrize("status", ["sending", "sent", "unknown"])
async def test_a_file_taken_is_proven_sent_and_nothing_else(tx: Tx, keys: Keys, status: str) -> None:
    sent = await at_bank(tx, keys, 2, status=status)
    done = await receipt(tx, keys, sent, True)
    assert (done.status, done.kind, done.paid, done.exceptions) == ("imported", "receipt", 0, 0)
    assert (await batch_status(tx, sent), await statuses(tx, sent)) == ("sent", ["sent", "sent"])
    assert (await receipt(tx, keys, sent, True)).status == "repeat"


async def test_a_file_turned_down_keeps_its_money_in_flight(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    await receipt(tx, keys, sent, False)
    assert (await batch_status(tx, sent), await statuses(tx, sent)) == ("rejected", ["sent", "sent"])
    assert await money(tx, sent) == (2 * FEN, 0, 0)


async def test_a_receipt_after_the_results_takes_nothing_back(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 1)
    await take(tx, keys, result([row(sent, 0)]))
    await receipt(tx, keys, sent, False)
    assert (await batch_status(tx, sent), await statuses(tx, sent)) == ("settled", ["paid"])


async def test_a_receipt_for_a_batch_we_never_numbered_is_kept_and_refused(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 1)
    done = await receipt(tx, keys, sent, True, number="513322-EMERG-202209-402-0777")
    assert (done.status, done.code) == ("refused", "unknown_batch")
    assert await tx.fetchval("SELECT count(*) FROM bank_file WHERE id = $1", done.file) == 1
