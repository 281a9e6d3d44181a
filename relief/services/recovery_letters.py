"""A letter that asks money back names the person it goes to: who opens one to print it stands in the trace."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.store import audits
from relief.store.db import Tx


class _Person(msgspec.Struct):
    name: str


_PERSON: Final = msgspec.json.Decoder(_Person)


async def address(tx: Tx, actor: Actor, county: str, case: UUID, person: UUID, sealed: bytes, now: datetime, keys: Keys) -> str:
    """The householder's name for the letter of this case."""
    require(actor, "recovery.work", county)
    await audits.add(tx, county, actor, "recovery.print", "recovery", [case], now)
    return _PERSON.decode(keys.open("person", person, "sealed", sealed)).name
