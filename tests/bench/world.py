"""Registers of any size, put in place by a few statements of the owner: what a benchmark finds before its watch runs."""

from __future__ import annotations

from functools import cache
from typing import Final
from uuid import UUID

import msgspec

from geo import zonefile
from relief.demo import numbers
from relief.domain import standard
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services.approve import approve, digest_of
from relief.services.decide import decide
from relief.settings import CHECKOUT
from relief.store import db, standards, zones
from tests import make
from tests.bench.harness import Owner, Place
from tests.make import LUDING, NOW, VILLAGE

ZONE: Final = CHECKOUT / "geo" / "data" / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
_FIGURES: Final = CHECKOUT / "playbooks" / "standards" / "sichuan-rehearsal.toml"
#: Degrees: the outer band and some country around it.
BOX: Final = (101.6, 29.0, 102.7, 30.1)
_SLICE: Final = 20_000

_HOUSEHOLDS = """
INSERT INTO household (county, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type, members,
                       injured, rooms_collapsed, rooms_severe, rooms_moderate, relocated, only_home, occupied, slip, slip_code_hash,
                       registered_by, captured_at, received_at, adults)
SELECT $1, $2, gen_random_uuid(), sha256(i::text::bytea), $3, $4 + random() * $5, $6 + random() * $7, 5 + random() * 30, true, $8, 'ordinary',
       1 + i % 4, (i % 17 = 0)::int, (i % 6 = 0)::int * 2, (i % 3 = 0)::int, (i % 2 = 0)::int,
       CASE WHEN i % 3 = 0 THEN 'centralised' ELSE 'none' END, i % 10 <> 0, i % 11 <> 0, 'B' || i, sha256(i::text::bytea), $9, $10,
       $10::timestamptz + i * interval '1 ms', least(1 + i % 4, 2)
FROM generate_series($11::int, $12::int) AS t (i)
"""
_PEOPLE = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
SELECT h.county, gen_random_uuid(), h.id, CASE WHEN j = 1 THEN 'householder' ELSE 'member' END,
       sha256(uuid_send(h.id)) || sha256(uuid_send(h.id)) || sha256(uuid_send(h.id)), sha256(uuid_send(h.id) || int4send(j)),
       CASE WHEN j = 1 THEN sha256(uuid_send(h.id)) END, CASE WHEN j = 1 THEN 'one way' ELSE 'none' END, j < 3
FROM household h, generate_series(1, h.members) AS j WHERE h.incident = $1
"""
ACCOUNTS = """
INSERT INTO account (county, id, person, version, status, sealed, account_hash, bank, proposed_by, proposed_at)
SELECT county, gen_random_uuid(), id, 1, 'current', sealed, sha256(sealed), '402', $1, $2 FROM person WHERE role = 'householder' ON CONFLICT DO NOTHING
"""
#: One householder for each household that has none yet.
ONE_EACH = """
INSERT INTO person (county, id, household, role, sealed, id_hash, phone_hash, phone_route, adult)
SELECT h.county, h.id, h.id, 'householder', sha256(uuid_send(h.id)), sha256(uuid_send(h.id)), NULL, 'none', true
FROM household h WHERE h.incident = $1 ON CONFLICT DO NOTHING
"""
_LOCATIONS = "INSERT INTO location SELECT county, $2, id, CASE WHEN $3 THEN substr(slip, 2)::int % 3 ELSE substr(slip, 2)::int % 5 - 1 END, false FROM household WHERE incident = $1 ORDER BY id"
_SEAL = """
WITH p AS (UPDATE person SET sealed = t.sealed FROM unnest($1::uuid[], $2::bytea[]) AS t (id, sealed) WHERE person.county = $6 AND person.id = t.id)
UPDATE account SET sealed = t.sealed, account_hash = t.hash
FROM unnest($3::uuid[], $4::bytea[], $5::bytea[]) AS t (id, sealed, hash) WHERE account.county = $6 AND account.id = t.id
"""
_OWNERS = """
SELECT p.id AS person, c.id AS account FROM payment y JOIN person p ON p.county = y.county AND p.id = y.payee
JOIN account c ON c.county = p.county AND c.id = y.account
"""


_EVERYBODY = """
SELECT p.id AS person, c.id AS account FROM person p JOIN account c ON c.county = p.county AND c.person = p.id WHERE p.role = 'householder'
"""


class Event(msgspec.Struct, frozen=True):
    """An active incident in 泸定 with its real four-band zone, figures in force, and the people of the county."""

    incident: UUID
    zone: UUID
    activation: UUID
    registrar: Actor
    officer: Actor
    township: Actor
    finance: tuple[Actor, Actor, Actor]


@cache
def _zone() -> tuple[zones.Band, ...]:
    found = zonefile.read(ZONE.read_bytes(), ZONE.name).bands
    return tuple(zones.Band(b.rank, b.label, b.level, b.wkb, *b.bounds, b.area_km2) for b in found)


def bands() -> list[bytes]:
    """The zone's bands as WKB, most severe first."""
    return [b.geometry for b in _zone()]


