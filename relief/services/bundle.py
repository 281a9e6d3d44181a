"""What a reporter's phone needs to work for days without a network: incidents, questions, villages, and how its households stand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import days, questions
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, scope
from relief.domain.sealing import Keys
from relief.domain.toml import decode
from relief.store import regions
from relief.store.db import Tx
from relief.store.views import field

#: Households a phone takes along.
ROSTER: Final = 500
#: Villages a phone takes along.
VILLAGES: Final = 2_000


class Asked(msgspec.Struct, frozen=True):
    """An incident to register for, and what to ask at the door, in order; `photos`: how many of damage are wanted."""

    id: UUID
    name: str
    drill: bool
    questions: list[str]
    activated: bool


class Village(msgspec.Struct, frozen=True):
    """A village of one's own; its point is made up where `synthetic`."""

    code: str
    name: str
    township: str
    lon: float | None
    lat: float | None
    synthetic: bool


class Home(msgspec.Struct, frozen=True):
    """A household of one's own: what may be told at the door. Money in fen."""

    record: UUID
    household: UUID
    name: str
    village: str
    members: int
    slip: str
    status: str
    received_at: datetime
    doubtful: bool
    photos_missing: int
    decided_fen: int | None
    approved_fen: int
    paid_fen: int
    advance_paid_at: datetime | None
    papers_due: date | None
    card_returned: bool


class Bundle(msgspec.Struct, frozen=True):
    """All of it, as of `now` by the server's clock."""

    now: datetime
    person: UUID
    name: str
    kept_days: int
    incidents: list[Asked]
    villages: list[Village]
    roster: list[Home]


class _Name(msgspec.Struct):
    name: str


_NAME: Final = msgspec.json.Decoder(_Name)


async def bundle(tx: Tx, actor: Actor, now: datetime, keys: Keys, kept_days: int = 7) -> Bundle:
    """For this person, from what they may register and have registered; slips of records the server has are forgotten after `kept_days`."""
    areas = [a for a in actor.areas("household.register") if len(a) >= 6]
    places: dict[str, regions.Region] = {}
    for area in areas:
        places |= {v.code: v for v in await regions.villages(tx, area, days.beijing_day(now))}
    chosen = sorted(places)[:VILLAGES]
    townships = await regions.names(tx, sorted({c[:9] for c in chosen}))
    incidents = await field.incidents(tx, scope(actor, "household.register"))
    homes = await field.roster(tx, actor.person, ROSTER)
    return Bundle(
        now, actor.person, actor.name, kept_days, [_asked(i) for i in incidents],
        [Village(c, places[c].name, townships.get(c[:9], ""), places[c].lon, places[c].lat, places[c].synthetic) for c in chosen],
        [_home(h, keys) for h in homes],
    )  # fmt: skip


def _asked(incident: field.Incident) -> Asked:
    playbooks = [decode(body, Playbook, "playbook") for body in incident.playbooks]
    return Asked(incident.id, incident.name, incident.drill, questions.questions(playbooks), bool(playbooks))


def _home(home: field.Home, keys: Keys) -> Home:
    name = _NAME.decode(keys.open("person", home.person, "sealed", home.sealed_person)).name
    return Home(
        home.record, home.id, name, home.village, home.members, home.slip, home.status, home.received_at, home.doubtful, home.photos_missing,
        home.decided_fen, home.approved_fen, home.paid_fen, home.advance_paid_at, home.papers_due, home.returned is not None,
    )  # fmt: skip
