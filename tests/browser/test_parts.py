"""Every part on one page, compared with stored pictures at phone and desk width; no script may break the page's own rules.

After an intended change: RELIEF_NEW_PICTURES=1 pytest tests/browser/test_parts.py, look at the pictures, commit them.
"""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from playwright.async_api import Browser

from relief.domain.sealing import Keys
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.house import House
from tests.browser.conftest import Serve

pytestmark = pytest.mark.slow
PICTURES = Path(__file__).parent / "pictures"
#: Another minor version of a font or browser moves some edges; a moved or recoloured part moves more.
MOST_DIFFERENT = 0.02


@pytest.fixture
async def address(serve: Serve, shared_pool: db.Pool, keys: Keys) -> str:
    house = House(pool=shared_pool, keys=keys, settings=Settings(), clock=lambda: datetime.now(UTC), development=True)
    return await serve(site.build(house))


@pytest.mark.parametrize("width", [390, 1440])
async def test_the_parts_look_as_they_were_approved(browser: Browser, address: str, width: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce", locale="zh-CN")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(address + "/dev/parts")
    picture = Image.open(io.BytesIO(await page.screenshot(full_page=True))).convert("RGB")
    assert faults == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out sideways"

    stored = PICTURES / f"parts-{width}.png"
    if os.environ.get("RELIEF_NEW_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        picture.quantize(64).save(stored, optimize=True)
    approved = Image.open(stored).convert("RGB")
    assert abs(picture.height - approved.height) <= approved.height * 0.01
    assert difference(picture, approved) <= MOST_DIFFERENT


def difference(one: Image.Image, other: Image.Image) -> float:
    """Share of pixels that differ clearly, over the common height."""
    size = (min(one.width, other.width), min(one.height, other.height))
    apart = ImageChops.difference(one.crop((0, 0, *size)), other.crop((0, 0, *size))).convert("L").point(lambda v: 255 if v > 48 else 0)
    return apart.histogram()[255] / (size[0] * size[1])


async def test_the_parts_have_names_for_those_who_do_not_see_them(browser: Browser, address: str) -> None:
    page = await browser.new_page()
    await page.goto(address + "/dev/parts")
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(
            (e) => !e.labels?.length && !e.getAttribute('aria-label')).map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert await page.get_attribute("html", "lang") == "zh-CN"
    assert await page.locator("main h1").count() >= 1


async def test_text_contrasts_with_its_ground(browser: Browser, address: str) -> None:
    page = await browser.new_page()
    await page.goto(address + "/dev/parts")
    faint = await page.evaluate(
        """() => {
            const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
            const lum = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
            return [...document.querySelectorAll('body *')].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
                .filter((e) => !e.disabled).map((e) => { const a = lum(rgb(getComputedStyle(e).color)), b = lum(ground(e));
                    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; }).filter(([r]) => r < 4.5);
        }"""
    )
    assert faint == []
