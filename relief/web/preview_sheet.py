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


def figures_of(aid: Aid) -> set[str]:
    """The keys an amount of this aid may rest on."""
    return {aid.figure, *(r.figure for r in aid.rates), *(e.figure for e in aid.extras), *(c.figure for c in aid.caps)}


def unverified_aids(book: Playbook, preview: Preview) -> set[str]:
    """The aids of which some figure is a placeholder."""
    keys = {u.key for u in preview.unverified}
    return {a.code for a in book.aids if keys & figures_of(a)}


def workbook(labels: Labels, preview: Preview) -> bytes:
    """Lines, funds, stages, categories and the unverified figures, a sheet each; amounts are yuan."""
    t, marked = labels.t, unverified_aids(labels.book, preview)
    mark = t("playbook.unverified")

    def row(aid: str, *values: Value) -> list[Value]:
        return [*values, mark if aid in marked else ""]

    def place(county: str) -> str:
        return labels.counties.get(county, county)

    state = t("sheet.figures")
    lines = [
        row(x.aid, place(x.county), t.band(x.label), labels.aid(x.aid), x.households, x.people, _yuan(x.amount_fen)) for x in preview.lines
    ]
    funds = [
        row(
            f.aid,
            place(f.county),
            labels.aid(f.aid),
            *(_yuan(n) for n in (f.need_fen, f.committed_fen, f.still_fen, f.available_fen, f.short_fen)),
        )
        for f in preview.funds
    ]
    stages = [
        row(
            s.aid,
            labels.aid(s.aid),
            s.seq,
            t.word("condition", s.condition),
            s.month or t("chart.by_progress"),
            s.instalments,
            _yuan(s.amount_fen),
        )
        for s in preview.stages
    ]
    kinds = [
        row(c.aid, place(c.county), labels.aid(c.aid), t.word("family", c.family), c.households, c.people, _yuan(c.amount_fen))
        for c in preview.categories
    ]
    unverified: list[list[Value]] = [
        [u.key, place(u.area), _yuan(u.amount_fen), u.valid_from.isoformat(), u.document] for u in preview.unverified
    ]
    county, aid, yuan = t("county.name"), t("activation.aid"), t("unit.yuan")
    return sheets.book(
        [
            _sheet(
                t("activation.preview"), [county, t("activation.band"), aid, t("county.households"), t("county.people"), yuan, state], lines
            ),
            _sheet(
                t("activation.funds"),
                [
                    county,
                    aid,
                    *(t(f"activation.{k}") for k in ("need", "committed", "still")),
                    t("fund.available"),
                    t("activation.lack"),
                    state,
                ],
                funds,
            ),
            _sheet(
                t("chart.stage"),
                [aid, t("household.stage"), t("household.waits"), t("chart.month"), t("chart.instalments"), yuan, state],
                stages,
            ),
            _sheet(t("chart.category"), [county, aid, t("fact.family"), t("county.households"), t("county.people"), yuan, state], kinds),
            _sheet(
                t("activation.figures"),
                [t("activation.figure"), t("activation.area"), yuan, t("playbook.valid"), t("activation.source")],
                unverified,
            ),
        ]
    )


def _sheet(title: str, heads: Sequence[Value], rows: Sequence[Sequence[Value]]) -> tuple[str, Sequence[Sequence[Value]], int]:
    return title.replace("：", " ").replace(":", "")[:31], [heads, *rows], 1


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)
