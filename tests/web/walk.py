"""Every route × role × area × state, and what the policy table says must happen there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID, uuid4

import httpx
import msgspec
from litestar import Litestar

from relief.domain.policy import ACTIONS, ROLES
from relief.domain.sealing import Keys
from relief.services import sign_in
from relief.store import db, sessions
from relief.web import access
from tests import make, paid

#: 康定市: the same prefecture, another county.
FOREIGN: Final = "513301"
Area = Literal["here", "elsewhere", "nowhere"]
State = Literal["real", "absent", "no token", "expired"]
AREAS: Final[tuple[Area, ...]] = ("here", "elsewhere")
STATES: Final[tuple[State, ...]] = ("real", "absent", "no token", "expired")
#: Where bodies are JSON, which no other site can send unasked: no form token there.
_JSON: Final = ("/api/", "/hooks/")
#: What ends the session that asks.
_ENDS: Final = ("/sign-out", "/api/v1/session", "/me/sessions", "/me/password")

#: Parameter → a statement that finds a real one in the county of the walk.
_FIND: Final[Mapping[str, str]] = {
    "incident": "SELECT id FROM incident WHERE county = $1 LIMIT 1",
    "household": "SELECT id FROM household WHERE county = $1 LIMIT 1",
    "payment": "SELECT id FROM payment WHERE county = $1 LIMIT 1",
    "batch": "SELECT id FROM batch WHERE county = $1 LIMIT 1",
    "activation": "SELECT activation FROM award WHERE county = $1 LIMIT 1",
    "complaint": "SELECT id FROM complaint WHERE county = $1 LIMIT 1",
}
_TOWNSHIP: Final = "SELECT min(code) FROM region WHERE code LIKE $1 || '%' AND length(code) = 9"
_OF_A_TOWNSHIP: Final = ("reporter", "township_reviewer")
_VALUES: Final = {"z": "8", "x": "200", "y": "105", "form": "households", "status": "approved", "name": "bands", "feature": "1"}


class Route(msgspec.Struct, frozen=True):
    """A method on a path, and the action it declares."""

    method: str
    path: str
    action: str
    accepts: str
    device: bool  # opened by an enrolled phone, by no session


class Cell(msgspec.Struct, frozen=True):
    """One question of the walk."""

    route: Route
    role: str  # "" is a stranger
    area: Area
    state: State


def routes(app: Litestar) -> list[Route]:
    """All of them but files and what ends a session."""
    return [
        Route(
            method, route.path, handler.opt["action"], handler.opt.get("accepts", ("application/json",))[0], bool(handler.opt.get("device"))
        )
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"})
        if not route.path.startswith((*_ENDS, "/assets"))
    ]


def cells(app: Litestar) -> Iterator[Cell]:
    """All of them."""
    for route in routes(app):
        yield Cell(route, "", "nowhere", "absent")
        for role in ROLES:
            for area in AREAS:
                for state in STATES:
                    if state != "no token" or (route.method != "GET" and not route.path.startswith(_JSON)):
                        yield Cell(route, role, area, state)


class World:
    """A county with a paid household, and a signed-in person for every role here and elsewhere."""

    def __init__(self, app: Litestar, people: Mapping[tuple[str, Area], tuple[str, str]], found: Mapping[str, UUID]) -> None:
        self._people, self._found = people, found
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000")

    async def ask(self, cell: Cell) -> httpx.Response:
        """The answer as a program gets it."""
        cookie, csrf = self._people.get((cell.role, cell.area), ("", ""))
        if cell.state == "expired":
            cookie = "over" + cookie[4:]
        headers = {"Accept": "application/json", "Idempotency-Key": uuid4().hex}
        if cookie:
            headers["Cookie"] = f"{access.COOKIE}={cookie}"
        path = self._path(cell)
        if cell.route.method == "GET":
            return await self._client.get(path, headers=headers)
        if path.startswith(_JSON):
            headers["Content-Type"] = cell.route.accepts
            return await self._client.request(
                cell.route.method, path, headers=headers, content=b"{}" if "json" in cell.route.accepts else b""
            )
        return await self._client.request(cell.route.method, path, headers=headers, data={"csrf": "" if cell.state == "no token" else csrf})

    def _path(self, cell: Cell) -> str:
        parts = []
        for part in cell.route.path.split("/"):
            name, _, kind = part.strip("{}").partition(":")
            if not part.startswith("{"):
                parts.append(part)
            elif name == "county":
                parts.append(make.LUDING)
            elif kind == "uuid":
                parts.append(str(self._found.get(name, UUID(int=7)) if cell.state == "real" else UUID(int=7)))
            else:
                parts.append(_VALUES.get(name, "x"))
        return "/".join(parts) or "/"


async def world(app: Litestar, pool: db.Pool, keys: Keys) -> World:
    """Fill the database and sign everybody in."""
    people: dict[tuple[str, Area], tuple[str, str]] = {}
    async with db.begin(pool) as tx:
        await paid.told(tx, keys, 2)
        found = {name: await tx.fetchval(sql, make.LUDING) for name, sql in _FIND.items()}
        for role in ROLES:
            for area, code in (("here", make.LUDING), ("elsewhere", FOREIGN)):
                area_ = await tx.fetchval(_TOWNSHIP, code) if role in _OF_A_TOWNSHIP else code
                actor = await make.staff(tx, (role, area_))
                people[role, area] = await _session(tx, actor.person)
    return World(app, people, {name: value for name, value in found.items() if value})


async def _session(tx: db.Tx, person: UUID) -> tuple[str, str]:
    token, csrf = uuid4().hex, uuid4().hex
    await tx.execute("UPDATE staff SET password_at = $2 WHERE id = $1", person, make.NOW)
    await sessions.open_(tx, sign_in.token_hash(token), person, csrf, make.NOW, make.NOW + timedelta(days=30))
    await sessions.open_(
        tx, sign_in.token_hash("over" + token[4:]), person, csrf, make.NOW - timedelta(days=2), make.NOW - timedelta(days=1)
    )
    return token, csrf


def fault(cell: Cell, answer: httpx.Response) -> str | None:
    """What is wrong with this answer after the policy table; None when nothing is."""
    code = _code(answer)
    if answer.status_code >= 500 and code != "unavailable":
        return f"{answer.status_code}"
    if cell.route.action == access.PUBLIC:
        return "refused" if code in ("not_signed_in", "not_permitted") else None
    if cell.route.device:
        return None if (answer.status_code, code) == (401, "device_unknown") else "opened without a phone"
    if not cell.role or cell.state == "expired":
        return None if (answer.status_code, code) == (401, "not_signed_in") else "a stranger was heard"
    if cell.route.action != access.SIGNED_IN and cell.role not in ACTIONS[cell.route.action]:
        return None if (answer.status_code, code) == (403, "not_permitted") else "the role does not hold this right"
    if cell.area == "elsewhere" and "{county:" in cell.route.path and cell.route.action != access.SIGNED_IN:
        return None if (answer.status_code, code) == (404, "not_found") else "another county answered"
    if cell.state == "no token":
        return None if (answer.status_code, code) == (403, "csrf") else "a form without its token was read"
    if cell.area == "elsewhere":
        return "an act elsewhere" if _acts_here(cell) and answer.is_success else None
    return "refused at home" if code == "not_signed_in" else None


def _acts_here(cell: Cell) -> bool:
    """Whether the path itself names the county of the walk or one of its objects."""
    return cell.state == "real" and any(
        f"{{{name}:" in cell.route.path for name in ("county", "household", "payment", "batch", "complaint")
    )


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""
