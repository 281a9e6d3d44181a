"""The door: look up (transaction), check the password (none held), record (transaction)."""

from __future__ import annotations

import ipaddress
from typing import Any

from litestar.connection import ASGIConnection

from relief.domain import password as rules
from relief.domain.errors import Refused
from relief.domain.policy import Actor
from relief.services import sign_in
from relief.services.sign_in import Opened
from relief.store import db
from relief.web import house


async def enter(connection: ASGIConnection[Any, Any, Any, Any], login: str, password: str) -> Opened:
    """Open a session, or refuse in the same words whatever was wrong. The attempt is kept either way."""
    here = house.of(connection)
    async with db.begin(here.pool, ()) as tx:
        known = await sign_in.look_up(tx, login, here.clock(), address(connection))
    right = await sign_in.matches(known, password)
    async with db.begin(here.pool, ()) as tx:
        opened = await sign_in.record(tx, known, right, here.clock(), connection.headers.get("user-agent", ""))
    if opened is None:
        raise Refused("bad_credentials", "账号或口令不对 · the login or the password is wrong")
    return opened


async def change_password(connection: ASGIConnection[Any, Any, Any, Any], actor: Actor, login: str, token: str, old: str, new: str) -> None:
    """One's own password; the old one is asked for and its failures count as those of the door do."""
    here = house.of(connection)
    rules.check(new, login)
    async with db.begin(here.pool, ()) as tx:
        known = await sign_in.look_up(tx, login, here.clock(), address(connection))
    if not await sign_in.matches(known, old):
        raise Refused("bad_credentials", "原口令不对 · the old password is wrong")
    made = await sign_in.hashed(new)
    async with db.begin(here.pool, ()) as tx:
        await sign_in.record_right(tx, known)
        await sign_in.change_password(tx, actor, made, token, here.clock())


def address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Where the request comes from, as far as attempts are counted: an IPv4 address, or the /64 an IPv6 one belongs to."""
    host = connection.client.host if connection.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
