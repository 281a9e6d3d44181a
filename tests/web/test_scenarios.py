"""Activation on screen: what it costs from six sides, two versions side by side, a move seen before it is confirmed, a decision told in full."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest

from relief.domain import playbook
from relief.domain.forecast import Stage
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import enact
from relief.services.preview import Category, Line, Preview
from relief.store import db
from relief.web.charts import Labels, charts
from relief.web.console.estimates import COUNTS
from relief.web.texts import Texts
from tests import make
from tests.services.test_decide import World
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk
from tests.web.test_playbooks import NEXT, TEXT

pytestmark = pytest.mark.slow


@pytest.fixture
async def world(pool: db.Pool, keys: Keys, clock: Clock) -> World:
    """Five households in Luding, decided; a second version of the playbook in force that gives five days more."""
    async with db.begin(pool) as tx:
        world = await World(tx, keys).open()
        await tx.execute("INSERT INTO zone_county (zone, county, area_km2, share) SELECT id, $1, 1, 0.1 FROM zone", make.LUDING)
        world.households = [await world.family(1, members=2, relocated="centralised") for _ in range(4)]  # type: ignore[attr-defined]
        world.households.append(await world.family(1, members=2, rooms_collapsed=3))  # type: ignore[attr-defined]
        await world.decide()
        await make.fund(tx, incident=world.incident, amount_fen=100_000, purpose="EMERG")
        world.next = await enact.draft_playbook(tx, SYSTEM, NEXT, clock.now)  # type: ignore[attr-defined]
    return world


async def test_the_dry_run_says_what_is_short_who_stands_out_and_what_is_unverified(world: World, enter: Enter) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    page = await officer.open(f"/incidents/{world.incident}/activation")
    # 5 households of two for fifteen days at 20 yuan; 1,000 yuan are there
    assert "还需 3,000.00 元，可用 1,000.00 元，缺 2,000.00 元" in page.replace("应急期救助：需", "还需")
    for title in ("按县", "按分区", "按救助种类", "按家庭类型", "按分期", "按月份", "金额最大的 10 户", "最不寻常的 10 户"):
        assert title in page
    assert "随工程进度" in page, "stages that wait for progress have no month"
    assert page.count("未核实</span>") >= 4


async def test_the_dry_run_is_taken_along_with_every_placeholder_marked(world: World, enter: Enter) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    page = await officer.open(f"/incidents/{world.incident}/activation")
    link = re.search(r'href="(/incidents/[^"]+/activation/file[^"]+)"', page)
    assert link
    book = openpyxl.load_workbook(io.BytesIO((await officer.client.get(link[1])).content))
    assert book.worksheets[0].title == "预览 谁、多少"
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    assert {(r[2], r[5]) for r in rows} == {("应急期救助", 3000), ("因灾倒损民房恢复重建", 20000)}
    assert {r[-1] for sheet in book.worksheets[:4] for r in sheet.iter_rows(min_row=2, values_only=True)} == {"未核实"}
    assert len(list(book.worksheets[4].iter_rows(min_row=2))) >= 4


async def test_who_approves_is_told_that_amounts_rest_on_placeholders(world: World, enter: Enter) -> None:
    reviewer = Desk(await enter("township_reviewer", make.LUDING))
    assert "其中 5 份核定时所用的标准含未核实的占位数字" in await reviewer.open("/approvals")
    officer = Desk(await enter("county_officer", make.LUDING))
    assert "含未核实标准" in await officer.open(f"/incidents/{world.incident}")
    assert "含未核实标准" in await officer.open("/")


async def test_two_versions_are_compared_and_a_move_is_seen_before_it_is_confirmed(world: World, enter: Enter) -> None:
    one, two = Desk(await enter("province_officer", "51")), Desk(await enter("province_officer", "51"))
    at = f"/incidents/{world.incident}/activation"
    query = f"?zone={world.zones[0]}&playbook={world.playbook}&other_zone={world.zones[0]}&other_playbook={world.next}"  # type: ignore[attr-defined]
    page = await one.open(f"{at}/compare{query}")
    assert _figure(page, "增加") == "5"
    assert _figure(page, "减少") == "0"
    move = f"{at}/{world.activation}/move"
    page = await one.do(await one.open(move), move, playbook=str(world.next), reason="省级修订")  # type: ignore[attr-defined]
    assert "须由拟稿人以外" in page
    assert "换版待确认" in await two.open("/")
    page = await two.open(move)
    confirm = re.search(rf'action="({move}/[0-9a-f-]+/confirm)"', page)
    assert confirm
    assert "确认换版：5 户增加、0 户减少" in page
    assert (await one.client.post(confirm[1], data={"csrf": one.client.headers["X-Test-Csrf"]})).status_code == 403
    assert "第 99 版" in await two.do(page, confirm[1])


def _figure(page: str, label: str) -> str:
    found = re.search(rf'<div class="label">{label}</div>\s*<div class="value">([\d,.]+)', page)
    assert found, label
    return found[1]


async def test_another_playbook_of_the_hazard_stands_beside_the_running_one(world: World, pool: db.Pool, enter: Enter) -> None:
    async with db.begin(pool) as tx:
        other = await enact.draft_playbook(
            tx,
            SYSTEM,
            TEXT.replace('key = "earthquake"', 'key = "aftershock"').replace('period = "once"', 'first_day = 60\nperiod = "once"', 1),
            make.NOW,
        )
    province, at = Desk(await enter("province_officer", "51")), f"/incidents/{world.incident}/activation"
    page = await province.open(at)
    assert f'href="?playbook={other}"' in page
    assert f'action="{at}"' not in page, "the running one is not proposed again"
    page = await province.do(await province.open(f"{at}?playbook={other}"), at)
    assert "已提出启动" in page
    assert f'action="{at}"' not in page


async def test_a_decision_is_told_from_question_to_clause(world: World, enter: Enter) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    household = world.households[4]  # type: ignore[attr-defined]
    page = await officer.open(f"/households/{make.LUDING}/{household}")
    told = page[page.index("为什么是这个数") :]
    for words in ("住房倒塌", "系唯一住房", "20.00 × 15", "20,000.00", "《自然灾害救助条例》", "占位", "未核实"):
        assert words in told, words
    assert f"/playbooks/{world.playbook}" in told


async def test_before_registration_counts_by_hand_are_enough(world: World, enter: Enter) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    at = f"/incidents/{world.incident}/activation/estimate"
    page = await officer.open(at)
    columns: dict[str, Any] = {name: [""] * 8 for name in COUNTS}
    columns |= {"county": [make.LUDING] * 8, "level": ["8"] * 8, "family": ["ordinary"] * 8, "relocated": [""] * 8}
    columns["households"][0], columns["people"][0], columns["rooms_collapsed"][0] = "1,000", "3000", "2000"
    answer = await officer.press(page, at, **columns)
    assert answer.status_code == 200, answer.text
    assert _figure(answer.text, "填入") == "1,000"
    assert "1,200,000.00" in answer.text, "a thousand households of three for twenty days at 20 yuan: the newest version"
    columns["people"][0] = "many"
    assert (await officer.press(page, at, **columns)).status_code == 422


def test_every_chart_holds_the_whole_sum() -> None:
    """A second scenario stands beside the first in the same rows."""
    lines = [
        Line("513322", 0, "Ⅸ", "EMERG", 1, 3, 20_000),
        Line("513322", 1, "Ⅷ", "EMERG", 1, 3, 40_000),
        Line("511824", 1, "Ⅷ", "HOUSE", 1, 3, 2_000_000),
    ]
    categories = [Category("513322", "EMERG", "ordinary", 2, 6, 60_000), Category("511824", "HOUSE", "ordinary", 1, 3, 2_000_000)]
    stages = [Stage("EMERG", 1, "none", "2022-09", 2, 60_000), *(Stage("HOUSE", n, "materials_ready", None, 1, 1_000_000) for n in (1, 1))]
    shown = Preview(3, 0, 3, 9, 2_060_000, lines, [], [], {}, [], categories, stages)
    less = Preview(3, 0, 2, 6, 60_000, lines[:2], [], [], {}, [], categories[:1], stages[:1])
    labels = Labels({"513322": "泸定县"}, playbook.read(TEXT), Texts("zh"))
    found = {c.key: c for c in charts(labels, shown, less)}
    assert list(found) == ["county", "band", "aid", "category", "stage", "month"]
    for chart in found.values():
        assert sum(b.fen for b in chart.bars) == 2_060_000, chart.key
        assert sum(b.other_fen or 0 for b in chart.bars) == 60_000, chart.key
    assert [b.label for b in found["month"].bars] == ["2022-09", "随工程进度"]
