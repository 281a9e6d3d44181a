"""Accounts, roles, areas, sessions. Whoever may run this on the server acts as the system itself: separate powers begin in the console."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta

from relief import app, settings
from relief.commands.screen import out
from relief.domain import password
from relief.domain.days import BEIJING, beijing
from relief.domain.errors import Invalid, NotFound
from relief.domain.policy import ROLES, SYSTEM, Grant
from relief.services import sign_in, staffing
from relief.store import db, sessions, staff
from relief.store.db import Tx


@asynccontextmanager
async def _writing() -> AsyncIterator[tuple[Tx, datetime]]:
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        yield tx, house.clock()


async def _add(args: argparse.Namespace) -> int:
    """Make an account."""
    given = getpass.getpass("口令 password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    grants = tuple(_grant(text) for text in args.grant)
    person = sign_in.NewStaff(args.login, args.name, given, grants, args.temporary)
    async with _writing() as (tx, now):
        await sign_in.create_staff(tx, SYSTEM, [person], now)
    out.print(f"{args.login} 已建立 · created")
    return 0


async def _list(args: argparse.Namespace) -> int:
    """Accounts with roles and areas."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        for person in await staff.all_(tx, house.clock()):
            closed = "" if person.active else "\t已停用 closed"
            out.print(f"{person.login}\t{person.name}\t{', '.join(person.grants)}{closed}")
    return 0


async def _give(args: argparse.Namespace) -> int:
    """Give a right, from a day on, to the end of another."""
    right = _grant(args.right)
    async with _writing() as (tx, now):
        since = _day(args.since) if args.since else now
        until = _day(args.until) + timedelta(days=1) if args.until else None
        await staffing.grant(tx, SYSTEM, args.login, right.role, right.area, since, until, now)
    out.print(f"{args.login} 已授权 · granted {args.right}")
    return 0


async def _end(args: argparse.Namespace) -> int:
    """End a right now."""
    right = _grant(args.right)
    async with _writing() as (tx, now):
        await staffing.end_grant(tx, SYSTEM, args.login, right.role, right.area, now)
    out.print(f"{args.login} 授权已终止 · ended {args.right}")
    return 0


async def _close(args: argparse.Namespace) -> int:
    """Close an account and end its sessions."""
    async with _writing() as (tx, now):
        await staffing.close(tx, SYSTEM, args.login, now)
    out.print(f"{args.login} 已停用 · closed")
    return 0


async def _sessions(args: argparse.Namespace) -> int:
    """Somebody's open sessions."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        person = await staff.by_login(tx, args.login)
        if person is None:
            raise NotFound("not_found", "没有找到该账号 · there is no such account")
        for s in await sessions.of(tx, person.id, house.clock()):
            out.print(f"{beijing(s.opened_at):%Y-%m-%d %H:%M}\t{beijing(s.seen_at):%Y-%m-%d %H:%M}\t{s.address}\t{s.agent}", markup=False)
    return 0


async def _revoke(args: argparse.Namespace) -> int:
    """End every session of somebody."""
    async with _writing() as (tx, now):
        ended = await staffing.revoke(tx, SYSTEM, args.login, now)
    out.print(f"{ended} 个登录已结束 · sessions ended")
    return 0


async def _password(args: argparse.Namespace) -> int:
    """A temporary password for who forgot theirs, shown this once; it is changed at the next sign-in."""
    first = password.temporary()
    made = await sign_in.hashed(first)
    async with _writing() as (tx, now):
        await staffing.renew_password(tx, SYSTEM, args.login, made, now)
    out.print(f"{args.login} 临时口令 · temporary password: {first}", markup=False)
    return 0


async def _reset(args: argparse.Namespace) -> int:
    """Take a lost second factor away; its owner enrols anew."""
    async with _writing() as (tx, now):
        await staffing.reset_factor(tx, SYSTEM, args.login, now)
    out.print(f"{args.login} 验证器已重置 · second factor reset")
    return 0


def _grant(text: str) -> Grant:
    role, _, area = text.partition(":")
    if role not in ROLES or not area.isdigit():
        raise Invalid("grant", f"授权写作 角色:区划代码，角色为 {', '.join(ROLES)} · a grant is role:area")
    return Grant(role=role, area=area)


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), BEIJING)
    except ValueError:
        raise Invalid("day", "日期写作 2022-09-05 · a day is written 2022-09-05") from None


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief staff add | list | grant | ungrant | close | sessions | revoke | reset-factor | password`."""
    verbs = parser.add_subparsers(required=True)
    add = verbs.add_parser("add", help="make an account; the password is read from the terminal or the first line of input")
    add.add_argument("login")
    add.add_argument("name")
    add.add_argument("--grant", action="append", default=[], metavar="ROLE:AREA")
    add.add_argument("--temporary", action="store_true", help="the password must be changed at the first sign-in")
    add.set_defaults(does=_add)
    verbs.add_parser("list", help="accounts with roles and areas").set_defaults(does=_list)
    give = verbs.add_parser("grant", help="give a right")
    give.add_argument("--since", metavar="DAY", help="first day, Beijing; default now")
    give.add_argument("--until", metavar="DAY", help="last day, included; default without end")
    give.set_defaults(does=_give)
    end = verbs.add_parser("ungrant", help="end a right now")
    end.set_defaults(does=_end)
    for verb in (give, end):
        verb.add_argument("login")
        verb.add_argument("right", metavar="ROLE:AREA")
    for name, does, says in (
        ("close", _close, "close an account; its acts stay"), ("sessions", _sessions, "where somebody is signed in"),
        ("revoke", _revoke, "end every session of somebody"), ("reset-factor", _reset, "take a lost second factor away"),
        ("password", _password, "a temporary password for who forgot theirs"),
    ):  # fmt: skip
        verb = verbs.add_parser(name, help=says)
        verb.add_argument("login")
        verb.set_defaults(does=does)
