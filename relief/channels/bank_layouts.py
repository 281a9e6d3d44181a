"""Every layout this place knows: those that came with the house and those somebody put into its folder. A new bank is a new file.

Which bank is written to in which layout is said in the files (`banks`); which layout an answer is in is told by how it begins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from relief.channels import bank_iso, bank_layout
from relief.domain.batch import BatchFile, Glimpse, Layout, ResultFile
from relief.domain.errors import Invalid

_FOLDER: Final = Path(__file__).with_name("layouts")
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_ANY: Final = "*"


class Known(Layout, Protocol):
    """A layout that says whose it is and knows its own answers."""

    @property
    def banks(self) -> tuple[str, ...]:
        """Bank codes, or '*'."""

    def knows(self, content: bytes) -> bool:
        """True where an answer is one of this layout's."""


class Layouts(msgspec.Struct, frozen=True):
    """All of them as one layout: writes by bank, reads by what the file is."""

    known: tuple[Known, ...]

    @property
    def name(self) -> str:
        """Of the layout for banks nobody serves in particular."""
        return self.of(_ANY).name

    def of(self, bank: str) -> Layout:
        """The layout that bank is written to in."""
        serving = [one for one in self.known if bank in one.banks] or [one for one in self.known if _ANY in one.banks]
        if not serving:
            raise Invalid("layout_unknown", "没有为该银行约定文件格式 · no layout is agreed for this bank", bank=bank)
        return serving[-1]

    def encode(self, batch: BatchFile) -> bytes:
        """In the layout of the batch's bank."""
        return self.of(batch.bank).encode(batch)

    def parse_result(self, content: bytes) -> ResultFile:
        """In the layout the file is in."""
        return self._of(content).parse_result(content)

    def parse_statement(self, content: bytes) -> ResultFile:
        """In the layout the file is in."""
        return self._of(content).parse_statement(content)

    def glimpse(self, content: bytes) -> Glimpse:
        """In the layout the file is in; what no layout knows is a broken file of the usual one."""
        return self._of(content).glimpse(content)

    def _of(self, content: bytes) -> Layout:
        return next((one for one in self.known if one.knows(content)), self.of(_ANY))


def load(name: str) -> bank_layout.Layout:
    """The text layout of that name that came with the house."""
    found = _read(_FOLDER / f"{name}.toml") if _NAME.fullmatch(name) and (_FOLDER / f"{name}.toml").is_file() else None
    if not isinstance(found, bank_layout.Layout):
        raise Invalid("layout_unknown", "没有这种银行文件格式 · there is no bank layout of that name")
    return found


def load_all(folder: Path | None = None) -> Layouts:
    """What came with the house, then what lies in the folder; a file there takes the place of one of the same name."""
    files = {path.stem: path for place in (_FOLDER, folder) if place is not None for path in sorted(place.glob("*.toml"))}
    known = tuple(_read(path) for path in files.values())
    _no_bank_twice(known)
    return Layouts(known)


def _no_bank_twice(known: Sequence[Known]) -> None:
    served = [bank for one in known for bank in one.banks]
    if twice := {bank for bank in served if served.count(bank) > 1}:
        raise Invalid(
            "layout_twice", f"同一银行有两种文件格式：{'、'.join(sorted(twice))} · two layouts serve one bank: {', '.join(sorted(twice))}"
        )


def _read(path: Path) -> Known:
    try:
        given = tomllib.loads(path.read_text("utf-8"))
        iso = given.get("format") == "iso20022"
        return msgspec.convert(given, bank_iso.Layout) if iso else msgspec.convert(given, bank_layout.Layout)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Invalid("layout_form", f"银行文件格式定义有误（{path.name}） · the layout file is wrong: {error}") from None
