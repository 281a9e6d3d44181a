"""A zone in a real browser: drawn, brought as a file that is wrong somewhere, mended with consent, put in force by another person."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from geo import zonefile
from relief.domain.policy import SYSTEM, Grant
from relief.domain.sealing import Keys
from relief.domain.zone import NewZone
from relief.services import register, sign_in, zoning
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.house import House
from tests import make
from tests.browser.conftest import Serve
from tests.geo.shapes import feature, file, polygon, square

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PASSWORD = "a calm long password"
#: Crosses itself where the two diagonals meet.
BOW = [[102.0, 29.5], [102.2, 29.7], [102.2, 29.5], [102.0, 29.7], [102.0, 29.5]]
CROSSING = "102.1000, 29.6000"
#: Pixels of the map in the colour of what is refused: the outline of the bow itself.
REFUSED = """() => {
    const map = document.querySelector('[data-draw] canvas'), copy = document.createElement('canvas');
    [copy.width, copy.height] = [map.width, map.height];
    const pen = copy.getContext('2d');
    pen.drawImage(map, 0, 0);
    const seen = pen.getImageData(0, 0, copy.width, copy.height).data;
    let n = 0;
    for (let i = 0; i < seen.length; i += 4) n += Math.abs(seen[i] - 165) < 8 && Math.abs(seen[i + 1] - 35) < 8 && Math.abs(seen[i + 2] - 27) < 8;
    return n > 300;
}"""


def file_of(ring: list[list[float]]) -> dict[str, object]:
    shape = {"type": "Feature", "properties": {"level": 8}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return {
        "name": "灾区.geojson",
        "mimeType": "application/geo+json",
        "buffer": json.dumps({"type": "FeatureCollection", "features": [shape]}).encode(),
    }


@pytest.fixture
async def address(serve: Serve, pool: db.Pool, keys: Keys) -> str:
    house = House(pool=pool, keys=keys, settings=Settings(), clock=lambda: datetime.now(UTC))
    return await serve(site.build(house))


@pytest.fixture
async def incident(pool: db.Pool, keys: Keys) -> UUID:
    """Two officers of the province, and seven households of which five lie where the bow is."""
    async with db.begin(pool) as tx:
        people = [
            sign_in.NewStaff(login, name, PASSWORD, (Grant("province_officer", "51"),)) for login, name in (("one", "甲"), ("two", "乙"))
        ]
        await sign_in.create_staff(tx, SYSTEM, people, datetime.now(UTC), sign_in.CHEAP)
        made = await make.incident(tx)
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        families = [make.registration(n, incident=made, lon=102.16 if n < 5 else 103.9, lat=29.6) for n in range(7)]
        await register.register(tx, reporter, families, make.NOW, keys)
    return made


async def enter(browser: Browser, address: str, login: str) -> Page:
    page = await browser.new_page(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
    await page.goto(address + "/sign-in")
    await page.fill("input[name=login]", login)
    await page.fill("input[name=password]", PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("h1")).to_have_text("等我处理")
    return page


async def desk(page: Page, address: str, incident: UUID) -> None:
    await page.goto(f"{address}/incidents/{incident}/zones/new")
    await expect(page.locator("[data-draw]")).to_have_attribute("data-ready", "yes", timeout=30_000)


async def click(page: Page, *points: tuple[float, float], where: str = "[data-draw]") -> None:
    """Press at shares of the map's width and height, as a hand does: move, rest, press."""
    box = await page.locator(where).bounding_box()
    assert box
    for x, y in points:
        await page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=4)
        await page.mouse.down()
        await page.mouse.up()
        await page.wait_for_timeout(350)  # two presses closer together are a double click


async def keep(page: Page, title: str) -> None:
    await page.fill("input[name=title]", title)
    await page.fill("input[name=reason]", "会商研判")
    await page.get_by_role("button", name="导入为草稿").click()
    await expect(page.locator("main")).to_contain_text("已导入为草稿")


async def test_a_zone_is_drawn_mended_compared_and_put_in_force(browser: Browser, address: str, incident: UUID, pool: db.Pool) -> None:
    drafter, second = await enter(browser, address, "one"), await enter(browser, address, "two")
    faults: list[str] = []
    drafter.on("pageerror", lambda error: faults.append(str(error)))

    drawn = await _draws(drafter, address, incident)
    await second.goto(f"{address}/incidents/{incident}/zones")
    await second.get_by_role("button", name="确认第 1 版生效").click()
    await expect(second.locator("main")).to_contain_text("灾区范围已生效")

    await _begins_with_what_is_in_force(drafter, address, incident, drawn)
    await _brings_a_file(drafter, address, incident)
    await expect(drafter.locator("main")).to_contain_text("须由拟稿人以外的有权人员")
    await second.goto(f"{address}/incidents/{incident}/zones")
    await expect(second.locator(".notice", has_text="与生效的第 1 版相比")).to_contain_text(re.compile("5 户进入|5 户移出|0 户进入"))
    await expect(second.locator("[data-late] p[data-part]")).to_contain_text("尚未提出发放方案")
    await expect(second.locator(".map[data-ready=yes]")).to_be_visible(timeout=30_000)
    await second.get_by_role("button", name="确认第 2 版生效").click()
    await expect(second.locator("main")).to_contain_text("灾区范围已生效")
    assert faults == []
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT array_agg(status ORDER BY version) FROM zone") == ["superseded", "in force"]
        assert await db.value(tx, "SELECT repaired FROM zone_source s JOIN zone z ON z.id = s.zone WHERE z.version = 2")