async def event(owner: Owner) -> Event:
    """Everything but households."""
    incident = await make.incident(owner)
    zone, _, activation = await make.activated(owner, incident=incident)
    await zones.insert_bands(owner, zone, _zone())
    await zones.insert_counties(owner, zone, [(LUDING, 1.0, 1.0)])
    await standards.insert(owner, standard.read(_FIGURES.read_text("utf-8")))
    finance = [await make.staff(owner, (role, LUDING)) for role in ("finance_preparer", "finance_checker", "finance_authoriser")]
    return Event(
        incident=incident, zone=zone, activation=activation, registrar=await make.staff(owner, ("reporter", LUDING)),
        officer=await make.staff(owner, ("county_officer", LUDING)), township=await make.staff(owner, ("township_reviewer", LUDING)),
        finance=(finance[0], finance[1], finance[2]),
    )  # fmt: skip


async def households(owner: Owner, at: Event, count: int, status: str, first: int = 1) -> None:
    """Households number `first` to `count`, of one to four members at points in and around the zone, with invented bytes where seals would be."""
    west, south, east, north = BOX
    await owner.execute(
        _HOUSEHOLDS, LUDING, at.incident, VILLAGE, west, east - west, south, north - south, status, at.registrar.id, NOW, first, count
    )


async def people(owner: Owner, at: Event) -> None:
    """The members of every household, each householder with an account."""
    await owner.execute(_PEOPLE, at.incident)
    await owner.execute(ACCOUNTS, at.registrar.id, NOW)


async def places(owner: Owner, at: Event, severe: bool = False) -> None:
    """A band for every household, evenly over the four and the outside, or over the three most severe only."""
    await owner.execute(_LOCATIONS, at.incident, at.zone, severe)


async def seal(owner: Owner, keys: Keys, everybody: bool = False) -> None:
    """Real seals and hashes for every payee (or householder) and account, so that files and texts can be written from them."""
    found = [(r["person"], r["account"]) for r in await owner.fetch(_EVERYBODY if everybody else _OWNERS)]
    for start in range(0, len(found), _SLICE):
        part = found[start : start + _SLICE]
        people_, accounts = [p for p, _ in part], [a for _, a in part]
        cards = [numbers.account(start + n) for n in range(len(part))]
        faces = [keys.seal("person", p, "sealed", face(start + n)) for n, p in enumerate(people_)]
        slips = [
            keys.seal("account", a, "sealed", msgspec.json.encode({"holder": "甄演一", "number": card}))
            for a, card in zip(accounts, cards, strict=True)
        ]
        await owner.execute(_SEAL, people_, faces, accounts, slips, [keys.index("account", c) for c in cards], LUDING)


def face(n: int) -> bytes:
    plain = {
        "name": "甄演一",
        "id_type": "resident",
        "id_number": numbers.householder_id(n),
        "phone": "+86" + numbers.mainland_phone(n)[-11:],
    }
    return msgspec.json.encode(plain)


async def funds(owner: Owner, at: Event, yuan: int = 10**10) -> None:
    """More than enough of both purposes, and somebody who pays."""
    for purpose in ("EMERG", "HOUSE"):
        await make.fund(owner, incident=at.incident, amount_fen=yuan * 100, purpose=purpose)
    await owner.execute("INSERT INTO payer (county, name, account) VALUES ($1, '泸定县应急管理局（演示）', '6299995133220000000')", LUDING)


async def proposed(here: Place, count: int) -> tuple[Event, list[tuple[UUID, int]]]:
    """At least `count` advances as the decision leaves them; returns exactly so many, as a screen shows them: id and fen."""
    at = await event(here.owner)
    await households(here.owner, at, count * 3 // 2 + 60, "located")
    await people(here.owner, at)
    await places(here.owner, at, severe=True)
    await funds(here.owner, at)
    async with db.begin(here.house.pool) as tx:
        await decide(tx, at.officer, LUDING, at.activation, NOW)
    rows = await here.owner.fetch(
        "SELECT id, amount_fen FROM award WHERE aid = 'EMERG' AND status = 'proposed' ORDER BY id LIMIT $1", count
    )
    assert len(rows) == count, len(rows)
    return at, [(r["id"], r["amount_fen"]) for r in rows]


async def approved(here: Place, count: int) -> Event:
    """`count` payments of real seals, ready to be frozen."""
    at, shown = await proposed(here, count)
    async with db.begin(here.house.pool) as tx:
        await approve(tx, at.township, LUDING, [i for i, _ in shown], digest_of(shown), NOW)
    await seal(here.owner, here.house.keys)
    return at
