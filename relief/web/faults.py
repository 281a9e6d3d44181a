"""What is wrong with an uploaded text, at its lines."""

from __future__ import annotations

import msgspec

from relief.domain import toml
from relief.domain.errors import ReliefError


class Fault(msgspec.Struct, frozen=True):
    """One fault: the line (0: the whole file), that line as written, the path in the file, the bilingual sentence."""

    line: int
    written: str
    path: str
    sentence: str


def located(text: str, error: ReliefError) -> list[Fault]:
    """Every fault of a refusal in the order of the file; a refusal without a list is one fault of the whole file."""
    given = error.data.get("faults")
    faults = [str(f) for f in given] if isinstance(given, list) else [f"file: {error.message}"]
    lines = text.splitlines()
    found = []
    for number, fault in zip(toml.lines(text, faults), faults, strict=True):
        path, _, sentence = fault.partition(": ")
        written = lines[number - 1].strip()[:120] if 0 < number <= len(lines) else ""
        found.append(Fault(number, written, path, sentence))
    return sorted(found, key=lambda f: f.line)