async def test_distances_and_areas_are_measured_and_the_map_is_printed(
    browser: Browser, address: str, incident: UUID, pool: db.Pool
) -> None:
    """What the tools say agrees with the scale bar of the map, and paper gets the map and its legend without the buttons."""
    async with db.begin(pool) as tx:
        officer = await make.staff(tx, ("province_officer", "51"))
        found = zonefile.read(file(feature(polygon(square(0.3)), level=8)), "zone.geojson")
        await zoning.import_zone(tx, officer, incident, NewZone("范围", "会商"), b"zone", found, make.NOW)
    page = await enter(browser, address, "one")
    await page.goto(f"{address}/incidents/{incident}/zones")
    await expect(page.locator("[data-map]")).to_have_attribute("data-ready", "yes", timeout=30_000)
    box = await page.locator("[data-map]").bounding_box()
    assert box
    km = await _km_per_pixel(page)
    short, long = [await _measured(page, "测距", (0.3, 0.5), (x, 0.5)) for x in (0.5, 0.7)]
    assert short == pytest.approx(0.2 * box["width"] * km, rel=0.06)
    assert long == pytest.approx(2 * short, rel=0.02)
    area = await _measured(page, "测面积", (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
    assert area == pytest.approx(long * 0.4 * box["height"] * km, rel=0.06)
    await page.get_by_role("button", name="清除").click()
    await expect(page.locator("[data-measured]")).to_be_empty()
    await page.evaluate("addEventListener('beforeprint', () => { document.body.dataset.printed = 'yes'; })")
    await page.get_by_role("button", name="打印").click()
    await expect(page.locator("body[data-printed=yes]")).to_be_attached()
    await page.emulate_media(media="print")
    for gone in (".map-tools", ".bar", "form", ".maplibregl-ctrl-top-right"):
        await expect(page.locator(gone).first).to_be_hidden()
    await expect(page.locator("[data-map] canvas")).to_be_visible()
    await expect(page.locator(".legend")).to_be_visible()
    assert len(await page.pdf(format="A4", print_background=True)) > 20_000


async def _km_per_pixel(page: Page) -> float:
    """By the scale bar."""
    bar = page.locator(".maplibregl-ctrl-scale")
    width = await bar.evaluate("bar => bar.getBoundingClientRect().width")
    number, unit = (await bar.inner_text()).split()
    return float(number) / (1 if unit == "km" else 1000) / float(width)


async def _measured(page: Page, tool: str, *points: tuple[float, float]) -> float:
    """What the map says of a line or a polygon through these shares of its width and height."""
    await page.get_by_role("button", name=tool, exact=True).click()
    await click(page, *points, where="[data-map]")
    said = (await page.locator("[data-measured]").inner_text()).split(" · ")[0]
    await page.get_by_role("button", name="清除").click()
    number, unit = said.replace(",", "").split()
    return float(number) / (1000 if unit == "m" else 1)


async def _draws(page: Page, address: str, incident: UUID) -> str:
    """A polygon; a circle that is undone; a piece cut out of the polygon. Returns what the server says of it."""
    await desk(page, address, incident)
    result, save = page.locator("[data-result]"), page.get_by_role("button", name="导入为草稿")
    await expect(save).to_be_disabled()
    await page.get_by_role("button", name="多边形").click()
    await click(page, (0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.7), (0.3, 0.3))
    await expect(result).to_contain_text("GeoJSON", timeout=15_000)
    whole = await _area(page)
    await page.get_by_role("button", name="圆", exact=True).click()
    await click(page, (0.8, 0.5), (0.85, 0.5))
    await expect(result.locator(".notice.done")).not_to_have_text(whole, timeout=15_000)
    await page.get_by_role("button", name="撤销").click()
    await expect(result.locator(".notice.done")).to_have_text(whole, timeout=15_000)
    await page.get_by_role("button", name="挖去").click()
    await click(page, (0.4, 0.4), (0.5, 0.4), (0.5, 0.6), (0.4, 0.4))
    await expect(result.locator(".notice.done")).not_to_have_text(whole, timeout=15_000)
    drawn = await _area(page)
    await keep(page, "手绘范围")
    return drawn


async def _begins_with_what_is_in_force(page: Page, address: str, incident: UUID, drawn: str) -> None:
    """The same shape comes back to be edited, the piece cut out included; with a band more it is another one."""
    await desk(page, address, incident)
    await page.get_by_role("button", name="以第 1 版为底稿").click()
    await expect(page.locator("[data-result] .notice.done")).to_have_text(drawn, timeout=15_000)
    await page.get_by_role("button", name="圆", exact=True).click()
    await click(page, (0.1, 0.5), (0.13, 0.5))
    await expect(page.locator("[data-result] .notice.done")).not_to_have_text(drawn, timeout=15_000)


async def _area(page: Page) -> str:
    return await page.locator("[data-result] .notice.done").inner_text()


async def _brings_a_file(page: Page, address: str, incident: UUID) -> None:
    """Refused with the place of its fault; the repair is shown before it is accepted."""
    await desk(page, address, incident)
    await page.locator("input[name=file]").set_input_files(file_of(BOW))  # type: ignore[arg-type]
    await expect(page.get_by_role("alert")).to_contain_text(CROSSING, timeout=15_000)
    await expect(page.locator(".pin.bad")).to_be_visible()
    assert await page.wait_for_function(REFUSED, timeout=15_000)
    await expect(page.get_by_role("button", name="导入为草稿")).to_be_disabled()
    await expect(page.locator("[data-result]")).to_contain_text(re.compile(r"修复前 (\d\S*) km² → 修复后 \1 km²"))
    await page.get_by_role("button", name="接受修复").click()
    await expect(page.locator("[data-result] .notice.done")).to_be_visible(timeout=15_000)
    await keep(page, "重新勘定")
