"""一门受理: a lead is taken down from anybody, gets an owner and a deadline, and ends as a registration or with an answer in writing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4, uuid5

import msgspec

from relief.domain.complaint import STRANGERS, STRANGERS_WITHIN
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.household import Circumstance, FamilyType, Member, Registration, Relocation
from relief.domain.identity import temporary_number
from relief.domain.lead import KINDS, Way, kind_of, reference_of, told
from relief.domain.lead import Told as Told
from relief.domain.policy import SYSTEM, Actor, require
from relief.domain.review import said
from relief.domain.sealing import Keys
from relief.domain.visit import Need, Presence, Visit
from relief.services import register
from relief.services.register import Receipt
from relief.store import audits, leads, regions, residents, staff
from relief.store.db import Tx

#: A registration made at the desk has an id that follows from its lead or its form: pressing twice makes one household.
_NAMES: UUID = UUID("6f1c0f0e-53a4-4b52-9d53-6f7a6f7a9b11")


class Lead(msgspec.Struct, frozen=True):
    """Who needs help, where, and what happened."""

    county: str
    village: str
    kind: str
    name: str
    words: str
    phone: str = ""


class Slip(msgspec.Struct, frozen=True):
    """受理回执: the number opens its progress; `due_at` is when somebody has acted at the latest."""

    county: str
    reference: str
    due_at: datetime
    id: UUID


class Progress(msgspec.Struct, frozen=True):
    """A lead as whoever told it sees it."""

    kind: str
    status: str
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    answer: str | None


async def take_down(tx: Tx, actor: Actor, given: Lead, way: Way, now: datetime, keys: Keys) -> Slip:
    """At the desk, on the hotline, by a reporter on their round 主动发现."""
    require(actor, "lead.take", given.village)
    return await _add(tx, actor, given, way, now, keys)


async def from_stranger(tx: Tx, address: str, given: Lead, now: datetime, keys: Keys) -> Slip:
    """On the public page: so many an hour from one address, then Refused `throttled`. Only a keyed hash of the address is kept."""
    subject = "lead:" + keys.index("complaint address", address).hex()[:32]
    await residents.lock(tx, subject)
    if await staff.failures(tx, subject, now - STRANGERS_WITHIN) >= STRANGERS:
        raise Refused("throttled", "提交过于频繁，请一小时后再试，或拨打12349 · too many at once, try again in an hour or call 12349")
    await staff.attempted(tx, subject, now, False)
    return await _add(tx, SYSTEM, given, "page", now, keys)


async def _add(tx: Tx, actor: Actor, given: Lead, way: Way, now: datetime, keys: Keys) -> Slip:
    kind, id_ = kind_of(given.kind), uuid4()
    if not given.village.startswith(given.county) or len(given.village) not in (6, 9, 12):
        raise Invalid("place", "请选择县（市、区）和乡镇 · choose the county and township", field="village")
    await regions.get(tx, given.village)
    sealed = keys.seal("lead", id_, "sealed", msgspec.json.encode(told(given.name, given.phone, given.words)))
    owner = "township" if len(given.village) > 6 else "county"
    new = leads.New(given.county, id_, given.village, kind, way, owner, reference_of(id_, keys), now + KINDS[kind].due, sealed)
    await leads.add(tx, new, actor.id, now)
    await audits.add(tx, given.county, actor, "lead.open", "lead", [id_], now, {"kind": kind, "way": way})
    return Slip(given.county, new.reference, new.due_at, id_)


async def take(tx: Tx, actor: Actor, county: str, id_: UUID, now: datetime) -> None:
    """受理: somebody has it in hand. Conflict where another person has."""
    await _mine(tx, actor, county, id_)
    if not await leads.take(tx, county, id_, actor.person, now):
        raise _moved_on()
    await audits.add(tx, county, actor, "lead.take", "lead", [id_], now)


async def close(tx: Tx, actor: Actor, county: str, id_: UUID, answer: str, now: datetime, keys: Keys) -> None:
    """End it without a registration, with an answer in writing: passed on, not entitled, helped otherwise."""
    await _mine(tx, actor, county, id_)
    sealed = keys.seal("lead", id_, "sealed_answer", said(answer, "answer").encode())
    if not await leads.close(tx, county, id_, actor.person, now, sealed):
        raise _moved_on()
    await audits.add(tx, county, actor, "lead.close", "lead", [id_], now)


class Walked(msgspec.Struct, frozen=True):
    """A household registered at the desk. `born` and `helper` stand in for the number of a householder without papers."""

    incident: UUID
    village: Annotated[str, msgspec.Meta(pattern="^[0-9]{12}$")]
    name: str
    account: str
    bank: str
    id_number: str = ""
    born: str = ""
    helper: str = ""
    phone: str = ""
    others: list[tuple[str, str]] = []
    channel: Literal["walk_in", "hotline", "online", "found"] = "walk_in"
    presence: Presence = "resident"
    family_type: FamilyType = "ordinary"
    circumstances: list[Circumstance] = []
    needs: list[Need] = []
    relocated: Relocation = "none"
    home_county: str | None = None
    rooms_collapsed: int = 0
    rooms_severe: int = 0
    rooms_moderate: int = 0
    dead: int = 0
    missing: int = 0
    injured: int = 0
    people_in_need: int = 0
    note: str = ""


async def register_at_desk(
    tx: Tx, actor: Actor, given: Walked, form: UUID, lead: tuple[str, UUID] | None, now: datetime, keys: Keys
) -> Receipt:
    """One household through the register everybody uses, at its village's own point; its lead ends with it. `form` makes it once.

    Invalid naming the field where the register refuses it.
    """
    if lead is not None:
        await _mine(tx, actor, *lead)
    place = await regions.get(tx, given.village)
    if place.lon is None or place.lat is None:
        raise Invalid("place", "该村没有坐标，请用手机登记 · the village has no point; register on a phone", field="village")
    device_id = uuid5(_NAMES, str(lead[1] if lead else form))
    holder = Member(given.name, given.id_number or _temporary(given, device_id), given.helper or None)
    item = Registration(
        device_id=device_id, incident=given.incident, village=given.village, lon=place.lon, lat=place.lat, accuracy_m=5_000.0,
        members=[holder, *(Member(name, number) for name, number in given.others)], account=given.account, bank=given.bank, captured_at=now,
        synthetic_point=place.synthetic, phone=given.phone or None, family_type=given.family_type, dead=given.dead, missing=given.missing, injured=given.injured,
        rooms_collapsed=given.rooms_collapsed, rooms_severe=given.rooms_severe, rooms_moderate=given.rooms_moderate, relocated=given.relocated,
        circumstances=given.circumstances, people_in_need=given.people_in_need, home_county=given.home_county,
        visit=Visit(channel=given.channel, presence=given.presence, place_by="village", needs=given.needs, note=given.note),
    )  # fmt: skip
    [receipt] = await register.register(tx, actor, [item], now, keys)
    if receipt.outcome not in ("new", "repeat") or receipt.household is None:
        raise Invalid(receipt.code or "refused", receipt.message or "未登记 · not registered", field=_field(receipt.field or ""))
    if lead is not None and receipt.outcome == "new":
        if not await leads.register(tx, lead[0], lead[1], receipt.household, actor.person, now):
            raise _moved_on()
        await audits.add(tx, lead[0], actor, "lead.register", "lead", [lead[1]], now)
    return receipt


def _field(of_register: str) -> str:
    """A field of the register as the desk's form calls it."""
    if of_register.startswith("members[0]"):
        return of_register.rpartition(".")[2]
    return "others" if of_register.startswith("members") else of_register


