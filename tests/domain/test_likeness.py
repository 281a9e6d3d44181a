"""What makes two registrations alike, and what does not."""

from __future__ import annotations

import hashlib
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain import pairs, pinyin
from relief.domain.identity import id_check_digit
from relief.domain.likeness import Home, Limits, blocks, compare, face

VILLAGE = "513322103205"


def number(birth: str = "19710412", sequence: str = "013") -> str:
    first17 = f"519999{birth}{sequence}"
    return first17 + id_check_digit(first17)


def home(*people: tuple[str, str], village: str = VILLAGE, phone: bytes | None = None) -> Home:
    return Home(village, [face(n, i, hashlib.sha256(i.encode()).digest()) for n, i in people], phone, None)


def key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def blocks_of(name: str, id_number: str, village: str = VILLAGE) -> set[int]:
    return set(blocks(UUID(int=1), village, [(name, id_number, hashlib.sha256(id_number.encode()).digest())], (), key))


@pytest.mark.parametrize(
    ("name", "other", "birth", "sequence", "reason"),
    [
        ("甄演红", "甄演虹", "19710412", "033", "name_sound"),
        ("吕峰", "吕峯", "19710412", "033", "name_variant"),
        ("张国荣", "張國榮", "19710412", "033", "name_variant"),
        ("甄演红", "演红甄", "19710412", "033", "name_swapped"),
        ("阿演·木呷", "阿演木呷", "19710412", "033", "name_same"),
        ("甄演红", "甄演山", "19710412", "033", "name_near"),
        ("甄演红", "甄演红", "19710413", "013", "birth_near"),
        ("甄演红", "甄演红", "19711204", "013", "birth_near"),
        ("聂建国", "列建国", "19710412", "033", "name_sound"),
        ("甄暄", "甄XUAN", "19710412", "033", "name_sound"),
    ],
)
def test_a_slip_of_one_kind_is_found_scored_and_named(name: str, other: str, birth: str, sequence: str, reason: str) -> None:
    like = compare(home((name, number())), home((other, number(birth, sequence))))
    assert reason in dict(like.reasons)
    assert like.score >= Limits().score
    assert blocks_of(name, number()) & blocks_of(other, number(birth, sequence))


@pytest.mark.parametrize(
    ("other", "birth", "sequence"),
    [("甄演山", "19690801", "233"), ("甄演红", "19850127", "671"), ("贾尤", "19710412", "671"), ("甄演红", "19710830", "671")],
)
def test_siblings_and_namesakes_are_not_suspected(other: str, birth: str, sequence: str) -> None:
    like = compare(home(("甄演红", number())), home((other, number(birth, sequence))))
    assert like.score < Limits().score


def test_a_neighbour_with_the_same_phone_and_another_name_is_not_suspected() -> None:
    like = compare(home(("甄演红", number()), phone=b"1"), home(("贾尤", number("19550101", "200")), phone=b"1"))
    assert like.score < Limits().score


def test_the_score_is_the_sum_of_its_reasons_and_members_count() -> None:
    a = home(("甄演红", number()), ("莫演山", number("20010203", "110")))
    b = home(("甄演虹", number(sequence="033")), ("莫演山", number("20010203", "120")))
    like = compare(a, b)
    assert "member_also" in dict(like.reasons)
    assert like.score == min(100, sum(points for _, points in like.reasons))
    assert len(like.people) == 4


def test_nothing_of_a_name_or_number_stands_in_a_block() -> None:
    """The same person under another key has other fuzzy blocks."""
    one = blocks_of("甄演红", number())
    other = set(blocks(UUID(int=1), VILLAGE, [("甄演红", number(), b"\x01" * 32)], (), lambda text: key("other" + text)))
    assert not one & other


@pytest.mark.parametrize(("a", "b"), [("胡", "弗"), ("花", "发")])
def test_only_what_is_said_to_sound_alike_sounds_alike(a: str, b: str) -> None:
    assert pinyin.syllables(a) != pinyin.syllables(b)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=40))
def test_pairs_are_exactly_those_who_share_a_block_each_once(rows: list[tuple[int, int]]) -> None:
    block, owner = np.array([2 * b + 1 for b, _ in rows], np.int64), np.array([o for _, o in rows], np.int32)
    left, right = pairs.sharing(block, owner, kept=3)
    expected = {(min(p, q), max(p, q)) for b, p in rows for c, q in rows if b == c and p != q and max(p, q) >= 3}
    assert sorted(zip(left.tolist(), right.tolist(), strict=True)) == sorted(expected)


def test_an_exact_key_pairs_everybody_with_the_first_only() -> None:
    block = np.full(500, 8, np.int64)
    left, right = pairs.sharing(block, np.arange(500, dtype=np.int32), kept=0)
    assert (len(left), set(left.tolist())) == (499, {0})
    assert 0 not in right


def test_a_block_that_holds_half_a_town_is_passed_over() -> None:
    left, _ = pairs.sharing(np.full(pairs.MOST_IN_BLOCK + 1, 7, np.int64), np.arange(pairs.MOST_IN_BLOCK + 1, dtype=np.int32), kept=0)
    assert not len(left)
