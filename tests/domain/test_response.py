"""The engine proposes: lower bounds included, any line suffices, dead and missing together, and nothing it cannot know."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from relief.domain.errors import Conflict, Invalid
from relief.domain.response import check, propose, suggest
from relief.domain.statistics import Figures
from tests.test_plans import load

NATIONAL = load("national-2024")
OF_2016 = load("national-2016")
SICHUAN = load("sichuan-2024")
COUNTY = load("county-example")

#: Luding 2022, both counties: dead, missing; as published, Beijing time.
LUDING = [("09-06 21:00", 72, 12), ("09-07 14:00", 74, 35), ("09-08 12:00", 86, 35), ("09-10 14:00", 88, 30), ("09-12 14:00", 93, 25)]


def figures(**given: int) -> Figures:
    return {k: Decimal(v) for k, v in given.items()}


def test_dead_and_missing_count_together() -> None:
    said = propose(NATIONAL, figures(deaths=1, missing=19))
    assert (said.level, said.triggers[0].indicator, said.triggers[0].value, said.triggers[0].at_least) == (4, "dead_missing", 20, 20)
    assert propose(NATIONAL, figures(deaths=0, missing=19)).level is None


def test_any_one_line_suffices_and_every_reached_line_of_the_level_is_named() -> None:
    said = propose(NATIONAL, figures(deaths=3, relocated=600_000, rooms_collapsed=60_000, rooms_severe=40_000))
    assert said.level == 3
    assert [t.indicator for t in said.triggers] == ["relocated_or_need", "rooms"]


def test_relocated_and_needing_urgent_aid_are_summed() -> None:
    assert propose(NATIONAL, figures(relocated=60_000, need_urgent_aid=40_000)).level == 4


def test_the_plan_of_2016_counts_only_the_dead() -> None:
    assert [propose(OF_2016, figures(deaths=d, missing=m)).level for _, d, m in LUDING] == [3, 3, 3, 3, 3]
    assert [propose(NATIONAL, figures(deaths=d, missing=m)).level for _, d, m in LUDING] == [3, 2, 2, 2, 2]


def test_junlian_is_national_four_and_provincial_three_whether_missing_or_dead() -> None:
    for dead, missing in ((0, 29), (1, 28), (10, 19)):
        told = figures(deaths=dead, missing=missing)
        assert (propose(NATIONAL, told).level, propose(SICHUAN, told).level) == (4, 3)


def test_changning_reaches_a_level_only_when_its_houses_were_counted() -> None:
    first = figures(deaths=13, relocated=8447, rooms_collapsed=73, rooms_severe=19)
    third = figures(
        deaths=13, relocated=81_396, rooms_collapsed=3137, rooms_severe=46_886, households_collapsed=922, households_severe=16_875
    )
    assert propose(NATIONAL, first).level is None
    said = propose(NATIONAL, third)
    assert (said.level, [t.indicator for t in said.triggers]) == (4, ["rooms", "households"])


def test_a_drought_is_judged_by_share_where_the_population_is_known() -> None:
    thirsty = figures(drought_need=3_000)
    assert propose(NATIONAL, thirsty, farmers=10_000).triggers[0].value == 30
    assert propose(NATIONAL, thirsty, farmers=10_000).level == 1
    assert propose(NATIONAL, figures(drought_need=2_999), farmers=10_000).level == 2


def test_without_a_population_the_share_is_said_to_be_unjudged_and_the_number_still_counts() -> None:
    said = propose(NATIONAL, figures(drought_need=1_000_000))
    assert (said.level, said.triggers[0].indicator, said.unjudged) == (4, "drought_people", ("drought_share",))


def test_a_neighbours_launch_lowers_the_line_for_the_same_level_only() -> None:
    told = figures(deaths=16)
    assert propose(NATIONAL, told).level is None
    said = propose(NATIONAL, told, neighbour=4)
    assert (said.level, said.triggers[0].linked) == (4, True)
    assert propose(NATIONAL, figures(deaths=40), neighbour=4).level == 4
    assert propose(NATIONAL, figures(deaths=40), neighbour=3).level == 3


def test_a_county_whose_plan_knows_two_levels_proposes_no_third() -> None:
    assert [propose(COUNTY, figures(deaths=n)).level for n in (4, 5, 9, 10)] == [None, 2, 2, 1]


def test_no_figures_propose_nothing() -> None:
    assert propose(NATIONAL, {}).level is None


@pytest.mark.parametrize(
    ("current", "proposed", "act"),
    [(None, None, None), (None, 4, "launch"), (4, 4, None), (4, 3, "raise"), (3, 4, "lower"), (3, None, None)],
)
def test_a_proposal_means_launch_raise_lower_or_nothing(current: int | None, proposed: int | None, act: str | None) -> None:
    assert suggest(current, proposed) == act


@pytest.mark.parametrize(
    ("current", "act", "level"), [(None, "launch", 4), (4, "raise", 3), (3, "raise", 1), (2, "lower", 3), (1, "end", None)]
)
def test_what_fits_the_level_in_force_is_let_through(current: int | None, act: Any, level: int | None) -> None:
    check(current, act, level)


@pytest.mark.parametrize(
    ("current", "act", "level", "code"),
    [
        (4, "launch", 3, "response_active"),
        (None, "raise", 3, "no_response"),
        (None, "end", None, "no_response"),
        (3, "raise", 3, "response_moved"),
        (3, "raise", 4, "response_moved"),
        (3, "lower", 2, "response_moved"),
    ],
)
def test_what_does_not_fit_is_a_conflict(current: int | None, act: Any, level: int | None, code: str) -> None:
    with pytest.raises(Conflict) as caught:
        check(current, act, level)
    assert caught.value.code == code


@pytest.mark.parametrize(("act", "level"), [("launch", None), ("end", 4), ("launch", 0), ("launch", 5)])
def test_a_level_is_named_unless_it_ends(act: Any, level: int | None) -> None:
    with pytest.raises(Invalid):
        check(None, act, level)
