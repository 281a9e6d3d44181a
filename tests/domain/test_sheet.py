"""Cells and rows of a register: what a clerk typed, and what a spreadsheet made of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from relief.demo import numbers
from relief.domain import sheet_form, sheet_rows
from relief.domain.sheet_cells import SAYS, Cell, Wrong, value
from relief.domain.sheet_form import FORMS, HOUSEHOLD, located
from relief.domain.sheet_rows import Families, Judge

TODAY = date(2022, 9, 5)
COLUMNS = {c.key: c for form in reversed(FORMS.values()) for c in form.columns}
ID, OTHER, THIRD = "519999196001011016", "519999198506152024", "519999201809303031"
CARD = numbers.account(7)


@pytest.mark.parametrize(
    ("key", "cell", "code"),
    [
        ("id_number", "519999196001011017", "id_checksum"),
        ("id_number", "511025196001011", "id_15"),
        ("id_number", "5199991960010110", "id_form"),
        ("id_number", "51999919600230101X", "id_checksum"),
        ("id_number", "٥١٩٩٩٩١٩٦٠٠١٠١١٠١٦x", "id_form"),
        ("id_number", "111111111111111111", "id_checksum"),
        ("id_number", ("number", "5.19999196001011E+17"), "precision_lost"),
        ("id_number", ("number", "519999196001011000"), "precision_lost"),
        ("id_number", "5.19999E+17", "precision_lost"),
        ("id_number", "'519999196001011016", "precision_lost"),
        ("id_number", "519999196001011000", "precision_lost"),
        ("id_number", ("fault", "formula"), "formula"),
        ("account", ("number", "6.22848040256489e+18"), "precision_lost"),
        ("account", "6.2284804E+18", "precision_lost"),
        ("account", "6228480402564890000", "precision_lost"),
        ("account", "6299990000000000001", "account_checksum"),
        ("account", "629999000000", "account_form"),
        ("account", "62999900000000000071234", "account_form"),
        ("bank", "花旗银行", "bank_not_supported"),
        ("bank", "999", "bank_not_supported"),
        ("name", "甄", "name_form"),
        ("name", "甄" * 60, "name_form"),
        ("name", "甄1", "name_form"),
        ("name", "甄😀", "name_form"),
        ("name", "甄\ue000", "name_form"),
        ("name", ("number", "12"), "type_number"),
        ("name", "", "required"),
        ("phone", "12345678901", "phone_form"),
        ("phone", "1380013800", "phone_form"),
        ("phone", "08362345678", "phone_form"),
        ("phone", "4001234567", "phone_form"),
        ("phone", ("number", "1.54E+10"), "precision_lost"),
        ("village", "51332210320", "village_form"),
        ("village", ("number", "5.13E+11"), "precision_lost"),
        ("relation", "邻居", "choice"),
        ("family_type", "很穷", "choice"),
        ("only_home", "对", "choice"),
        ("rooms_collapsed", "-1", "count"),
        ("rooms_collapsed", "两间", "count"),
        ("rooms_collapsed", "1.5", "count"),
        ("rooms_collapsed", "99", "range"),
        ("dead", "31", "range"),
        ("lon", "一百度", "degrees"),
        ("lon", "NaN", "degrees"),
        ("lon", "181", "degrees"),
        ("paid", "1,000.00", "amount"),
        ("paid", "￥100", "amount"),
        ("paid", "100元", "amount"),
        ("paid", "壹佰", "amount"),
        ("paid", "0.005", "amount"),
        ("paid", "-1", "amount"),
        ("when", "2026-02-30", "date"),
        ("when", "2099-01-01", "date"),
        ("when", ("number", "44809"), "precision_lost"),
    ],
)
def test_a_bad_cell_has_its_exact_code_and_a_sentence(key: str, cell: Cell, code: str) -> None:
    with pytest.raises(Wrong) as caught:
        value(COLUMNS[key], cell, TODAY, typed=False)
    assert caught.value.code == code
    assert " · " in caught.value.says
    assert str(cell) not in caught.value.says or len(str(cell)) < 3


@pytest.mark.parametrize(
    ("key", "cell", "found"),
    [
        ("id_number", " ５１９９９９１９６００１０１１０１６ ", ID),
        ("id_number", "51999919700305003x", "51999919700305003X"),
        ("account", " ".join((CARD[:4], CARD[4:])), CARD),
        ("phone", "+86 154 0000 0001", "+8615400000001"),
        ("phone", "0086-15400000001", "+8615400000001"),
        ("phone", ("number", "15400000001"), "+8615400000001"),
        ("village", ("number", "513322103205"), "513322103205"),
        ("village", "513322103205 蔡阳村", "513322103205"),
        ("bank", "农村信用社", "402"),
        ("bank", ("number", "402"), "402"),
        ("name", "阿演•木呷", "阿演·木呷"),
        ("name", "NA", "NA"),
        ("name", "null", "null"),
        ("rooms_collapsed", ("number", "3.0"), 3),
        ("only_home", "否", False),
        ("circumstances", "缺饮用水、缺口粮", "缺饮用水、缺口粮"),
        ("paid", "100.5", 10_050),
        ("when", "2022年9月5日", "2022-09-05"),
        ("phone", "", None),
    ],
)
def test_a_good_cell_comes_to_its_one_form(key: str, cell: Cell, found: object) -> None:
    assert value(COLUMNS[key], cell, TODAY, typed=True) == found


def test_headings_are_found_by_name_and_every_wrong_one_is_told() -> None:
    headings = [c.zh for c in HOUSEHOLD.columns]
    assert located(HOUSEHOLD, headings, 1)[1] == []
    assert located(HOUSEHOLD, list(reversed(headings)), 1)[1] == []
    wrong = ["姓名", "姓名", "名字", "身份证号"]
    codes = {(f.place, f.code) for f in located(HOUSEHOLD, wrong, 1)[1]}
    assert {
        ("姓名", "column_twice"),
        ("名字", "column_unknown"),
        ("户编号", "column_missing"),
        ("社保卡银行账号", "column_missing"),
    } <= codes
    d03 = [f"D030{n:02d}" for n in range(1, 11)]
    assert located(FORMS["winter"], d03, 1)[1] == []


HEADINGS = ("number", "relation", "name", "id_number", "village", "bank", "account", "rooms_collapsed", "people_in_need", "lon", "lat")
HEAD = ["1", "户主", "甄演一", ID, "513322103205", "402", CARD, "2", "", "", ""]
MEMBER = ["1", "配偶", "甄演二", OTHER]


def families(*rows: Any, merged: Any = ()) -> tuple[list[sheet_rows.Family], Judge]:
    places = {key: n for n, key in enumerate(HEADINGS)}
    judge = Judge(HOUSEHOLD, places, len(HEADINGS), TODAY, typed=True, merged=merged)
    numbered = [(n, list(r)) for n, r in enumerate(rows, 2)]
    reader = Families(judge, sheet_rows.doubles(places, numbered))
    return [*reader.take(numbered), *reader.end()], judge


def changed(row: list[str], **cells: str) -> list[str]:
    return [cells.get(key, cell) for key, cell in zip(HEADINGS, row + [""] * (len(HEADINGS) - len(row)), strict=True)]


def test_rows_become_households_with_the_householder_first() -> None:
    [family], judge = families(MEMBER, HEAD)
    assert ([m.name for m in family.members], family.faults, judge.rows) == (["甄演一", "甄演二"], [], 2)
    assert sheet_rows.fields(family.facts) == {"village": "513322103205", "bank": "402", "account": CARD, "rooms_collapsed": 2}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([MEMBER], "householder_missing"),
        ([HEAD, changed(MEMBER, relation="户主")], "householder_twice"),
        ([HEAD, changed(MEMBER, id_number=ID)], "id_twice"),
        ([HEAD, changed(HEAD, number="2"), changed(HEAD, number="3", id_number=THIRD)], "id_twice_in_file"),
        ([HEAD, changed(HEAD, number="2", id_number=OTHER), changed(MEMBER, id_number=THIRD)], "household_split"),
        ([HEAD, changed(MEMBER, rooms_collapsed="5")], "householder_differs"),
        ([changed(HEAD, account="")], "required"),
        ([changed(HEAD, people_in_need="3")], "people_in_need"),
        ([changed(HEAD, lon="29.6", lat="102.1")], "axes_swapped"),
        ([changed(HEAD, lon="116.4", lat="39.9")], "outside_box"),
        ([changed(HEAD, lon="0", lat="0")], "outside_box"),
        ([changed(HEAD, lon="102.1")], "point_half"),
        ([HEAD, ["户编号", "与户主关系", "姓名", "身份证号"]], "header_twice"),
        ([[*HEAD, "", "多出来的"]], "ragged"),
        ([changed(HEAD, number="")], "required"),
        ([HEAD] + [changed(MEMBER, id_number="")] * 30, "household_too_large"),
    ],
)
def test_what_is_wrong_with_a_household_is_told_and_keeps_it_out(rows: Any, code: str) -> None:
    found, judge = families(*rows)
    assert code in {f.code for family in found for f in family.faults}
    assert " · " in judge.words[code]
    assert all(not family.members for family in found if family.faults)


def test_every_fault_of_a_row_is_told_not_only_the_first() -> None:
    [family], _ = families(changed(HEAD, name="甄", id_number="1", account="6.2E+18", rooms_collapsed="x"))
    assert {(f.row, f.place, f.code) for f in family.faults} == {
        (2, "姓名", "name_form"), (2, "身份证号", "id_form"), (2, "社保卡银行账号", "precision_lost"), (2, "倒塌间数", "count"),
    }  # fmt: skip


def test_totals_notes_and_blank_rows_are_left_out_by_rule_and_reported() -> None:
    found, judge = families(HEAD, [], ["合计", "", "", "1户"], ["填表人：演"])
    assert (len(found), judge.skipped) == (1, [3, 4, 5])


def test_a_merged_row_is_a_fault_of_its_household() -> None:
    [family], _ = families(HEAD, merged=[(2, 3)])
    assert [f.code for f in family.faults] == ["merged"]


def test_every_form_says_what_it_asks_in_two_languages() -> None:
    for form in sheet_form.FORMS.values():
        assert len({c.key for c in form.columns}) == len(form.columns) == len({c.heading for c in form.columns})
    assert [c.code for c in FORMS["winter"].columns] == [f"D030{n:02d}" for n in range(1, 11)]
    assert all(" · " in says for says in SAYS.values())
