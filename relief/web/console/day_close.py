"""日终对账: ledger, files and bank side by side per batch and fund; the row that disagrees; close the day, or open it again by an act."""

from __future__ import annotations

from datetime import date
from typing import Final

from litestar import Response, get, post

from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.services import reconcile
from relief.store.views import bank as views
from relief.web import given, pages
from relief.web.console import common
from relief.web.console.common import MoneyForm
from relief.web.given import Req


class DayForm(MoneyForm, frozen=True):
    """One day of one county; the reason where it is opened again."""

    county: str
    day: str
    reason: str = ""


@get("/day-close", action="bank.read")
async def page(
    request: Req, read: given.Read, actor: given.Me, now: given.Now, county: given.FromQuery[str | None] = None, day: given.FromQuery[str | None] = None
) -> Response[str]:  # fmt: skip
    """One county's balance at the end of a day."""
    known = await views.counties(read, common.county_patterns(actor, "bank.read"))
    code = county if county in {c.code for c in known} else (known[0].code if known else None)
    chosen = min(_day(day), beijing_day(now)) if day else beijing_day(now)
    found = await reconcile.standing(read, code, reconcile.until_of(chosen, now)) if code else None
    days = await reconcile.recent(read, code) if code else []
    waiting = await views.waiting(read, [code]) if code else None
    return pages.page(
        request, "day_close.html", options=[(c.code, c.name) for c in known], county=code, day=chosen, found=found, days=days, closed=next((d for d in days if d.day == chosen and d.reopened_at is None), None),
        waiting=waiting, may_close=bool(code and actor.may("day.close", code)), may_reopen=bool(code and actor.may("day.reopen", code)), me=actor.id, now=now,
        drill=bool(found and any(b.drill for b in found.batches)), done=common.done_of(request),
    )  # fmt: skip


@post("/day-close", action="day.close")
async def close(request: Req, data: given.Form[DayForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Close the day on its balance."""
    day = _day(data.day)

    async def act() -> str:
        return (await reconcile.close(tx, actor, data.county, day, now)).digest.hex()

    await common.once(request, tx, actor, data.key, (data.county, data.day), now, act)
    return common.go(f"/day-close?county={data.county}&day={day}", "day_closed")


@post("/day-close/reopen", action="day.reopen")
async def reopen(request: Req, data: given.Form[DayForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Open it again, and say why."""
    day = _day(data.day)
    await common.once(
        request, tx, actor, data.key, (data.county, data.day, data.reason), now,
        lambda: reconcile.reopen(tx, actor, data.county, day, data.reason, now),
    )  # fmt: skip
    return common.go(f"/day-close?county={data.county}&day={day}", "day_reopened")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("day", "日期应为 年-月-日 · a day is year-month-day", field="day") from None


HANDLERS: Final = [page, close, reopen]
