"""Populations of counties: dated, with a source, refused by line; estimated by share of area and never more exact than that."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain import population
from relief.domain.errors import Invalid
from relief.domain.population import Population

TODAY = date(2022, 9, 5)
GOOD = "代码,人口,日期,来源\n513322,80000,2020-11-01,演练用数字\n"


def figure(**said: object) -> Population:
    return Population(**{"region": "513322", "people": 80_000, "counted_on": date(2020, 11, 1), "source": "演练用数字", **said})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [GOOD, "\ufeff" + GOOD, GOOD.replace("代码,人口,日期,来源", "code,people,day,source"), GOOD + "\n,,,\n"])
def test_a_table_is_read_by_its_heads(text: str) -> None:
    assert population.read(text.encode()) == [figure()]


def test_a_table_of_a_chinese_office_is_read() -> None:
    assert population.read(GOOD.encode("gb18030")) == [figure()]


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("", "population_rows", None),
        (GOOD.splitlines()[0], "population_rows", None),
        (GOOD.replace("人口", "人数"), "population_columns", None),
        (GOOD.replace("80000", '"80,000"'), "population_value", "people"),
        (GOOD.replace("80000", "8万"), "population_value", "people"),
        (GOOD.replace("80000", "８００００"), "population_value", "people"),
        (GOOD.replace("80000", "-1"), "population_value", "people"),
        (GOOD.replace("2020-11-01", "2020年"), "population_value", "counted_on"),
        (GOOD.replace("2020-11-01", "2021-02-29"), "population_value", "counted_on"),
        (GOOD.replace("演练用数字", '"演练'), "csv", None),
    ],
)
def test_a_wrong_table_is_refused_by_line_and_column(text: str, code: str, field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        population.read(text.encode())
    assert (caught.value.code, caught.value.data.get("field")) == (code, field)


@pytest.mark.parametrize(
    ("given_", "code"),
    [
        ([], "population_none"),
        ([figure(people=0)], "population_value"),
        ([figure(people=population.MOST_PEOPLE + 1)], "population_value"),
        ([figure(counted_on=date(2022, 9, 6))], "population_value"),
        ([figure(source="  ")], "population_value"),
        ([figure(source="a\u202eb")], "population_value"),
        ([figure(), figure(people=1)], "population_twice"),
    ],
)
def test_an_impossible_figure_is_refused(given_: list[Population], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        population.check(given_, TODAY)
    assert caught.value.code == code


@given(people=st.integers(1, population.MOST_PEOPLE), share=st.floats(-0.1, 1.1))
def test_an_estimate_has_three_digits_and_is_near_the_share(people: int, share: float) -> None:
    inside = figure(people=people).inside(share)
    exact = people * min(max(share, 0.0), 1.0)
    assert abs(inside - exact) <= max(exact * 0.005, 0.5) + 1e-9
    assert len(str(inside).rstrip("0")) <= 3
