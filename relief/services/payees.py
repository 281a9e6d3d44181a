"""抚慰金 and whatever else a playbook pays to a person: named with the case by one officer, checked by another, then proposed to that person.

The householder's account is never used for somebody else: without a checked payee such an award is not proposed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain import identity
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, require
from relief.domain.sealing import Keys
from relief.services import decide
from relief.store import assessments, audits, payees
from relief.store.db import Tx
from relief.store.payees import Home, Named

Relation = Literal["spouse", "child", "parent", "sibling", "grandparent", "grandchild", "guardian", "other"]


class Payee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be paid this aid of this household, and the SHA-256 (hex) of the paper that shows the kinship."""

    household: UUID
    aid: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2,12}$")]
    name: str
    id_number: str
    account: str
    bank: Annotated[str, msgspec.Meta(pattern="^[0-9]{3}$")]
    relation: Relation
    proof: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    phone: str | None = None


class Sealed(msgspec.Struct, frozen=True):
    """What is not kept in clear."""

    name: str
    id_number: str
    account: str
    phone: str | None


_SEALED: Final = msgspec.json.Decoder(Sealed)


async def name(tx: Tx, actor: Actor, county: str, items: Sequence[Payee], now: datetime, keys: Keys) -> list[UUID]:
    """Name payees; nothing is paid to them before somebody else has checked them. Ids in the order given.

    Invalid names the field; Refused `householder_account` where the account is the householder's and the person is not.
    """
    homes = {h.household: h for h in await payees.homes(tx, county, [i.household for i in items], actor.person)}
    if not items or any(i.household not in homes for i in items):
        raise Conflict("moved_on", "部分住户不存在、重复或已退回，请刷新 · some households are gone, duplicates or rejected, refresh")
    require(actor, "payee.name", {h.village for h in homes.values()})
    rows = [_row(position, item, homes[item.household], now, keys) for position, item in enumerate(items)]
    await payees.name(tx, county, actor.person, now, rows)
    ids = [r[0] for r in rows]
    await audits.add(tx, county, actor, "payee.name", "payee", ids, now)
    return ids


def _row(position: int, item: Payee, home: Home, now: datetime, keys: Keys) -> tuple[Any, ...]:
    said = Sealed(
        _field(position, "name", lambda: identity.person_name(item.name)),
        _field(position, "id_number", lambda: identity.id_number(item.id_number, beijing_day(now))),
        _field(position, "account", lambda: identity.account(item.account)),
        None if item.phone is None else _field(position, "phone", lambda: identity.phone(str(item.phone))),
    )
    if not identity.adult(said.id_number, beijing_day(now)):
        raise Invalid(
            "minor", "领款人未满18周岁，请填监护人 · the payee is a minor: name the guardian", field=f"items[{position}].id_number"
        )
    number = keys.index("account", said.account)
    made = uuid4()
    sealed = keys.seal("aid_payee", made, "sealed", msgspec.json.encode(said))
    return (
        made,
        home.household,
        item.aid,
        sealed,
        keys.index("id", said.id_number),
        number,
        item.bank,
        item.relation,
        bytes.fromhex(item.proof),
    )


def _field(position: int, field: str, read: Callable[[], str]) -> str:
    try:
        return read()
    except Invalid as error:
        raise Invalid(error.code, error.message, field=f"items[{position}].{field}") from None


async def check(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime, keys: Keys) -> int:
    """Another officer has compared paper, person and card: these are the payees from now on, and their households are decided at once.

    Refused to whoever named them and to whoever registered the household; Conflict where the aid is approved for somebody else already.
    Returns how many.
    """
    found = await payees.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)):
        raise Conflict("moved_on", "部分领款人已被处理，请刷新 · some payees were dealt with meanwhile, refresh")
    require(actor, "payee.check", {p.village for p in found})
    homes = {h.household: h for h in await payees.homes(tx, county, [p.household for p in found], actor.person)}
    if own := sum(h.own for h in homes.values()):
        raise Refused("own_registration", f"其中 {own} 户由您本人登记，须由他人核对 · you registered {own} of them yourself", count=own)
    if any(p.named_by == actor.person for p in found):
        raise Refused("same_person", "领款人须由另一人核对 · another person must check the payee")
    if any(p.paid for p in found):
        raise Conflict("payee_fixed", "该项已审批给另一人，不能更换 · the aid is approved for somebody else already")
    if any(_householders(p, homes[p.household]) for p in found):
        raise Refused(
            "householder_account", "该账号属户主，不能代领 · this is the householder's account; it cannot take another person's aid"
        )
    await _keep(tx, county, found, now, keys, actor)
    await audits.add(tx, county, actor, "payee.check", "payee", [p.id for p in found], now)
    households = sorted({p.household for p in found})
    for activation in await assessments.hold_parts(tx, county, sorted({p.incident for p in found})):
        await decide.run(tx, actor, county, activation, now, households)
    return len(found)


def _householders(payee: Named, home: Home) -> bool:
    return payee.account_hash == home.account_hash and payee.known != home.householder


async def _keep(tx: Tx, county: str, found: Sequence[Named], now: datetime, keys: Keys, actor: Actor) -> None:
    """People and accounts as the register keeps them: under their own ids, sealed for their own place."""
    people, accounts, who = [], [], []
    for p in found:
        said = _SEALED.decode(keys.open("aid_payee", p.id, "sealed", p.sealed))
        person, account = p.known or uuid4(), uuid4()
        if p.known is None:
            plain = {"name": said.name, "id_type": "resident", "id_number": said.id_number, "phone": said.phone}
            phone_hash = None if said.phone is None else keys.index("phone", said.phone)
            sealed = keys.seal("person", person, "sealed", msgspec.json.encode(plain))
            people.append((person, p.household, sealed, p.id_hash, phone_hash, identity.phone_route(said.phone)))
        card = msgspec.json.encode({"holder": said.name, "number": said.account})
        sealed_card = keys.seal("account", account, "sealed", card)
        accounts.append((account, person, p.version + 1, sealed_card, p.account_hash, p.bank, p.named_by))
        who.append((p.id, person))
    await payees.add_people(tx, county, people)
    await payees.set_accounts(tx, county, now, accounts)
    await payees.check(tx, county, who, actor.person, now)


async def refuse(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> None:
    """The paper does not show it: these people are not paid."""
    found = await payees.lock(tx, county, sorted(set(ids)))
    require(actor, "payee.check", {p.village for p in found} or [county])
    if any(p.named_by == actor.person for p in found):
        raise Refused("same_person", "领款人须由另一人核对 · another person must check the payee")
    if await payees.refuse(tx, county, [p.id for p in found], actor.person, now) != len(set(ids)):
        raise Conflict("moved_on", "部分领款人已被处理，请刷新 · some payees were dealt with meanwhile, refresh")
    await audits.add(tx, county, actor, "payee.refuse", "payee", ids, now)
