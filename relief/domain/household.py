"""A registered household: what a reporter says about one family, checked before anything is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain import visit as visits
from relief.domain.errors import Invalid
from relief.domain.visit import Visit

FamilyType = Literal["ordinary", "low_income", "low_income_margin", "extreme_hardship", "disabled", "orphan", "lone", "monitored"]
FAMILY_TYPES = {
    "ordinary": "一般户",
    "low_income": "低保户",
    "low_income_margin": "低保边缘户",
    "extreme_hardship": "特困户",
    "disabled": "残疾人户",
    "orphan": "孤儿、事实无人抚养儿童",
    "lone": "孤老、孤残户",
    "monitored": "防返贫监测户",
}
#: What else a rule may ask about, in a fixed order: the place of a word is its bit in the register, so new ones are added at the end.
CIRCUMSTANCES = {
    "absent": "受灾时不在灾区",
    "annex_only": "仅附属用房（厨房、圈舍、简易房）受损",
    "other_scheme": "已纳入农村危房改造等其他住房项目",
    "rebuilt_before": "已享受过重建补助",
    "no_income": "因灾无生活来源",
    "no_means": "自身无力克服困难",
    "cannot_return": "受次生灾害威胁不能返家",
    "heavy_costs": "必需支出突然增加、超出承受能力",
    "need_water": "缺饮用水",
    "need_grain": "缺口粮",
    "need_clothing": "缺衣被",
    "need_heating": "缺取暖",
}
Circumstance = Literal[
    "absent", "annex_only", "other_scheme", "rebuilt_before", "no_income", "no_means", "cannot_return", "heavy_costs",
    "need_water", "need_grain", "need_clothing", "need_heating",
]  # fmt: skip
Relocation = Literal["none", "centralised", "dispersed"]
Rooms = Annotated[int, msgspec.Meta(ge=0, le=50)]
Count = Annotated[int, msgspec.Meta(ge=0, le=30)]

#: Longitude and latitude a household may have (degrees, EPSG:4490): Sichuan with a margin, `domain.md` §5.4.
BOX = (97.0, 26.0, 109.0, 35.0)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One person. The first member of a household is its householder 户主.

    `helper` 证明人 is who vouches for a person without papers, whose number is a temporary one (`identity.temporary_number`).
    """

    name: str
    id_number: str
    helper: str | None = None


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One household as captured on a device. Points are degrees EPSG:4490; `captured_at` is the device's claim.

    `people_in_need` 需救助人口 counts for aid by need (drought, winter). `home_county` 户籍地 is told where it is another county than the
    one the household is in: aid follows presence, the home county is notified.
    """

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
    circumstances: Annotated[list[Circumstance], msgspec.Meta(max_length=len(CIRCUMSTANCES))] = []
    people_in_need: Count = 0
    home_county: Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")] | None = None
    visit: Visit | None = None

    @property
    def county(self) -> str:
        """GB/T 2260 code of the village's county: the shard this household lives in for ever."""
        return self.village[:6]

    @property
    def circumstance_bits(self) -> int:
        """The circumstances as the register keeps them: bit n for the n-th of `CIRCUMSTANCES`."""
        return sum(1 << n for n, name in enumerate(CIRCUMSTANCES) if name in self.circumstances)


class Checked(msgspec.Struct, frozen=True):
    """The same household with every number in its one form."""

    members: list[Member]
    account: str
    phone: str | None
    digest: bytes
    visit: Visit | None = None

    @property
    def holder(self) -> str:
        """In whose name the account is: the householder's, or that of who receives in their place 代领人."""
        recipient = self.visit.recipient if self.visit else None
        return recipient.name if recipient else self.members[0].name


def check(registration: Registration, today: date) -> Checked:
    """Bring every number to its one form or say what is wrong, naming the field (never repeating the value)."""
    check_point(registration.lon, registration.lat)
    if registration.people_in_need > len(registration.members):
        raise Invalid("people_in_need", "需救助人口多于家庭人口 · more people in need than members", field="people_in_need")
    members = [_member(i, m, today) for i, m in enumerate(registration.members)]
    if len({m.id_number for m in members}) < len(members):
        raise Invalid("id_twice", "同一身份证号在本户出现两次 · one identity number stands twice in this household", field="members")
    account = _field("account", identity.account, registration.account)
    phone = None if registration.phone is None else _field("phone", identity.phone, registration.phone)
    visit = None if registration.visit is None else visits.check(registration.visit, today)
    return Checked(members=members, account=account, phone=phone, digest=digest(registration), visit=visit)


def check_point(lon: float, lat: float) -> None:
    """Refuse a point outside the box, and name swapped axes as such."""
    west, south, east, north = BOX
    if west <= lon <= east and south <= lat <= north:
        return
    if west <= lat <= east and south <= lon <= north:
        raise Invalid("axes_swapped", "经纬度填反了 · longitude and latitude are swapped", field="lon")
    raise Invalid("outside_box", "坐标不在本省范围内 · the point lies outside the province", field="lon")


#: Fields that came later: left out of the digest while they say nothing, so that a record sent before and again after is the same.
_LATER: Final[Mapping[str, object]] = {"circumstances": [], "people_in_need": 0, "home_county": None, "visit": None}


def digest(registration: Registration) -> bytes:
    """SHA-256 of the whole content: tells the same record sent again from another one under the same device id."""
    said = {n: v for n, v in msgspec.structs.asdict(registration).items() if n not in _LATER or v != _LATER[n]}
    return hashlib.sha256(msgspec.json.encode(said)).digest()


def _member(position: int, member: Member, today: date) -> Member:
    path = f"members[{position}]"
    number = _field(path + ".id_number", lambda text: identity.id_number(text, today), member.id_number)
    if identity.document(number) == "temporary" and not member.helper:
        raise Invalid("helper", "无证件人员须填证明人 · name who vouches for a person without papers", field=path + ".helper")
    return Member(
        name=_field(path + ".name", identity.person_name, member.name),
        id_number=number,
        helper=None if member.helper is None else _field(path + ".helper", identity.person_name, member.helper),
    )


def _field(path: str, reader: Callable[[str], str], text: str) -> str:
    try:
        return reader(text)
    except Invalid as error:
        raise Invalid(error.code, error.message, field=path) from None
