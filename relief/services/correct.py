"""Correct the account of a returned payment: proposed by one person, confirmed by another, then a new attempt.

A card that is another one than before cools off first: a day is what a swindled resident needs to say so. A third person may shorten that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import identity
from relief.domain.errors import Conflict, Invalid
from relief.domain.policy import Actor, require
from relief.domain.repair import NO_RETRY, repair
from relief.domain.sealing import Keys
from relief.store import accounts, approvals, audits, blocks, db, exceptions, holds, payments
from relief.store.db import Tx

#: Why such an account is held; it tells this hold from any other on the same account.
COOLING: Final = "新换账号冷静期 · the card was changed less than a day ago"
COOL_OFF: Final = timedelta(hours=24)


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The right account for the payee of a returned payment (the same number again when the card was only asleep or unlocked)."""

    payment: UUID
    account: str
    bank: Annotated[str, msgspec.Meta(pattern="^[0-9]{3}$")]
    holder: str | None = None
    sure: bool = False  # the check digit is wrong, and somebody compared every digit with the card


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
    if barred := sorted({r.reason for r in found.values() if r.reason in NO_RETRY}):
        raise Conflict(
            "no_retry", f"退回原因{barred[0]}不能更正后重发：{repair(barred[0]).what.zh} · {barred[0]} is not mended by another account: {repair(barred[0]).what.en}"
        )  # fmt: skip
    rows = []
    for position, item in enumerate(items):
        person = found[item.payment].person
        number = _number(item, position)
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


def _number(item: Correction, position: int) -> str:
    try:
        return identity.account(item.account, sure=item.sure)
    except Invalid as error:
        raise Invalid(error.code, error.message, field=f"items[{position}].account") from None


async def confirm(
    tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime, cool_off: timedelta = COOL_OFF
) -> list[UUID]:  # fmt: skip
    """A second person has compared the card; the returned payments of these people get a new attempt. Returns the attempts.

    Another number than before is held until `cool_off` after it was proposed.
    """
    await db.plan_for(tx, len(ids))
    waiting = await accounts.proposed(tx, county, sorted(set(ids)))
    if not waiting or len(waiting) != len(set(ids)):
        raise Conflict("moved_on", "部分账号更正已被处理，请刷新 · some corrections were dealt with meanwhile, refresh")
    require(actor, "account.confirm", {w.village for w in waiting})
    chosen = [w.id for w in waiting]
    await approvals.sign(tx, county, chosen, "account", "confirm", actor.person, audits.digest(sorted(w.digest for w in waiting)), now)
    await accounts.make_current(tx, county, chosen, [w.person for w in waiting])
    await blocks.queue_accounts(tx, county, chosen)
    cooling = [(str(w.id), until) for w in waiting if w.changed and (until := w.proposed_at + cool_off) > now]
    if cooling:
        await holds.place_until(tx, county, "account", cooling, COOLING, actor.person, now)
    await audits.add(tx, county, actor, "account.confirm", "account", chosen, now, {"cooling": len(cooling)})
    await exceptions.mend(tx, county, chosen, now)
    return await payments.reissue(tx, county, chosen, now)


async def release(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """A third person has made sure that the new card is the payee's own: it need not cool off. Returns how many holds ended."""
    require(actor, "account.release", county)
    if not reason.strip():
        raise Invalid("reason", "请写明如何核实 · say how it was made sure", field="reason")
    chosen = sorted(set(ids))
    await approvals.sign(tx, county, chosen, "account", "release", actor.person, audits.digest(i.bytes for i in chosen), now)
    lifted = await holds.lift_of(tx, county, "account", [str(i) for i in chosen], COOLING, now)
    if lifted != len(chosen):
        raise Conflict("not_cooling", "部分账号不在冷静期，请刷新 · some of these accounts do not cool off, refresh")
    await audits.add(tx, county, actor, "account.release", "account", chosen, now, {"reason": reason.strip()})
    return lifted


async def again(tx: Tx, actor: Actor, county: str, items: Sequence[UUID], note: str, now: datetime) -> list[UUID]:
    """Try the same account once more: the card was activated, the loss lifted, the paying account funded. Returns the attempts."""
    require(actor, "payment.again", county)
    if not note.strip():
        raise Invalid("note", "请写明已办妥什么 · say what has been done", field="note")
    found = await payments.again(tx, county, sorted(set(items)))
    if not found or len(found) != len(set(items)):
        raise Conflict("not_returned", "部分支付已不在退回状态，请刷新 · some of these are not returned any more, refresh")
    if wrong := next((f.reason for f in found if repair(f.reason).retry != "same"), None):
        raise Conflict(
            "no_retry", f"退回原因{wrong}不能用原账号重发：{repair(wrong).what.zh} · {wrong} is not mended on the same account: {repair(wrong).what.en}"
        )  # fmt: skip
    await audits.add(tx, county, actor, "payment.again", "payment", [f.payment for f in found], now, {"note": note.strip()})
    return await payments.reissue(tx, county, sorted({f.account for f in found}), now)
