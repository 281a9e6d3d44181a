"""When which report is due from whom: 2 hours, 2 more for each level above, every day until it is stable, then the final one.

Sources: 自然灾害情况统计调查制度 and provincial practice. Every term is a field of `Terms`, so a province that sets others says so once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

import msgspec

from relief.domain.days import BEIJING, add_working_days, beijing, beijing_day
from relief.domain.incident import DROUGHT, is_natural

Level = Literal["county", "city", "province"]
What = Literal["first", "relay", "direct", "follow-up", "final", "final relay"]


class Terms(msgspec.Struct, frozen=True):
    """The terms of reporting; hours, Beijing times of day, days and working days."""

    first_hours: int = 2
    relay_hours: int = 2
    severe_dead_missing: int = 10  # from here the county also reports straight to province and ministry
    county_daily: time = time(9)
    city_daily: time = time(10)
    province_daily: time = time(12)
    drought_days: int = 10
    final_county_days: int = 2
    final_city_days: int = 3
    final_province_days: int = 5


TERMS: Final = Terms()


class Version(msgspec.Struct, frozen=True):
    """What deadlines need to know of one version: moments are aware, `relays` tells which levels have passed it on."""

    version: int
    kind: Literal["first", "follow-up", "final"]
    as_of: datetime
    reported_at: datetime
    dead_missing: int
    relays: frozenset[str] = frozenset()


class Course(msgspec.Struct, frozen=True):
    """One incident in one county so far; versions in their order."""

    hazard: str
    occurred_at: datetime
    stable_at: datetime | None
    closed: bool
    versions: tuple[Version, ...] = ()


class Duty(msgspec.Struct, frozen=True):
    """Something that is owed: by which level, until when; `version` is the one to pass on, None for a report of one's own."""

    level: Level
    what: What
    due_at: datetime
    version: int | None
    late: bool


def due(course: Course, now: datetime, terms: Terms = TERMS) -> list[Duty]:
    """Everything owed for this county now or next, by deadline. What was done is not listed.

    A closed incident owes nothing, nor does hardship that is no natural disaster.
    """
    if course.closed or not is_natural(course.hazard):
        return []
    owed: list[tuple[Level, What, datetime, int | None]] = []
    if not course.versions:
        owed.append(("county", "first", course.occurred_at + timedelta(hours=terms.first_hours), None))
    else:
        owed += _own(course, terms)
        owed += _passed_on(course, terms)
    return sorted((Duty(level, what, at, version, at < now) for level, what, at, version in owed), key=lambda d: (d.due_at, d.level))


def _own(course: Course, terms: Terms) -> list[tuple[Level, What, datetime, int | None]]:
    """What the county itself still has to say."""
    last = course.versions[-1]
    owed: list[tuple[Level, What, datetime, int | None]] = []
    severe = [v for v in course.versions if v.dead_missing >= terms.severe_dead_missing]
    if severe and not any("direct" in v.relays for v in severe):
        owed.append(("county", "direct", severe[0].reported_at + timedelta(hours=terms.first_hours), last.version))
    if last.kind == "final":
        return owed
    if course.stable_at is not None:
        owed.append(("county", "final", _end_of(add_working_days(beijing_day(course.stable_at), terms.final_county_days)), None))
    elif course.hazard == DROUGHT:
        owed.append(("county", "follow-up", _end_of(beijing_day(last.as_of) + timedelta(days=terms.drought_days)), None))
    else:
        owed.append(("county", "follow-up", _at(beijing_day(last.as_of) + timedelta(days=1), terms.county_daily), None))
    return owed


def _passed_on(course: Course, terms: Terms) -> list[tuple[Level, What, datetime, int | None]]:
    """What city and province still have to pass on: passing on a version covers the earlier ones, the oldest sets the deadline."""
    owed: list[tuple[Level, What, datetime, int | None]] = []
    levels: tuple[Level, ...] = ("city", "province")
    for level in levels:
        covered = max((v.version for v in course.versions if level in v.relays), default=0)
        open_ = [v for v in course.versions if v.version > covered]
        if open_:
            what: What = "final relay" if open_[0].kind == "final" else "relay"
            owed.append((level, what, min(_relay_due(course, v, level, terms) for v in open_), open_[-1].version))
    return owed


def _relay_due(course: Course, version: Version, level: Level, terms: Terms) -> datetime:
    """Two hours a level; a daily report that came in time has the daily hour, a final one its working days."""
    if version.kind == "final" and course.stable_at is not None:
        days = terms.final_city_days if level == "city" else terms.final_province_days
        return _end_of(add_working_days(beijing_day(course.stable_at), days))
    if version.kind == "follow-up" and beijing(version.reported_at).time() <= terms.county_daily:
        return _at(beijing_day(version.reported_at), terms.city_daily if level == "city" else terms.province_daily)
    return version.reported_at + timedelta(hours=terms.relay_hours * (1 if level == "city" else 2))


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, BEIJING)


def _end_of(day: date) -> datetime:
    """24:00 of that day."""
    return _at(day + timedelta(days=1), time(0))


def late(duties: Sequence[Duty]) -> list[Duty]:
    """Those whose deadline has passed."""
    return [d for d in duties if d.late]
