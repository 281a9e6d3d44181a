"""What the pages share: areas as patterns, cursors, redirects with a word of confirmation, once-only money forms."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response

from relief.domain.days import BEIJING
from relief.domain.errors import Invalid, NotFound
from relief.domain.policy import Actor
from relief.store.db import Tx
from relief.store.replies import Reply
from relief.store.views import incidents
from relief.store.views.incidents import Incident
from relief.web import idempotency
from relief.web.given import Req
from relief.web.texts import CATALOGUE

PAGE: Final = 50
START: Final = ("", UUID(int=0))


class MoneyForm(msgspec.Struct, frozen=True, kw_only=True):
    """Every money form carries its token and a key made when the page was rendered: pressing twice does it once."""

    csrf: str
    key: str


def patterns(actor: Actor, action: str) -> list[str]:
    """The areas of an action as LIKE patterns over codes."""
    return [a + "%" if a != "00" else "%" for a in actor.areas(action)]


def county_patterns(actor: Actor, action: str) -> list[str]:
    """The same for county codes: only grants of a whole county or more."""
    return [a + "%" for a in actor.areas(action) if len(a) <= 6]


def patterns_above(actor: Actor, action: str) -> list[str]:
    """The counties the areas of an action lie in or hold, as LIKE patterns."""
    return [a[:6] + "%" if a != "00" else "%" for a in actor.areas(action)]


def pack(county: str, id_: UUID | str) -> str:
    """A cursor: where the page ended."""
    return base64.urlsafe_b64encode(f"{county} {id_}".encode()).decode().rstrip("=")


def unpack(cursor: str | None) -> tuple[str, UUID]:
    """Where the page begins; anything that is not a cursor of ours is refused. It opens nothing: the area still bounds the rows."""
    if not cursor:
        return START
    try:
        county, id_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        if not (county.isascii() and county.isdigit() and len(county) == 6):
            raise ValueError(county)
        return county, UUID(id_)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise Invalid("cursor", "翻页标记无效，请从第一页开始 · that cursor is not ours, start from the first page") from None


def query(**values: object) -> str:
    """'?a=1&b=2' of what is given."""
    given = [f"{k}={v}" for k, v in values.items() if v not in (None, "")]
    return "?" + "&".join(given) if given else ""


def go(path: str, done: str | None = None) -> Response[bytes]:
    """See other; `done` is the key of a sentence shown there."""
    if done:
        path += ("&" if "?" in path else "?") + f"done={done}"
    return Response(content=b"", status_code=303, headers={"Location": path})


def uuids(values: Sequence[str] | str | None) -> list[UUID]:
    """Ids from a form."""
    given = [values] if isinstance(values, str) else list(values or [])
    given = [v for v in given if v]
    try:
        return [UUID(v) for v in given]
    except ValueError:
        raise Invalid("id_form", "编号无效 · that id is not one") from None


def done_of(request: Req) -> str | None:
    """The key of the sentence a redirect left, when the catalogue has it."""
    given = request.query_params.get("done")
    return given if given in DONE else None


#: The sentences a redirect may leave: whatever the catalogue has under `done`.
DONE: Final = frozenset(key.removeprefix("done.") for key in CATALOGUE if key.startswith("done."))


def moment(text: str, field: str) -> datetime:
    """A moment as a browser's field gives it, in Beijing time."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        raise Invalid("moment", "时间无法读懂 · the moment cannot be read", field=field) from None


def before(text: str | None) -> tuple[datetime, UUID] | None:
    """Where a page of a list by time begins: what `mark` made of the last row; anything else is refused."""
    if not text:
        return None
    at, _, id_ = text.partition("~")
    try:
        found = datetime.fromisoformat(at)
        if found.tzinfo is None:
            raise ValueError(at)
        return found, UUID(id_)
    except ValueError:
        raise Invalid("cursor", "翻页标记无效，请从第一页开始 · that cursor is not ours, start from the first page") from None


def mark(at: datetime, id_: UUID) -> str:
    """The end of a page of a list by time."""
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}~{id_}"


async def once(request: Req, tx: Tx, actor: Actor, key: str, content: Any, now: datetime, act: Callable[[], Awaitable[Any]]) -> Reply:
    """A money form, done once under its key."""
    return await idempotency.once(tx, actor, key, f"{request.method} {request.scope['path']}", content, now, act)


async def chosen(tx: Tx, actor: Actor, given: UUID | None) -> Incident | None:
    """The incident asked for, else the newest open one in the reader's areas."""
    found = await incidents.incidents(tx, patterns(actor, "incident.read"))
    if given is None:
        return found[0] if found else None
    match = next((i for i in found if i.id == given), None)
    if match is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    return match
