"""A playbook as an officer reads it: sentences whose amounts lead to their clause, and two versions side by side."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain import playbook, standard
from relief.domain.policy import SYSTEM
from relief.services import activate
from relief.store import db
from relief.web.comparison import _marks, compare
from relief.web.document import Document, compose
from relief.web.texts import Texts
from tests import make
from tests.web.conftest import Enter

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
FIGURES = (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8")


def document(text: str = TEXT, lang: str = "zh") -> Document:
    return compose(playbook.read(text), standard.read(FIGURES), Texts(lang))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_amount_of_the_document_leads_to_a_figure_with_clause_and_source(lang: str) -> None:
    doc = document(lang=lang)
    amounts = [p for s in doc.sections for c in s.clauses for p in c.pieces if not isinstance(p, str)]
    rows = {f.key: f for f in doc.figures}
    assert len(amounts) >= 4
    for amount in amounts:
        row = rows[amount.key]
        assert row.basis
        assert row.standard is not None
        assert row.standard.document
        assert amount.fen == row.standard.amount_fen
        assert not amount.verified


def test_a_figure_without_an_amount_is_said_to_be_missing() -> None:
    doc = compose(playbook.read(TEXT), [s for s in standard.read(FIGURES) if s.key != "HOUSE.rebuild"], Texts("zh"))
    assert doc.missing == 1
    assert [f.key for f in doc.figures if f.standard is None] == ["HOUSE.rebuild"]


def test_a_changed_day_is_the_only_difference_of_two_versions() -> None:
    rows = [r for r in compare(document(), document(TEXT.replace("days = 15", "days = 20"))) if r.state != "same"]
    assert [(r.section, r.path, r.state) for r in rows] == [("应急期救助", "amount", "changed")]
    assert [m.text for m in rows[0].old if m.changed] == ["15"]
    assert [m.text for m in rows[0].new if m.changed] == ["20"]


@given(st.text("应急期每人15 20天.", max_size=30), st.text("应急期每人15 20天.", max_size=30))
def test_both_sides_of_a_comparison_are_whole(old: str, new: str) -> None:
    left, right = _marks(old, new)
    assert "".join(m.text for m in left) == old
    assert "".join(m.text for m in right) == new
    assert [m.text for m in left if not m.changed] == [m.text for m in right if not m.changed]


@pytest.fixture
async def version(pool: db.Pool) -> UUID:
    async with db.begin(pool) as tx:
        await activate.load_standards(tx, SYSTEM, FIGURES, make.NOW)
        return await activate.import_playbook(tx, SYSTEM, TEXT, make.NOW)


async def read(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_county_officer_reads_the_figures_of_their_own_county(enter: Enter, version: UUID) -> None:
    officer = await enter("county_officer", make.LUDING)
    assert f"/playbooks/{version}" in await read(officer, "/playbooks")
    page = await read(officer, f"/playbooks/{version}")
    assert '<option value="513322" selected>泸定县' in page
    assert page.count("未核实</span>") >= 8, "marked in the sentence and in the table"
    assert 'href="#figure-HOUSE.rebuild"' in page
    assert 'id="figure-HOUSE.rebuild"' in page
    assert "本地无此标准" in await read(officer, f"/playbooks/{version}?day=1999-01-01")
