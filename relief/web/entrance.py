"""The door: look up (transaction), check the password (none held), record (transaction)."""

from __future__ import annotations

from relief.domain.errors import Refused
from relief.services import sign_in
from relief.services.sign_in import Opened
from relief.store import db
from relief.web.house import House


async def enter(here: House, login: str, password: str) -> Opened:
    """Open a session, or refuse in the same words whatever was wrong. The attempt is kept either way."""
    async with db.read(here.pool, ()) as tx:
        known = await sign_in.look_up(tx, login, here.clock())
    right = await sign_in.matches(known, password)
    async with db.begin(here.pool, ()) as tx:
        opened = await sign_in.record(tx, known, right, here.clock())
    if opened is None:
        raise Refused("bad_credentials", "账号或口令不对 · the login or the password is wrong")
    return opened
