"""Accounts, roles, areas."""

from __future__ import annotations

import argparse
import getpass
import sys

from relief import app, settings
from relief.commands.screen import out
from relief.domain.errors import Invalid
from relief.domain.policy import ROLES, SYSTEM, Grant
from relief.services import sign_in
from relief.store import db, staff


async def _add(args: argparse.Namespace) -> int:
    """Make an account."""
    password = getpass.getpass("口令 password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    grants = tuple(_grant(text) for text in args.grant)
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        await sign_in.create_staff(tx, SYSTEM, [sign_in.NewStaff(args.login, args.name, password, grants)], house.clock())
    out.print(f"{args.login} 已建立 · created")
    return 0


async def _list(args: argparse.Namespace) -> int:
    """Accounts with roles and areas."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        for person in await staff.all_(tx, house.clock()):
            out.print(f"{person.login}\t{person.name}\t{', '.join(person.grants)}")
    return 0


def _grant(text: str) -> Grant:
    role, _, area = text.partition(":")
    if role not in ROLES or not area.isdigit():
        raise Invalid("grant", f"授权写作 角色:区划代码，角色为 {', '.join(ROLES)} · a grant is role:area")
    return Grant(role=role, area=area)


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief staff add | list`."""
    verbs = parser.add_subparsers(required=True)
    add = verbs.add_parser("add", help="make an account; the password is read from the terminal or the first line of input")
    add.add_argument("login")
    add.add_argument("name")
    add.add_argument("--grant", action="append", default=[], metavar="ROLE:AREA")
    add.set_defaults(does=_add)
    verbs.add_parser("list", help="accounts with roles and areas").set_defaults(does=_list)
