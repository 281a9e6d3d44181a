"""Two documents side by side: clauses aligned by their path, and inside a changed clause the words that went and came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

import msgspec

from relief.web.document import Document

#: What is compared as one piece: a number, a Latin word, one Chinese character.
_TOKEN = re.compile(r"\d[\d,.]*%?|[A-Za-z]+|.", re.DOTALL)


class Mark(msgspec.Struct, frozen=True):
    """A run of words; `changed` where the other side does not have it."""

    text: str
    changed: bool


class Row(msgspec.Struct, frozen=True):
    """A clause on both sides; state is same, changed, added or removed."""

    section: str
    path: str
    old: tuple[Mark, ...]
    new: tuple[Mark, ...]
    state: str


def compare(old: Document, new: Document) -> list[Row]:
    """Every clause and every figure of both, in the order of the new one; what only the old one has follows its neighbour."""
    before, after = _flat(old), _flat(new)
    rows = []
    for key in _merged(list(before), list(after)):
        section, was = before.get(key, ("", ""))
        named, now = after.get(key, ("", ""))
        left, right = _marks(was, now)
        state = "added" if key not in before else "removed" if key not in after else "same" if was == now else "changed"
        rows.append(Row(named or section, key[1], left, right, state))
    return rows


def _flat(document: Document) -> dict[tuple[str, str], tuple[str, str]]:
    """(section, path) → (heading, words)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for section in document.sections:
        found[section.key, "title"] = section.title, section.title
        for clause in section.clauses:
            found[section.key, clause.path] = section.title, clause.text
            if clause.basis:
                found[section.key, clause.path + ".basis"] = section.title, clause.basis
    for figure in document.figures:
        found[figure.key, "title"] = figure.title, figure.title
        found[figure.key, "basis"] = figure.title, figure.basis
    return found


def _merged(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The keys of both in one order."""
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from (k for k in old[a:b] if kind != "equal" and k not in new)
        yield from new[c:d]


def _marks(old: str, new: str) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    left, right = [], []
    for kind, i, j, m, n in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if i < j:
            left.append(Mark("".join(a[i:j]), kind != "equal"))
        if m < n:
            right.append(Mark("".join(b[m:n]), kind != "equal"))
    return tuple(left), tuple(right)


def count(rows: list[Row]) -> Mapping[str, int]:
    """How many clauses of each state."""
    return {state: sum(1 for r in rows if r.state == state) for state in ("changed", "added", "removed", "same")}
