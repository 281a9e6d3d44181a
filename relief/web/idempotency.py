"""One effect per key: the answer of a money write is kept in the write's own transaction and given again, byte for byte."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter

from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor
from relief.store import replies
from relief.store.db import Tx
from relief.store.replies import Reply

HEADER: Final = "Idempotency-Key"
_FORM = re.compile(r"[!-~]{1,255}")

#: Declared by every money write of the API.
Key = Annotated[
    str | None,
    HeaderParameter(name=HEADER, description="Required. 1–255 visible ASCII characters, new for every act; kept for ever."),
]


def key(given: str | None) -> str:
    """The key, or a refusal: it must be there, visible ASCII, at most 255 characters."""
    if given is None:
        raise Invalid("key_required", "缺少 Idempotency-Key · money writes need an Idempotency-Key header")
    if _FORM.fullmatch(given) is None:
        raise Invalid("key_form", "Idempotency-Key 须为1至255个可见ASCII字符 · the key has 1–255 visible ASCII characters")
    return given


def _fingerprint(route: str, content: Any) -> bytes:
    return hashlib.sha256(route.encode() + b"\x00" + msgspec.json.encode(content, order="deterministic")).digest()


async def once(
    tx: Tx, actor: Actor, given: str | None, route: str, content: Any, now: datetime, act: Callable[[], Awaitable[Any]]
) -> Reply:
    """Do `act` unless it was done under this key; a refusal rolls back with its key, so it may be tried again."""
    name, mark = key(given), _fingerprint(route, content)
    if not await replies.lock(tx, actor.person, name):
        raise Conflict("in_flight", "同一请求正在处理 · a request with this key is being carried out")
    kept = await replies.find(tx, actor.person, name)
    if kept is not None:
        if kept.fingerprint != mark:
            raise Invalid("key_reuse", "该 Idempotency-Key 已用于别的内容 · that key was used for other content")
        return kept
    reply = Reply(route, mark, 200, msgspec.json.encode(await act()))
    await replies.keep(tx, actor.person, name, reply, now)
    return reply


async def answer(
    request: Request[Any, Any, Any], tx: Tx, actor: Actor, given: str | None, content: Any, now: datetime, act: Callable[[], Awaitable[Any]]
) -> Response[Any]:
    """`once` as an HTTP answer."""
    reply = await once(tx, actor, given, f"{request.method} {request.scope['path']}", content, now, act)
    return Response(content=reply.response, status_code=reply.status, media_type="application/json")
