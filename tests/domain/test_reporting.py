"""Deadlines: two hours, two more a level, nine o'clock every day, ten days in a drought, working days at the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from relief.domain.incident import DROUGHT, EARTHQUAKE
from relief.domain.reporting import Course, Duty, Version, due, late


def at(text: str) -> datetime:
    """Beijing time in September 2022: '05 12:52'."""
    return datetime.fromisoformat(f"2022-09-{text}:00+08:00")


QUAKE = at("05 12:52")


def version(n: int, reported: str, as_of: str | None = None, relays: str = "", kind: Any = None, dead: int = 0) -> Version:
    known = kind or ("first" if n == 1 else "follow-up")
    return Version(n, known, at(as_of or reported), at(reported), dead, frozenset(relays.split()))


def course(*versions: Version, stable: str | None = None, hazard: str = EARTHQUAKE, closed: bool = False) -> Course:
    return Course(hazard, QUAKE, at(stable) if stable else None, closed, versions)


def told(duties: list[Duty]) -> list[tuple[str, str, str]]:
    return [(d.level, d.what, d.due_at.astimezone(QUAKE.tzinfo).strftime("%d %H:%M")) for d in duties]


def test_the_first_report_is_due_two_hours_after_the_event() -> None:
    (duty,) = due(course(), at("05 13:00"))
    assert told([duty]) == [("county", "first", "05 14:52")]
    assert not duty.late
    assert due(course(), at("05 14:53"))[0].late


def test_city_and_province_each_have_two_hours_to_pass_it_on() -> None:
    duties = due(course(version(1, "05 14:00")), at("05 14:10"))
    assert told(duties) == [("city", "relay", "05 16:00"), ("province", "relay", "05 18:00"), ("county", "follow-up", "06 09:00")]


def test_a_level_that_has_passed_it_on_owes_nothing() -> None:
    assert told(due(course(version(1, "05 14:00", relays="city province")), at("05 15:00"))) == [("county", "follow-up", "06 09:00")]


def test_passing_on_a_later_version_covers_the_earlier_ones() -> None:
    duties = due(course(version(1, "05 14:00"), version(2, "05 20:00", relays="city province")), at("05 21:00"))
    assert [d.level for d in duties] == ["county"]


def test_what_was_never_passed_on_is_late_since_the_oldest_version() -> None:
    city = due(course(version(1, "05 14:00"), version(2, "05 20:00")), at("05 21:00"))[0]
    assert told([city]) == [("city", "relay", "05 16:00")]
    assert (city.version, city.late) == (2, True)


def test_zero_reports_are_due_every_morning_with_the_figures_of_midnight() -> None:
    """Figures of 23:00 do not cover the day; figures of 24:00 do."""
    evening = version(2, "05 23:10", as_of="05 23:00", relays="city province")
    assert told(due(course(version(1, "05 14:00"), evening), at("06 08:00"))) == [("county", "follow-up", "06 09:00")]
    midnight = version(2, "06 08:30", as_of="06 00:00", relays="city province")
    assert told(due(course(version(1, "05 14:00"), midnight), at("06 08:40"))) == [("county", "follow-up", "07 09:00")]


def test_a_daily_report_in_time_is_passed_on_by_ten_and_by_noon() -> None:
    duties = due(course(version(1, "05 14:00", relays="city province"), version(2, "06 08:30", as_of="06 00:00")), at("06 08:40"))
    assert told(duties)[:2] == [("city", "relay", "06 10:00"), ("province", "relay", "06 12:00")]


def test_ten_dead_or_missing_go_straight_to_province_and_ministry_within_two_hours() -> None:
    grave = course(version(1, "05 14:00", relays="city province"), version(2, "05 15:00", relays="city province", dead=10))
    assert ("county", "direct", "05 17:00") in told(due(grave, at("05 15:10")))
    done = course(version(1, "05 14:00", relays="city province"), version(2, "05 15:00", relays="city province direct", dead=10))
    assert "direct" not in {d.what for d in due(done, at("05 15:10"))}


def test_a_drought_reports_every_ten_days() -> None:
    duties = due(course(version(1, "05 14:00", relays="city province"), hazard=DROUGHT), at("06 09:30"))
    assert told(duties) == [("county", "follow-up", "16 00:00")]


def test_the_final_report_follows_stability_by_working_days() -> None:
    """Stable on Thursday the 8th: the Mid-Autumn holiday (10th to 12th) and the weekend do not count."""
    duties = due(course(version(1, "05 14:00", relays="city province"), stable="08 12:00"), at("08 13:00"))
    assert told(duties) == [("county", "final", "14 00:00")]


def test_the_final_report_is_passed_on_within_three_and_five_working_days() -> None:
    final = version(2, "13 10:00", kind="final")
    duties = due(course(version(1, "05 14:00", relays="city province"), final, stable="08 12:00"), at("13 11:00"))
    assert told(duties) == [("city", "final relay", "15 00:00"), ("province", "final relay", "17 00:00")]


def test_after_the_final_report_is_passed_on_nothing_is_owed() -> None:
    done = course(version(1, "05 14:00"), version(2, "13 10:00", kind="final", relays="city province"), stable="08 12:00")
    assert due(done, at("20 00:00")) == []


def test_a_closed_incident_owes_nothing() -> None:
    assert due(course(closed=True), at("09 00:00")) == []


def test_a_familys_fire_is_not_reported_as_a_disaster() -> None:
    assert due(course(hazard="900100"), at("09 00:00")) == []


def test_late_ones_come_first_and_are_told_apart() -> None:
    duties = due(course(version(1, "05 14:00")), at("05 17:00"))
    assert [d.what for d in late(duties)] == ["relay"]
    assert duties[0].late
