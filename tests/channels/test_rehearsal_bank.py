"""The rehearsal bank, really run against a folder: it credits once whatever happens, and misbehaves exactly as told."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from relief.channels import bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.rehearsal.bank import Options, RehearsalBank, run
from relief.domain.batch import BatchFile, BatchLine, ResultFile

LAYOUT = bank_layouts.load("yikatong")
NOW = datetime(2022, 9, 5, 6, 0, tzinfo=UTC)
QUIET = Options(name_mismatch_rate=0, closed_rate=0, lost_rate=0, not_activated_rate=0, late_rate=0, silent_rate=0)


def number(serial: int = 1) -> str:
    return f"513322-EMERG-202209-402-{serial:04d}"


def batch(lines: int, serial: int = 1) -> BatchFile:
    return BatchFile(
        number=number(serial), project="EMERG", project_name="应急期生活救助", period="202209", payer="泸定县财政局", payer_account="629999001",
        bank="402", summary="",
        lines=tuple(
            BatchLine(
                seq=n, reference=f"513322{serial:06d}{n:012d}", name="测试甲", id_type="resident", id_number="519999196001011016",
                account="6299990000000000009", bank_name="四川农信社", cnaps="", amount_fen=10_000 + n, phone="", area="513322103201",
                kind="EMERG", note="",
            )
            for n in range(1, lines + 1)
        ),
    )  # fmt: skip


async def deliver(folder: Path, lines: int, serial: int = 1) -> BatchFile:
    made = batch(lines, serial)
    await FolderBank(folder).deliver(made.number, LAYOUT.encode(made))
    return made


async def answers(folder: Path) -> list[ResultFile]:
    """Everything in the folder, read by the product's own strict reader."""
    found = await FolderBank(folder, most_files=100).collect()
    return [(LAYOUT.parse_statement if a.name.startswith("statement") else LAYOUT.parse_result)(a.content) for a in found]


