"""The 一卡通 layout: golden bytes, round trips, and every way a file can be wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relief.channels import bank_layout, bank_layouts
from relief.domain.batch import BatchFile, BatchLine, digest, envelope, is_number, number
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid

GOLDEN = Path(__file__).parent / "golden"
LAYOUT = bank_layouts.load("yikatong")
NUMBER = "513322-EMERG-202209-402-0001"


def a_line(seq: int = 1, **changes: object) -> BatchLine:
    line = BatchLine(
        seq=seq, reference=f"513322{seq:018d}", name="测试甲", id_type="resident", id_number="519999196001011016",
        account="6299990000000000009", bank_name="四川农信社", cnaps="402651000001", amount_fen=120_050, phone="+8615400001234",
        area="513322103201", kind="应急生活救助", note="",
    )  # fmt: skip
    return msgspec.structs.replace(line, **changes)


def a_batch(*lines: BatchLine, **changes: object) -> BatchFile:
    batch = BatchFile(
        number=NUMBER, project="EMERG", project_name="应急期生活救助", period="202209", payer="泸定县财政局", payer_account="629999001",
        bank="402", lines=lines or (a_line(),), summary="2022-09-05泸定县地震",
    )  # fmt: skip
    return msgspec.structs.replace(batch, **changes)


RESULT = [
    "批次号,回执笔数,回执金额(元),回执时间",
    f"{NUMBER},3,3601.50,2022-09-06 10:00:00",
    "序号,业务流水号,社保卡银行账号,金额(元),状态,失败代码,失败原因,入账时间,银行流水号",
    "1,513322000000000000000001,6299990000000000009,1200.50,成功,,,2022-09-06 09:12:01,B001",
    "2,513322000000000000000002,6299990000000000009,1200.50,失败,F04,已销户,,",
    "3,513322000000000000000003,6299990000000000009,1200.50,处理中,,,,",
    "合计,3,3601.50",
]


def a_result(*rows: str, newline: str = "\r\n", encoding: str = "gb18030") -> bytes:
    return newline.join([*(rows or RESULT), ""]).encode(encoding)


def changed(at: int, text: str) -> bytes:
    return a_result(*RESULT[:at], text, *RESULT[at + 1 :])


def refusal(content: bytes) -> Invalid:
    with pytest.raises(Invalid) as caught:
        LAYOUT.parse_result(content)
    return caught.value


def test_batch_file_is_byte_for_byte_the_golden_one() -> None:
    batch = a_batch(
        a_line(1),
        a_line(2, name="阿依·木呷", phone="", cnaps="", note="补发"),
        a_line(3, name="𠮷䶮喆", phone="+15555550123", id_type="passport", id_number="E5199990"),
    )
    assert bank_layout.encode(LAYOUT, batch) == (GOLDEN / "yikatong_batch.csv").read_bytes()
    assert bank_layout.decode(LAYOUT, (GOLDEN / "yikatong_batch.csv").read_bytes()) == batch


def test_layout_is_marked_as_illustrative() -> None:
    assert LAYOUT.illustrative


#: What a name or note may hold: GB18030 reaches all of Unicode, rare characters and plane 2 included.
_TEXT = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"), include_characters="𠮷䶮㛃·龘"),
    min_size=1,
    max_size=12,
).filter(lambda t: t[0] not in "=+-@" and t.strip() == t and "\ufffd" not in t)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_TEXT, st.integers(1, 10**12), _TEXT | st.just("")), min_size=1, max_size=6), _TEXT)
def test_what_was_written_is_what_is_read(people: list[tuple[str, int, str]], summary: str) -> None:
    lines = tuple(a_line(i, name=name, amount_fen=fen, note=note) for i, (name, fen, note) in enumerate(people, 1))
    batch = a_batch(*lines, summary=summary)
    content = bank_layout.encode(LAYOUT, batch)
    assert bank_layout.decode(LAYOUT, content) == batch
    assert bank_layout.encode(LAYOUT, batch) == content


def test_a_name_the_encoding_cannot_hold_names_the_line_and_not_the_name() -> None:
    narrow = msgspec.structs.replace(LAYOUT, encoding="gb2312")
    with pytest.raises(Invalid) as caught:
        bank_layout.encode(narrow, a_batch(a_line(1), a_line(2, name="𠮷测试")))
    assert (caught.value.code, caught.value.data) == ("encoding", {"line": 2, "column": "name"})
    assert "𠮷" not in f"{caught.value.message}{caught.value.data}"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount_fen", 0), ("amount_fen", -5), ("account", "6.2E+18"), ("account", "62 9999"), ("reference", ""), ("reference", "a b"),
        ("name", ""), ("name", " "), ("kind", "-1"), ("name", "=cmd()"), ("name", "甲\n乙"), ("note", "@x"), ("id_type", "unheard_of"), ("cnaps", "123"), ("area", ""),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_written_is_refused_by_line_and_column(column: str, value: object) -> None:
    with pytest.raises(Invalid) as caught:
        bank_layout.encode(LAYOUT, a_batch(a_line(1), a_line(2, **{column: value})))
    assert (caught.value.code, caught.value.data) == ("field", {"line": 2, "column": column})


def test_lines_must_be_numbered_without_gaps() -> None:
    with pytest.raises(Invalid, match="numbered"):
        bank_layout.encode(LAYOUT, a_batch(a_line(1), a_line(3)))


def test_result_rows_carry_outcome_reason_time_and_file_line() -> None:
    result = LAYOUT.parse_result(a_result())
    assert result.batch_number == NUMBER
    assert [(r.row, r.outcome, r.reason, r.bank_ref, r.amount_fen, r.code) for r in result.rows] == [
        (4, "paid", None, "B001", 120_050, None), (5, "returned", "F04", None, 120_050, None), (6, "pending", None, None, 120_050, None),
    ]  # fmt: skip
    assert result.rows[0].at == datetime(2022, 9, 6, 9, 12, 1, tzinfo=BEIJING)


@pytest.mark.parametrize("content", [
    a_result(newline="\n"), a_result(newline="\r"), a_result(encoding="utf-8"), b"\xef\xbb\xbf" + a_result(encoding="utf-8"),
    "\ufeff".encode("gb18030") + a_result(), a_result().rstrip(), a_result() + b"\r\n\r\n", a_result(*(f"{line}  " for line in RESULT)),
    a_result(*(f"{line},,," for line in RESULT)), changed(4, RESULT[4].replace("F04,已销户", ",已销户或卡已注销")),
    a_result().replace("已销户".encode("gb18030"), b"\xd2\xff\xcf"),
])  # fmt: skip
def test_harmless_differences_between_machines_read_the_same(content: bytes) -> None:
    assert LAYOUT.parse_result(content) == LAYOUT.parse_result(a_result())


@pytest.mark.parametrize(
    ("content", "code", "row", "column"),
    [
        (b"", "empty", 1, 0),
        (b"\r\n \r\n", "empty", 1, 0),
        (a_result(*RESULT[:3], RESULT[6]), "no_rows", 4, 0),
        (a_result(*RESULT[:1]), "titles", 3, 1),
        (a_result(*RESULT[:-1]), "trailer_missing", 6, 0),
        (a_result(*RESULT[:3]), "trailer_missing", 3, 0),
        (a_result()[:-60], "trailer_missing", 6, 0),
        (a_result(*RESULT, RESULT[-1]), "trailer_twice", 8, 0),
        (a_result(*RESULT, RESULT[3]), "after_trailer", 8, 0),
        (changed(6, "合计,3,3601.51"), "control_total", 7, 3),
        (changed(6, "合计,2,3601.50"), "control_count", 7, 2),
        (changed(6, "合计,3,3601.5"), "amount", 7, 3),
        (changed(6, "合计,3"), "row_shape", 7, 3),
        (changed(1, RESULT[1].replace("3601.50", "3601.49")), "control_total", 2, 3),
        (changed(1, RESULT[1].replace(",3,", ",4,")), "control_count", 2, 2),
        (changed(1, RESULT[1].replace(",3,", ",３,")), "control_count", 2, 2),
        (changed(1, RESULT[1].replace(NUMBER, "../../etc/passwd")), "batch_number", 2, 1),
        (changed(3, RESULT[3].replace("1200.50", "120050")), "amount", 4, 4),
        (changed(3, RESULT[3].replace("1200.50", "-1200.50")), "amount", 4, 4),
        (changed(3, RESULT[3].replace("1200.50", "1200.500")), "amount", 4, 4),
        (changed(3, RESULT[3].replace("1200.50", "１200.50")), "amount", 4, 4),
        (changed(3, RESULT[3].replace("1200.50", '"1,200.50"')), "amount", 4, 4),
        (changed(4, "2,513322000000000000000002,62"), "row_shape", 5, 4),
        (changed(4, '2,"513322'), "row_shape", 5, 0),
        (changed(4, ""), "row_shape", 5, 1),
        (changed(2, RESULT[2].replace("状态", "結果")), "titles", 3, 5),
        (a_result(encoding="utf-16"), "titles", 1, 1),
    ],
)
def test_a_file_whose_controls_disagree_is_refused_whole(content: bytes, code: str, row: int, column: int) -> None:
    error = refusal(content)
    assert (error.code, error.data) == (code, {"row": row, "column": column})


def test_a_file_cut_anywhere_is_refused() -> None:
    whole = a_result()
    end = len(whole.rstrip())
    for cut in range(end):
        refusal(whole[:cut])


@pytest.mark.parametrize("word", ["已入账", "", "SUCCESS", "成 功", "成功成功", "paid"])
def test_an_unknown_status_word_keeps_the_row_and_marks_it_unreadable(word: str) -> None:
    rows = LAYOUT.parse_result(changed(3, RESULT[3].replace("成功", word))).rows
    assert (rows[0].outcome, rows[0].code, rows[0].amount_fen) == ("unreadable", "status_word", 120_050)
    assert [r.outcome for r in rows[1:]] == ["returned", "pending"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("513322000000000000000001", "", "reference"),
        ("513322000000000000000001", "５13322000000000000000001", "reference"),
        ("6299990000000000009", "6.3E+18", "account"),
        ("2022-09-06 09:12:01", "2022/9/6", "time"),
        ("2022-09-06 09:12:01", "2022-02-31 09:12:01", "time"),
    ],
)
def test_a_row_with_a_malformed_id_or_time_is_unreadable_and_nothing_of_it_is_kept(old: str, new: str, code: str) -> None:
    row = LAYOUT.parse_result(changed(3, RESULT[3].replace(old, new))).rows[0]
    assert (row.outcome, row.code) == ("unreadable", code)
    assert new not in (row.reference, row.account) or new == ""


def test_an_unlisted_failure_code_is_other() -> None:
    assert LAYOUT.parse_result(changed(4, RESULT[4].replace("F04,已销户", "E777,不明"))).rows[1].reason == "F99"


def test_statement_rows_name_their_own_batches() -> None:
    content = a_result(
        "对账单号,付款账号,对账笔数,对账金额(元),出单时间", "S1,629999001,2,2.00,2022-09-07 08:00:00",
        "序号,批次号,业务流水号,社保卡银行账号,金额(元),状态,失败代码,失败原因,入账时间,银行流水号",
        f"1,{NUMBER},R1,,1.00,成功,,,2022-09-06 09:00:00,B1", "2,nonsense,R2,,1.00,退票,F05,挂失,,", "合计,2,2.00",
    )  # fmt: skip
    rows = LAYOUT.parse_statement(content).rows
    assert [(r.batch_number, r.reference, r.outcome, r.reason) for r in rows] == [
        (NUMBER, "R1", "paid", None),
        ("", "R2", "reversed", "F05"),
    ]
    assert LAYOUT.glimpse(content) == LAYOUT.glimpse(content[:300])
    assert LAYOUT.glimpse(content).kind == "statement"
    assert LAYOUT.glimpse(content).batch_number == NUMBER


@given(st.binary(max_size=300))
def test_a_glimpse_never_raises(content: bytes) -> None:
    assert LAYOUT.glimpse(content).kind == "result"


@settings(deadline=None)
@given(st.integers(0, len(a_result()) - 1), st.integers(0, 255))
def test_one_damaged_byte_is_refused_or_leaves_money_alone(at: int, byte: int) -> None:
    content = bytearray(a_result())
    content[at] = byte
    try:
        rows = LAYOUT.parse_result(bytes(content)).rows
    except Invalid:
        return
    assert [r.amount_fen for r in rows] == [120_050] * 3


def test_batch_numbers_are_ascii_and_safe_as_file_names() -> None:
    assert number("513322", "EMERG", "202209", "402", 1) == NUMBER
    assert is_number(NUMBER)
    for parts in [("5133", "E", "1", "402"), ("513322", "应急", "1", "402"), ("513322", "../x", "1", "402"), ("513322", "", "1", "402")]:
        with pytest.raises(Invalid):
            number(*parts, 1)
    with pytest.raises(Invalid):
        number("513322", "E", "1", "402", 0)
    assert not any(is_number(bad) for bad in ("", NUMBER + "\n", NUMBER + ".csv", "a" + NUMBER))


def test_an_envelope_is_the_same_in_any_order_and_refuses_repeats() -> None:
    one, two = digest(b"1"), digest(b"2")
    assert envelope([one, two]) == envelope([two, one]) != envelope([one])
    for bad in ([], [one, one], [b"short"]):
        with pytest.raises(Invalid):
            envelope(bad)


@pytest.mark.parametrize("name", ["nowhere", "../yikatong", "YIKATONG", ""])
def test_a_layout_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        bank_layouts.load(name)
