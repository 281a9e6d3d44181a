"""When what is approved will be paid: stages by their day, money by month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

#: 购买服务: at most this share of last year's spending on hardship aid, in basis points.
SERVICES_BP: Final = 300


class Due(msgspec.Struct, frozen=True):
    """Stages of one aid and fund that fall due on a day, or (`on` none) when their evidence is accepted; the amount is in fen."""

    county: str
    fund: UUID
    aid: str
    seq: int
    condition: str
    on: date | None
    stages: int
    amount_fen: int


class Month(msgspec.Struct, frozen=True):
    """Money of one fund in one month ('2022-10'; '' waits for evidence), in fen."""

    county: str
    fund: UUID
    month: str
    stages: int
    amount_fen: int


def by_month(dues: Iterable[Due], today: date) -> list[Month]:
    """Sums by county, fund and month; what should have been paid already counts for this month."""
    sums: dict[tuple[str, UUID, str], list[int]] = {}
    for due in dues:
        month = "" if due.on is None else f"{max(due.on, today):%Y-%m}"
        entry = sums.setdefault((due.county, due.fund, month), [0, 0])
        entry[0] += due.stages
        entry[1] += due.amount_fen
    return [
        Month(*key, *entry) for key, entry in sorted(sums.items(), key=lambda item: (item[0][0], item[0][2] or "9999", str(item[0][1])))
    ]


def falls_due(approved_on: date, after_days: int) -> date:
    """The day of a stage that waits for nothing but time."""
    return approved_on + timedelta(days=after_days)


def services_line(spent_last_year_fen: int) -> int:
    """The most that may go to purchased services this year, in fen, rounded down."""
    return spent_last_year_fen * SERVICES_BP // 10_000
