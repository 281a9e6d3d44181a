"""Births, people who moved in, moved away or died since: the members of a household change, with their history, and it is decided anew at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain import identity, likeness
from relief.domain.assessment import Reason
from relief.domain.days import beijing_day
from relief.domain.errors import Conflict, Invalid
from relief.domain.household import Member
from relief.domain.policy import Actor, require
from relief.domain.rules import MOST_MEMBERS
from relief.domain.sealing import Keys
from relief.services import decide
from relief.services.reassess import Reassessed
from relief.store import assessments, audits, blocks, db, members
from relief.store.assessments import Standing
from relief.store.db import Tx
from relief.store.members import Person


class Leave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member who is none any more. Whoever died in the disaster stays counted: that is `dead` of the assessment."""

    person: UUID
    why: Literal["moved", "died"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who joins a household (born, moved in) and who leaves it, and why it is believed."""

    household: UUID
    reason: Reason
    joins: Annotated[list[Member], msgspec.Meta(max_length=10)] = []
    leaves: Annotated[list[Leave], msgspec.Meta(max_length=30)] = []


async def change(tx: Tx, actor: Actor, county: str, items: Sequence[Change], now: datetime, keys: Keys) -> Reassessed:
    """Change the members of these households (each once) and decide them again by every activation the county is active in.

    Who says so signs like who registers. Invalid names the item; Conflict where a household is gone, a duplicate or rejected. A newcomer who
    has an aid through another household keeps it there: the guard sees to that.
    """
    ids = [i.household for i in items]
    if not items or len(set(ids)) != len(ids):
        raise Invalid("households", "须列出住户，每户一次 · name the households, each once", field="items")
    await db.plan_for(tx, len(ids))
    places = await assessments.places(tx, county, ids)
    require(actor, "household.reassess", {p.village for p in places} or [county])
    active = await assessments.hold_parts(tx, county, sorted({p.incident for p in places}))
    standing = {s.id: s for s in await assessments.lock(tx, county, ids)}
    if len(standing) != len(ids):
        raise Conflict("moved_on", "部分住户不存在、重复或已退回，请刷新 · some households are gone, duplicates or rejected, refresh")
    known = await members.people(tx, county, ids)
    for position, item in enumerate(items):
        _check(position, item, standing[item.household], [p for p in known if p.household == item.household], keys, now)
    await _write(tx, actor, county, items, standing, now, keys)
    await audits.add(tx, county, actor, "household.members", "household", ids, now)
    return Reassessed(len(items), {str(a): await decide.run(tx, actor, county, a, now, ids) for a in active})


def _check(position: int, item: Change, home: Standing, people: Sequence[Person], keys: Keys, now: datetime) -> None:
    path = f"items[{position}]"
    if not item.joins and not item.leaves:
        raise Invalid("nothing_changed", "没有人加入或离开 · nobody joins or leaves", field=path)
    roles = {p.id: p.role for p in people}
    for i, leave in enumerate(item.leaves):
        if leave.person not in roles:
            raise Invalid("not_a_member", "此人不是本户成员 · that person is no member of the household", field=f"{path}.leaves[{i}]")
        if roles[leave.person] == "householder":
            raise Invalid(
                "householder_leaves",
                "户主不能移出，须由他人为户主重新登记 · the householder cannot leave: register anew",
                field=f"{path}.leaves[{i}]",
            )
    here = {p.id_hash for p in people}
    for i, join in enumerate(item.joins):
        hashed = keys.index("id", _read(f"{path}.joins[{i}]", join, now).id_number)
        if hashed in here:
            raise Invalid("member_already", "此人已是本户成员 · that person is a member already", field=f"{path}.joins[{i}].id_number")
        here.add(hashed)
    after = home.members + len(item.joins) - len({x.person for x in item.leaves})
    if not 1 <= after <= MOST_MEMBERS:
        raise Invalid("members", f"一户1至{MOST_MEMBERS}人 · a household has 1 to {MOST_MEMBERS} members", field=path)
    if home.known.people_in_need > after:
        raise Invalid(
            "more_than_members", "需救助人口将多于家庭人口，请先复核 · more people in need than members: assess that first", field=path
        )


def _read(path: str, member: Member, now: datetime) -> Member:
    """Name and number in their one form, or what is wrong with which."""
    try:
        name = identity.person_name(member.name)
    except Invalid as error:
        raise Invalid(error.code, error.message, field=path + ".name") from None
    try:
        return Member(name, identity.id_number(member.id_number, beijing_day(now)))
    except Invalid as error:
        raise Invalid(error.code, error.message, field=path + ".id_number") from None


async def _write(
    tx: Tx, actor: Actor, county: str, items: Sequence[Change], standing: dict[UUID, Standing], now: datetime, keys: Keys
) -> None:
    people: list[tuple[Any, ...]] = []
    compared, counts, kept = [], [], []
    for item in items:
        home = standing[item.household]
        faces = []
        for join in item.joins:
            member, person = _read("", join, now), uuid4()
            plain = {"name": member.name, "id_type": "resident", "id_number": member.id_number, "phone": None}
            id_hash = keys.index("id", member.id_number)
            sealed = keys.seal("person", person, "sealed", msgspec.json.encode(plain))
            people.append((person, home.id, sealed, id_hash, identity.adult(member.id_number, beijing_day(now))))
            faces.append((member.name, member.id_number, id_hash))
        if faces:
            compared.append((county, home.id, likeness.blocks(home.incident, home.village, faces, (), keys.block)))
        more = len(item.joins) - len({x.person for x in item.leaves})
        counts.append((home.id, home.members + more, more))
        before = msgspec.to_builtins(home.known) | {"members": home.members}
        after = before | {"members": home.members + more, "joined": len(item.joins), "left": [x.why for x in item.leaves]}
        kept.append((home.id, msgspec.json.encode(before).decode(), msgspec.json.encode(after).decode(), item.reason.strip()))
    await members.join(tx, county, people)
    await members.leave(tx, county, [x.person for i in items for x in i.leaves])
    await members.count(tx, county, counts)
    await blocks.queue(tx, compared)
    await members.keep(tx, county, kept, actor.person, now)
