"""Decode a TOML file into a Struct, or say where it is wrong."""

from __future__ import annotations

import re
import tomllib
from typing import TypeVar

import msgspec

from relief.domain.errors import Invalid

T = TypeVar("T")

_PLACE = re.compile(r"(?P<what>.*?) - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)


def decode(text: str, kind: type[T], code: str) -> T:
    """The decoded file; raises Invalid `code` with one line `path: sentence` (no value of the file is repeated)."""
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(code, "file", f"不是有效的 TOML · not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        path, what = (match["path"], match["what"]) if match else ("file", str(error))
        raise _invalid(code, path, f"格式不符 · {what}") from None


def _invalid(code: str, path: str, sentence: str) -> Invalid:
    fault = f"{path}: {sentence}"
    return Invalid(code, fault, faults=[fault])
