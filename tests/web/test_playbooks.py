"""A playbook as an officer reads it, compares it, brings a new version of it and puts that in force; and figures likewise."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain import playbook, standard
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import activate
from relief.store import db
from relief.web.clauses import compose
from relief.web.comparison import _marks, compare
from relief.web.document import Document
from relief.web.texts import Texts
from tests import make
from tests.web.conftest import Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
CASES = (ROOT / "playbooks" / "earthquake.cases.toml").read_text("utf-8")
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
    rows = [r for r in compare(document(), document(TEXT.replace("\ndays = 15", "\ndays = 20"))) if r.state != "same"]
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


NEXT = re.sub('version = "[0-9]+"', 'version = "99"', TEXT).replace("\ndays = 15", "\ndays = 20")


def toml(text: str) -> dict[str, tuple[str, bytes, str]]:
    return {"file": ("earthquake.toml", text.encode(), "application/toml")}


async def upload(desk: Desk, text: str) -> httpx.Response:
    return await desk.press(await desk.open("/playbooks/new"), "/playbooks", toml(text))


async def test_the_county_officer_reads_the_figures_of_their_own_county(enter: Enter, version: UUID) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    assert f"/playbooks/{version}" in await officer.open("/playbooks")
    page = await officer.open(f"/playbooks/{version}")
    assert '<option value="513322" selected>泸定县' in page
    assert page.count("未核实</span>") >= 8, "marked in the sentence and in the table"
    assert 'href="#figure-HOUSE.rebuild"' in page
    assert 'id="figure-HOUSE.rebuild"' in page
    assert "本地无此标准" in await officer.open(f"/playbooks/{version}?day=1999-01-01")
    assert re.search("[0-9]+ 个相符，0 个不符", page), "the worked cases stand beside the rule"


async def test_a_faulty_file_is_refused_with_the_line_of_every_fault(enter: Enter, version: UUID) -> None:
    province = Desk(await enter("province_officer", "51"))
    faulty = NEXT.replace('approver = "township"', 'approver = "county"')
    answer = await upload(province, faulty)
    assert answer.status_code == 422
    line = next(n for n, written in enumerate(faulty.splitlines(), 1) if written.startswith("approver"))
    assert f"第 {line} 行" in answer.text
    assert "与救助方式不符" in answer.text
    assert "approver = &#34;county&#34;" in answer.text, "the line as written"
    assert "第 99 版" not in await province.open("/playbooks"), "nothing is kept"
    assert "UTF-8" in (await province.press(await province.open("/playbooks/new"), "/playbooks", {"file": ("x.toml", b"\xff", "a/b")})).text


async def test_a_version_comes_into_force_by_a_second_person_who_saw_what_it_changes(enter: Enter, version: UUID) -> None:
    drafter, second = Desk(await enter("province_officer", "51")), Desk(await enter("province_officer", "51"))
    answer = await upload(drafter, NEXT)
    assert answer.status_code == 303
    at = answer.headers["location"].split("?")[0]
    assert "须由拟稿人以外" in await drafter.open(at)
    assert (await drafter.client.post(f"{at}/force", data={"csrf": drafter.client.headers["X-Test-Csrf"]})).status_code == 403
    page = await second.open(at)
    assert "<del>15</del>" in page
    assert "<ins>20</ins>" in page
    assert "个算例与这一版算得的不同" in page, "old cases say fifteen days"
    page = await second.do(page, f"{at}/force")
    assert "预案已生效" in page
    assert "<ins>20</ins>" in await second.open(f"/playbooks/{version}/compare/{at.rsplit('/', 1)[1]}")
    assert (await upload(drafter, NEXT.replace("\ndays = 20", "\ndays = 21"))).status_code == 409, (
        "the version number stands for another text"
    )


async def test_a_version_brings_its_own_cases_and_faulty_ones_are_refused_by_line(enter: Enter, version: UUID) -> None:
    province = Desk(await enter("province_officer", "51"))
    mended = CASES.replace('give = { EMERG = "900.00", HOUSE = "0.00" }', 'give = { EMERG = "1200.00", HOUSE = "0.00" }', 1)
    files = {**toml(NEXT), "cases": ("cases.toml", mended.replace("[figures]", "[figure]").encode(), "application/toml")}
    page = await province.open("/playbooks/new")
    refused = await province.press(page, "/playbooks", files)
    assert (refused.status_code, "cases.toml" in refused.text) == (422, True)
    assert "第 99 版" not in await province.open("/playbooks"), "neither is kept"
    page = await province.do(page, "/playbooks", {**toml(NEXT), "cases": ("cases.toml", mended.encode(), "application/toml")})
    assert "算例随第 99 版上传" in page


async def test_a_figure_is_drafted_looked_at_and_forced_by_another(enter: Enter, pool: db.Pool, keys: Keys, version: UUID) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        zone, _, activation = await make.activated(tx, incident=incident)
        await tx.execute("UPDATE activation SET playbook = $2 WHERE id = $1", activation, version)
        await tx.execute("INSERT INTO zone_county (zone, county, area_km2, share) VALUES ($1, '513322', 1, 0.1)", zone)
    officer, approver = Desk(await enter("county_officer", make.LUDING)), Desk(await enter("county_approver", make.LUDING))
    given = {
        "figure": "EMERG.per_person_day",
        "area": make.LUDING,
        "amount": "25.00",
        "document": "泸民〔2022〕9号",
        "valid_from": "2022-09-01",
    }
    page = await officer.do(await officer.open("/standards"), "/standards", **given)
    assert "须由拟稿人以外" in page
    at = f"/standards/{next(iter(re.findall('/standards/([0-9a-f-]{36})/effect', page)))}"
    assert "地震" in await approver.open(f"{at}/effect"), "the open activation is named"
    page = await approver.do(await approver.open(at), f"{at}/force")
    assert "标准已生效" in page
    assert "未与文件核对" in page, "nobody said it was compared"
    assert "25.00" in await officer.open(f"/playbooks/{version}")
    bad = await officer.press(await officer.open("/standards"), "/standards/file", {"file": ("s.toml", b"[[standards]]\nkey = 1", "a/b")})
    assert (bad.status_code, "第 2 行" in bad.text) == (422, True)


async def test_drafts_of_one_document_are_forced_together(enter: Enter, pool: db.Pool, version: UUID) -> None:
    officer, approver = Desk(await enter("county_officer", make.LUDING)), Desk(await enter("county_approver", make.LUDING))
    given = {"area": make.LUDING, "document": "泸民〔2022〕9号", "valid_from": "2022-09-01", "verified": "yes"}
    for figure, amount in (("EMERG.per_person_day", "25.00"), ("DIBAO.month", "620.00")):
        page = await officer.do(await officer.open("/standards"), "/standards", figure=figure, amount=amount, **given)
    at = f"/standards/{next(iter(re.findall('/standards/([0-9a-f-]{36})/effect', page)))}"
    page = await approver.do(await approver.open(at), f"{at}/force-all")
    assert "标准已生效" in page
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM standard WHERE area = '513322' AND status = 'in force' AND verified") == 2
    assert (await officer.client.get(f"/playbooks/{version}/text")).text == TEXT
