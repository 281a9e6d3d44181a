"""The reporter's phone in a real browser: enrolled once, then flight mode, a killed tab, a cutting line, a double, a loss."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

from relief.demo import numbers
from relief.domain.policy import SYSTEM, Grant
from relief.domain.sealing import Keys
from relief.services import field, sign_in
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.house import House
from tests import make
from tests.browser.conftest import Serve
from tests.make import LUDING, MOXI, NOW

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PASSWORD: Final = "a calm long password"
PIN: Final = "246810"
NAME: Final = "甄演一"


class Line:
    """The line between phone and server: `cut` says of a request whether it never arrives ('before') or its answer is lost ('after')."""

    def __init__(self, app: Any) -> None:
        self.app: Any = app
        self.cut: Callable[[str], str] = lambda _: ""
        self.cuts = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        how = self.cut(scope.get("path", "")) if scope["type"] == "http" else ""
        if how == "after":

            async def lost(message: Any) -> None:
                pass

            await self.app(scope, receive, lost)
        if how:
            self.cuts += 1
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)


@pytest.fixture
async def incident(pool: db.Pool) -> UUID:
    async with db.begin(pool) as tx:
        person = sign_in.NewStaff("reporter", "演示信息员", PASSWORD, (Grant("reporter", MOXI),))
        await sign_in.create_staff(tx, SYSTEM, [person], datetime.now(UTC), sign_in.CHEAP)
        found = await make.incident(tx)
        await make.activated(tx, incident=found)
        return found


def a_photo() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((1800, 1200), 60).convert("RGB").save(out, "JPEG", quality=85, exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00")
    return out.getvalue()


async def enrol(page: Page, url: str) -> None:
    await page.goto(f"{url}/field")
    for box, text in (("login", "reporter"), ("password", PASSWORD), ("pin", PIN), ("pin-again", PIN)):
        await page.fill(f"#{box}", text)
    await page.click("#go")
    await expect(page.locator("#register")).to_be_visible(timeout=15_000)
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")


async def unlock(page: Page) -> None:
    await page.fill("#pin", PIN)
    await page.click("#go")
    await expect(page.locator("#register")).to_be_visible()


#: The weakest contrast of a text on this screen with what lies behind it, and that text.
CONTRAST: Final = """
() => {
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c; } return 'rgb(255, 255, 255)'; };
  let worst = [21, ''];
  for (const e of document.querySelectorAll('#field *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.textContent];
  }
  return worst;
}
"""


class Thumb:
    """Counts the taps; typing on the keypad is typing. Every screen it touches is looked at: targets, contrast."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    async def tap(self, what: str) -> None:
        self.taps += 1
        button = what.removeprefix("text=")
        target = self.page.locator(what if button == what else f'button:has-text("{button}")').first
        await expect(target).to_be_visible()
        box = await target.bounding_box()
        assert box is not None, what
        assert min(box["width"], box["height"]) >= 48, (what, box)
        ratio, text = await self.page.evaluate(CONTRAST)
        assert ratio >= 7, (ratio, text)
        await target.click()

    async def type(self, box: str, text: str, focused: bool = False) -> None:
        self.taps += not focused
        await self.page.fill(f"#{box}", text)


async def to_the_house(thumb: Thumb, n: int) -> None:
    """From the first question to the rooms: three people, a phone, an account."""
    await thumb.tap("#register")
    await thumb.tap(".choices .choice")
    people = [(NAME, numbers.householder_id(n)), ("甄演二", numbers.member_id(n * 6 + 1)), ("甄演三", numbers.member_id(n * 6 + 2))]
    for place, (name, number) in enumerate(people):
        if place == 1:
            await thumb.tap("text=添加成员")
        elif place == 2:
            await thumb.tap("text=再添一人")
        await thumb.type("name", name, focused=True)
        await thumb.type("number", number)
        if place == 0:
            await thumb.tap("#next")
    await thumb.tap("#next")
    await thumb.type("phone", numbers.mainland_phone(n), focused=True)
    await thumb.tap("#next")
    await thumb.type("account", numbers.account(n), focused=True)
    if not await thumb.page.locator(".choice.chosen").count():
        await thumb.tap("text=农村信用社")
    await thumb.tap("#next")
    await thumb.tap(".choices .choice")  # 一般户


async def from_the_house(thumb: Thumb) -> None:
    """Rooms, people hurt, relocation, needs, place, photos, intake, signature, saved."""
    page = thumb.page
    for _ in range(2):
        await thumb.tap(".counter button:last-child")
    await thumb.tap("text=砖木")
    await thumb.tap("#next")
    await thumb.tap("#next")  # nobody hurt
    await thumb.tap("text=分散安置")
    await thumb.tap("text=是，唯一住房")
    await thumb.tap("text=帐篷")
    await thumb.tap("#next")
    await expect(page.locator(".note.right")).to_contain_text("已定位")
    await thumb.tap("#next")
    for taken in range(1, 4):
        await page.set_input_files("#camera", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": a_photo()})
        thumb.taps += 2  # our button and the camera's own
        await expect(page.locator(".note").first).to_contain_text(f"已拍 {taken} 张")
    await thumb.tap("#next")
    await thumb.tap("#next")  # house call, resident
    box = await page.locator("canvas.pad").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 40)
    await page.mouse.down()
    for step in range(8):
        await page.mouse.move(box["x"] + 20 + 25 * step, box["y"] + 40 + 9 * (step % 3))
    await page.mouse.up()
    await thumb.tap("text=签好了")
    thumb.taps += 1
    await thumb.tap("#save")


