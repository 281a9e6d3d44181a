"""The demo's staff: one person per office, all with one printed password, none of them real."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain import second_factor
from relief.domain.policy import ROLES, SYSTEM, Actor, Grant
from relief.domain.sealing import Keys
from relief.services import second_factor as factors
from relief.services import sign_in
from relief.services.second_factor import Issued
from relief.services.sign_in import NewStaff
from relief.store.db import Tx

PASSWORD: Final = "relief-drill-2022"

_PROVINCE: Final = {"province.officer": "province_officer", "province.second": "province_officer", "province.auditor": "auditor"}
_COUNTY: Final = {
    "officer": "county_officer",
    "approver": "county_approver",
    "second": "county_approver",  # for what two of the meeting must sign
    "prepare": "finance_preparer",
    "check": "finance_checker",
    "authorise": "finance_authoriser",
}
_TOWNSHIP: Final = {"reporter": "reporter", "reviewer": "township_reviewer"}


class Phone:
    """An officer's authenticator as the story holds it. Codes of this moment, then recovery codes: the story signs faster than codes change."""

    def __init__(self, issued: Issued) -> None:
        self.secret = issued.secret
        self._last, self._recovery = 0, list(issued.recovery)

    def code(self, now: datetime) -> str:
        """A code that was not used before."""
        step = max(second_factor.step_of(now) - 1, self._last + 1)
        if step > second_factor.step_of(now):
            return self._recovery.pop()
        self._last = step
        return second_factor.code_at(self.secret, step)


class People(msgspec.Struct, frozen=True):
    """Actors by login: 'province.officer', '513322.prepare', '513322103.reporter'; and the phones of those who authorise."""

    by_login: Mapping[str, Actor]
    phones: Mapping[str, Phone]

    def __getitem__(self, login: str) -> Actor:
        return self.by_login[login]


async def hire(tx: Tx, counties: Mapping[str, str], townships: Mapping[str, str], now: datetime, keys: Keys) -> People:
    """Accounts for the province, every county and every township (code → name); those who authorise get their second factor."""
    posts = [("", login, "51", "四川省", role) for login, role in _PROVINCE.items()]
    posts += [(f"{code}.", desk, code, name, role) for code, name in counties.items() for desk, role in _COUNTY.items()]
    posts += [(f"{code}.", desk, code, name, role) for code, name in townships.items() for desk, role in _TOWNSHIP.items()]
    staff = [
        NewStaff(login=prefix + desk, name=f"{name} {ROLES[role]}（演示）", password=PASSWORD, grants=(Grant(role=role, area=area),))
        for prefix, desk, area, name, role in posts
    ]
    ids = await sign_in.create_staff(tx, SYSTEM, staff, now, sign_in.CHEAP)
    authorise = [login for login in ids if login.endswith(".authorise")]
    issued = await factors.issue(tx, [ids[login] for login in authorise], now, keys)
    return People({p.login: _actor(ids[p.login], p) for p in staff}, {login: Phone(issued[ids[login]]) for login in authorise})


def _actor(person: UUID, staff: NewStaff) -> Actor:
    return Actor(id=person, name=staff.name, grants=staff.grants)


def printed(people: People, county: str, township: str) -> Iterable[tuple[str, str]]:
    """The logins a visitor may like to try, with what each of them is."""
    chosen = [*_PROVINCE, *(f"{county}.{d}" for d in _COUNTY), *(f"{township}.{d}" for d in _TOWNSHIP)]
    return [(login, people[login].name) for login in chosen]


def codes(people: People, logins: Iterable[str], now: datetime) -> list[tuple[str, str, int]]:
    """Login, code of this moment, seconds it lasts."""
    step = second_factor.step_of(now)
    left = second_factor.STEP_S - int(now.timestamp()) % second_factor.STEP_S
    return [(login, second_factor.code_at(people.phones[login].secret, step), left) for login in logins if login in people.phones]
