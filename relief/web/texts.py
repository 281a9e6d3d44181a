"""The catalogue of screen texts: one line a text in texts/*.toml, Chinese first, English second; a section lives in one file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from relief.domain.rules import Text

LANGUAGES: Final = ("zh", "en")


def _read() -> Mapping[str, tuple[str, str]]:
    catalogue: dict[str, tuple[str, str]] = {}
    for path in sorted((Path(__file__).parent / "texts").glob("*.toml")):
        for section, entries in tomllib.loads(path.read_text("utf-8")).items():
            catalogue |= {f"{section}.{key}": (zh, en) for key, (zh, en) in entries.items()}
    return catalogue


CATALOGUE: Final = _read()


#: Signs of seismic intensity.
_ROMAN: Final = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "Ⅵ", "Ⅶ", "Ⅷ", "Ⅸ", "Ⅹ", "Ⅺ", "Ⅻ")


class Texts:
    """The catalogue in one language: `t('home.title')`; `t.say('中文 · English')` picks the half of a bilingual sentence."""

    def __init__(self, lang: str) -> None:
        self._at = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        """A text; a key that does not exist is an error, so a misspelt one never reaches an officer."""
        return CATALOGUE[key][self._at].format(**values)

    def word(self, section: str, value: str | None) -> str:
        """A status or code as a word; an unknown one is shown as it is."""
        return CATALOGUE.get(f"{section}.{(value or '').replace(' ', '_')}", (value or "—",) * 2)[self._at]

    def say(self, sentence: str) -> str:
        """One half of '中文 · English'."""
        halves = sentence.split(" · ", 1)
        return halves[min(self._at, len(halves) - 1)]

    def of(self, text: Text) -> str:
        """A text of the domain in this language."""
        return text.zh if self._at == 0 else text.en

    def listed(self, words: Iterable[str]) -> str:
        """Words in a row: 'Ⅶ度区、Ⅷ度区'."""
        return ("、", ", ")[self._at].join(words)

    def band(self, label: str) -> str:
        """A band as maps call it: 'Ⅶ度区'; where the zone is the county or a list of places its band has a name of its own."""
        return self("map.band", label=label) if label in _ROMAN else label
