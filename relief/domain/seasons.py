"""When a playbook serves: from the day it is in force, and in its parts of the year."""

from __future__ import annotations

from datetime import date

from relief.domain.errors import Conflict
from relief.domain.rules import Playbook, Season

_DAYS = [f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32)]


def check(book: Playbook, day: date) -> None:
    """Conflict where the playbook is not in force on that day, or the day is in none of its seasons."""
    if (book.valid_from is not None and day < book.valid_from) or (book.valid_to is not None and day > book.valid_to):
        raise Conflict("playbook_out_of_date", "处置方案当日不在有效期内 · the playbook is not in force on that day")
    if book.seasons and not any(f"{day:%m-%d}" in days_of(s) for s in book.seasons):
        names = "、".join(f"{s.first} 至 {s.last}" for s in book.seasons)
        raise Conflict("out_of_season", f"不在该方案的救助期内（{names}） · the day is in none of the playbook's seasons", seasons=names)


def overlap(one: Season, other: Season) -> bool:
    """Whether two seasons share a day."""
    return bool(days_of(one) & days_of(other))


def days_of(season: Season) -> set[str]:
    """Its days as 'MM-DD'; a season may run over the turn of the year."""
    if season.first <= season.last:
        return {d for d in _DAYS if season.first <= d <= season.last}
    return {d for d in _DAYS if d >= season.first or d <= season.last}
