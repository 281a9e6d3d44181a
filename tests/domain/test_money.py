"""Money: whole fen, nothing lost when split, nothing read that is not plainly yuan."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain.errors import Invalid
from relief.domain.money import display, parse_yuan, split, yuan


@st.composite
def _shares(draw: st.DrawFn) -> list[int]:
    cuts = sorted(draw(st.sets(st.integers(1, 9_999), max_size=7)))
    edges = [0, *cuts, 10_000]
    return [b - a for a, b in itertools.pairwise(edges)]


@given(total=st.integers(0, 10**15), shares=_shares())
def test_a_split_sums_to_the_whole_and_no_part_is_off_by_a_fen(total: int, shares: list[int]) -> None:
    parts = split(total, shares)
    assert sum(parts) == total
    assert all(abs(p - total * s / 10_000) < 1 for p, s in zip(parts, shares, strict=True) if total < 10**12)
    assert all(0 <= p - total * s // 10_000 <= 1 for p, s in zip(parts, shares, strict=True))


@given(st.integers(0, 10**14))
def test_yuan_written_is_yuan_read(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen
    assert display(fen).replace(",", "") == yuan(fen)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "1.0",
        "1.000",
        "01.00",
        "-1.00",
        "+1.00",
        "1,000.00",
        "￥1.00",
        "1.00元",
        "1e2",
        "１.００",
        "1_0.00",
        " 1.00",
        "1.00\n",
        "",
        "NaN",
        "٣.٠٠",
    ],
)
def test_anything_but_digits_point_two_digits_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_yuan(text)


@pytest.mark.parametrize("shares", [[], [10_001], [9_999], [10_000, 0], [-1, 10_001]])
def test_shares_must_be_positive_and_whole(shares: list[int]) -> None:
    with pytest.raises(Invalid):
        split(100, shares)
