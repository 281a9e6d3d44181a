"""Somebody registered without papers has some now: the temporary number gives way to the real one, and the household is compared anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.services import suspect
from relief.store import audits, provisionals
from relief.store.db import Tx


class Identified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person and the number on their paper."""

    person: UUID
    id_number: Annotated[str, msgspec.Meta(max_length=40)]


async def identify(tx: Tx, actor: Actor, county: str, items: Sequence[Identified], now: datetime, keys: Keys) -> int:
    """Give these people their numbers; all or none; how many. By somebody who did not register them."""
    numbers = {i.person: _number(i.id_number, now) for i in items}
    found = await provisionals.lock(tx, county, sorted(numbers))
    if not items or len(found) != len(items):
        raise Conflict("moved_on", "部分人员已有证件号或不存在，请刷新 · some are identified already or gone, refresh")
    require(actor, "person.identify", {p.village for p in found})
    if own := sum(p.registered_by == actor.person for p in found):
        raise Refused("own_registration", f"其中 {own} 人由您本人登记，须由他人核实 · you registered {own} of them yourself", count=own)
    ids, hashes = [p.id for p in found], [keys.index("id", numbers[p.id]) for p in found]
    if await provisionals.taken(tx, county, ids, hashes):
        raise Invalid("id_twice", "同一身份证号在本户出现两次 · one identity number stands twice in this household", field="id_number")
    sealed = [_sealed(p, numbers[p.id], keys) for p in found]
    adults = [identity.adult(numbers[i], beijing_day(now)) for i in ids]
    if await provisionals.identify(tx, county, ids, sealed, hashes, adults, [p.id_hash for p in found]) != len(ids):
        raise Conflict("moved_on", "部分人员刚有变化，请刷新 · some have just changed, refresh")
    await suspect.queue(tx, sorted({(county, p.household) for p in found}), keys)
    await audits.add(tx, county, actor, "person.identify", "person", ids, now)
    return len(ids)


def _number(text: str, now: datetime) -> str:
    number = identity.id_number(text, beijing_day(now))
    if identity.document(number) == "temporary":
        raise Invalid(
            "id_form", "这是临时编号，请填证件上的号码 · that is a temporary number, give the one on the paper", field="id_number"
        )
    return number


def _sealed(person: provisionals.Provisional, number: str, keys: Keys) -> bytes:
    plain: dict[str, Any] = msgspec.json.decode(keys.open("person", person.id, "sealed", person.sealed))
    plain |= {"id_number": number, "id_type": identity.document(number), "was": plain["id_number"]}
    return keys.seal("person", person.id, "sealed", msgspec.json.encode(plain))
