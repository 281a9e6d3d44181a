"""More than one bank: each is written to in its own layout, answers are known by how they begin, and a new bank is a new file."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from relief.channels import bank_layout, bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.rehearsal.bank import RehearsalBank
from relief.domain.batch import BatchFile
from relief.domain.errors import Invalid
from tests.channels.test_rehearsal_bank import NOW, QUIET, badly, batch

ALL = bank_layouts.load_all()
FIXED = bank_layouts.load("dingchang")

#: A bank that wants semicolons, UTF-8, fen, no titles, and closes its file with SHA-256: nothing but a file.
THIRD = """
name = "third"
title = "第三家"
illustrative = true
banks = ["104"]
encoding = "utf-8"
delimiter = ";"
newline = "\\n"
titles = false
trailer = "END"
digest = "sha256"
[batch]
header = [{ key = "mark", title = "PAY", kind = "mark" }, { key = "number", title = "n", kind = "ascii" },
          { key = "count", title = "c", kind = "count" }, { key = "total_fen", title = "t", kind = "fen" }]
columns = [{ key = "reference", title = "r", kind = "reference" }, { key = "account", title = "a", kind = "account" },
           { key = "name", title = "h", kind = "words" }, { key = "amount_fen", title = "f", kind = "fen" }]
[result]
header = [{ key = "mark", title = "ANS", kind = "mark" }, { key = "number", title = "n", kind = "ascii" },
          { key = "count", title = "c", kind = "count" }, { key = "total_fen", title = "t", kind = "fen" }]
columns = [{ key = "reference", title = "r", kind = "reference" }, { key = "amount_fen", title = "f", kind = "fen" },
           { key = "outcome", title = "o", kind = "status" }, { key = "reason", title = "w", kind = "reason" }]
[statement]
header = [{ key = "mark", title = "STM", kind = "mark" }, { key = "count", title = "c", kind = "count" },
          { key = "total_fen", title = "t", kind = "fen" }]
columns = [{ key = "batch_number", title = "b", kind = "text" }, { key = "reference", title = "r", kind = "reference" },
           { key = "amount_fen", title = "f", kind = "fen" }, { key = "outcome", title = "o", kind = "status" }]
