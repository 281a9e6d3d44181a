"""People as screens show them: opened one page at a time, masked at once, never kept."""

from __future__ import annotations

import re
from uuid import UUID

import msgspec

from relief.domain import identity
from relief.domain.sealing import Keys


class _Person(msgspec.Struct):
    name: str
    phone: str | None = None


class _Account(msgspec.Struct):
    holder: str
    number: str


class _Message(msgspec.Struct):
    to: str
    text: str


#: The name in a text stands between signature and greeting: 【四川救灾】甄演一您好.
_GREETED = re.compile("(?<=】)[^，。【】]{1,20}?(?=您好)")

_PERSON = msgspec.json.Decoder(_Person)
_ACCOUNT = msgspec.json.Decoder(_Account)
_MESSAGE = msgspec.json.Decoder(_Message)


def name(keys: Keys, person: UUID, sealed: bytes) -> str:
    """'甄**'."""
    return identity.mask_name(_PERSON.decode(keys.open("person", person, "sealed", sealed)).name)


def account(keys: Keys, id_: UUID, sealed: bytes) -> str:
    """'**** 1234' of the account version `id_`."""
    return identity.mask_account(_ACCOUNT.decode(keys.open("account", id_, "sealed", sealed)).number)


def message(keys: Keys, id_: UUID, sealed: bytes) -> tuple[str, str]:
    """Masked number, and the text with the greeted name masked."""
    found = _MESSAGE.decode(keys.open("message", id_, "sealed", sealed))
    return identity.mask_phone(found.to), _GREETED.sub(lambda name: identity.mask_name(name[0]), found.text)


class Compared(msgspec.Struct, frozen=True):
    """A person as an officer sees them who must tell two people apart: the name in full, of the numbers what decides."""

    name: str
    birth: str  # 1971-04-12
    male: bool
    tail: str  # the last four of the identity number
    phone: str


class _Full(msgspec.Struct):
    name: str
    id_number: str
    phone: str | None = None


_FULL = msgspec.json.Decoder(_Full)


def compared(keys: Keys, person: UUID, sealed: bytes) -> Compared:
    """Opened for adjudication only."""
    plain = _FULL.decode(keys.open("person", person, "sealed", sealed))
    n = plain.id_number
    return Compared(
        plain.name,
        f"{n[6:10]}-{n[10:12]}-{n[12:14]}",
        n[16] in "13579",
        n[-4:],
        "" if plain.phone is None else identity.mask_phone(plain.phone),
    )
