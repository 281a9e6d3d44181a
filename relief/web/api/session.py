"""Signing in and out by JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post

from relief.services import sign_in
from relief.web import access, entrance, given
from relief.web.given import Req


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["officer.luding"])]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200, examples=["correct horse battery"])]


class SignedIn(msgspec.Struct, frozen=True):
    """The session; its cookie is in Set-Cookie."""

    csrf: str
    expires_at: datetime


class Right(msgspec.Struct, frozen=True):
    """A role in an area (a region code that covers everything below it)."""

    role: Annotated[str, msgspec.Meta(examples=["county_officer"])]
    area: Annotated[str, msgspec.Meta(examples=["513322"])]


class Me(msgspec.Struct, frozen=True):
    """Who is signed in."""

    id: UUID
    name: str
    grants: list[Right]


@post("/session", action=access.PUBLIC, status_code=201, security=[])
async def open_session(request: Req, data: given.Json[SignIn]) -> Response[SignedIn]:
    """Sign in. The same answer for a wrong password and an unknown login."""
    opened = await entrance.enter(request, data.login, data.password)
    answer = Response(SignedIn(opened.csrf, opened.expires_at), status_code=201)
    answer.headers["Set-Cookie"] = access.cookie(request, opened.token, opened.expires_at)
    return answer


@get("/session", action=access.SIGNED_IN, own=True)
async def me(actor: given.Me) -> Me:
    """Who am I, and what may I do where."""
    return Me(actor.person, actor.name, [Right(g.role, g.area) for g in actor.grants])


@delete("/session", action=access.SIGNED_IN, status_code=204, own=True)
async def close_session(request: Req, tx: given.Write) -> None:
    """Sign out."""
    await sign_in.sign_out(tx, request.auth.token)


HANDLERS: Final = [open_session, me, close_session]