def credits(folder: Path) -> Counter[str]:
    """Net fen per reference; a credit made twice would show."""
    net: Counter[str] = Counter()
    with (folder / "credits.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            net[row["reference"]] += int(row["amount_fen"]) * (1 if row["entry"] == "credit" else -1)
    return net


def badly(**rates: float) -> Options:
    return msgspec.structs.replace(QUIET, **rates)


async def tick(folder: Path, options: Options, *seconds: float) -> None:
    """A bank that lives for these moments and is then gone."""
    bank = RehearsalBank(folder, options)
    for s in seconds:
        bank.tick(NOW + timedelta(seconds=s))
    bank.close()


async def test_a_good_day_credits_and_answers_every_line(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 5)
    await tick(tmp_path, QUIET, 0)
    [result] = await answers(tmp_path)
    assert [(r.reference, r.outcome, r.amount_fen) for r in result.rows] == [
        (line.reference, "paid", line.amount_fen) for line in made.lines
    ]
    assert credits(tmp_path) == {line.reference: line.amount_fen for line in made.lines}


async def test_running_beside_the_product_it_answers_and_states(tmp_path: Path) -> None:
    await deliver(tmp_path, 3)
    bank = asyncio.create_task(run(tmp_path, badly(poll_s=0.01, late_s=0.05, statement_s=0.1, late_rate=1)))
    for _ in range(500):
        await asyncio.sleep(0.02)
        found = await answers(tmp_path)
        if len(found) == 3:
            break
    bank.cancel()
    await asyncio.gather(bank, return_exceptions=True)
    assert sorted((f.kind, f.rows[0].outcome) for f in found) == [("result", "paid"), ("result", "pending"), ("statement", "paid")]


async def test_a_restart_and_a_repeated_delivery_credit_nothing_twice(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 50)
    options = badly(late_rate=0.5, reverse_rate=0.2, late_s=2, statement_s=5)
    for s in (0, 0, 1, 2, 3, 5, 6, 100):
        await tick(tmp_path, options, s)
        await FolderBank(tmp_path).deliver(made.number, LAYOUT.encode(made))
    with (tmp_path / "credits.csv").open(encoding="utf-8") as file:
        entries = Counter((row["reference"], row["entry"]) for row in csv.DictReader(file))
    assert set(entries.values()) == {1}
    assert sum(kind == "credit" for _, kind in entries) == 50


async def test_the_same_fate_for_the_same_reference_and_another_for_a_new_one(tmp_path: Path) -> None:
    options = badly(closed_rate=0.3, lost_rate=0.3, seed=5)
    ends = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        await deliver(tmp_path / name, 40)
        await tick(tmp_path / name, options, 0)
        ends.append([(r.outcome, r.reason) for f in await answers(tmp_path / name) for r in f.rows])
    assert ends[0] == ends[1]
    await deliver(tmp_path / "a", 40, serial=2)
    await tick(tmp_path / "a", options, 1)
    again = [(r.outcome, r.reason) for f in await answers(tmp_path / "a") if f.batch_number == number(2) for r in f.rows]
    assert again != ends[0]
    assert {reason for _, reason in again} == {None, "F04", "F05"}


async def test_returns_carry_the_reasons_asked_for_and_credit_nothing(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 400)
    await tick(tmp_path, badly(name_mismatch_rate=0.25, closed_rate=0.25, lost_rate=0.25, not_activated_rate=0.25), 0)
    [result] = await answers(tmp_path)
    assert {r.outcome for r in result.rows} == {"returned"}
    assert {r.reason for r in result.rows} == {"F02", "F04", "F05", "F07"}
    assert not credits(tmp_path)
    assert len(result.rows) == made.count


async def test_late_lines_are_pending_first_and_credited_when_they_say_so(tmp_path: Path) -> None:
    await deliver(tmp_path, 4)
    options = badly(late_rate=1, late_s=10, statement_s=1)
    await tick(tmp_path, options, 0)
    assert [r.outcome for f in await answers(tmp_path) for r in f.rows] == ["pending"] * 4
    assert not credits(tmp_path)
    await tick(tmp_path, options, 10)
    assert len(credits(tmp_path)) == 4
    assert Counter(r.outcome for f in await answers(tmp_path) for r in f.rows) == {"pending": 4, "paid": 8}


async def test_silent_lines_and_lost_answers_stand_on_the_statement_only(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 100)
    await deliver(tmp_path, 3, serial=2)
    options = badly(silent_rate=0.3, statement_s=5)
    await tick(tmp_path, options, 0)
    told = {r.reference for f in await answers(tmp_path) for r in f.rows}
    assert 50 < len(told) < 90
    await tick(tmp_path, options, 5, 6)
    [stated] = [f for f in await answers(tmp_path) if f.kind == "statement"]
    assert {line.reference for line in made.lines} <= {r.reference for r in stated.rows}
    paid = {r.reference for r in stated.rows if r.outcome == "paid"}
    assert paid == set(credits(tmp_path))
    assert {r.outcome for r in stated.rows if r.reference not in told} == {"paid", "returned"}


async def test_a_lost_answer_is_never_written_before_the_statement(tmp_path: Path) -> None:
    await deliver(tmp_path, 3)
    options = badly(lose_rate=1, statement_s=5)
    await tick(tmp_path, options, 0, 4)
    assert await answers(tmp_path) == []
    await tick(tmp_path, options, 5)
    assert [(f.kind, len(f.rows)) for f in await answers(tmp_path)] == [("statement", 3)]


async def test_answers_can_be_split_shuffled_and_repeated(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 30)
    await tick(tmp_path, badly(split_rate=1, reorder_rate=1, duplicate_rate=1), 0)
    files = await answers(tmp_path)
    assert len(files) == 6
    said = [r.reference for f in files for r in f.rows]
    assert Counter(said) == {line.reference: 2 for line in made.lines}
    assert said != sorted(said)


async def test_a_return_after_success_leaves_nothing_on_the_account(tmp_path: Path) -> None:
    await deliver(tmp_path, 3)
    options = badly(reverse_rate=1, late_s=2, statement_s=5)
    await tick(tmp_path, options, 0)
    assert sum(credits(tmp_path).values()) > 0
    await tick(tmp_path, options, 2, 5)
    assert set(credits(tmp_path).values()) == {0}
    words = Counter(r.outcome for f in await answers(tmp_path) for r in f.rows)
    assert words == {"paid": 6, "reversed": 6}


async def test_what_is_no_batch_file_is_ignored(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 2)
    whole = LAYOUT.encode(made)
    for name, content in (("junk", b"\xff\xfe"), ("cut", whole[:-20]), ("empty", b"")):
        (tmp_path / "out" / f"{name}.csv").write_bytes(content)
        (tmp_path / "out" / f"{name}.csv.ok").touch()
    (tmp_path / "out" / "unfinished.csv").write_bytes(whole)
    await tick(tmp_path, QUIET, 0)
    assert len(await answers(tmp_path)) == 1
    assert len(credits(tmp_path)) == 2


async def test_other_bytes_under_a_known_number_are_ignored(tmp_path: Path) -> None:
    made = await deliver(tmp_path, 2)
    await tick(tmp_path, QUIET, 0)
    (tmp_path / "out" / f"{made.number}.csv").write_bytes(LAYOUT.encode(batch(4)))
    await tick(tmp_path, QUIET, 1)
    assert len(credits(tmp_path)) == 2
