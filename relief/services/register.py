"""Register households: every record gets its own receipt; one faulty record never stops the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec

from relief.domain import household, identity, likeness, slip, visit
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.household import Checked, Registration
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.store import audits, blocks, households, visits
from relief.store.db import Tx
from relief.store.households import Guard


class Receipt(msgspec.Struct, frozen=True):
    """What became of one record. `slip` and `slip_code` go to the household; a repeat gets the same ones again. A conflict names the
    household that stands under its id."""

    device_id: UUID
    outcome: Literal["new", "repeat", "conflict", "invalid"]
    county: str | None = None
    household: UUID | None = None
    slip: str | None = None
    slip_code: str | None = None
    code: str | None = None
    field: str | None = None
    message: str | None = None


async def register(tx: Tx, actor: Actor, items: Sequence[Registration], now: datetime, keys: Keys) -> list[Receipt]:
    """Keep what is right, once per device id; answer record by record, in the order given."""
    refused: dict[int, Receipt] = {}
    checked: dict[int, Checked] = {}
    villages = await households.known_villages(tx, [i.village for i in items])
    incidents = await households.open_incidents(tx, list({i.incident for i in items}))
    for position, item in enumerate(items):
        try:
            _check_place(actor, item, villages, incidents)
            checked[position] = household.check(item, beijing_day(now))
        except Invalid as error:
            refused[position] = _invalid(item, error)

    claims = {p: Guard(items[p].device_id, items[p].county, uuid4(), c.digest) for p, c in checked.items()}
    first = {g.device_id: g for g in reversed(claims.values())}
    standing = await households.guard(tx, list(first.values()), now)
    new = [p for p, g in claims.items() if standing[g.device_id].household == g.household]
    await _insert(tx, actor, [(items[p], checked[p], claims[p].household) for p in new], now, keys)
    fresh = set(new)
    return [refused[p] if p in refused else _receipt(claims[p], standing[claims[p].device_id], p in fresh, keys) for p in range(len(items))]


def _check_place(actor: Actor, item: Registration, villages: set[str], incidents: set[UUID]) -> None:
    if item.incident not in incidents:
        raise Invalid("incident_unknown", "该灾害事件不存在或已关闭 · no such open incident", field="incident")
    if item.village not in villages:
        raise Invalid("village_unknown", "没有该村（社区）代码 · no such village code", field="village")
    if not actor.may("household.register", item.village):
        raise Invalid("outside_area", "该村不在您的登记范围 · that village is outside your area", field="village")


def _invalid(item: Registration, error: Invalid) -> Receipt:
    return Receipt(item.device_id, "invalid", code=error.code, field=str(error.data.get("field")), message=error.message)


def _receipt(claim: Guard, standing: Guard, fresh: bool, keys: Keys) -> Receipt:
    if standing.content_digest != claim.content_digest:
        return Receipt(
            claim.device_id, "conflict", county=standing.county, household=standing.household, code="device_id_reused",
            message="该设备编号已用于另一内容，原记录未被改动，请与乡镇核对 · this device id stands for other content; the first record was not changed",
        )  # fmt: skip
    place, family = standing.county, standing.household
    return Receipt(
        claim.device_id, "new" if fresh else "repeat", county=place, household=family,
        slip=slip.reference(place, family, keys), slip_code=slip.code(family, keys),
    )  # fmt: skip


class Rows(msgspec.Struct, frozen=True):
    """What registrations become in the register, in the column order of its statements."""

    households: list[tuple[Any, ...]]
    people: list[tuple[Any, ...]]
    accounts: list[tuple[Any, ...]]
    waiting: list[tuple[str, UUID, list[int]]]  # blocks, by which they are compared with the others


class Seen(msgspec.Struct, frozen=True):
    """What visits become, in the column order of their statements."""

    visits: list[tuple[Any, ...]]
    photos: list[tuple[Any, ...]]


Record = tuple[Registration, Checked, UUID]


async def _insert(tx: Tx, actor: Actor, records: Sequence[Record], now: datetime, keys: Keys) -> None:
    if not records:
        return
    rows = rows_of(records, now, keys)
    await households.insert(tx, rows.households, rows.people, rows.accounts, actor.person, now)
    await blocks.queue(tx, rows.waiting)
    if any(c.visit for _, c, _ in records):
        points = await visits.points(tx, list({i.village for i, _, _ in records}))
        seen = seen_of(records, points, now, keys)
        await visits.insert(tx, seen.visits, seen.photos)
    by_county: dict[str, list[UUID]] = {}
    for item, _, family in records:
        by_county.setdefault(item.county, []).append(family)
    await audits.add_each(tx, by_county, actor, "household.register", "household", now)


def rows_of(records: Sequence[Record], now: datetime, keys: Keys) -> Rows:
    """Sealed and hashed; nothing is written."""
    rows, today = Rows([], [], [], []), beijing_day(now)
    for item, checked, family in records:
        rows.households.append(_household_row(item, checked, family, keys))
        people = [(uuid4(), position) for position in range(len(checked.members))]
        sealed = [_person_row(item, checked, family, person, position, today, keys) for person, position in people]
        rows.people.extend(sealed)
        account = _account_row(item, checked, people[0][0], keys)
        rows.accounts.append(account)
        faces = [(m.name, m.id_number, row[5]) for m, row in zip(checked.members, sealed, strict=True)]
        rows.waiting.append(
            (item.county, family, likeness.blocks(item.incident, item.village, faces, (sealed[0][6], account[4]), keys.block))
        )
    return rows


def seen_of(records: Sequence[Record], points: Mapping[str, tuple[float, float]], now: datetime, keys: Keys) -> Seen:
    """Visits with what deserves a look, and the photos they announce; nothing is written."""
    seen = Seen([], [])
    for item, checked, family in records:
        if checked.visit is None:
            continue
        said, papers = checked.visit, all(identity.document(m.id_number) != "temporary" for m in checked.members)
        damaged = bool(item.rooms_collapsed + item.rooms_severe + item.rooms_moderate)
        look = visit.Seen(said, item.lon, item.lat, item.accuracy_m, points.get(item.village), damaged, papers, item.captured_at)
        told = msgspec.json.encode({"landmark": said.landmark, "note": said.note, "recipient": said.recipient})
        seen.visits.append(
            (item.county, family, said.channel, said.presence, said.structure, said.place_by, " ".join(said.needs),
             " ".join(visit.flags(look, now)), keys.seal("visit", family, "sealed", told))
        )  # fmt: skip
        seen.photos.extend(
            (item.county, uuid4(), family, bytes.fromhex(p.digest), p.kind, p.size, p.taken_at, p.lon, p.lat, p.accuracy_m)
            for p in said.photos
        )
    return seen


def _account_row(item: Registration, checked: Checked, person: UUID, keys: Keys) -> tuple[Any, ...]:
    account = uuid4()
    plain = msgspec.json.encode({"holder": checked.holder, "number": checked.account})
    return item.county, account, person, keys.seal("account", account, "sealed", plain), keys.index("account", checked.account), item.bank


def _household_row(item: Registration, checked: Checked, family: UUID, keys: Keys) -> tuple[Any, ...]:
    reference = slip.reference(item.county, family, keys)
    return (
        item.county, family, item.incident, item.device_id, checked.digest, item.village, item.lon, item.lat, item.accuracy_m, item.synthetic_point,
        item.family_type, len(item.members), item.dead, item.missing, item.injured, item.rooms_collapsed, item.rooms_severe, item.rooms_moderate,
        item.relocated, item.only_home, item.occupied, reference, slip.code_hash(reference, slip.code(family, keys), keys), item.captured_at,
        item.circumstance_bits, item.people_in_need, item.home_county,
    )  # fmt: skip


def _person_row(
    item: Registration, checked: Checked, family: UUID, person: UUID, position: int, today: date, keys: Keys
) -> tuple[Any, ...]:
    member, phone = checked.members[position], checked.phone if position == 0 else None
    paper = identity.document(member.id_number)
    plain = {"name": member.name, "id_type": paper, "id_number": member.id_number, "phone": phone}
    if member.helper is not None:
        plain["helper"] = member.helper
    return (
        item.county, person, family, "householder" if position == 0 else "member",
        keys.seal("person", person, "sealed", msgspec.json.encode(plain)), keys.index("id", member.id_number),
        None if phone is None else keys.index("phone", phone), identity.phone_route(phone), identity.adult(member.id_number, today), paper == "temporary",
    )  # fmt: skip
