"""Correct the account of a returned payment: proposed by one person, confirmed by another, then a new attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import msgspec

from relief.domain import identity
from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.store import accounts, approvals, audits, blocks, db, payments
from relief.store.db import Tx


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The right account for the payee of a returned payment (the same number again when the card was only asleep or unlocked)."""

    payment: UUID
    account: str
    bank: Annotated[str, msgspec.Meta(pattern="^[0-9]{3}$")]
    holder: str | None = None


class _Name(msgspec.Struct):
    name: str


async def propose(tx: Tx, actor: Actor, county: str, items: Sequence[Correction], now: datetime, keys: Keys) -> list[UUID]:
    """Write the corrected accounts as proposals; returns their ids in the order given."""
    await db.plan_for(tx, len(items))
    found = {r.payment: r for r in await accounts.returned(tx, county, [i.payment for i in items])}
    if len(found) != len(items):
        raise Conflict(
            "not_returned", "只有银行已退回、且没有后续支付的才能更正 · only a returned payment without a later attempt can be corrected"
        )
    require(actor, "account.propose", {r.village for r in found.values()})
    rows = []
    for position, item in enumerate(items):
        person = found[item.payment].person
        number = _number(item.account, position)
        holder = (
            item.holder or msgspec.json.decode(keys.open("person", person, "sealed", found[item.payment].sealed_person), type=_Name).name
        )
        made = uuid4()
        sealed = keys.seal("account", made, "sealed", msgspec.json.encode({"holder": holder, "number": number}))
        rows.append((made, person, found[item.payment].version + 1, sealed, keys.index("account", number), item.bank))
    await accounts.propose(tx, county, actor.person, now, rows)
    ids = [r[0] for r in rows]
    await approvals.sign(tx, county, ids, "account", "propose", actor.person, audits.digest(sorted(r[4] for r in rows)), now)
    await audits.add(tx, county, actor, "account.propose", "account", ids, now)
    return ids


def _number(text: str, position: int) -> str:
    try:
        return identity.account(text)
    except Invalid as error:
        raise Invalid(error.code, error.message, field=f"items[{position}].account") from None


async def confirm(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """A second person has compared the card; the returned payments of these people get a new attempt. Returns the attempts."""
    await db.plan_for(tx, len(ids))
    waiting = await accounts.proposed(tx, county, sorted(set(ids)))
    if not waiting or len(waiting) != len(set(ids)):
        raise Conflict("moved_on", "部分账号更正已被处理，请刷新 · some corrections were dealt with meanwhile, refresh")
    require(actor, "account.confirm", {w.village for w in waiting})
    chosen = [w.id for w in waiting]
    await approvals.sign(tx, county, chosen, "account", "confirm", actor.person, audits.digest(sorted(w.digest for w in waiting)), now)
    await accounts.make_current(tx, county, chosen, [w.person for w in waiting])
    await blocks.queue_accounts(tx, county, chosen)
    await audits.add(tx, county, actor, "account.confirm", "account", chosen, now)
    return await payments.reissue(tx, county, chosen, now)
