"""Numbers of people: one form each, and a refusal that says what is wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.demo import numbers
from relief.domain import identity
from relief.domain.errors import Invalid

TODAY = date(2022, 9, 5)
#: Computed for this project: prefixes that were never assigned.
GOOD = ["519999196001011016", "519999198506152024", "519999201809303031", "519999194702204049", "51999919700305003X", "810000199001011011"]


@pytest.mark.parametrize("number", GOOD)
def test_a_right_number_passes_in_every_way_of_writing_it(number: str) -> None:
    wide = number.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
    spaced = f" {number[:6]} {number[6:14]}-{number[14:]} "
    assert {identity.id_number(t, TODAY) for t in (number, number.lower(), wide, spaced)} == {number}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("519999196001011017", "id_checksum"),
        ("511025600101101", "id_15"),
        ("51999919600101101", "id_form"),
        ("٥19999196001011016", "id_form"),
        ("519999196001011016a", "id_form"),
        ("", "id_form"),
    ],
)
def test_a_wrong_number_says_what_is_wrong_and_is_not_repeated(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        identity.id_number(text, TODAY)
    assert refusal.value.code == code
    assert not text or text not in refusal.value.message


def _with_check(first17: str) -> str:
    return first17 + identity.id_check_digit(first17)


@pytest.mark.parametrize("born", ["19900230", "20990101", "18900101", "20220906"])
def test_an_impossible_birth_is_refused(born: str) -> None:
    with pytest.raises(Invalid) as refusal:
        identity.id_number(_with_check(f"519999{born}101"), TODAY)
    assert refusal.value.code == "id_birth"


@given(st.integers(0, 5_000_000))
def test_invented_people_pass_every_check_and_are_unmistakable(n: int) -> None:
    for number in (numbers.householder_id(n), numbers.member_id(n)):
        assert identity.id_number(number, TODAY) == number
        assert number.startswith("519999")
    assert identity.adult(numbers.householder_id(n), TODAY)
    assert identity.account(numbers.account(n)).startswith("629999")
    assert identity.phone_route(identity.phone(numbers.mainland_phone(n))) == "one way"
    assert identity.phone_route(identity.phone(numbers.two_way_phone(n))) == "two way"


@pytest.mark.parametrize(
    ("text", "form"),
    [("154 0000 1234", "+8615400001234"), ("+86-154-0000-1234", "+8615400001234"), ("008615400001234", "+8615400001234"), ("１５４００００１２３４", "+8615400001234"),
     ("+12005550100", "+12005550100")],
)  # fmt: skip
def test_phones_have_one_form(text: str, form: str) -> None:
    assert identity.phone(text) == form


@pytest.mark.parametrize("text", ["12345678901", "1540000123", "028-1234567", "400-800-1234", "+8612345", "x", "+0123456"])
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        identity.phone(text)


@given(st.integers(0, 10**9))
def test_one_wrong_digit_of_an_account_is_noticed(n: int) -> None:
    number = numbers.account(n)
    wrong = number[:10] + str((int(number[10]) + 1) % 10) + number[11:]
    with pytest.raises(Invalid):
        identity.account(wrong)


def test_masks_hide_what_they_must() -> None:
    assert identity.mask_id("519999196001011016") == "5199**********1016"
    assert identity.mask_phone("+8615400001234") == "154****1234"
    assert identity.mask_account("6299990000000000017") == "**** 0017"
    assert identity.mask_name("甄演一") == "甄**"


@pytest.mark.parametrize("name", ["演珠·卓玛", "阿演・木呷", "𬊈演", "欧阳演示"])
def test_real_names_pass_and_their_dots_agree(name: str) -> None:
    assert identity.person_name(name) == name.replace("・", "·")


@pytest.mark.parametrize("name", ["甄", "甄1", "甄\u202e演", "甄\x00演", "甄" * 51, "", "\ue000演"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        identity.person_name(name)
