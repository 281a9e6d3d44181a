"""Invented families at real village codes: the n-th is the same on every machine.

Damage falls with the distance from the epicentre; some families live outside every band, some have no phone, and a few name a member
who is registered elsewhere already, as happens in every real register.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.demo import numbers
from relief.domain.household import Member, Registration, Relocation

#: 2022-09-05 12:52, M6.8 (degrees WGS 84).
EPICENTRE: Final = (102.08, 29.59)
_KM_PER_DEGREE: Final = 111.2

_SURNAMES: Final = "甄贾尤莫闻佟宓卓"
_GIVEN: Final = ("演春", "演夏", "演秋", "演冬", "演梅", "演兰", "演竹", "演菊", "演山", "演川")
_MINORITY: Final = ("演珠·卓玛", "演措·扎西", "阿演·木呷", "演嘎·吉克")
_FAMILY_TYPES: Final = ("ordinary", "low_income", "low_income_margin", "extreme_hardship", "disabled")
_FAMILY_SHARES: Final = (0.78, 0.09, 0.05, 0.02, 0.06)
_BANKS: Final = ("402", "403")
#: Longer than the columns of the bank's file that it is meant for: the line waits for its case, the others go.
_LONG: Final = "演阿卜杜热伊木江·演买买提托合提·演吐尔逊尼亚孜"
_LONG_EVERY: Final = 37
#: Every so-many-th family names a member of the family before it.
_DOUBLE_EVERY: Final = 400


class Village(msgspec.Struct, frozen=True):
    """A village with its synthetic point (EPSG:4490)."""

    code: str
    lon: float
    lat: float


def distance_km(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Plane distance to the epicentre, good to a per cent over the zone."""
    east = (lon - EPICENTRE[0]) * np.cos(np.radians(EPICENTRE[1]))
    away: npt.NDArray[np.float64] = np.hypot(east, lat - EPICENTRE[1]) * _KM_PER_DEGREE
    return away


def families(
    count: int, incident: UUID, villages: Sequence[Village], captured_at: datetime, seed: int = 20220905, first: int = 0
) -> Iterator[Registration]:
    """`count` registrations, reproducible from the seed; `first` numbers the people, so that a later call makes others."""
    draw = np.random.default_rng(seed)
    place = draw.choice(len(villages), size=count, p=_weights(villages))
    lon = np.array([villages[p].lon for p in place])
    lat = np.array([villages[p].lat for p in place])
    near = np.exp(-distance_km(lon, lat) / 30.0)
    chance = draw.random((count, 8))
    size = 1 + draw.binomial(5, 0.42, count)
    family_type = draw.choice(len(_FAMILY_TYPES), size=count, p=_FAMILY_SHARES)
    for n in range(count):
        who = first + n
        rooms = _damage(float(near[n]), chance[n])
        yield Registration(
            device_id=UUID(int=(0xDE30 << 112) | who), incident=incident, village=villages[place[n]].code,
            lon=round(float(lon[n]) + float(chance[n, 5] - 0.5) * 0.004, 6), lat=round(float(lat[n]) + float(chance[n, 6] - 0.5) * 0.004, 6),
            members=_members(who, int(size[n])), account=numbers.account(who), bank=_BANKS[n % 3 == 0 or who % _LONG_EVERY == 5], captured_at=captured_at,
            accuracy_m=float(5 + int(chance[n, 7] * 30)), synthetic_point=True, phone=_phone(who), family_type=_FAMILY_TYPES[family_type[n]],
            injured=int(chance[n, 3] < 0.02 * near[n]), rooms_collapsed=rooms[0], rooms_severe=rooms[1], rooms_moderate=rooms[2],
            relocated=_relocated(float(near[n]), chance[n]), only_home=bool(chance[n, 4] < 0.95), occupied=bool(chance[n, 3] < 0.97),
        )  # fmt: skip


def _weights(villages: Sequence[Village]) -> npt.NDArray[np.float64]:
    """Most families live near; a floor keeps the far ones (outside every band) in the register."""
    away = distance_km(np.array([v.lon for v in villages]), np.array([v.lat for v in villages]))
    weight = np.exp(-away / 22.0) + 0.004
    normal: npt.NDArray[np.float64] = weight / weight.sum()
    return normal


def _damage(near: float, chance: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """Rooms collapsed, severely and moderately damaged."""
    if chance[0] < 0.16 * near:
        return 2 + int(chance[1] * 4), int(chance[2] * 3), 0
    if chance[0] < 0.45 * near:
        return 0, 1 + int(chance[1] * 4), int(chance[2] * 3)
    return 0, 0, 1 + int(chance[1] * 4) if chance[0] < 0.45 * near + 0.35 else 0


def _relocated(near: float, chance: npt.NDArray[np.float64]) -> Relocation:
    if chance[2] < 0.5 * near:
        return "centralised"
    return "dispersed" if chance[2] < 0.9 * near else "none"


def _members(n: int, size: int) -> list[Member]:
    people = [Member(name=_name(n, 0), id_number=numbers.householder_id(n))]
    people += [Member(name=_name(n, i), id_number=numbers.member_id(n * 6 + i)) for i in range(1, size)]
    if n and n % _DOUBLE_EVERY == 0:
        people.append(Member(name=_name(n - 1, 0), id_number=numbers.householder_id(n - 1)))
    return people


def _name(n: int, position: int) -> str:
    if n % _LONG_EVERY == 5 and position == 0:
        return _LONG
    if n % 9 == 4:
        return _MINORITY[(n // 9 + position) % len(_MINORITY)]
    return _SURNAMES[n % len(_SURNAMES)] + _GIVEN[(n // 8 + position) % len(_GIVEN)]


def _phone(n: int) -> str | None:
    """One in thirty has none, one in five is on a route that can answer."""
    if n % 30 == 7:
        return None
    return numbers.two_way_phone(n // 5) if n % 5 == 2 else numbers.mainland_phone(n)
