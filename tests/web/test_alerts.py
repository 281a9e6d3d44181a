"""The inbox by hand: an alert only proposes; an officer opens, attaches or dismisses; a dead feed is seen."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar

from relief.services import alerts
from relief.settings import Settings
from relief.store import db
from tests import make
from tests.domain.test_alert import message
from tests.make import LUDING, SHIMIAN
from tests.services.test_alerts import cancel, named, update
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow

AT = "2022-09-05T13:12"
FIRST = named(0, headline="泸定县暴雨橙色预警", severity="Severe")


async def hear(pool: db.Pool, *messages: object, clock: Clock) -> list[UUID]:
    """These messages come in; the proposed ones, oldest first."""
    async with db.begin(pool) as tx:
        await alerts.receive(tx, messages, clock.now)  # type: ignore[arg-type]
        return [r["id"] for r in await tx.fetch("SELECT id FROM alert WHERE status = 'proposed' ORDER BY sent")]


async def test_home_leads_to_the_inbox_and_an_incident_is_opened_from_an_alert(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, FIRST, clock=clock)
    officer = Desk(await enter("county_officer", LUDING))
    home = await officer.open("/")
    assert "预警待处理" in home
    assert 'href="/alerts"' in home
    page = await officer.open("/alerts")
    for shown in ("泸定县暴雨橙色预警", "严重", "建议名称：2022-09-05 泸定县暴雨", "不会自动建立事件"):
        assert shown in page, shown
    assert (await officer.press(page, f"/alerts/{alert}/incident", drill="", occurred_at=AT)).status_code == 422, (
        "real or drill must be said"
    )
    assert "未签名：只能建立演练" in page
    refused = await officer.press(page, f"/alerts/{alert}/incident", drill="no", occurred_at=AT)
    assert (refused.status_code, "没有签名的预警不能直接建立真实灾害" in refused.text) == (403, True)
    page = await officer.do(page, f"/alerts/{alert}/incident", drill="yes", occurred_at=AT)
    assert "灾害事件已建立" in page
    assert "2022-09-05 泸定县暴雨" in page
    assert "没有待处理的预警" in await officer.open("/alerts")
    assert "已采用" in await officer.open("/alerts?show=decided")
    assert "预警待处理" not in await officer.open("/")


@pytest.mark.slow
async def test_news_of_an_incident_is_attached_to_it_and_a_cancel_changes_nothing(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, FIRST, clock=clock)
    officer = Desk(await enter("county_officer", LUDING))
    await officer.do(await officer.open("/alerts"), f"/alerts/{alert}/incident", drill="yes", occurred_at=AT)
    [end] = await hear(pool, cancel(9, FIRST, headline="解除暴雨预警"), clock=clock)
    page = await officer.open("/alerts")
    for shown in ("解除", "针对：泸定县暴雨橙色预警", "属于已有事件 2022-09-05 泸定县暴雨", "系统不会因此改变任何内容"):
        assert shown in page, shown
    assert f"/alerts/{end}/incident" not in page, "a cancel opens nothing"
    page = await officer.do(page, f"/alerts/{end}/attach")
    assert "已归入事件" in page
    assert "解除暴雨预警" in page
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT status FROM incident") == "reported"


@pytest.mark.slow
async def test_an_alert_is_dismissed_with_a_reason_that_is_kept(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, FIRST, clock=clock)
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open("/alerts")
    assert (await officer.press(page, f"/alerts/{alert}/dismiss", reason=" ")).status_code == 422
    await officer.do(page, f"/alerts/{alert}/dismiss", reason="降雨已过境，未成灾")
    assert "降雨已过境，未成灾" in await officer.open("/alerts?show=decided")


@pytest.mark.slow
async def test_tests_exercises_and_superseded_messages_are_shown_as_such_without_a_button(
    enter: Enter, pool: db.Pool, clock: Clock
) -> None:
    other = named(3, nature="exercise", headline="地震应急演练"), named(4, nature="test", headline="测试消息")
    [_] = await hear(pool, FIRST, update(2, FIRST, headline="泸定县暴雨红色预警"), *other, clock=clock)
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open("/alerts")
    assert "更新" in page
    assert "地震应急演练" not in page
    kept = await officer.open("/alerts?show=kept")
    for shown in ("演习消息，不作处理", "测试消息，不作处理", "已被更新取代"):
        assert shown in kept, shown
    assert "<form method=" not in kept.replace('<form method="post" action="/sign-out">', "")


@pytest.mark.slow
async def test_another_county_sees_nothing_and_the_message_itself_is_plain_text(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, message(headline="x", body=b"<script>alert(1)</script>"), clock=clock)
    stranger = await enter("county_officer", SHIMIAN)
    assert "没有待处理的预警" in await Desk(stranger).open("/alerts")
    assert (await stranger.get(f"/alerts/{alert}/message")).status_code == 404
    officer = await enter("county_officer", LUDING)
    answer = await officer.get(f"/alerts/{alert}/message")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await (await enter("reporter", make.MOXI)).get("/alerts")).status_code == 403


@pytest.mark.slow
async def test_two_contents_of_one_name_are_a_case_that_somebody_answers(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    await hear(pool, FIRST, clock=clock)
    await hear(pool, msgspec.structs.replace(FIRST, headline="别的内容"), clock=clock)
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open("/alerts")
    assert "同一编号、内容不同的消息" in page
    async with db.read(pool) as tx:
        case = await db.value(tx, "SELECT id FROM alert_conflict")
    page = await officer.do(page, f"/alerts/conflicts/{case}", reason="发布单位更正后误用原编号")
    assert "同一编号、内容不同的消息" not in page


@pytest.mark.slow
@pytest.mark.parametrize(("ago", "heard", "word"), [(0, True, "正常"), (1, False, "中断"), (30, True, "已停止查询")])
async def test_a_dead_feed_is_seen_in_the_inbox_and_on_the_first_page(
    enter: Enter, app: Litestar, pool: db.Pool, clock: Clock, ago: int, heard: bool, word: str
) -> None:
    app.state.house = msgspec.structs.replace(app.state.house, settings=Settings(feed_cap_url="http://127.0.0.1:9/atom.xml"))
    officer = Desk(await enter("county_officer", LUDING))
    assert "已配置，尚未查询过" in await officer.open("/alerts")
    async with db.begin(pool) as tx:
        at = clock.now - timedelta(minutes=ago)
        await alerts.visited(tx, "cap", heard, () if heard else ("feed_unreachable",), at)
    page = await officer.open("/alerts")
    assert word in page
    assert ("无法连接" in page) is not heard
    assert ("预警源中断" in await officer.open("/")) is (word != "正常")


@pytest.mark.slow
async def test_a_county_that_is_only_named_sees_the_alert_and_decides_nothing(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    [alert] = await hear(pool, named(0, headline="跨县暴雨", codes=(LUDING, SHIMIAN)), clock=clock)
    named_too = Desk(await enter("county_officer", SHIMIAN))
    page = await named_too.open("/alerts")
    assert "跨县暴雨" in page
    assert "由 泸定县 或上级处理" in page
    assert f"/alerts/{alert}/dismiss" not in page
    assert "预警待处理" not in await named_too.open("/")
