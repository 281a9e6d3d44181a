"""How a Chinese name sounds and which characters are one: what two people who write down the same name still have in common."""

from __future__ import annotations

import os
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from relief.later import Later

os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # only single characters are asked for; the table of phrases costs 40 MB
if TYPE_CHECKING:
    import opencc
    from pypinyin import pinyin_dict
else:
    opencc, pinyin_dict = Later("opencc"), Later("pypinyin.pinyin_dict")

#: What south-western ears do not tell apart: flat and curled tongue, n and l, in and ing, hu and fu.
_HEARD: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("hu", "fu"), ("n", "l"))


_SILENT: Final = str.maketrans("", "", "·.•‧ -'")


def letters(name: str) -> str:
    """The characters of a name without dots and spaces, Latin letters small."""
    return name.lower().translate(_SILENT)


@cache
def _simple() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@lru_cache(maxsize=50_000)
def _common(character: str) -> bool:
    """True for a character that is its own common form: a name of such characters has no other (every phrase of the table holds one that is not)."""
    return bool(_simple().convert(character) == character == unicodedata.normalize("NFKC", character))


@lru_cache(maxsize=65_536)
def plain(name: str) -> str:
    """`letters` with variant and traditional characters brought to their common form (喆 stays, 峯 is 峰)."""
    bare = letters(name)
    if all(map(_common, bare)):
        return bare
    text: str = _simple().convert(letters(unicodedata.normalize("NFKC", name)))
    return text


@lru_cache(maxsize=50_000)
def syllable(character: str) -> str:
    """The sound of one character: first reading, no tone, as a south-western ear hears it. Unknown characters sound like themselves."""
    reading = pinyin_dict.pinyin_dict.get(ord(character))
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
    bare = letters(name)
    if not any(c.isascii() for c in bare):
        return tuple(map(syllable, bare))
    out: list[str] = []
    run = ""
    for character in bare:
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
