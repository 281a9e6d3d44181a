"""A playbook as a document: sections of clauses in the reader's language, every amount bound to its figure and its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from relief.domain.playbook import Aid, Gate, Playbook
from relief.domain.reasons import explain
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


class Clause(msgspec.Struct, frozen=True):
    """One sentence. `path` stays the same from version to version; `basis` is the law it rests on."""

    path: str
    pieces: tuple[str | Amount, ...]
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


def compose(book: Playbook, standards: Sequence[Standard], t: Texts) -> Document:
    """Write the document in the language of `t`, with the amounts of one county on one day."""
    writer = _Writer(book, {s.key: s for s in standards}, t)
    sections = (Section("scope", t("playbook.scope"), tuple(writer.scope())), *(writer.aid(a) for a in book.aids))
    figures = tuple(FigureRow(f.key, t.of(f.title), f.legal_basis, writer.standards.get(f.key)) for f in book.figures)
    return Document(t.of(book.title), sections, figures)


class _Writer:
    def __init__(self, book: Playbook, standards: Mapping[str, Standard], t: Texts) -> None:
        self.book, self.standards, self.t = book, standards, t
        self.titles = {f.key: t.of(f.title) for f in book.figures}
        self.labels = {b.level: b.label for b in book.bands}

    def scope(self) -> Iterator[Clause]:
        t = self.t
        yield Clause("hazards", (t("playbook.hazards", hazards=t.listed(t.word("hazard", h) for h in self.book.hazards)),))
        yield Clause("bands", (t("playbook.bands", bands=self._bands([b.level for b in self.book.bands])),))

    def aid(self, aid: Aid) -> Section:
        return Section(aid.code, self.t.of(aid.title), tuple(self._clauses(aid)), aid)

    def _clauses(self, aid: Aid) -> Iterator[Clause]:
        t = self.t
        for i, gate in enumerate(aid.gates):
            yield Clause(f"gates[{i}]", (self._gate(gate),))
        yield Clause("amount", self._amount(aid), aid.legal_basis)
        for cap in aid.caps:
            words = (t(f"playbook.cap_{cap.per}"), self._money(cap.figure), t(f"playbook.cap_{cap.per}_end", title=self.titles[cap.figure]))
            yield Clause(f"caps.{cap.figure}", words)
        yield Clause("guard", (t(f"playbook.guard_{aid.guard}"),))
        yield Clause("approver", (t(f"playbook.approver_{aid.approver}"),))
        if aid.papers_due_working_days is not None:
            yield Clause("papers", (t("playbook.papers", days=aid.papers_due_working_days),))
        if len(aid.stages) > 1:
            parts = [
                t("playbook.stage", seq=i, share=_percent(s.share_bp), condition=t.word("condition", s.condition))
                for i, s in enumerate(aid.stages, 1)
            ]
            yield Clause("stages", (t("playbook.stages", stages=t("playbook.then").join(parts)),))

    def _amount(self, aid: Aid) -> tuple[str | Amount, ...]:
        end = self.t("playbook.for_days", days=aid.days) if aid.days > 1 else ""
        return (
            self.t(f"playbook.per_{aid.unit}"),
            self._money(aid.figure),
            self.t("playbook.amount_end", days=end, title=self.titles[aid.figure]),
        )

    def _money(self, key: str) -> Amount:
        found = self.standards.get(key)
        return Amount(key, found.amount_fen if found else None, found is None or found.verified)

    def _gate(self, gate: Gate) -> str:
        t = self.t
        words = [
            t(f"playbook.{name}", facts=t.listed(t.of(x) for x in explain(f"has.{p}" for p in getattr(gate, name))))
            for name in ("all", "any")
            if getattr(gate, name)
        ]
        return t("playbook.gate", bands=self._bands(gate.levels), facts=t("playbook.and").join(words))

    def _bands(self, levels: Sequence[int]) -> str:
        return self.t.listed(self.t("map.band", label=self.labels.get(n, str(n))) for n in levels)


def _percent(share_bp: int) -> str:
    return f"{share_bp / 100:g}%"
