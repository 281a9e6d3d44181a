"""The facts a decision saw, as they are kept with it: households alike are one row, and a kept row can be decided again.

A decision is a function of playbook, figures and facts and of nothing else, so a million households are as many decisions as there are
different households, and what is stored is exactly what was decided on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from relief.domain.facts import COLUMNS, FAMILY_CODES, FLAGS, LATER, Facts
from relief.domain.grouping import Index, distinct

#: Keys of a snapshot that are no columns: another household has this aid already; what a meeting adopted (fen); the household itself does
#: not count, and why.
HELD: Final = "held"
ADOPTED: Final = "adopted"
EXCLUDED: Final = "excluded"

#: Column whose codes are kept as words → the key they are kept under, and the words.
_WORDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {"family": ("family_type", FAMILY_CODES)}

Kept = Mapping[str, Any]


class Alike(msgspec.Struct, frozen=True):
    """Households by what is known of them: `kinds` is one row for all that are alike, `kind` says for every household which."""

    kinds: Facts
    kind: Index

    def written(self) -> list[str]:
        """Each kind as the JSON that is kept, still open for what concerns one aid; the same kind always gives the same text.

        What is not known of a household (`LATER`: nothing) is not written: old decisions, taken before it was asked, read the same.
        """
        columns = {n: getattr(self.kinds, n).tolist() for n in COLUMNS}
        for name, (key, words) in _WORDS.items():
            columns[key] = [words[code] if code >= 0 else None for code in columns.pop(name)]
        names = list(columns)
        return [
            msgspec.json.encode({n: v for n, v in zip(names, row, strict=True) if v or n not in LATER}).decode()[:-1]
            for row in zip(*columns.values(), strict=True)
        ]

    def closed(self, written: Sequence[str], aid: str, held: bool) -> list[str]:
        """The same, closed for one aid."""
        end = f',"{HELD}":{"true" if held else "false"}'
        if aid not in self.kinds.adopted:
            return [text + end + "}" for text in written]
        return [f'{text}{end},"{ADOPTED}":{fen}}}' for text, fen in zip(written, self.kinds.adopted[aid].tolist(), strict=True)]


def alike(known: Facts) -> Alike:
    """Put households together of which exactly the same is known (`held` apart: it is about another household)."""
    columns = [getattr(known, n) for n in COLUMNS if n not in _WORDS] + [getattr(known, n) + 1 for n in _WORDS]
    kind, one = distinct([*columns, *known.adopted.values()], known.rows)
    return Alike(known.take(one), kind)


def again(kept: Sequence[Kept], aid: str) -> Facts:
    """Facts of one aid's decisions from their snapshots. What software of that day did not know of is absent, and counts as none."""
    fields: dict[str, Any] = {}
    for name in COLUMNS:
        key, words = _WORDS.get(name, (name, ()))
        values = [k.get(key, 0) for k in kept]
        if words:
            values = [words.index(v) if v in words else -1 for v in values]
        fields[name] = np.array(values, np.bool_ if name in FLAGS else np.int64)
    held = np.array([bool(k.get(HELD)) for k in kept], np.bool_)
    adopted = {aid: np.array([int(k.get(ADOPTED, 0)) for k in kept], np.int64)} if any(ADOPTED in k for k in kept) else {}
    return Facts(**fields, held={aid: held}, adopted=adopted)
