"""How a Chinese name sounds and which characters are one: what two people who write down the same name still have in common."""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from typing import Final

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # only single characters are asked for; the table of phrases costs 40 MB
from opencc import OpenCC
from pypinyin.pinyin_dict import pinyin_dict

_PINYIN: Final[dict[int, str]] = pinyin_dict
_SIMPLE: Final = OpenCC("t2s")
#: What south-western ears do not tell apart: flat and curled tongue, n and l, in and ing, hu and fu.
_HEARD: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("hu", "fu"), ("n", "l"))


def letters(name: str) -> str:
    """The characters of a name without dots and spaces, Latin letters small."""
    return "".join(c for c in name.lower() if c not in "·.•‧ -'")


@lru_cache(maxsize=65_536)
def plain(name: str) -> str:
    """`letters` with variant and traditional characters brought to their common form (喆 stays, 峯 is 峰)."""
    text: str = _SIMPLE.convert(letters(unicodedata.normalize("NFKC", name)))
    return text


@lru_cache(maxsize=50_000)
def syllable(character: str) -> str:
    """The sound of one character: first reading, no tone, as a south-western ear hears it. Unknown characters sound like themselves."""
    reading = _PINYIN.get(ord(character))
    if reading is None:
        return character
    return heard("".join(c for c in unicodedata.normalize("NFD", reading.split(",", 1)[0]) if not unicodedata.combining(c)))


def heard(sound: str) -> str:
    """A syllable without the differences that are not heard."""
    for exact, rough in _HEARD:
        if sound.startswith(exact) and len(sound) > len(exact):
            sound = rough + sound[len(exact) :]
            break
    return sound.removesuffix("g") if sound.endswith("ng") else sound


@lru_cache(maxsize=65_536)
def syllables(name: str) -> tuple[str, ...]:
    """The sounds of a name in order; a run of Latin letters (a rare character written as pinyin) is one sound."""
    out: list[str] = []
    run = ""
    for character in letters(name):
        if character.isascii():
            run += character
            continue
        if run:
            out.append(heard(run))
            run = ""
        out.append(syllable(character))
    if run:
        out.append(heard(run))
    return tuple(out)
