"""A playbook as a document: sections of clauses in the reader's language, every amount bound to its figure and its source."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from relief.domain.playbook import Aid, Playbook
from relief.domain.standard import Standard
from relief.web import shown
from relief.web.texts import Texts


class Amount(msgspec.Struct, frozen=True):
    """An amount inside a sentence: it leads to the figure `key`; `fen` is None where no amount is in force here."""

    key: str
    fen: int | None
    verified: bool

    @property
    def words(self) -> str:
        """As read aloud, without its unit."""
        return shown.yuan(self.fen)


Pieces = tuple[str | Amount, ...]


class Clause(msgspec.Struct, frozen=True):
    """One sentence. `path` stays the same from version to version; `label` says what it is about, `basis` the law it rests on."""

    path: str
    label: str
    pieces: Pieces
    basis: str = ""

    @property
    def text(self) -> str:
        """The sentence as plain words."""
        return "".join(p if isinstance(p, str) else p.words for p in self.pieces)


class Section(msgspec.Struct, frozen=True):
    """Clauses under one heading; `aid` is set where it speaks of one aid."""

    key: str
    title: str
    clauses: tuple[Clause, ...]
    aid: Aid | None = None


class FigureRow(msgspec.Struct, frozen=True):
    """A figure with its clause, and the standard that gives its amount here and today (None: there is none)."""

    key: str
    title: str
    unit: str
    basis: str
    standard: Standard | None


class Document(msgspec.Struct, frozen=True):
    """The whole text."""

    title: str
    sections: tuple[Section, ...]
    figures: tuple[FigureRow, ...]

    @property
    def unverified(self) -> int:
        """How many of its figures are placeholders."""
        return sum(1 for f in self.figures if f.standard is not None and not f.standard.verified)

    @property
    def missing(self) -> int:
        """How many of its figures have no amount here."""
        return sum(1 for f in self.figures if f.standard is None)


class Words:
    """What every sentence of a document needs: the rules, the amounts here and today, the language."""

    def __init__(self, book: Playbook, standards: Sequence[Standard], t: Texts) -> None:
        self.book, self.t = book, t
        self.standards = {s.key: s for s in standards}
        self.titles = {f.key: t.of(f.title) for f in book.figures}
        self._labels = {b.level: b.label for b in book.bands}

    def clause(self, path: str, label: str, *pieces: str | Amount, basis: str = "") -> Clause:
        """A sentence; `label` is a key of the catalogue's section `clause`."""
        return Clause(path, self.t(f"clause.{label}"), pieces, basis)

    def money(self, key: str) -> Amount:
        """The amount of a figure as it stands inside a sentence."""
        found = self.standards.get(key)
        return Amount(key, found.amount_fen if found else None, found is None or found.verified)

    def band(self, level: int) -> str:
        """A band as maps call it; where the zone is the county or a list of places it has a name of its own."""
        return self.t.band(self._labels.get(level, str(level)))

    def bands(self, levels: Sequence[int]) -> str:
        """Several of them."""
        return self.t.listed(self.band(n) for n in levels)
