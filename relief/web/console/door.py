"""Signing in and out by page."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from litestar import Response, get, post

from relief.domain.errors import Refused
from relief.services import sign_in
from relief.web import access, entrance, given, pages
from relief.web.given import Req

#: One leading slash, then printable ASCII without backslash.
_INSIDE: Final = re.compile(r"/(?!/)[!-\[\]-~]*")


class Credentials(msgspec.Struct, frozen=True):
    """The sign-in form."""

    login: str = ""
    password: str = ""
    next: str = "/"


class Token(msgspec.Struct, frozen=True):
    """A form with nothing but its token."""

    csrf: str


@get("/sign-in", action=access.PUBLIC)
async def sign_in_page(request: Req, next: given.FromQuery[str] = "/") -> Response[str]:
    """The form."""
    return pages.page(request, "sign_in.html", next=_inside(next), refusal=None, login="")


@post("/sign-in", action=access.PUBLIC, status_code=303)
async def enter(request: Req, data: given.Form[Credentials]) -> Response[Any]:
    """Open a session and go on to where one wanted to be."""
    try:
        opened = await entrance.enter(request, data.login, data.password)
    except Refused as refusal:
        return pages.page(request, "sign_in.html", status_code=401, next=_inside(data.next), refusal=refusal.message, login=data.login)
    cookie = access.cookie(request, opened.token, opened.expires_at)
    return Response(content=b"", status_code=303, headers={"Location": _inside(data.next), "Set-Cookie": cookie})


@post("/sign-out", action=access.SIGNED_IN, status_code=303, own=True)
async def leave(request: Req, data: given.Form[Token], tx: given.Write) -> Response[bytes]:
    """End the session."""
    await sign_in.sign_out(tx, request.auth.token)
    return Response(content=b"", status_code=303, headers={"Location": "/sign-in", "Set-Cookie": access.cookie(request, "", None)})


def _inside(path: str) -> str:
    """Only addresses of this site: browsers drop tabs and read a backslash as a slash, so neither may stand anywhere."""
    return path if _INSIDE.fullmatch(path) else "/"


HANDLERS: Final = [sign_in_page, enter, leave]
