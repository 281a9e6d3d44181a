"""Figures that may not be lower than others: the 特困 standard is at least 1.3 × the local 低保 (意见 clause 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relief.domain.errors import Invalid
from relief.domain.money import yuan
from relief.domain.rules import Playbook


def check(book: Playbook, figures: Mapping[str, int]) -> None:
    """Raise Invalid `figure_floor` where amounts (fen by key) break a floor the playbook states; figures not given are not judged."""
    if broken := list(_broken(book, figures)):
        raise Invalid("figure_floor", "；".join(broken), faults=[f"floors: {b}" for b in broken])


def _broken(book: Playbook, figures: Mapping[str, int]) -> Iterator[str]:
    for floor in book.floors:
        if floor.figure in figures and floor.at_least in figures:
            has, base = figures[floor.figure], figures[floor.at_least]
            if has * 10_000 < base * floor.ratio_bp:
                least = yuan(-(-base * floor.ratio_bp // 10_000))
                title = book.figure(floor.figure).title
                yield f"{title.zh}低于下限 {least} 元 · {title.en} is below its floor of {least} yuan"
