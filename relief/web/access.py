"""Who is asking, and may they ask this: one cookie, one guard for every route, one policy action a route.

A route says `action="award.approve.county"` (a name of the policy table), `action=SIGNED_IN` or `action=PUBLIC`; one that says nothing
is refused at start. The transaction of the request sees only the areas in which the actor holds that action.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from relief.domain import policy
from relief.domain.errors import NotFound, Refused
from relief.domain.policy import ACTIONS, Actor, Grant
from relief.services import field, sign_in
from relief.store import db, sessions
from relief.store.db import Tx
from relief.web import entrance, house
from relief.web.guard import UNSAFE

COOKIE: Final = "relief_session"
PUBLIC: Final = "public"
SIGNED_IN: Final = "signed in"
#: What a signed-in person may at least see: pages without an action of their own read within these areas.
_BASE: Final = "incident.read"


#: How long a session opened by HTTP Basic serves without the password being checked again, and how many are kept.
_KEPT: Final = timedelta(minutes=10)
_MOST_KEPT: Final = 1000


class Visitor(msgspec.Struct, frozen=True):
    """The signed-in person, and the token their forms must carry; `drill`: nothing real is going on, every page says so."""

    actor: Actor
    login: str
    csrf: str
    token: str
    drill: bool = False
    stale: bool = False  # the password must be changed before anything else


#: The media types a form arrives as.
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


async def authorize(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The one guard: find the session, check form token and action."""
    method = str(connection.scope.get("method", "GET"))
    action: str = handler.opt.get("action", PUBLIC) if method == "OPTIONS" else handler.opt["action"]
    visitor = await _by_device(connection) if handler.opt.get("device") else await _visitor(connection)
    if visitor is None and handler.opt.get("basic"):
        visitor = await _by_password(connection)
    connection.scope["user"] = visitor.actor if visitor else None
    connection.scope["auth"] = visitor
    if action == PUBLIC:
        await _checked(connection)
        return
    if visitor is None:
        raise Refused("not_signed_in", "请先登录 · please sign in")
    if visitor.stale and not handler.opt.get("own"):
        raise Refused("password_due", "请先更换口令 · change your password first")
    if action != SIGNED_IN and not visitor.actor.areas(action):
        raise Refused("not_permitted", "您没有此项权限 · you do not hold this right", action=action)
    county = connection.path_params.get("county")
    if isinstance(county, str) and action != SIGNED_IN and not visitor.actor.touches(action, county):
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    if method in UNSAFE:
        await _form_token(connection, visitor)


