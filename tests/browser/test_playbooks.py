"""Rules in a real browser: a faulty file shows its line, a good one is put in force by another person, and an activation is seen as charts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from relief.domain.policy import SYSTEM, Grant
from relief.domain.sealing import Keys
from relief.domain.zone import NewZone
from relief.services import activate, register, sign_in, zoning
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.house import House
from tests import make
from tests.browser.conftest import Serve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PASSWORD = "a calm long password"
ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
FIGURES = (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8")
ZONE = ROOT / "geo" / "data" / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
NEXT = re.sub('version = "[0-9]+"', 'version = "99"', TEXT).replace("\ndays = 15", "\ndays = 20")


def file_of(text: str) -> dict[str, object]:
    return {"name": "earthquake.toml", "mimeType": "application/toml", "buffer": text.encode()}


@pytest.fixture
async def address(serve: Serve, pool: db.Pool, keys: Keys) -> str:
    house = House(pool=pool, keys=keys, settings=Settings(), clock=lambda: datetime.now(UTC))
    return await serve(site.build(house))


@pytest.fixture
async def incident(pool: db.Pool, keys: Keys) -> str:
    """Two officers of the province, a zone in force and twenty households in it."""
    now, content = datetime.now(UTC), ZONE.read_bytes()
    bands = await zoning.inspect(content, "v1.geojson")
    async with db.begin(pool) as tx:
        people = [
            sign_in.NewStaff(login, name, PASSWORD, (Grant("province_officer", "51"),)) for login, name in (("one", "甲"), ("two", "乙"))
        ]
        await sign_in.create_staff(tx, SYSTEM, people, now, sign_in.CHEAP)
        await activate.import_playbook(tx, SYSTEM, TEXT, now)
        await activate.load_standards(tx, SYSTEM, FIGURES, now)
        made = await make.incident(tx)
        drafter, second, reporter = [await make.staff(tx, ("province_officer", "51"), ("reporter", make.MOXI)) for _ in range(3)]
        zone = await zoning.import_zone(tx, drafter, made, NewZone("快速评估", "震后首报"), content, bands, now)
        await zoning.put_in_force(tx, second, zone, now)
        families = [make.registration(n, incident=made, lon=102.08, lat=29.62, rooms_collapsed=n % 3) for n in range(20)]
        await register.register(tx, reporter, families, now, keys)
    return str(made)


async def enter(browser: Browser, address: str, login: str, width: int) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 1000}, locale="zh-CN")
    await page.goto(address + "/sign-in")
    await page.fill("input[name=login]", login)
    await page.fill("input[name=password]", PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("h1")).to_have_text("等我处理")
    return page


async def test_a_version_is_brought_forced_and_seen_as_charts(browser: Browser, address: str, incident: str) -> None:
    drafter, second = await enter(browser, address, "one", 1440), await enter(browser, address, "two", 390)
    faults: list[str] = []
    for page in (drafter, second):
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)

    await _bring(drafter, address)
    await second.goto(address + "/")
    await second.locator(".card", has_text="预案待确认生效").get_by_role("link", name="去确认").click()
    await second.get_by_role("link", name="第 99 版").click()
    await expect(second.locator("ins").first).to_have_text("20")
    await second.get_by_role("button", name="确认第 99 版生效").click()
    await expect(second.locator("main")).to_contain_text("预案已生效")

    await second.goto(f"{address}/incidents/{incident}/activation")
    charts = second.locator(".chart")
    await expect(charts).to_have_count(6)
    for i in range(6):
        bar = await charts.nth(i).locator("svg rect").first.bounding_box()
        assert bar
        assert bar["width"] > 20, "a bar one can see on a phone"
    assert await second.evaluate("document.documentElement.scrollWidth") <= 390, "nothing sticks out sideways"
    await expect(second.locator("main")).to_contain_text("含未核实标准")
    assert faults == []


async def _bring(page: Page, address: str) -> None:
    """Once with a fault, whose line is shown; then mended."""
    await page.goto(address + "/playbooks/new")
    faulty = NEXT.replace('approver = "township"', 'approver = "county"')
    line = next(n for n, written in enumerate(faulty.splitlines(), 1) if written.startswith("approver"))
    await page.locator("input[name=file]").set_input_files(file_of(faulty))  # type: ignore[arg-type]
    await page.get_by_role("button", name="检查并保存为草稿").click()
    row = page.get_by_role("row", name=f"第 {line} 行", exact=False).first
    await expect(row).to_contain_text("与救助方式不符")
    await page.locator("input[name=file]").set_input_files(file_of(NEXT))  # type: ignore[arg-type]
    await page.get_by_role("button", name="检查并保存为草稿").click()
    await expect(page.locator("main")).to_contain_text("须由拟稿人以外的省级人员")