STORED: Final = """
async () => {
  const db = await new Promise((done) => { const r = indexedDB.open('relief-field'); r.onsuccess = () => done(r.result); });
  const all = (store) => new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
  const raw = (v) => v instanceof ArrayBuffer ? new TextDecoder('latin1').decode(v) + new TextDecoder().decode(v)
    : v instanceof Uint8Array ? new TextDecoder('latin1').decode(v) : typeof v === 'object' && v !== null && !(v instanceof CryptoKey) ? JSON.stringify(v) : String(v);
  const [profiles, items] = [await all('profile'), await all('item')];
  db.close();
  return {profiles: profiles.length, kinds: items.map((i) => i.kind), text: [...profiles, ...items].flatMap((row) => Object.values(row).map(raw)).join('\\n'),
    extractable: profiles.some((p) => p.binder.extractable)};
}
"""


async def stored(page: Page) -> Any:
    return await page.evaluate(STORED)


@pytest.fixture
async def context(browser: Browser) -> BrowserContext:
    return await browser.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True, locale="zh-CN", permissions=["geolocation"],
        geolocation={"longitude": 102.11, "latitude": 29.64, "accuracy": 12},
    )  # fmt: skip


@pytest.fixture
async def line(pool: db.Pool, keys: Keys, tmp_path: Path) -> Line:
    return Line(site.build(House(pool=pool, keys=keys, settings=Settings(home=tmp_path), clock=lambda: datetime.now(UTC))))


async def written_offline(context: BrowserContext, url: str) -> Page:
    """A cold start without a network; the tab is killed in the middle; nothing of it can be read from the browser's store."""
    page = await context.new_page()
    await page.goto(f"{url}/field")
    await unlock(page)
    thumb = Thumb(page)
    await to_the_house(thumb, 1)
    await expect(page.locator("h1")).to_have_text("房屋损坏几间？")
    await page.wait_for_timeout(300)
    await page.close()
    thumb.page = page = await context.new_page()
    await page.goto(f"{url}/field")
    await unlock(page)
    await page.click('button:has-text("继续")')
    await from_the_house(thumb)
    await expect(page.locator("#waiting")).to_have_text("未上传 1 户 4 图")
    assert thumb.taps <= 45, thumb.taps
    kept = await stored(page)
    assert not kept["extractable"]
    for secret in (numbers.householder_id(1), NAME, numbers.account(1), numbers.mainland_phone(1)[3:], "\xff\xd8\xff\xe0\x00\x10JFIF"):
        assert secret not in kept["text"]
    return page


async def sent_over_a_cutting_line(page: Page, line: Line) -> None:
    """Of every address the first request is lost, and the answer of the second."""
    asked: list[str] = []

    def cut(path: str) -> str:
        if not path.startswith("/api/v1/field/"):
            return ""
        asked.append(path)
        return {1: "before", 2: "after"}.get(asked.count(path), "")

    line.cut = cut
    await page.context.set_offline(False)
    for _ in range(100):
        await page.click('button:has-text("同步")')
        if await page.locator("li.green").count() and await page.locator("#waiting").text_content() == "全部已上传":
            break
        await page.wait_for_timeout(300)
    await expect(page.locator("#waiting")).to_have_text("全部已上传")
    assert line.cuts >= 6
    await expect(page.locator("li.green")).to_contain_text("回执 513322-")
    line.cut = lambda _: ""


async def test_a_household_survives_flight_mode_a_killed_tab_and_a_cutting_line_and_a_lost_phone_forgets(
    pool: db.Pool, incident: UUID, context: BrowserContext, serve: Serve, line: Line
) -> None:
    url = await serve(line)  # type: ignore[arg-type]
    page = await context.new_page()
    await enrol(page, url)
    await context.set_offline(True)
    await page.close()
    page = await written_offline(context, url)
    await sent_over_a_cutting_line(page, line)
    async with db.begin(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM household WHERE incident = $1", incident) == 1
        assert await db.value(tx, "SELECT count(*) FROM photo WHERE status = 'received'") == 4
    assert not {"record", "photo", "draft"} & set((await stored(page))["kinds"])  # what the server has is gone from the phone

    again = Thumb(page)
    await to_the_house(again, 1)
    await from_the_house(again)
    await expect(page.locator("li.case").first).to_contain_text("两份都保留", timeout=15_000)

    async with db.begin(pool) as tx:
        device = await db.value(tx, "SELECT id FROM device")
        await field.revoke(tx, SYSTEM, LUDING, device, True, "手机遗失", NOW)
    await page.click('button:has-text("同步")')
    await expect(page.locator(".alarm")).to_contain_text("挂失")
    kept = await stored(page)
    assert (kept["profiles"], kept["kinds"]) == (0, [])
