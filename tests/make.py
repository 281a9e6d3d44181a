"""One builder per noun; every default is valid, every argument is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from relief.demo import numbers
from relief.domain.household import Member, Registration
from relief.domain.policy import Actor, Grant
from relief.store.db import Tx

#: Twenty minutes after the Luding earthquake.
NOW = datetime(2022, 9, 5, 5, 12, tzinfo=UTC)
LUDING = "513322"
SHIMIAN = "511824"
#: 磨西镇 and a village of it; the fixture database holds the real codes.
MOXI = "513322103"
VILLAGE = "513322103205"


async def staff(tx: Tx, *grants: tuple[str, str], name: str = "演示人员") -> Actor:
    """A person with (role, area) grants."""
    person = await tx.fetchval(
        "INSERT INTO staff (login, name, password_hash, created_at) VALUES ($1, $2, '!', $3) RETURNING id", uuid4().hex, name, NOW
    )
    for role, area in grants:
        await tx.execute("INSERT INTO role_grant (person, role, area, valid_from) VALUES ($1, $2, $3, $4)", person, role, area, NOW)
    return Actor(id=person, name=name, grants=tuple(Grant(role=r, area=a) for r, a in grants))


async def incident(tx: Tx, *, county: str = LUDING, drill: bool = True, name: str | None = None) -> UUID:
    """An open incident."""
    opener = await staff(tx)
    found: UUID = await tx.fetchval(
        "INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at) "
        "VALUES ($1, '020100', $2, $3, 'reported', $4, $5, $3) RETURNING id",
        name or f"2022-09-05 泸定县地震 {uuid4().hex[:6]}", county, NOW, drill, opener.id,
    )  # fmt: skip
    return found


def registration(n: int = 0, *, incident: UUID, members: int | list[Member] = 3, two_way: bool = False, **changes: Any) -> Registration:
    """The n-th household: an adult householder and others, with account and phone."""
    if isinstance(members, list):
        people = members
    else:
        people = [Member(name="甄演一", id_number=numbers.householder_id(n))]
        people += [Member(name="甄演二", id_number=numbers.member_id(n * 30 + i)) for i in range(members - 1)]
    fields: dict[str, Any] = {
        "device_id": UUID(int=0x5EED << 64 | n), "incident": incident, "village": VILLAGE, "lon": 102.11, "lat": 29.64, "members": people,
        "account": numbers.account(n), "bank": "402", "captured_at": NOW,
        "phone": numbers.two_way_phone(n) if two_way else numbers.mainland_phone(n), "relocated": "centralised",
    }  # fmt: skip
    return Registration(**{**fields, **changes})
