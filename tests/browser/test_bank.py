"""The bank desk in a real browser, on a phone and on a desk: an exception is worked off, an overpayment is set off by two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from relief.demo import people
from relief.domain.sealing import Keys
from relief.services import recover
from relief.store import db
from relief.store.db import Pool
from tests import make
from tests.browser.test_line import _answers
from tests.make import LUDING
from tests.processes import free_url, port, process
from tests.services.settled import FEN, LATER, at_bank, result, row, take
from tests.services.test_recover import owed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Desk(msgspec.Struct):
    """Where the console is, and what stands on it."""

    url: str
    case: str


@pytest.fixture
async def desk(database: str, pool: Pool, keys: Keys, home: Path) -> AsyncIterator[Desk]:
    """A result the bank got wrong by a yuan, and a household that was paid too much; only the console runs."""
    (home / "keys.json").write_bytes(msgspec.json.encode(keys))
    async with db.begin(pool) as tx:
        staff = await people.hire(tx, {LUDING: "泸定县"}, {make.MOXI: "磨西镇"}, make.NOW, keys)
        sent = await at_bank(tx, keys, 1, serial=9)
        await take(tx, keys, result([row(sent, 0, fen=FEN + 100)]))
        o = await owed(tx, keys)
        case = await recover.open_case(tx, staff[f"{LUDING}.officer"], LUDING, o.payment, 50_000, "等级核低", LATER)
    url = free_url()
    environment = {
        "RELIEF_HOME": str(home), "RELIEF_DATABASE_URL": database, "RELIEF_PUBLIC_URL": url, "RELIEF_LISTEN_PORT": port(url),
    }  # fmt: skip
    with process(environment, "serve"):
        await _answers(f"{url}/health")
        yield Desk(url, f"/recoveries/{LUDING}/{case}")


async def _enter(browser: Browser, desk: Desk, login: str, width: int) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
    await page.goto(desk.url + "/sign-in")
    await page.fill("input[name=login]", login)
    await page.fill("input[name=password]", people.PASSWORD)
    await page.click("button")
    await page.wait_for_url(desk.url + "/")
    return page


async def test_an_exception_is_worked_off_and_an_overpayment_is_set_off_by_two(browser: Browser, desk: Desk) -> None:
    preparer = await _enter(browser, desk, f"{LUDING}.prepare", 390)
    await preparer.get_by_role("link", name="去处理").click()
    await expect(preparer.get_by_role("heading", name="金额不符")).to_be_visible()
    await preparer.get_by_label("核实经过").fill("农信社确认多打一元，当日更正重发")
    await preparer.get_by_role("button", name="已请银行更正并重发文件").click()
    await expect(preparer.get_by_text("没有待处理的例外")).to_be_visible()

    officer = await _enter(browser, desk, f"{LUDING}.officer", 1440)
    await officer.goto(desk.url + desk.case)
    await officer.get_by_text("抵扣后续期次").click()
    await officer.get_by_label("文号").last.fill("同意书 1 号")
    await officer.get_by_role("button", name="提出抵扣，由第二人决定").click()
    await expect(officer.get_by_text("待第二人决定")).to_be_visible()

    approver = await _enter(browser, desk, f"{LUDING}.approver", 390)
    await approver.goto(desk.url + desk.case)
    await approver.get_by_role("button", name="同意", exact=True).click()
    await expect(approver.get_by_text("已预留 → 可用")).to_be_visible()
