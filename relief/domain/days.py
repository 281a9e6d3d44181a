"""Which day is it, and which days are worked. Relief is paid by Beijing time, whatever the machine's clock says."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from relief.later import Later

if TYPE_CHECKING:
    import holidays
else:
    holidays = Later("holidays")

BEIJING = ZoneInfo("Asia/Shanghai")

#: The State Council publishes the holidays of a year in the November before it; the library knows them up to here.
LAST_PUBLISHED_YEAR = 2026


@cache
def _china() -> holidays.HolidayBase:
    """China's calendar, built at first use: it costs a quarter of a second that a process which counts no days need not pay."""
    return holidays.country_holidays("CN")


def beijing_day(moment: datetime) -> date:
    """The calendar day in Asia/Shanghai of an aware moment."""
    return moment.astimezone(BEIJING).date()


def beijing(moment: datetime) -> datetime:
    """The same moment on the wall clock of Asia/Shanghai."""
    return moment.astimezone(BEIJING)


def add_working_days(day: date, count: int) -> date:
    """The day on which `count` working days have passed, counting from the next day (调休 make-up days are worked)."""
    while count > 0:
        day += timedelta(days=1)
        if _china().is_working_day(day):
            count -= 1
    return day


def calendar_published(day: date) -> bool:
    """False where the official calendar of that year is not known yet: such a deadline is shown with a warning."""
    return day.year <= LAST_PUBLISHED_YEAR
