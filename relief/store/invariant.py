"""One thing that must be true at every moment."""

from __future__ import annotations

import msgspec


class Invariant(msgspec.Struct, frozen=True):
    """`examined` counts the rows looked at; `broken` returns one text column naming the rows that break the rule."""

    name: str
    says: str
    examined: str
    broken: str
