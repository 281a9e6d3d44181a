"""A dry run taken along as a workbook; what rests on an unverified figure says so in its own row."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from relief.domain.playbook import Aid
from relief.domain.rules import Playbook
from relief.services import sheets
from relief.services.preview import Preview
from relief.services.sheets import Value
from relief.web.charts import Labels

Rows = list[Sequence[Value]]


def figures_of(aid: Aid) -> set[str]:
    """The keys an amount of this aid may rest on."""
    return {aid.figure, *(r.figure for r in aid.rates), *(e.figure for e in aid.extras), *(c.figure for c in aid.caps)}


def unverified_aids(book: Playbook, preview: Preview) -> set[str]:
    """The aids of which some figure is a placeholder."""
    keys = {u.key for u in preview.unverified}
    return {a.code for a in book.aids if keys & figures_of(a)}


def workbook(labels: Labels, preview: Preview) -> bytes:
    """Lines, funds, stages, categories and the unverified figures, a sheet each; amounts are yuan."""
    writer, t = _Writer(labels, preview), labels.t
    made = {
        t("activation.preview"): writer.lines(),
        t("activation.funds"): writer.funds(),
        t("chart.stage"): writer.stages(),
        t("chart.category"): writer.categories(),
        t("activation.figures"): writer.unverified(),
    }
    return sheets.book([(title.replace("：", " ").replace(":", "")[:31], rows, 1) for title, rows in made.items()])


class _Writer:
    """Rows of each sheet, the head first. The last column says where an amount rests on a placeholder."""

    def __init__(self, labels: Labels, preview: Preview) -> None:
        self.labels, self.preview, self.t = labels, preview, labels.t
        self._marked = unverified_aids(labels.book, preview)

    def _head(self, *keys: str) -> Sequence[Value]:
        return [self.t(k) for k in (*keys, "sheet.figures")]

    def _row(self, aid: str, *values: Value) -> Sequence[Value]:
        return [*values, self.t("playbook.unverified") if aid in self._marked else ""]

    def _place(self, county: str) -> str:
        return self.labels.counties.get(county, county)

    def lines(self) -> Rows:
        head = self._head("county.name", "activation.band", "activation.aid", "county.households", "county.people", "unit.yuan")
        return [
            head,
            *(
                self._row(
                    x.aid, self._place(x.county), self.t.band(x.label), self.labels.aid(x.aid), x.households, x.people, _yuan(x.amount_fen)
                )
                for x in self.preview.lines
            ),
        ]

    def funds(self) -> Rows:
        sums = ("activation.need", "activation.committed", "activation.still", "fund.available", "activation.lack")
        rows: Rows = [self._head("county.name", "activation.aid", *sums)]
        for f in self.preview.funds:
            amounts = [_yuan(n) for n in (f.need_fen, f.committed_fen, f.still_fen, f.available_fen, f.short_fen)]
            rows.append(self._row(f.aid, self._place(f.county), self.labels.aid(f.aid), *amounts))
        return rows

    def stages(self) -> Rows:
        rows: Rows = [
            self._head("activation.aid", "household.stage", "household.waits", "chart.month", "chart.instalments", "unit.yuan"),
        ]
        for s in self.preview.stages:
            waits, month = self.t.word("condition", s.condition), s.month or self.t("chart.by_progress")
            rows.append(self._row(s.aid, self.labels.aid(s.aid), s.seq, waits, month, s.instalments, _yuan(s.amount_fen)))
        return rows

    def categories(self) -> Rows:
        rows: Rows = [self._head("county.name", "activation.aid", "fact.family", "county.households", "county.people", "unit.yuan")]
        for c in self.preview.categories:
            family = self.t.word("family", c.family)
            rows.append(
                self._row(c.aid, self._place(c.county), self.labels.aid(c.aid), family, c.households, c.people, _yuan(c.amount_fen))
            )
        return rows

    def unverified(self) -> Rows:
        keys = ("activation.figure", "activation.area", "unit.yuan", "playbook.valid", "activation.source")
        rows: Rows = [[self.t(k) for k in keys]]
        for u in self.preview.unverified:
            rows.append([u.key, self._place(u.area), _yuan(u.amount_fen), u.valid_from.isoformat(), u.document])
        return rows


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)
