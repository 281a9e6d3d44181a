"""The file of one household as officers see it: members, minutes, payees, economic checks, opened and masked for this one page."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain import playbook as playbooks_
from relief.domain.errors import NotFound
from relief.domain.playbook import Playbook
from relief.domain.policy import Actor, require
from relief.domain.rules import Text
from relief.domain.sealing import Keys
from relief.services import masked
from relief.services.minutes import Said
from relief.services.payees import Sealed
from relief.store.db import Tx
from relief.store.views import casefile as views

_SAID: Final = msgspec.json.Decoder(Said)
_SEALED: Final = msgspec.json.Decoder(Sealed)


class Person(msgspec.Struct, frozen=True):
    """Somebody of the household; `role`: householder, member, left, kin (only paid). `born` and `tail` (of the number) tell members of one
    name apart; they are for those who may change them."""

    id: UUID
    role: str
    name: str
    adult: bool
    born: str = ""
    tail: str = ""


class MinutesOf(msgspec.Struct, frozen=True):
    """What a meeting said; fen. `own`: the reader recorded it."""

    id: UUID
    aid: str
    amount_fen: int
    held_on: date
    participants: list[str]
    votes_for: int
    votes_against: int
    votes_abstained: int
    reason: str
    legal_basis: str
    attachment: str
    status: str
    recorder: str
    recorded_at: datetime
    adopter: str | None
    adopted_at: datetime | None
    own: bool


class PayeeOf(msgspec.Struct, frozen=True):
    """Who is to be paid: masked name and card. `own`: the reader named them."""

    id: UUID
    aid: str
    name: str
    account: str
    bank: str
    relation: str
    proof: str
    status: str
    namer: str
    named_at: datetime
    checker: str | None
    checked_at: datetime | None
    own: bool


class CheckOf(msgspec.Struct, frozen=True):
    """What a report says of a member."""

    name: str
    checked_on: date
    finding: str
    file: str
    row: int
    note: str


class Aid(msgspec.Struct, frozen=True):
    """An aid of a running activation that needs something of this file: minutes of a meeting, or a payee."""

    activation: UUID
    code: str
    title: Text
    by_meeting: bool
    to_person: bool
    participants: int


class CaseFile(msgspec.Struct, frozen=True):
    """The file. `checked`: the newest report on every adult says that the household is within the limits."""

    home: views.Home
    name: str
    checked: bool
    people: list[Person]
    minutes: list[MinutesOf]
    payees: list[PayeeOf]
    checks: list[CheckOf]
    aids: list[Aid]


async def read(tx: Tx, actor: Actor, county: str, household: UUID, keys: Keys) -> CaseFile:
    """The whole file; NotFound outside the caller's area."""
    home = await views.home(tx, county, household)
    if home is None:
        raise NotFound("not_found", "没有找到，或不在您的辖区 · not found, or outside your area")
    require(actor, "household.read", home.village)
    return CaseFile(
        home=home,
        name=masked.name(keys, home.person, home.sealed_person),
        checked=home.checked,
        people=[_person(p, actor.may("household.reassess", home.village), keys) for p in await views.people(tx, county, household)],
        minutes=[_minutes(m, actor, home.village, keys) for m in await views.minutes(tx, county, household)],
        payees=[_payee(p, actor, keys) for p in await views.payees(tx, county, household)],
        checks=[_check(c, keys) for c in await views.checks(tx, county, household)],
        aids=[a for r in await views.running(tx, county, home.incident) for a in _aids(r)],
    )


class _Known(msgspec.Struct):
    name: str
    id_number: str


def _person(p: views.Person, may_change: bool, keys: Keys) -> Person:
    known = msgspec.json.decode(keys.open("person", p.id, "sealed", p.sealed), type=_Known)
    born = identity.birth_date(known.id_number).isoformat() if may_change else ""
    return Person(p.id, p.role, identity.mask_name(known.name), p.adult, born, known.id_number[-4:] if may_change else "")


def _minutes(m: views.Minutes, actor: Actor, village: str, keys: Keys) -> MinutesOf:
    """Who sat there and why is for those who may read decisions."""
    inside = actor.may("decision.read", village)
    said = _SAID.decode(keys.open("minutes", m.id, "sealed", m.sealed)) if inside else Said([], "")
    return MinutesOf(
        m.id, m.aid, m.amount_fen, m.held_on, said.participants, m.votes_for, m.votes_against, m.votes_abstained, said.reason, m.legal_basis,
        m.attachment.hex(), m.status, m.recorder, m.recorded_at, m.adopter, m.adopted_at, m.recorded_by == actor.id,
    )  # fmt: skip


def _payee(p: views.Payee, actor: Actor, keys: Keys) -> PayeeOf:
    said = _SEALED.decode(keys.open("aid_payee", p.id, "sealed", p.sealed))
    return PayeeOf(
        p.id, p.aid, identity.mask_name(said.name), identity.mask_account(said.account), p.bank, p.relation, p.proof.hex(), p.status, p.namer,
        p.named_at, p.checker, p.checked_at, p.named_by == actor.id,
    )  # fmt: skip


def _check(c: views.Check, keys: Keys) -> CheckOf:
    said: dict[str, str] = {}
    if c.sealed is not None:
        said = msgspec.json.decode(keys.open("economic_check_row", UUID(int=c.file.int ^ c.row), "sealed", c.sealed))
    return CheckOf(masked.name(keys, c.person, c.sealed_person), c.checked_on, c.finding, c.file_name, c.row, said.get("note", ""))


@lru_cache(maxsize=64)
def _book(text: str) -> Playbook:
    """A playbook's text never changes."""
    return playbooks_.read(text)


def _aids(running: views.Running) -> list[Aid]:
    return [
        Aid(running.activation, a.code, a.title, a.mode == "C", a.payee == "person", a.minutes.participants if a.minutes else 0)
        for a in _book(running.body).aids
        if a.mode == "C" or a.payee == "person"
    ]
