"""A registered household: what a reporter says about one family, checked before anything is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain.errors import Invalid

FamilyType = Literal["ordinary", "low_income", "low_income_margin", "extreme_hardship", "disabled"]
FAMILY_TYPES = {
    "ordinary": "一般户",
    "low_income": "低保户",
    "low_income_margin": "低保边缘户",
    "extreme_hardship": "特困户",
    "disabled": "残疾人户",
}
Relocation = Literal["none", "centralised", "dispersed"]
Rooms = Annotated[int, msgspec.Meta(ge=0, le=50)]
Count = Annotated[int, msgspec.Meta(ge=0, le=30)]

#: Longitude and latitude a household may have (degrees, EPSG:4490): Sichuan with a margin, `domain.md` §5.4.
BOX = (97.0, 26.0, 109.0, 35.0)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person. The first member of a household is its householder 户主."""

    name: str
    id_number: str


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One household as captured on a device. Points are degrees EPSG:4490; `captured_at` is the device's claim."""

    device_id: UUID
    incident: UUID
    village: Annotated[str, msgspec.Meta(pattern="^[0-9]{12}$")]
    lon: float
    lat: float
    members: Annotated[list[Member], msgspec.Meta(min_length=1, max_length=30)]
    account: str
    bank: Annotated[str, msgspec.Meta(pattern="^[0-9]{3}$")]
    captured_at: datetime
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 10.0
    synthetic_point: bool = False
    phone: str | None = None
    family_type: FamilyType = "ordinary"
    dead: Count = 0
    missing: Count = 0
    injured: Count = 0
    rooms_collapsed: Rooms = 0
    rooms_severe: Rooms = 0
    rooms_moderate: Rooms = 0
    relocated: Relocation = "none"
    only_home: bool = True
    occupied: bool = True

    @property
    def county(self) -> str:
        """GB/T 2260 code of the village's county: the shard this household lives in for ever."""
        return self.village[:6]


class Checked(msgspec.Struct, frozen=True):
    """The same household with every number in its one form."""

    members: list[Member]
    account: str
    phone: str | None
    digest: bytes


def check(registration: Registration, today: date) -> Checked:
    """Bring every number to its one form or say what is wrong, naming the field (never repeating the value)."""
    check_point(registration.lon, registration.lat)
    members = [_member(i, m, today) for i, m in enumerate(registration.members)]
    if len({m.id_number for m in members}) < len(members):
        raise Invalid("id_twice", "同一身份证号在本户出现两次 · one identity number stands twice in this household", field="members")
    account = _field("account", identity.account, registration.account)
    phone = None if registration.phone is None else _field("phone", identity.phone, registration.phone)
    return Checked(members=members, account=account, phone=phone, digest=digest(registration))


def check_point(lon: float, lat: float) -> None:
    """Refuse a point outside the box, and name swapped axes as such."""
    west, south, east, north = BOX
    if west <= lon <= east and south <= lat <= north:
        return
    if west <= lat <= east and south <= lon <= north:
        raise Invalid("axes_swapped", "经纬度填反了 · longitude and latitude are swapped", field="lon")
    raise Invalid("outside_box", "坐标不在本省范围内 · the point lies outside the province", field="lon")


def digest(registration: Registration) -> bytes:
    """SHA-256 of the whole content: tells the same record sent again from another one under the same device id."""
    return hashlib.sha256(msgspec.json.encode(registration, order="deterministic")).digest()


def _member(position: int, member: Member, today: date) -> Member:
    path = f"members[{position}]"
    return Member(
        name=_field(path + ".name", identity.person_name, member.name),
        id_number=_field(path + ".id_number", lambda text: identity.id_number(text, today), member.id_number),
    )


def _field(path: str, reader: Callable[[str], str], text: str) -> str:
    try:
        return reader(text)
    except Invalid as error:
        raise Invalid(error.code, error.message, field=path) from None
