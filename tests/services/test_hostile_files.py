"""Hostile files of the bank, kind by kind (reliability reference §4 F, 116–134): the exact answer to each, and no money moved by any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relief.channels import bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.rehearsal import bank_wire
from relief.channels.rehearsal.bank_book import Line
from relief.domain.sealing import Keys
from relief.services import settle
from relief.store.db import Tx
from tests.services.settled import FEN, LATER, AtBank, at_bank, codes, money, result, row, statement, statuses, take

ALL = bank_layouts.load_all()
pytestmark = pytest.mark.slow

Files = Callable[[AtBank], list[bytes]]


def one(**changes: Any) -> Files:
    """One result file about the first line, changed so."""
    return lambda sent: [result([row(sent, 0, **changes)])]


def fixed(sent: AtBank, outcome: str = "成功") -> bytes:
    """A result in fixed columns, closed by its digest."""
    line = Line(sent.number, 1, sent.references[0], sent.accounts[0], FEN, "paid", "", "B1", "2022-09-05 14:12:00")
    return bank_wire.result("fixed", sent.number, "2022-09-05 14:12:00", [(line, outcome)])


OTHER = "513322-EMERG-202209-402-0777"
WHOLE: Files = one()

#: What comes → the codes of the rows that wait for a person.
CASES: list[tuple[str, Files, list[str]]] = [
    ("116 a batch nobody numbered", lambda s: [result([row(s, 0)], number=OTHER)], ["unknown_batch"]),
    ("117 a line nobody wrote", one(reference="513322000000999999999999"), ["unknown_line"]),
    ("118 success and failure of one line", lambda s: [result([row(s, 0), row(s, 0, "returned")])], ["twice_in_file", "twice_in_file"]),
    ("119 one fen too much", one(fen=FEN + 1), ["amount_differs"]),
    ("119 fen taken for yuan", one(fen=FEN * 100), ["amount_differs"]),
    ("120 another account", one(account="6299990000000999995"), ["account_differs"]),
    ("120 a masked account", one(account="629999******0009"), ["account"]),
    ("125 a status word nobody agreed", one(word="已入账"), ["status_word"]),
    ("125 a blank status", one(word=""), ["status_word"]),
    ("125 a status in another case", one(word="SUCCESS"), ["status_word"]),
    ("125 a status in full width", one(word="成 功"), ["status_word"]),
    ("126 paid before it was sent", one(at=LATER - timedelta(days=1)), ["dated_before_sending"]),
    ("126 paid in the future", one(at=LATER + timedelta(days=2)), ["dated_in_future"]),
    ("127 a return of what was never paid", one(outcome="reversed"), ["reversal_without_payment"]),
    ("129 full-width digits in a reference", one(reference="５13322000001000000000000"), ["reference"]),
    ("132 an entry without our reference", lambda s: [statement([row(s, 0, reference="")])], ["reference"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
async def test_a_row_that_disagrees_is_a_case_and_moves_nothing(tx: Tx, keys: Keys, files: Files, wanted: list[str]) -> None:
    sent = await at_bank(tx, keys)
    for content in files(sent):
        done = await take(tx, keys, content)
        assert (done.status, done.paid, done.returned, done.reversed) == ("imported", 0, 0, 0)
    assert await codes(tx, sent) == wanted
    assert (await statuses(tx, sent), await money(tx, sent)) == (["sent"], (FEN, 0, 0))


async def test_116_an_answer_for_a_batch_that_has_not_left_is_a_case(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, status="authorised", payments="batched")
    await take(tx, keys, result([row(sent, 0)]))
    assert (await codes(tx, sent), await statuses(tx, sent)) == (["not_sent"], ["batched"])


async def test_117_a_line_of_another_batch_is_a_case(tx: Tx, keys: Keys) -> None:
    sent, other = await at_bank(tx, keys), await at_bank(tx, keys, serial=2)
    await take(tx, keys, result([row(other, 0)], number=sent.number))
    assert (await codes(tx, sent), await statuses(tx, other)) == (["other_batch"], ["sent"])


async def test_126_an_answer_dated_more_than_thirty_days_after_sending_is_a_case(tx: Tx, keys: Keys) -> None:
    sent, late = await at_bank(tx, keys), LATER + timedelta(days=31)
    await take(tx, keys, result([row(sent, 0, at=late)]), now=late)
    assert (await codes(tx, sent), await statuses(tx, sent)) == (["dated_late"], ["sent"])


async def test_127_a_second_return_is_a_repeat_and_a_part_of_the_money_a_case(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0)]))
    await take(tx, keys, result([row(sent, 0, "reversed", fen=FEN - 100)]))
    assert (await codes(tx, sent), await money(tx, sent)) == (["amount_differs"], (0, FEN, 0))
    await take(tx, keys, result([row(sent, 0, "reversed")]))
    assert (await take(tx, keys, statement([row(sent, 0, "reversed")]))).repeat == 1
    assert await money(tx, sent) == (0, 0, FEN)


@pytest.mark.parametrize(
    ("first", "then", "code", "status"),
    [("paid", "returned", "fail_after_success", "paid"), ("returned", "paid", "success_after_fail", "returned")],
)
async def test_128_a_bank_that_contradicts_itself_freezes_the_award(
    tx: Tx, keys: Keys, first: str, then: str, code: str, status: str
) -> None:
    sent = await at_bank(tx, keys)
    await take(tx, keys, result([row(sent, 0, first)]))
    await take(tx, keys, result([row(sent, 0, then)]))
    assert (await codes(tx, sent), await statuses(tx, sent)) == ([code], [status])
    assert await tx.fetchval("SELECT count(*) FROM hold WHERE reason = 'bank_contradiction' AND valid_to IS NULL") == 1


def bent(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda whole: whole.replace(old, new, 1)


#: What is done to a whole file → the code it is refused with.
REFUSED: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("119 three decimals", bent(b"1200.50,\xb3\xc9", b"1200.500,\xb3\xc9"), "amount"),
    ("119 a negative amount", bent(b"1200.50,\xb3\xc9", b"-1200.50,\xb3\xc9"), "amount"),
    ("121 a header count that is not that of the rows", bent(b",1,1200.50,2022", b",2,1200.50,2022"), "control_count"),
    ("121 a header total that is not that of the rows", bent(b",1,1200.50,2022", b",1,1200.51,2022"), "control_total"),
    ("121 no trailer", lambda w: b"\r\n".join(w.split(b"\r\n")[:-2]), "trailer_missing"),
    ("121 cut in the middle of a row", lambda w: w[:-90], "trailer_missing"),
    ("122 no rows", lambda w: b"\r\n".join([*w.split(b"\r\n")[:3], w.split(b"\r\n")[-2]]), "no_rows"),
    ("122 only a header", lambda w: b"\r\n".join(w.split(b"\r\n")[:2]), "titles"),
    ("122 nothing at all", lambda w: b"", "empty"),
    ("122 two trailers", lambda w: w + w.split(b"\r\n")[-2], "trailer_twice"),
]


@pytest.mark.parametrize(("bend", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_a_file_that_does_not_hold_together_is_refused_whole_and_kept_raw(
    tx: Tx, keys: Keys, bend: Callable[[bytes], bytes], code: str
) -> None:
    sent = await at_bank(tx, keys)
    whole = result([row(sent, 0)])
    done = await take(tx, keys, bend(whole))
    assert (done.status, done.code) == ("refused", code)
    assert keys.open("bank_file", done.file, "sealed", await tx.fetchval("SELECT sealed FROM bank_file WHERE id = $1", done.file)) == bend(
        whole
    )
    assert await money(tx, sent) == (FEN, 0, 0)
    assert (await take(tx, keys, whole)).paid == 1


async def test_123_a_file_whose_digest_is_wrong_is_refused_and_the_right_one_is_taken(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    whole = fixed(sent)
    forged = whole.replace(b"B1 ", b"B2 ", 1)
    done = await settle.import_answer(tx, ALL, "r.txt", forged, LATER, keys)
    assert (done.status, done.code, done.county) == ("refused", "file_digest", sent.county)
    assert (await settle.import_answer(tx, ALL, "r.txt", whole, LATER, keys)).paid == 1


async def test_124_the_same_bytes_do_nothing_and_other_bytes_under_a_known_name_are_noted(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys, 2)
    first = result([row(sent, 0)])
    await take(tx, keys, first, "a.csv")
    assert [(await take(tx, keys, first, name)).status for name in ("a.csv", "b.csv")] == ["repeat", "repeat"]
    await take(tx, keys, result([row(sent, 1)]), "a.csv")
    noted = await tx.fetch("SELECT detail->>'name_reused' AS reused FROM audit WHERE act = 'bank.import' ORDER BY detail->>'name_reused'")
    assert [n["reused"] for n in noted] == ["false", "true"]


@pytest.mark.parametrize("change", ["LF", "BOM", "trailing spaces", "a broken name"])
async def test_129_what_machines_differ_in_is_read_all_the_same(tx: Tx, keys: Keys, change: str) -> None:
    sent = await at_bank(tx, keys)
    whole = result([row(sent, 0)])
    harmless = {
        "LF": whole.replace(b"\r\n", b"\n"), "BOM": b"\xef\xbb\xbf" + whole.decode("gb18030").encode(), "trailing spaces": whole.replace(b"\r\n", b"  \r\n"),
        "a broken name": whole.replace(b",,2022", b",\xff\xfe,2022", 1),
    }[change]  # fmt: skip
    assert (await take(tx, keys, harmless)).paid == 1


async def test_130_an_older_answer_after_the_newer_takes_nothing_back(tx: Tx, keys: Keys) -> None:
    sent = await at_bank(tx, keys)
    older = result([row(sent, 0, "pending")])
    await take(tx, keys, result([row(sent, 0)]))
    assert (await take(tx, keys, older)).repeat == 1
    assert (await statuses(tx, sent), await codes(tx, sent)) == (["paid"], [])


async def test_133_a_file_still_being_written_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "r.csv"
    path.write_bytes(b"half")
    assert await FolderBank(tmp_path).collect() == []
    await asyncio.to_thread(path.write_bytes, b"half and half")
    (tmp_path / "in" / "r.csv.ok").touch()
    assert [a.content for a in await FolderBank(tmp_path).collect()] == [b"half and half"]


async def test_134_names_that_are_paths_are_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "secret.csv")
    for name in ("link.csv", "a\nb.csv", "..csv", "回执.csv"):
        if name != "link.csv":
            (tmp_path / "in" / name).write_bytes(b"x")
        (tmp_path / "in" / f"{name}.ok").touch()
    assert await FolderBank(tmp_path).collect() == []
    assert caplog.text.count("bank answer ignored") == 4


def test_every_case_of_the_catalogue_stands_here() -> None:
    said = " ".join([*(c[0] for c in CASES), *(r[0] for r in REFUSED), *globals()])
    assert [n for n in range(116, 135) if str(n) not in said] == [131]  # a million rows: `relief bench batch`
