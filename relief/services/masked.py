"""People as screens show them: opened one page at a time, masked at once, never kept."""

from __future__ import annotations

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
    """Masked number and the text as sent."""
    found = _MESSAGE.decode(keys.open("message", id_, "sealed", sealed))
    return identity.mask_phone(found.to), found.text