[codes]
id_type = { resident = "1" }
status = { OK = "paid", NO = "returned" }
reason = { X1 = "F04", X9 = "F13" }
[reasons]
F04 = "销户"
"""


def for_bank(code: str, lines: int = 3) -> BatchFile:
    made = batch(lines)
    return msgspec.structs.replace(made, bank=code, number=made.number.replace("-402-", f"-{code}-"), made_at=NOW)


def third(tmp_path: Path) -> bank_layouts.Layouts:
    (tmp_path / "third.toml").write_text(THIRD, "utf-8")
    return bank_layouts.load_all(tmp_path)


def closed(body: str, count: int, fen: int) -> bytes:
    plain = body.encode()
    return plain + f"END;{count};{fen};{hashlib.sha256(plain).hexdigest()}\n".encode()


def test_each_bank_is_written_to_in_its_own_layout_and_all_others_in_the_usual_one() -> None:
    assert [ALL.of(code).name for code in ("402", "403", "102")] == ["yikatong", "dingchang", "yikatong"]
    assert ALL.encode(for_bank("402")).startswith("批次号".encode("gb18030"))
    assert ALL.encode(for_bank("403")).startswith(b"H513322-EMERG-202209-403-0001")


def test_what_ships_is_marked_as_illustrative() -> None:
    assert {one.name for one in ALL.known} == {"yikatong", "dingchang", "iso20022"}
    assert all(msgspec.to_builtins(one)["illustrative"] for one in ALL.known)


def test_fixed_columns_are_of_one_length_in_fen_and_closed_by_the_digest_of_what_stands_before() -> None:
    content = FIXED.encode(for_bank("403"))
    head, *lines, last = content.splitlines()
    assert {len(line) for line in lines} == {sum(c.width for c in FIXED.batch.columns)}
    assert lines[0].startswith(b"00000001")
    assert b"00000000010001" in lines[0]
    assert last[:25] == b"T" + b"00000003" + b"0000000000030006"
    assert bank_layout.decode(FIXED, content) == msgspec.structs.replace(for_bank("403"), made_at=None)
    assert len(head) == sum(c.width for c in FIXED.batch.header)


def test_a_name_too_long_for_its_column_names_line_and_column() -> None:
    made = for_bank("403")
    long = msgspec.structs.replace(made.lines[1], name="长" * 21)
    with pytest.raises(Invalid) as caught:
        FIXED.encode(msgspec.structs.replace(made, lines=(made.lines[0], long, made.lines[2])))
    assert (caught.value.code, caught.value.data) == ("field", {"line": 2, "column": "name"})


async def test_answers_in_fixed_columns_are_read_and_one_changed_byte_refuses_them(tmp_path: Path) -> None:
    await FolderBank(tmp_path).deliver("513322-EMERG-202209-403-0001", ALL.encode(for_bank("403")))
    bank = RehearsalBank(tmp_path, badly(closed_rate=1, statement_s=5))
    bank.tick(NOW)
    bank.tick(NOW + timedelta(seconds=6))
    bank.close()
    result, statement = await FolderBank(tmp_path).collect()
    assert [(r.outcome, r.reason, r.amount_fen) for r in ALL.parse_result(result.content).rows] == [
        ("returned", "F04", 10_000 + n) for n in (1, 2, 3)
    ]
    assert (ALL.glimpse(statement.content).kind, len(ALL.parse_statement(statement.content).rows)) == ("statement", 3)
    with pytest.raises(Invalid) as caught:
        ALL.parse_result(result.content.replace(b"011004", b"00    ", 1))
    assert caught.value.code == "file_digest"


def test_a_third_bank_comes_by_adding_a_file(tmp_path: Path) -> None:
    known = third(tmp_path)
    content = known.encode(for_bank("104"))
    lines = content.decode().splitlines()
    assert lines[0] == "PAY;513322-EMERG-202209-104-0001;3;30006"
    assert lines[1] == "513322000001000000000001;6299990000000000009;测试甲;10001"
    answer = closed(
        "ANS;513322-EMERG-202209-104-0001;2;20003\n513322000001000000000001;10001;OK;\n513322000001000000000002;10002;NO;X1\n", 2, 20003
    )
    assert [(r.outcome, r.reason) for r in known.parse_result(answer).rows] == [("paid", None), ("returned", "F04")]
    stated = closed("STM;1;10001\n513322-EMERG-202209-104-0001;513322000001000000000001;10001;OK\n", 1, 10001)
    assert known.glimpse(stated).kind == "statement"
    assert known.glimpse(stated).batch_number == "513322-EMERG-202209-104-0001"
    assert known.parse_statement(stated).rows[0].batch_number == "513322-EMERG-202209-104-0001"


def test_a_failure_that_is_only_a_timeout_is_no_answer(tmp_path: Path) -> None:
    answer = closed("ANS;513322-EMERG-202209-104-0001;1;10001\n513322000001000000000001;10001;NO;X9\n", 1, 10001)
    [row] = third(tmp_path).parse_result(answer).rows
    assert (row.outcome, row.reason) == ("pending", None)


def test_two_layouts_for_one_bank_or_a_faulty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(THIRD.replace('"104"', '"403"'), "utf-8")
    with pytest.raises(Invalid, match="403"):
        bank_layouts.load_all(tmp_path)
    (tmp_path / "a.toml").write_text(THIRD.replace("[batch]", "[bach]"), "utf-8")
    with pytest.raises(Invalid) as caught:
        bank_layouts.load_all(tmp_path)
    assert caught.value.code == "layout_form"


def test_a_file_no_layout_knows_is_refused_by_the_usual_one() -> None:
    assert QUIET.refuse_rate == 0
    for parse in (ALL.parse_result, ALL.parse_statement):
        with pytest.raises(Invalid) as caught:
            parse(b"hello\n")
        assert caught.value.code == "titles"
