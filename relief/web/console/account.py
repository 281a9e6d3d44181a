"""One's own account: password, second factor, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from litestar import Response, get, post

from relief.domain.errors import Invalid, Refused
from relief.later import Later
from relief.services import second_factor, sign_in
from relief.store import db, sessions
from relief.web import access, entrance, given, house, pages
from relief.web.console import common
from relief.web.console.door import Token
from relief.web.given import Req

if TYPE_CHECKING:
    import segno
else:
    segno = Later("segno")


class PasswordForm(Token, frozen=True):
    """The old password and the new one, twice."""

    old: str = ""
    new: str = ""
    again: str = ""


class CodeForm(Token, frozen=True):
    """The first code of a new authenticator."""

    code: str = ""


class EndForm(Token, frozen=True):
    """A session to end; empty for every other one."""

    session: str = ""


@get("/me", action=access.SIGNED_IN, own=True)
async def page(request: Req, read: given.Read, actor: given.Me, now: given.Now) -> Response[str]:
    """Password, second factor, sessions."""
    visitor, keys = request.auth, house.of(request).keys
    offer = await second_factor.offered(read, actor, visitor.login, keys)
    return pages.page(
        request, "account.html", now=now, factor=await second_factor.state(read, actor.person), offer=offer,
        square=square(offer.uri) if offer else None, demanded=house.of(request).demands_factor and bool(actor.areas("batch.authorise")),
        sessions=await sessions.of(read, actor.person, now), mine=sign_in.token_hash(visitor.token), recovery=None, done=common.done_of(request),
    )  # fmt: skip


def square(uri: str) -> str:
    """A QR code as SVG without any style, so that the page's rules stay as they are."""
    return str(segno.make(uri, error="m").svg_inline(omitsize=True, border=4, light="#fff"))


@post("/me/password", action=access.SIGNED_IN, own=True)
async def password(request: Req, data: given.Form[PasswordForm], actor: given.Me) -> Response[bytes]:
    """Another password of one's own."""
    if data.new != data.again:
        raise Invalid("password_again", "两次输入的新口令不同 · the new password was typed differently the second time", field="again")
    await entrance.change_password(request, actor, request.auth.login, request.auth.token, data.old, data.new)
    return common.go("/me", "password_changed")


@post("/me/factor", action=access.SIGNED_IN, own=True)
async def begin_factor(request: Req, data: given.Form[Token], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """Begin to enrol: a new secret is shown until its first code is typed."""
    await second_factor.offer(tx, actor, request.auth.login, now, house.of(request).keys)
    return common.go("/me")


@post("/me/factor/code", action=access.SIGNED_IN, own=True, status_code=200)
async def finish_factor(request: Req, data: given.Form[CodeForm], actor: given.Me, now: given.Now) -> Response[str]:
    """The first code makes it count; the recovery codes are shown this once."""
    here = house.of(request)
    async with db.begin(here.pool, ()) as tx:  # commits whatever comes of it: a wrong code counts
        recovery = await second_factor.activate(tx, actor, data.code, now, here.keys)
    if recovery is None:
        raise Refused(
            "second_factor_wrong", "验证码不对，请核对手机时间后再试 · the code is wrong; look at the phone's clock and try again"
        )
    async with db.read(here.pool, ()) as read:
        return pages.page(
            request, "account.html", now=now, factor=await second_factor.state(read, actor.person), offer=None, square=None, demanded=False,
            sessions=await sessions.of(read, actor.person, now), mine=sign_in.token_hash(request.auth.token), recovery=recovery, done="enrolled",
        )  # fmt: skip


@post("/me/sessions/end", action=access.SIGNED_IN, own=True)
async def end(request: Req, data: given.Form[EndForm], tx: given.Write, actor: given.Me, now: given.Now) -> Response[bytes]:
    """End one other session, or all others."""
    chosen: list[UUID] = common.uuids(data.session)
    await sign_in.end_sessions(tx, actor, chosen[0] if chosen else None, request.auth.token, now)
    return common.go("/me", "ended")


HANDLERS: Final = [page, password, begin_factor, finish_factor, end]
