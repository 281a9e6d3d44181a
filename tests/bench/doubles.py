"""Invented households of whom it is known which are written down twice, and how: mishearing, variants, swaps, other numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Final
from uuid import UUID

import msgspec
from opencc import OpenCC

from relief.demo import numbers
from relief.domain import pinyin
from relief.domain.household import Member, Registration
from relief.domain.identity import TEST_ID_PREFIX, id_check_digit
from tests.make import NOW

#: One household in so many is registered a second time, with errors.
DOUBLE_EVERY: Final = 50
#: One in so many has somebody easily taken for it: a sibling with the same phone, a namesake, rarely a twin.
CONFUSER_EVERY: Final = 40
#: Households of a village.
VILLAGE: Final = 400
WAYS: Final = ("same number", "sound", "variant", "swapped name", "near name", "birth digit", "swapped members", "other number")
_SURNAMES: Final = "甄贾尤莫闻佟宓卓林胡付罗吕聂岳江余俞章张曾白冉庹"
_MINORITY: Final = ("演珠·卓玛", "演措·扎西", "阿演·木呷", "演嘎·吉克")
_GIVEN: Final = 240  # characters that names are made of
_GIVEN_OUT: Final[set[str]] = set()
_VARIANT: Final = OpenCC("s2t")


class Written(msgspec.Struct, frozen=True):
    """A registration, and which earlier one it repeats and how."""

    item: Registration
    repeats: UUID | None = None
    way: str = ""


@cache
def _characters() -> tuple[str, ...]:
    """The 3,755 everyday characters of GB 2312, level one."""
    rows = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return tuple(c for code in rows if (c := code.decode("gb2312", "ignore")))


@cache
def _sounding(sound: str) -> tuple[str, ...]:
    return tuple(c for c in _characters() if pinyin.syllable(c) == sound)


def written(count: int, incident: UUID, seed: int = 20220905) -> Iterator[Written]:
    """`count` registrations in all, doubles and confusers among them."""
    rng = random.Random(seed)
    given = rng.sample(_characters(), _GIVEN)
    made = n = 0
    _GIVEN_OUT.clear()
    while made < count:
        item = _family(rng, n, incident, given, count)
        made, n = made + 1, n + 1
        yield Written(item)
        if made < count and n % DOUBLE_EVERY == 0:
            way = WAYS[n // DOUBLE_EVERY % len(WAYS)]
            made += 1
            yield Written(_double(rng, item, way, n + 5_000_000), item.device_id, way)
        elif made < count and n % CONFUSER_EVERY == 0:
            made += 1
            yield Written(_confuser(rng, item, n + 5_000_000, given))


def _family(rng: random.Random, n: int, incident: UUID, given: list[str], count: int) -> Registration:
    surname, place = rng.choice(_SURNAMES), rng.randrange(max(1, count // VILLAGE))
    people = [Member(_name(rng, surname, given), _number(rng, _born(rng, 1942, 1999)))]
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        people.append(Member(_name(rng, rng.choice((surname, rng.choice(_SURNAMES))), given), _number(rng, _born(rng, 1938, 2020))))
    return Registration(
        device_id=UUID(int=rng.getrandbits(128)), incident=incident, village=f"513322{100 + place // 100:03d}{200 + place % 100:03d}", lon=102.11,
        lat=29.64, members=people, account=numbers.account(n), bank="402", captured_at=NOW, phone=numbers.mainland_phone(n), synthetic_point=True,
    )  # fmt: skip


def _name(rng: random.Random, surname: str, given: list[str]) -> str:
    return rng.choice(_MINORITY) if rng.random() < 0.02 else surname + "".join(rng.sample(given, 2 if rng.random() < 0.8 else 1))


def _born(rng: random.Random, first: int, last: int) -> date:
    return date(first, 1, 1) + timedelta(days=rng.randrange((last - first) * 365))


def _number(rng: random.Random, born: date) -> str:
    """A number nobody has had before."""
    while True:
        number = _checked(f"{TEST_ID_PREFIX}{born:%Y%m%d}{rng.randrange(1000):03d}")
        if number not in _GIVEN_OUT:
            _GIVEN_OUT.add(number)
            return number
        born += timedelta(days=1)


def _checked(first17: str) -> str:
    return first17 + id_check_digit(first17)


def _digits(rng: random.Random, number: str) -> str:
    """Another number by a slip in the sequence: the check digit was made to fit, as a form that insists on it makes people do."""
    while True:
        place = rng.randrange(14, 16)
        other = _checked(number[:place] + str((int(number[place]) + rng.randrange(1, 10)) % 10) + number[place + 1 : 17])
        if other not in _GIVEN_OUT or rng.random() < 0.02:
            _GIVEN_OUT.add(other)
            return other


def _day(rng: random.Random, number: str) -> str:
    """Another birth date by one digit: of the year, or of the day."""
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    if rng.random() < 0.5:
        born = date(year - 1 if year % 10 else year + 1, month, min(day, 28))
    else:
        born = date(year, month, day - 1 if day % 10 > 1 else day + 1 if day < 28 else day - 10)
    return _checked(f"{number[:6]}{born:%Y%m%d}{number[14:17]}")


def _double(rng: random.Random, item: Registration, way: str, n: int) -> Registration:
    head, others = item.members[0], list(item.members[1:])
    kept = [
        Member(_misheard(rng, m.name) if rng.random() < 0.3 else m.name, _digits(rng, m.id_number)) for m in others if rng.random() < 0.6
    ]
    match way:
        case "same number":
            people = [Member(_misheard(rng, head.name), head.id_number), *kept]
        case "sound":
            people = [Member(_misheard(rng, head.name), _digits(rng, head.id_number)), *kept]
        case "variant":
            people = [Member(_VARIANT.convert(head.name), _digits(rng, head.id_number)), *kept]
        case "swapped name":
            people = [Member(head.name[1:] + head.name[0], _digits(rng, head.id_number)), *kept]
        case "near name":
            people = [Member(head.name[:-1] + rng.choice(_characters()), _digits(rng, head.id_number)), *kept]
        case "birth digit":
            people = [Member(head.name, _day(rng, head.id_number)), *kept]
        case "swapped members":
            people = [*kept, Member(head.name, _digits(rng, head.id_number))]
        case _:
            people = [Member(head.name, _number(rng, _born(rng, 1942, 1999))), *kept]
    phone = item.phone if way == "other number" or rng.random() < 0.4 else rng.choice((None, numbers.mainland_phone(n)))
    village = item.village if rng.random() < 0.85 or way == "other number" else item.village[:9] + f"{200 + rng.randrange(100):03d}"
    return msgspec.structs.replace(
        item, device_id=UUID(int=rng.getrandbits(128)), members=people, account=numbers.account(n), phone=phone, village=village
    )


def _misheard(rng: random.Random, name: str) -> str:
    """One character becomes another that sounds alike."""
    if "·" in name:
        return name.replace("·", "")
    place = rng.randrange(len(name))
    alike = [c for c in _sounding(pinyin.syllable(name[place])) if c != name[place]] or [name[place]]
    return name[:place] + rng.choice(alike) + name[place + 1 :]


def _confuser(rng: random.Random, item: Registration, n: int, given: list[str]) -> Registration:
    head = item.members[0]
    kind = rng.random()
    if kind < 0.6:  # a sibling
        born = date(int(head.id_number[6:10]), 1, 1) + timedelta(days=rng.choice((-1, 1)) * rng.randrange(300, 2500))
        person = Member(head.name[:-1] + rng.choice(given), _number(rng, born))
    elif kind < 0.98:  # a namesake
        person = Member(head.name, _number(rng, _born(rng, 1942, 1999)))
    else:  # a twin
        person = Member(head.name[:-1] + rng.choice(given), _digits(rng, head.id_number))
    phone = item.phone if kind < 0.2 else numbers.mainland_phone(n)
    return msgspec.structs.replace(
        item, device_id=UUID(int=rng.getrandbits(128)), members=[person], account=numbers.account(n), phone=phone
    )