async def _checked(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """A stranger's form is read here, through the strict reader, before the framework reads it without. Hooks read their own bodies."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if isinstance(connection, Request) and kind in _FORMS and not connection.scope["path"].startswith("/hooks/"):
        await connection.form()


async def _by_password(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor | None:
    """HTTP Basic, for programs that read maps. The session it opens is used again for a while: a map asks many times a minute."""
    given = connection.headers.get("authorization", "")
    kind, _, encoded = given.partition(" ")
    if kind.lower() != "basic" or len(given) > 1000:
        return None
    try:
        login, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    here, digest = house.of(connection), hashlib.sha256(given.encode()).digest()
    known: dict[bytes, tuple[str, datetime]] = connection.app.state.setdefault("basic", {})
    token, until = known.get(digest, ("", here.clock()))
    visitor = await _find(connection, token) if here.clock() < until else None
    if visitor is None:
        opened = await entrance.enter(connection, login, password)
        while len(known) >= _MOST_KEPT:
            del known[next(iter(known))]
        known[digest] = (opened.token, here.clock() + _KEPT)
        visitor = await _find(connection, opened.token)
    return visitor


async def _by_device(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    """A phone by its own token, with its person's rights of today. `Authorization: Device ID.TOKEN`; no cookie opens these routes."""
    kind, _, given = connection.headers.get("authorization", "").partition(" ")
    name, _, token = given.partition(".")
    here = house.of(connection)
    try:
        id_ = UUID(name) if kind.lower() == "device" and len(given) <= 200 else None
    except ValueError:
        id_ = None
    if id_ is None:
        raise Refused("device_unknown", "手机未登记，请重新登记 · this phone is not enrolled; enrol it again")
    async with db.begin(here.pool) as tx:
        found = await field.find(tx, id_, token, here.clock())
        refusal = None if found is None else await field.standing(tx, found, here.clock())
    if found is None:
        raise Refused("device_unknown", "手机未登记，请重新登记 · this phone is not enrolled; enrol it again")
    if refusal is not None:
        raise refusal
    connection.scope["relief_device"] = found  # type: ignore[typeddict-unknown-key]
    return Visitor(field.actor_of(found), found.login, "", "")


async def _visitor(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor | None:
    return await _find(connection, connection.cookies.get(COOKIE))


async def _find(connection: ASGIConnection[Any, Any, Any, Any], token: str | None) -> Visitor | None:
    if not token or len(token) > 100:
        return None
    here = house.of(connection)
    now, digest = here.clock(), sign_in.token_hash(token)
    async with db.glance(here.pool) as tx:
        found = await sessions.find(tx, digest, now)
    if found is None or now - found.seen_at > sign_in.IDLE:
        return None
    if (now - found.seen_at).total_seconds() > 60:
        async with db.begin(here.pool, ()) as tx:
            await sessions.touch(tx, digest, now)
    grants = tuple(Grant(role, area) for role, area in zip(found.roles, found.areas, strict=True))
    days = here.settings.password_days
    stale = found.password_at is None or (days is not None and now - found.password_at > timedelta(days=days))
    return Visitor(Actor(found.person, found.name, grants), found.login, found.csrf, token, found.drill, stale)


async def _form_token(connection: ASGIConnection[Any, Any, Any, Any], visitor: Visitor) -> None:
    """Forms carry the session's token; JSON cannot be sent across sites without being asked for first (no CORS here)."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
        if connection.scope["path"].startswith("/api/"):
            return
        raise Refused("csrf", "表单已失效，请刷新页面 · this form is no longer valid, reload the page")
    given = (await connection.form()).get("csrf", "") if isinstance(connection, Request) else ""
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visitor.csrf.encode()):
        raise Refused("csrf", "表单已失效，请刷新页面 · this form is no longer valid, reload the page")


def scope_of(request: Request[Any, Any, Any]) -> Sequence[str]:
    """County patterns of the actor for the route's action."""
    action = request.route_handler.opt["action"]
    actor = request.scope.get("user")
    return () if actor is None else policy.scope(actor, _BASE if action in (SIGNED_IN, PUBLIC) else action)


async def provide_tx(request: Request[Any, Any, Any]) -> AsyncGenerator[Tx, None]:
    """The transaction of a writing request: committed before the response leaves, rolled back on any refusal."""
    async with db.begin(house.of(request).pool, scope_of(request)) as tx:
        yield tx


async def provide_read(request: Request[Any, Any, Any]) -> AsyncGenerator[Tx, None]:
    """A read-only snapshot for a reading request."""
    async with db.read(house.of(request).pool, scope_of(request)) as tx:
        yield tx


async def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    """The signed-in person."""
    actor = request.scope.get("user")
    if actor is None:
        raise Refused("not_signed_in", "请先登录 · please sign in")
    return cast("Actor", actor)


async def provide_now(request: Request[Any, Any, Any]) -> datetime:
    """The moment of this request."""
    return house.of(request).clock()


def cookie(request: Request[Any, Any, Any], token: str, expires_at: datetime | None) -> str:
    """The Set-Cookie line; no expiry means it is taken away."""
    jar: SimpleCookie = SimpleCookie()
    jar[COOKIE] = token
    morsel: Morsel[str] = jar[COOKIE]
    secure = house.of(request).settings.tls_cert is not None
    for name, value in (("path", "/"), ("httponly", True), ("samesite", "Strict"), ("secure", secure)):
        morsel[name] = value
    morsel["max-age"] = 0 if expires_at is None else int((expires_at - house.of(request).clock()).total_seconds())
    return morsel.OutputString()


def undeclared(app: Litestar) -> list[str]:
    """Routes that do not say who may use them; must be empty."""
    known = {*ACTIONS, PUBLIC, SIGNED_IN}
    return [
        f"{route.path} {handler.name or handler.fn.__name__}"
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.opt.get("action") not in known and "OPTIONS" not in handler.http_methods
    ]
