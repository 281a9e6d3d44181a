"""An act that may need a second factor: tried as it is, then with the code, so that a repeated request costs no second code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from relief.domain.errors import Refused
from relief.domain.policy import Actor
from relief.services import second_factor
from relief.store import db
from relief.store.db import Tx
from relief.web import access, house
from relief.web.given import Req

T = TypeVar("T")


async def with_code(request: Req, actor: Actor, code: str, digest: bytes, now: datetime, act: Callable[[Tx], Awaitable[T]]) -> T:
    """Do `act`, each try in a transaction of its own; where it asks for a second factor, prove it by the code first.

    A wrong code is counted although the act is refused: the attempt commits by itself.
    """
    here, scope = house.of(request), access.scope_of(request)
    try:
        async with db.begin(here.pool, scope) as tx:
            return await act(tx)
    except Refused as refusal:
        if refusal.code != "second_factor" or not code.strip():
            raise
    async with db.begin(here.pool, ()) as tx:
        proven = await second_factor.prove(tx, actor, code, digest, now, here.keys)
    if not proven:
        raise Refused("second_factor_wrong", "验证码不对或已用过，请用下一个 · the code is wrong or was used, take the next one")
    async with db.begin(here.pool, scope) as tx:
        return await act(tx)
