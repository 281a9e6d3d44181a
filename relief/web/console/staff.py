"""Accounts and rights: the system administrator makes and closes accounts, the security administrator gives rights and resets factors."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from litestar import Response, get, post

from relief.domain import password
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid
from relief.domain.policy import ROLES
from relief.services import sign_in, staffing
from relief.services.sign_in import NewStaff
from relief.store import db
from relief.store.views import staffing as views
from relief.web import given, house, pages
from relief.web.console import common
from relief.web.console.door import Token
from relief.web.given import Req


class NewForm(Token, frozen=True):
    """An account to make."""

    login: str = ""
    name: str = ""


class OneForm(Token, frozen=True):
    """An account to act on."""

    login: str = ""


class GrantForm(Token, frozen=True):
    """A right to give or to end; days in Beijing, the last one included."""

    login: str = ""
    role: str = ""
    area: str = ""
    since: str = ""
    until: str = ""


@get("/staff", action="staff.read")
async def page(
    request: Req, read: given.Read, now: given.Now, find: given.FromQuery[str] = "", after: given.FromQuery[str] = ""
) -> Response[str]:
    """Every account, with what this administrator may do."""
    return await _page(request, read, now, find, after)


async def _page(
    request: Req, read: db.Tx, now: datetime, find: str = "", after: str = "", made: tuple[str, str] | None = None, done: str | None = None
) -> Response[str]:
    found = await views.staff(read, find.strip()[:64], after[:64], now, common.PAGE)
    actor = request.auth.actor
    return pages.page(
        request, "staff.html", rows=found, find=find, made=made, roles_known=ROLES, creates=bool(actor.areas("staff.create")),
        grants=bool(actor.areas("staff.grant")), closes=bool(actor.areas("staff.close")), me=actor.person, now=now,
        more=common.query(find=find, after=found[-1].login) if len(found) == common.PAGE else None, done=done or common.done_of(request),
    )  # fmt: skip


@post("/staff/new", action="staff.create", status_code=200)
async def make(request: Req, data: given.Form[NewForm], actor: given.Me, now: given.Now) -> Response[str]:
    """An account with a temporary password, shown this once."""
    here, first = house.of(request), password.temporary()
    async with db.begin(here.pool, ()) as tx:
        person = NewStaff(data.login.strip().lower(), data.name.strip(), first, temporary=True)
        await sign_in.create_staff(tx, actor, [person], now)
    async with db.read(here.pool, ()) as read:
        return await _page(request, read, now, find=person.login, made=(person.login, first), done="account_made")


@post("/staff/password", action="staff.create", status_code=200)
async def renew(request: Req, data: given.Form[OneForm], actor: given.Me, now: given.Now) -> Response[str]:
    """A temporary password for who forgot theirs, shown this once."""
    here, first = house.of(request), password.temporary()
    made = await sign_in.hashed(first)
    async with db.begin(here.pool, ()) as tx:
        await staffing.renew_password(tx, actor, data.login, made, now)
    async with db.read(here.pool, ()) as read:
        return await _page(request, read, now, find=data.login, made=(data.login, first))


@post("/staff/close", action="staff.close")
async def close(data: given.Form[OneForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Close an account."""
    await staffing.close(tx, actor, data.login, now)
    return common.go("/staff", "account_closed")


@post("/staff/sessions/end", action="staff.close")
async def end_sessions(data: given.Form[OneForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """End every session of somebody."""
    await staffing.revoke(tx, actor, data.login, now)
    return common.go("/staff", "ended")


@post("/staff/grant", action="staff.grant")
async def grant(data: given.Form[GrantForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Give a right."""
    since, until = _day(data.since, "since"), _day(data.until, "until")
    until = until and until + timedelta(days=1)
    await staffing.grant(tx, actor, data.login, data.role, data.area.strip(), since or now, until, now)
    return common.go("/staff", "granted")


@post("/staff/ungrant", action="staff.grant")
async def ungrant(data: given.Form[GrantForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """End a right at once."""
    await staffing.end_grant(tx, actor, data.login, data.role, data.area, now)
    return common.go("/staff", "ungranted")


@post("/staff/factor", action="staff.reset")
async def reset_factor(data: given.Form[OneForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Take a lost second factor away."""
    await staffing.reset_factor(tx, actor, data.login, now)
    return common.go("/staff", "factor_reset")


def _day(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), BEIJING)
    except ValueError:
        raise Invalid("day", "日期写作 2022-09-05 · a day is written 2022-09-05", field=field) from None


HANDLERS: Final = [page, make, renew, close, end_sessions, grant, ungrant, reset_factor]