def _temporary(given: Walked, device_id: UUID) -> str:
    """The temporary number of somebody without papers; a birth date and somebody who vouches are needed."""
    try:
        born = datetime.fromisoformat(given.born).date()
    except ValueError:
        raise Invalid(
            "born", "无证件的须填出生日期（估计也可） · without papers a birth date is needed, estimated if need be", field="born"
        ) from None
    if not given.helper.strip():
        raise Invalid("helper", "无证件的须填证明人 · without papers somebody has to vouch", field="helper")
    return temporary_number(f"{device_id.hex[:5].upper()}{device_id.int % 1000:03d}", born)


async def look(tx: Tx, county: str, reference: str, keys: Keys) -> Progress:
    """How the lead of a reference stands; NotFound where there is none."""
    found = await leads.by_reference(tx, county, reference)
    if found is None:
        raise NotFound("not_found", "没有这个受理编号 · there is no such number")
    answer = keys.open("lead", found.id, "sealed_answer", found.sealed_answer).decode() if found.sealed_answer else None
    return Progress(found.kind, found.status, found.due_at, found.opened_at, found.closed_at, answer)


async def _mine(tx: Tx, actor: Actor, county: str, id_: UUID) -> None:
    require(actor, "lead.work", (await leads.lock(tx, county, id_)).village)


def _moved_on() -> Conflict:
    return Conflict("moved_on", "该线索已由他人办理，请刷新 · somebody else has dealt with it, refresh")
