"""Accounts and rights as separate powers: the system administrator makes accounts, the security administrator gives rights; whoever made
an account never gives it any, and nobody gives or takes their own.
"""

from __future__ import annotations

from datetime import datetime

from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import ROLES, Actor, require
from relief.store import audits, factors, sessions, staff
from relief.store.db import Tx
from relief.store.staff import Login


async def grant(tx: Tx, actor: Actor, login: str, role: str, area: str, since: datetime, until: datetime | None, now: datetime) -> None:
    """Give a role in an area, from a moment on, to another or without end."""
    person = await _other(tx, actor, login)
    require(actor, "staff.grant", area)
    if actor.id is not None and person.created_by == actor.id:
        raise Refused("separate_powers", "建账号的人不能授权 · whoever made an account gives it no rights")
    if role not in ROLES or not (area.isascii() and area.isdigit()):
        raise Invalid("grant", f"角色为 {', '.join(ROLES)}，区划为代码 · a role of the list and the code of an area")
    if until is not None and until <= since:
        raise Invalid("grant_dates", "终止日期须晚于起始日期 · it must end after it begins", field="until")
    await staff.grant(tx, [person.id], [role], [area], since, until, actor.id)
    detail = {"role": role, "area": area, "since": since.isoformat(), "until": until and until.isoformat()}
    await audits.add(tx, audits.SHARED, actor, "staff.grant", "staff", [person.id], now, detail)


async def end_grant(tx: Tx, actor: Actor, login: str, role: str, area: str, now: datetime) -> None:
    """Take a role away, at once."""
    person = await _other(tx, actor, login)
    require(actor, "staff.grant", area)
    if not await staff.end_grant(tx, person.id, role, area, now):
        raise Conflict("grant_ended", "没有这项授权或已终止 · there is no such grant, or it has ended")
    await audits.add(tx, audits.SHARED, actor, "staff.ungrant", "staff", [person.id], now, {"role": role, "area": area})


async def close(tx: Tx, actor: Actor, login: str, now: datetime) -> None:
    """Close an account: no sign-in, every session ends; its acts stay."""
    person = await _other(tx, actor, login)
    _holds(actor, "staff.close")
    await staff.deactivate(tx, person.id)
    ended = await sessions.revoke(tx, person.id, None)
    await audits.add(tx, audits.SHARED, actor, "staff.close", "staff", [person.id], now, {"sessions_ended": ended})


async def renew_password(tx: Tx, actor: Actor, login: str, password_hash: str, now: datetime) -> None:
    """A temporary password for who forgot theirs; it is changed at the next sign-in, and every session ends."""
    person = await _other(tx, actor, login)
    _holds(actor, "staff.create")
    await staff.set_password(tx, person.id, password_hash, None)
    await sessions.revoke(tx, person.id, None)
    await audits.add(tx, audits.SHARED, actor, "staff.password", "staff", [person.id], now)


async def reset_factor(tx: Tx, actor: Actor, login: str, now: datetime) -> None:
    """Take a lost second factor away so that its owner may enrol anew. Whoever renews passwords cannot do this."""
    person = await _other(tx, actor, login)
    _holds(actor, "staff.reset")
    if not await factors.reset(tx, person.id, now):
        raise Conflict("factor_missing", "该账号未绑定验证器 · that account has no second factor")
    await audits.add(tx, audits.SHARED, actor, "factor.reset", "staff", [person.id], now)


async def revoke(tx: Tx, actor: Actor, login: str, now: datetime) -> int:
    """End every session of somebody; how many."""
    person = await _other(tx, actor, login)
    _holds(actor, "staff.close")
    ended = await sessions.revoke(tx, person.id, None)
    await audits.add(tx, audits.SHARED, actor, "session.revoke", "staff", [person.id], now, {"sessions_ended": ended})
    return ended


async def _other(tx: Tx, actor: Actor, login: str) -> Login:
    person = await staff.by_login(tx, login.strip().lower())
    if person is None:
        raise NotFound("not_found", "没有找到该账号 · there is no such account")
    if person.id == actor.id:
        raise Refused("same_person", "不能对自己的账号这样做 · nobody does this to their own account")
    return person


def _holds(actor: Actor, action: str) -> None:
    """Accounts belong to no area: holding the right anywhere is enough."""
    if actor.id is not None and not actor.areas(action):
        raise Refused("not_permitted", "您没有此项权限 · you do not hold this right", action=action)
