"""灾情与响应 by hand: a county reports and corrects itself, the province passes on, a named officer decides the level proposed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from relief.domain.policy import SYSTEM
from relief.services import respond
from relief.store import db
from tests import make
from tests.domain.test_statistics import CHANGNING
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow

PLANS = make.ROOT / "playbooks" / "plans"


@pytest.fixture
async def incident(pool: db.Pool, clock: Clock) -> UUID:
    async with db.begin(pool) as tx:
        for path in sorted(PLANS.glob("*.toml")):
            await respond.import_plan(tx, SYSTEM, path.read_text("utf-8"), clock.now)
        return await make.incident(tx)


def local(clock: Clock, ago: timedelta = timedelta()) -> str:
    return (clock.now + timedelta(hours=8) - ago).strftime("%Y-%m-%dT%H:%M")


async def test_versions_are_kept_and_a_jump_is_flagged(enter: Enter, incident: UUID, clock: Clock) -> None:
    officer, at = Desk(await enter("county_officer", make.LUDING)), f"/incidents/{incident}/reports"
    page = await officer.open(at)
    assert "初报" in page
    assert "逾期" in page, "two hours have long passed"
    page = await officer.do(page, at, as_of=local(clock), source="县应急局", deaths="7", relocated="81")
    assert "已报送" in page
    clock.now += timedelta(hours=1)
    page = await officer.do(page, at, as_of=local(clock), source="县应急局", deaths="7", relocated="3300")
    assert "变动大，请核对 ×40.7" in page
    assert "第 1 版" in page
    page = await officer.do(page, at, as_of=local(clock), source="县应急局", kind="zero")
    assert "零报告" in page
    assert (await officer.press(page, at, as_of="soon", source="县应急局")).status_code == 422


async def test_a_level_is_proposed_with_its_indicator_and_decided_by_a_document(enter: Enter, incident: UUID, clock: Clock) -> None:
    county, at = Desk(await enter("county_officer", make.LUDING)), f"/incidents/{incident}/reports"
    await county.do(await county.open(at), at, as_of=local(clock), source="县应急局", deaths="46", missing="16", relocated="52000")
    province = Desk(await enter("province_officer", "51"))
    page = await province.open(f"/incidents/{incident}")
    assert "国家 <strong>" in page, "the situation page says what is proposed"
    decided = f"/incidents/{incident}/responses"
    page = await province.open(decided)
    assert "死亡和失踪 62 ≥" in page
    assert "未核实" in page
    form = page[page.index('value="national"') - 400 :]
    page = await province.do(form, decided, document="国减办〔2022〕1号", reason="会商研判", decided_at=local(clock))
    assert "国减办〔2022〕1号" in page
    assert "决定已记录" in page


async def test_an_officer_of_a_county_decides_nothing_for_the_province(enter: Enter, incident: UUID, clock: Clock) -> None:
    officer = await enter("county_officer", make.LUDING)
    answer = await officer.post(
        f"/incidents/{incident}/responses",
        data={
            "csrf": officer.headers["X-Test-Csrf"], "issuer": "province", "area": "51", "act": "launch", "level": "4",
            "document": "川减灾委〔2022〕1号", "reason": "会商", "decided_at": local(clock),
        },
    )  # fmt: skip
    assert answer.status_code == 403


async def test_a_version_is_passed_on_by_whoever_may(enter: Enter, incident: UUID, clock: Clock, pool: db.Pool) -> None:
    county, at = Desk(await enter("county_officer", make.LUDING)), f"/incidents/{incident}/reports"
    page = await county.do(await county.open(at), at, as_of=local(clock), source="县应急局", deaths="1")
    assert f'action="{at}/relay"' not in page
    city = Desk(await enter("city_officer", "5133"))
    page = await city.do(await city.open(at), at + "/relay")
    assert "已上报" in page
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT level FROM report_relay") == "city"


async def test_changning_is_kept_with_its_jump_and_any_two_versions_stand_side_by_side(enter: Enter, incident: UUID, clock: Clock) -> None:
    officer, at = Desk(await enter("county_officer", make.LUDING)), f"/incidents/{incident}/reports"
    page = await officer.open(at)
    for _, figures in CHANGNING:
        clock.now += timedelta(hours=1)
        page = await officer.do(page, at, as_of=local(clock), source="县应急局", **figures)
    assert "第 3 版已保存，其中" in page, "a jump warns and is kept"
    assert "已报的不会被改写" in page
    page = await officer.open(f"{at}?county={make.LUDING}&left=1&right=3")
    compared = page[page.index("两版并排") :]
    assert "×43.0" in compared, "73 rooms became 3,137"
    assert ">73<" in compared
    assert "<strong>3,137</strong>" in compared
    assert "下一版" not in page
    workbook = await officer.client.get(f"{at}/file")
    assert workbook.content[:2] == b"PK"


async def test_deadlines_stand_on_the_first_page_and_on_a_page_of_their_own(enter: Enter, incident: UUID, clock: Clock) -> None:
    officer = Desk(await enter("county_officer", make.LUDING))
    home = await officer.open("/")
    assert "灾情报送已逾期" in home
    assert 'href="/reports"' in home
    page = await officer.open("/reports")
    assert "县级 初报" in page
    assert "应由我报" in page
    assert f"/incidents/{incident}/reports?county={make.LUDING}" in page
    reviewer = Desk(await enter("township_reviewer", make.MOXI))
    assert "灾情报送" not in await reviewer.open("/"), "who reports nothing is not chased"


@pytest.mark.slow
async def test_a_government_without_a_plan_decides_too_and_ends_it_again(enter: Enter, incident: UUID, clock: Clock) -> None:
    city, at = Desk(await enter("city_officer", "5133")), f"/incidents/{incident}/responses"
    page = await city.open(at)
    assert "没有该级预案，按会商结论记录" in page
    said = {"document": "甘减灾委〔2022〕1号", "reason": "会商研判", "decided_at": local(clock)}
    page = await city.do(page, at, act="launch", level="3", **said)
    assert "启动 Ⅲ级" in page
    page = await city.do(page, at, act="raise", level="2", **said)
    page = await city.do(page, at, act="lower", level="4", **said)
    page = await city.do(page, at, act="end", **{**said, "document": "甘减灾委〔2022〕4号"})
    for shown in ("启动 Ⅲ级", "提升 Ⅱ级", "降低 Ⅳ级", "终止", "甘减灾委〔2022〕4号"):
        assert shown in page, shown
    assert (await city.press(page, at, act="raise", level="1", **said)).status_code == 409, "nothing is in force to be raised"


@pytest.mark.slow
async def test_a_neighbours_launch_is_asked_about_and_named(enter: Enter, incident: UUID, clock: Clock) -> None:
    """The plan of 2024 links at 80 per cent; on this day the plan of 2016 holds, which links nothing."""
    province = Desk(await enter("province_officer", "51"))
    page = await province.open(f"/incidents/{incident}/responses?neighbour=4")
    assert 'name="neighbour" value="4"' in page
    assert (await province.client.get(f"/incidents/{incident}/responses?neighbour=9")).status_code == 422
