"""The whole round with a bank at its worst: what our books call paid is exactly what lies on the accounts."""

from __future__ import annotations

import csv
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from relief.channels import bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.rehearsal.bank import Options, RehearsalBank
from relief.domain.batch import BatchFile, BatchLine, Layout
from relief.domain.sealing import Keys
from relief.services import settle
from relief.store.db import Tx
from tests.make import NOW, VILLAGE
from tests.services.settled import FEN, LAYOUT, AtBank, at_bank, batch_status, codes, ledger_agrees, money, statuses, take

pytestmark = pytest.mark.slow

LINES = 300


def _bytes(sent: AtBank, layout: Layout = LAYOUT) -> bytes:
    lines = (
        BatchLine(
            seq=n, reference=reference, name="甄演一", id_type="resident", id_number="519999196001011016", account=account,
            bank_name="四川农信社", cnaps="", amount_fen=FEN, phone="", area=VILLAGE, kind="EMERG", note="",
        )
        for n, (reference, account) in enumerate(zip(sent.references, sent.accounts, strict=True), 1)
    )  # fmt: skip
    return layout.encode(
        BatchFile(
            number=sent.number, project="EMERG", project_name="应急期生活救助", period="202209", payer="泸定县财政局", payer_account="629999001",
            bank="402", lines=tuple(lines), summary="x", made_at=NOW,
        )
    )  # fmt: skip


def _credits(folder: Path) -> Counter[str]:
    net: Counter[str] = Counter()
    with (folder / "credits.csv").open(encoding="utf-8") as file:
        for entry in csv.DictReader(file):
            net[entry["reference"]] += int(entry["amount_fen"]) * (1 if entry["entry"] == "credit" else -1)
    return net


@pytest.mark.parametrize("seed", range(4))
async def test_what_we_call_paid_is_what_lies_on_the_accounts(tx: Tx, keys: Keys, tmp_path: Path, seed: int) -> None:
    sent = await at_bank(tx, keys, LINES)
    bank = FolderBank(tmp_path, most_files=1000)
    await bank.deliver(sent.number, _bytes(sent))
    options = Options(
        name_mismatch_rate=0.05, closed_rate=0.05, lost_rate=0.05, not_activated_rate=0.05, late_rate=0.2, silent_rate=0.1, reverse_rate=0.1,
        duplicate_rate=0.7, reorder_rate=0.7, split_rate=0.7, lose_rate=0.25, late_s=60, statement_s=120, seed=seed,
    )  # fmt: skip
    for seconds in (0, 1, 60, 120, 240):
        twin = RehearsalBank(tmp_path, options)
        twin.tick(NOW + timedelta(seconds=seconds))
        twin.close()
    await settle.overdue(tx, NOW + timedelta(days=2), timedelta(days=1))
    files = await bank.collect()
    random.Random(seed).shuffle(files)
    for answer in files:
        await take(tx, keys, answer.content, answer.name)
        await bank.done(answer.name)
    assert await bank.collect() == []
    ended = dict(zip(sent.references, await statuses(tx, sent), strict=True))
    net = _credits(tmp_path)
    assert {reference for reference, status in ended.items() if status == "paid"} == {r for r, fen in net.items() if fen}
    assert set(net.values()) <= {0, FEN}
    assert set(ended.values()) == {"paid", "returned"}
    assert await money(tx, sent) == (0, sum(net.values()), LINES * FEN - sum(net.values()))
    assert await ledger_agrees(tx, sent)
    assert await batch_status(tx, sent) == "settled"
    assert await codes(tx, sent) == []


@pytest.mark.parametrize("name", ["dingchang", "iso20022"])
async def test_the_same_holds_in_fixed_columns_and_in_iso_20022(tx: Tx, keys: Keys, tmp_path: Path, name: str) -> None:
    every = bank_layouts.load_all()
    layout = next(one for one in every.known if one.name == name)
    sent = await at_bank(tx, keys, LINES)
    bank = FolderBank(tmp_path, most_files=1000)
    await bank.deliver(sent.number, _bytes(sent, layout))
    options = Options(
        name_mismatch_rate=0.05, closed_rate=0.05, lost_rate=0.05, not_activated_rate=0.05, late_rate=0.2, silent_rate=0, reverse_rate=0.1,
        duplicate_rate=0.7, reorder_rate=0.7, split_rate=0.7, late_s=60, statement_s=120, seed=7,
    )  # fmt: skip
    twin = RehearsalBank(tmp_path, options)
    for seconds in (0, 1, 60, 120, 240):
        twin.tick(NOW + timedelta(seconds=seconds))
    twin.close()
    await settle.overdue(tx, NOW + timedelta(days=2), timedelta(days=1))
    files = await bank.collect()
    random.Random(1).shuffle(files)
    for answer in files:
        done = await settle.import_answer(tx, every, answer.name, answer.content, NOW + timedelta(days=2), keys)
        assert done.status == "imported", (answer.name, done.code)
    net = _credits(tmp_path)
    ended = dict(zip(sent.references, await statuses(tx, sent), strict=True))
    assert {reference for reference, status in ended.items() if status == "paid"} == {r for r, fen in net.items() if fen}
    assert set(ended.values()) == {"paid", "returned"}
    assert await ledger_agrees(tx, sent)
    assert await codes(tx, sent) == []
