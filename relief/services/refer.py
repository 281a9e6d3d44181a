"""Pass households on to other departments: by the rules of the playbook, or by hand; answered, or sent back, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import numpy.typing as npt

from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, NotFound
from relief.domain.facts import PREDICATES
from relief.domain.policy import Actor, require
from relief.domain.referral import BY_HAND, RESTRICTED, department_of, due_on, words_of
from relief.domain.rules import Playbook
from relief.domain.sealing import Keys
from relief.domain.snapshot import Alike
from relief.store import audits, referrals
from relief.store.db import Tx
from relief.store.referrals import Standing

_BY_HAND_BASIS: Final = "《社会救助暂行办法》第六十条：一门受理、协同办理"


async def screen(
    tx: Tx, actor: Actor, county: str, playbook: UUID, book: Playbook, ids: npt.NDArray[Any], kinds: Alike, now: datetime
) -> dict[str, int]:
    """Pass on every household for which a rule of the playbook holds and that was not passed on for it before; how many by department.

    `ids` are packed ids (V16), each of the kind of its place in `kinds`. Two statements a rule, however many households.
    """
    made: dict[str, int] = {}
    today = beijing_day(now)
    for rule in book.referrals:
        where = np.flatnonzero(PREDICATES[rule.when](kinds.kinds)[kinds.kind])
        households = [UUID(bytes=bytes(ids[i])) for i in where]
        if not households:
            continue
        due = due_on(today, rule.urgent)
        new = await referrals.open_by_rule(
            tx, county, households, rule.to, rule.when, rule.legal_basis, playbook, rule.urgent, now, due
        )  # fmt: skip
        made[rule.to] = made.get(rule.to, 0) + len(new)
        if new:
            await audits.add(tx, county, actor, "referral.open", "referral", new, now, {"department": rule.to, "reason": rule.when})
    return made


async def by_hand(
    tx: Tx, actor: Actor, county: str, household: UUID, department: str, note: str, urgent: bool, now: datetime, keys: Keys
) -> UUID:
    """Pass one household on by hand, saying why. NotFound outside the county."""
    to, text, id_ = department_of(department), words_of(note, "referral_note"), uuid4()
    sealed, due = keys.seal("referral", id_, "sealed_note", text.encode()), due_on(beijing_day(now), urgent)
    if not await referrals.open_by_hand(tx, county, id_, household, to, _BY_HAND_BASIS, urgent, actor.person, now, due, sealed):
        raise _not_found()
    [made] = await referrals.lock(tx, county, [id_])
    require(actor, "referral.open", made.village)
    await audits.add(tx, county, actor, "referral.open", "referral", [id_], now, {"department": to, "reason": BY_HAND})
    return id_


async def accept(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], now: datetime) -> int:
    """接收 by the department; all of the list, or nothing."""
    found = await _theirs(tx, actor, county, ids)
    if await referrals.accept(tx, county, [f.id for f in found], actor.person, now) != len(found):
        raise _moved_on()
    await audits.add(tx, county, actor, "referral.accept", "referral", [f.id for f in found], now)
    return len(found)


async def give_back(tx: Tx, actor: Actor, county: str, id_: UUID, why: str, now: datetime, keys: Keys) -> None:
    """退回: it is not theirs, and why; the county passes it on to another."""
    text = words_of(why, "referral_why")
    [found] = await _theirs(tx, actor, county, [id_])
    if not await referrals.give_back(tx, county, id_, keys.seal("referral", id_, "sealed_note", text.encode())):
        raise _moved_on()
    await audits.add(tx, county, actor, "referral.return", "referral", [id_], now, {"department": found.department})


async def pass_on(tx: Tx, actor: Actor, county: str, id_: UUID, department: str, note: str, now: datetime, keys: Keys) -> None:
    """The county passes a returned one on to another department."""
    to = department_of(department)
    found = await referrals.lock(tx, county, [id_])
    if not found:
        raise _not_found()
    require(actor, "referral.pass", found[0].village)
    sealed = keys.seal("referral", id_, "sealed_note", note.strip().encode()) if note.strip() else None
    if not await referrals.pass_on(tx, county, id_, to, due_on(beijing_day(now), found[0].urgent), sealed):
        raise _moved_on()
    await audits.add(tx, county, actor, "referral.pass", "referral", [id_], now, {"from": found[0].department, "to": to})


async def close(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID], answer: str, now: datetime, keys: Keys) -> int:
    """办结 with an answer in writing; all of the list, or nothing."""
    text = words_of(answer, "referral_answer")
    found = await _theirs(tx, actor, county, ids)
    sealed = [(f.id, keys.seal("referral", f.id, "sealed_answer", text.encode())) for f in found]
    if await referrals.close(tx, county, sealed, actor.person, now) != len(found):
        raise _moved_on()
    await audits.add(tx, county, actor, "referral.close", "referral", [f.id for f in found], now)
    return len(found)


async def _theirs(tx: Tx, actor: Actor, county: str, ids: Sequence[UUID]) -> list[Standing]:
    """The referrals, where the actor acts for the department of every one of them."""
    found = await referrals.lock(tx, county, sorted(set(ids)))
    if not found or len(found) != len(set(ids)):
        raise _not_found()
    for department in sorted({f.department for f in found}):
        require(actor, f"referral.answer.{department}", {f.village for f in found if f.department == department})
    return found


def may_see(department: str, actor: Actor, area: str) -> bool:
    """Restricted ones are for their department and the county; the others for everybody who reads referrals in the area."""
    if department in RESTRICTED:
        return actor.may(f"referral.answer.{department}", area) or actor.may("referral.pass", area)
    return True


def _not_found() -> NotFound:
    return NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")


def _moved_on() -> Conflict:
    return Conflict("moved_on", "部分事项已办理或已退回，请刷新 · some have been dealt with or returned meanwhile, refresh")
