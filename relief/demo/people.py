"""The demo's staff: one person per office, all with one printed password, none of them real."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from relief.domain.policy import ROLES, SYSTEM, Actor, Grant
from relief.services import sign_in
from relief.services.sign_in import NewStaff
from relief.store.db import Tx

PASSWORD: Final = "relief-demo"

_PROVINCE: Final = {"province.officer": "province_officer", "province.second": "province_officer", "province.auditor": "auditor"}
_COUNTY: Final = {
    "officer": "county_officer",
    "approver": "county_approver",
    "prepare": "finance_preparer",
    "check": "finance_checker",
    "authorise": "finance_authoriser",
}
_TOWNSHIP: Final = {"reporter": "reporter", "reviewer": "township_reviewer"}


class People(msgspec.Struct, frozen=True):
    """Actors by login: 'province.officer', '513322.prepare', '513322103.reporter'."""

    by_login: Mapping[str, Actor]

    def __getitem__(self, login: str) -> Actor:
        return self.by_login[login]


async def hire(tx: Tx, counties: Mapping[str, str], townships: Mapping[str, str], now: datetime) -> People:
    """Accounts for the province, every county and every township (code → name)."""
    posts = [("", login, "51", "四川省", role) for login, role in _PROVINCE.items()]
    posts += [(f"{code}.", desk, code, name, role) for code, name in counties.items() for desk, role in _COUNTY.items()]
    posts += [(f"{code}.", desk, code, name, role) for code, name in townships.items() for desk, role in _TOWNSHIP.items()]
    staff = [
        NewStaff(login=prefix + desk, name=f"{name} {ROLES[role]}（演示）", password=PASSWORD, grants=(Grant(role=role, area=area),))
        for prefix, desk, area, name, role in posts
    ]
    ids = await sign_in.create_staff(tx, SYSTEM, staff, now, sign_in.CHEAP)
    return People(by_login={p.login: _actor(ids[p.login], p) for p in staff})


def _actor(person: UUID, staff: NewStaff) -> Actor:
    return Actor(id=person, name=staff.name, grants=staff.grants)


def printed(people: People, county: str, township: str) -> Iterable[tuple[str, str]]:
    """The logins a visitor may like to try, with what each of them is."""
    chosen = [*_PROVINCE, *(f"{county}.{d}" for d in _COUNTY), *(f"{township}.{d}" for d in _TOWNSHIP)]
    return [(login, people[login].name) for login in chosen]
