"""Figures as text, whole or with two decimals; what changes, and which changes ask for an eye."""

from __future__ import annotations

from decimal import Decimal

import pytest

from relief.domain import statistics
from relief.domain.errors import Invalid
from relief.domain.statistics import INDICATORS, SUM_NAMES, SUMS, check

#: Changning, 2019-06-17 22:55, Ms 6.0: what was published, and when it was so (Beijing time).
CHANGNING = [
    ("2019-06-18T16:00+08:00", {
        "deaths": "13", "injured_sick": "199", "affected_population": "142832", "relocated": "8447",
        "rooms_collapsed": "73", "rooms_severe": "19", "rooms_moderate": "12723"}),
    ("2019-06-19T06:00+08:00", {
        "deaths": "13", "injured_sick": "199", "affected_population": "168000", "relocated": "15897", "households_collapsed": "88",
        "rooms_collapsed": "100", "households_severe": "102", "rooms_severe": "182", "households_moderate": "21667", "rooms_moderate": "27954",
        "direct_loss": "6502.00"}),
    ("2019-06-20T16:00+08:00", {
        "deaths": "13", "injured_sick": "226", "affected_population": "168000", "relocated": "81396", "relocated_central": "29860",
        "relocated_dispersed": "51536", "households_collapsed": "922", "rooms_collapsed": "3137", "households_severe": "16875",
        "rooms_severe": "46886", "households_moderate": "40689", "rooms_moderate": "114893", "direct_loss": "6502.00"}),
]  # fmt: skip


def test_every_indicator_has_chinese_english_and_a_unit() -> None:
    assert all(i.zh and i.en and i.unit in {"人", "间", "户", "公顷", "万元", "头只", "度", "级", "烈度"} for i in INDICATORS.values())
    assert all(set(parts) <= set(INDICATORS) for parts in SUMS.values())
    assert set(SUMS) < set(SUM_NAMES)


def test_figures_stand_in_the_order_of_the_form() -> None:
    assert list(check({"rooms_collapsed": "3", "deaths": "1"})) == ["deaths", "rooms_collapsed"]


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", " 7", "７", "", ".", "1.", "9" * 14, "NaN", "0x1", "1,000"])
def test_a_count_is_plain_digits(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        check({"deaths": text})
    assert caught.value.code == "indicators"


def test_areas_and_losses_have_at_most_two_decimals() -> None:
    assert check({"direct_loss": "6502.05", "crop_affected": "0.5"})["direct_loss"] == Decimal("6502.05")
    with pytest.raises(Invalid):
        check({"direct_loss": "6502.005"})


def test_an_unknown_indicator_and_an_empty_report_are_refused() -> None:
    for given in ({"sheep": "3"}, {}):
        with pytest.raises(Invalid):
            check(given)


def test_parts_never_exceed_their_whole() -> None:
    with pytest.raises(Invalid) as caught:
        check({"relocated": "10", "relocated_central": "6", "relocated_dispersed": "5", "crop_affected": "1", "crop_damaged": "2"})
    assert [f.split(":")[0] for f in caught.value.data["faults"]] == ["relocated", "crop_affected"]  # type: ignore[attr-defined]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        check({"deaths": "x", "sheep": "1", "missing": "2.5"})
    assert len(caught.value.message.splitlines()) == 3


def test_changning_jumps_forty_times_and_the_jumps_are_flagged() -> None:
    first, second, third = (check(figures) for _, figures in CHANGNING)
    assert {c.indicator for c in statistics.large(statistics.changes(first, second))} == {"rooms_severe"}
    jumps = {c.indicator: c.factor for c in statistics.large(statistics.changes(second, third))}
    assert jumps["rooms_severe"] == Decimal("257.6")
    assert jumps["rooms_collapsed"] == Decimal("31.4")
    assert jumps["relocated"] == Decimal("5.1")
    over_all = {c.indicator: c.factor for c in statistics.changes(first, third)}
    assert over_all["rooms_collapsed"] == Decimal("43.0")


def test_what_does_not_change_is_not_listed() -> None:
    assert "deaths" not in {c.indicator for c in statistics.changes(check(CHANGNING[0][1]), check(CHANGNING[2][1]))}


def test_fewer_dead_than_before_is_always_flagged_and_a_few_more_never() -> None:
    assert statistics.changes(check({"deaths": "13"}), check({"deaths": "12"}))[0].large
    assert not statistics.changes(check({"deaths": "1"}), check({"deaths": "9"}))[0].large


def test_a_figure_that_disappears_is_flagged() -> None:
    gone = [c for c in statistics.changes(check({"deaths": "3", "missing": "1"}), check({"missing": "1"})) if c.indicator == "deaths"]
    assert gone[0].large
    assert gone[0].factor is None


def test_missing_found_dead_keeps_the_sum() -> None:
    """Junlian 2025: 29 missing; nine days later 10 dead and 19 missing."""
    first, last = check({"deaths": "0", "missing": "29"}), check({"deaths": "10", "missing": "19"})
    assert statistics.dead_missing(first) == statistics.dead_missing(last) == 29


def test_a_sum_of_which_nothing_was_reported_is_absent() -> None:
    assert set(statistics.judged(check({"deaths": "0"}))) == {"deaths", "dead_missing"}


def test_counties_add_up_and_units_survive_keeping() -> None:
    luding, shimian = check({"deaths": "55", "missing": "9"}), check({"deaths": "38", "missing": "16", "direct_loss": "0.10"})
    both = statistics.total([luding, shimian])
    assert (both["deaths"], both["missing"]) == (93, 25)
    assert statistics.from_units(statistics.with_units(both)) == both
    assert statistics.with_units(both)["direct_loss"] == {"value": "0.10", "unit": "万元"}


def test_what_is_of_the_event_itself_is_reported_but_never_added_up() -> None:
    one = check({"magnitude": "6.8", "epicentre_lon": "102.08", "epicentre_lat": "29.59", "intensity": "9", "deaths": "1"})
    assert statistics.total([one, one]) == {"deaths": 2}
