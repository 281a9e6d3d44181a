"""Show one householder in full: for a reason of a short list, one record at a time, written into the trace before it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.errors import Invalid
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.store import audits, reveals
from relief.store.db import Tx

#: Why somebody may need to see a number in full. A list, because free text would hold what the trace must not.
REASONS: Final = ("card", "complaint", "identity", "visit")


class Revealed(msgspec.Struct, frozen=True):
    """A householder in full."""

    name: str
    id_number: str
    phone: str | None
    account: str | None
    drill: bool


class _Person(msgspec.Struct):
    name: str
    id_number: str
    phone: str | None = None


class _Account(msgspec.Struct):
    number: str


_PERSON: Final = msgspec.json.Decoder(_Person)
_ACCOUNT: Final = msgspec.json.Decoder(_Account)


async def reveal(tx: Tx, actor: Actor, county: str, household: UUID, reason: str, now: datetime, keys: Keys) -> Revealed:
    """The householder's name, numbers and account in full; the act names household and reason, so an auditor finds who looked."""
    if reason not in REASONS:
        raise Invalid("reveal_reason", "请选择查看理由 · choose why you need to see it", field="reason")
    found = await reveals.householder(tx, county, household)
    require(actor, "person.reveal", found.village)
    await audits.add(tx, county, actor, "person.reveal", "household", [household], now, {"reason": reason})
    person = _PERSON.decode(keys.open("person", found.person, "sealed", found.sealed_person))
    account = None
    if found.account is not None and found.sealed_account is not None:
        account = _ACCOUNT.decode(keys.open("account", found.account, "sealed", found.sealed_account)).number
    return Revealed(person.name, person.id_number, person.phone, account, found.drill)
