"""One night in a real browser: an alert waits, the county opens the incident on a phone and reports, the province decides a level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from relief.domain.policy import SYSTEM, Grant
from relief.domain.sealing import Keys
from relief.services import alerts, respond, sign_in
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.house import House
from tests import make
from tests.browser.conftest import Serve
from tests.domain.test_alert import message

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PASSWORD = "a calm long password"
PLANS = make.ROOT / "playbooks" / "plans"


@pytest.fixture
async def address(serve: Serve, pool: db.Pool, keys: Keys) -> str:
    """Two officers, the plans, and one alert of three hours ago."""
    now = datetime.now(UTC)
    people = [("county", "county_officer", make.LUDING), ("province", "province_officer", "51")]
    async with db.begin(pool) as tx:
        staff = [sign_in.NewStaff(login, login, PASSWORD, (Grant(role, area),)) for login, role, area in people]
        await sign_in.create_staff(tx, SYSTEM, staff, now, sign_in.CHEAP)
        for path in sorted(PLANS.glob("*.toml")):
            await respond.import_plan(tx, SYSTEM, path.read_text("utf-8"), now)
        said = message(
            headline="泸定县地震", event="地震", hazard="020100", sent=now, occurred_at=now - timedelta(hours=3), severity="Extreme"
        )
        await alerts.receive(tx, [said], now)
    return await serve(site.build(House(pool=pool, keys=keys, settings=Settings(), clock=lambda: datetime.now(UTC))))


async def enter(browser: Browser, address: str, login: str, width: int) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
    await page.goto(address + "/sign-in")
    await page.fill("input[name=login]", login)
    await page.fill("input[name=password]", PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("h1")).to_have_text("等我处理")
    return page


async def test_from_the_alert_to_the_report_and_the_response(browser: Browser, address: str, pool: db.Pool) -> None:
    county = await enter(browser, address, "county", 390)
    await county.get_by_role("link", name="去查看").click()
    await county.get_by_label("演练：永不进入真实银行和手机").check()
    await county.get_by_role("button", name="建立灾害事件").click()
    await expect(county.locator("main")).to_contain_text("灾害事件已建立")
    await expect(county.locator(".drill-word")).to_have_text("演练")

    await county.goto(address + "/")
    await county.get_by_role("link", name="去报送").click()
    await county.locator("tr.mark a").first.click()
    for name, value in (("source", "县应急局"), ("deaths", "21"), ("missing", "4")):
        await county.fill(f"[name={name}]", value)
    await county.get_by_role("button", name="报送第 1 版").click()
    await expect(county.locator("main")).to_contain_text("初报 · 第 1 版")
    assert await county.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "fits a phone"

    province = await enter(browser, address, "province", 1440)
    await province.goto(county.url.split("/reports")[0] + "/responses")
    desk = province.locator("details", has_text="记录国家决定（四川省）")
    await expect(desk).to_contain_text("建议启动Ⅳ级")
    await desk.locator("input[name=document]").fill("国减办〔2026〕演练1号")
    await desk.locator("input[name=reason]").fill("死亡和失踪达到启动条件")
    await desk.get_by_role("button").click()
    await expect(province.locator("main")).to_contain_text("决定已记录")
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT issuer || ' ' || level || ' ' || indicator FROM response") == "national 4 dead_missing"
