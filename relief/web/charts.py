"""A dry run as charts: the same money by county, band, aid, category, stage and month; every bar is also a row of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from relief.domain.household import FAMILY_TYPES
from relief.domain.playbook import Playbook
from relief.services.preview import Preview
from relief.web.texts import Texts


class Bar(msgspec.Struct, frozen=True):
    """A row: awards (or instalments) and fen; of a second scenario too where there is one."""

    label: str
    count: int
    fen: int
    other_count: int | None = None
    other_fen: int | None = None


class Chart(msgspec.Struct, frozen=True):
    """One side of the money. `unit` says what is counted: awards or instalments."""

    key: str
    title: str
    unit: str
    bars: list[Bar]


class Labels(msgspec.Struct, frozen=True):
    """The words of a chart: names of counties, the rules, the catalogue."""

    counties: Mapping[str, str]
    book: Playbook
    t: Texts

    def aid(self, code: str) -> str:
        """An aid as its playbook calls it."""
        found = next((a for a in self.book.aids if a.code == code), None)
        return self.t.of(found.title) if found else self.t.word("aid", code)


def charts(labels: Labels, preview: Preview, other: Preview | None = None) -> list[Chart]:
    """Six charts of a dry run, beside a second one where given."""
    sides = [_sides(p, labels) for p in (preview, other) if p is not None]
    t = labels.t
    return [
        Chart(
            key, t(f"chart.{key}"), t("chart.instalments" if key in ("stage", "month") else "chart.awards"), _bars([s[key] for s in sides])
        )
        for key in ("county", "band", "aid", "category", "stage", "month")
    ]


Sums = dict[str, tuple[int, int]]


def _sides(p: Preview, labels: Labels) -> dict[str, Sums]:
    t = labels.t
    return {
        "county": _sum(p.lines, lambda x: labels.counties.get(x.county, x.county)),
        "band": _sum(sorted(p.lines, key=lambda x: x.rank), lambda x: t.band(x.label)),
        "aid": _sum(p.lines, lambda x: labels.aid(x.aid)),
        "category": _sum(p.categories, lambda x: _family(x.family, t)),
        "stage": _sum(
            [s for s in p.stages if s.amount_fen],
            lambda x: t("chart.stage_of", aid=labels.aid(x.aid), seq=x.seq, condition=t.word("condition", x.condition)),
            "instalments",
        ),
        "month": _sum(
            sorted((s for s in p.stages if s.amount_fen), key=lambda x: x.month or "9999"), lambda x: x.month or t("chart.by_progress"), "instalments"
        ),
    }  # fmt: skip


def _family(code: str, t: Texts) -> str:
    return t.word("family", code) if code in FAMILY_TYPES else t("chart.unsaid")


def _sum(rows: Iterable[Any], label: Callable[[Any], str], what: str = "households") -> Sums:
    sums: Sums = {}
    for row in rows:
        count, fen = sums.get(label(row), (0, 0))
        sums[label(row)] = count + getattr(row, what), fen + row.amount_fen
    return sums


def _bars(sides: list[Sums]) -> list[Bar]:
    first = sides[0]
    if len(sides) == 1:
        return [Bar(label, *sums) for label, sums in first.items()]
    second = sides[1]
    return [Bar(label, *first.get(label, (0, 0)), *second.get(label, (0, 0))) for label in dict.fromkeys([*first, *second])]
