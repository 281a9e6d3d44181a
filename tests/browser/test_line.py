"""The whole line in a real browser, with real processes behind it: activate, approve, release, be paid, answer.

Two officers activate, the township approves, three finance people release, the rehearsal bank pays, and a resident says 收到了.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from relief.demo import people
from relief.demo.acts import V1
from relief.demo.people import People
from relief.domain.incident import NewIncident
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.domain.zone import NewZone
from relief.services import activate, fund, register, zoning
from relief.services.register import Receipt
from relief.store import db
from relief.store.db import Pool
from relief.web.texts import CATALOGUE
from tests import make
from tests.processes import PERFECT_BANK, free_url, port, process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HOUSEHOLDS = 6


class Stage(msgspec.Struct):
    """Where the console is, and what the households hold in their hands."""

    url: str
    phones: str
    receipts: list[Receipt]
    people: People


@pytest.fixture
async def stage(database: str, pool: Pool, keys: Keys, home: Path) -> AsyncIterator[Stage]:
    """An incident with its zone in force, a proposed playbook, six households; web, worker and twins running."""
    (home / "keys.json").write_bytes(msgspec.json.encode(keys))
    receipts, staff = await _before_the_officers_come(pool, keys)
    url, phones = free_url(), free_url()
    environment = {
        "RELIEF_HOME": str(home),
        "RELIEF_DATABASE_URL": database,
        "RELIEF_PUBLIC_URL": url,
        "RELIEF_LISTEN_PORT": port(url),
        "RELIEF_SMS_BASE_URL": phones,
        "RELIEF_TICK_SECONDS": "0.3",
    }
    commands = [
        ["serve"], ["work"], ["rehearse", "bank", "--poll-s", "0.2", *PERFECT_BANK],
        ["rehearse", "sms", "--port", port(phones), "--inbound-url", f"{url}/hooks/sms/inbound"],
    ]  # fmt: skip
    async with AsyncExitStack() as running:
        for command in commands:
            running.enter_context(process(environment, *command))
        await _answers(f"{url}/health")
        await _answers(phones)
        yield Stage(url, phones, receipts, staff)


async def _before_the_officers_come(pool: Pool, keys: Keys) -> tuple[list[Receipt], People]:
    content = V1.read_bytes()
    bands = await zoning.inspect(content, V1.name)
    async with db.begin(pool) as tx:
        staff = await people.hire(tx, {make.LUDING: "泸定县"}, {make.MOXI: "磨西镇"}, make.NOW, keys)
        province = staff["province.officer"]
        incident = await zoning.open_incident(tx, province, NewIncident("020100", make.LUDING, make.NOW, drill=True), make.NOW)
        zone = await zoning.import_zone(tx, province, incident, NewZone("快速评估影响场", "首版"), content, bands, make.NOW)
        await zoning.put_in_force(tx, staff["province.second"], zone, make.NOW)
        families = [make.registration(n, incident=incident, two_way=n == 0) for n in range(HOUSEHOLDS)]
        receipts = await register.register(tx, staff[f"{make.MOXI}.reporter"], families, make.NOW, keys)
        playbook = await activate.import_playbook(tx, SYSTEM, (make.ROOT / "playbooks/earthquake.toml").read_text("utf-8"), make.NOW)
        await activate.load_standards(tx, SYSTEM, (make.ROOT / "playbooks/standards/sichuan-rehearsal.toml").read_text("utf-8"), make.NOW)
        await activate.propose(tx, province, incident, zone, playbook, make.NOW)
        await make.fund(tx, incident=incident, amount_fen=5_000_000)
        await fund.set_payer(tx, staff[f"{make.LUDING}.prepare"], make.LUDING, "泸定县应急管理局（演示）", "6299995133220000000", make.NOW)
    return receipts, staff


async def _answers(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(300):
            try:
                async with session.get(url) as answer:
                    if answer.status < 500:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


async def _enter(browser: Browser, stage: Stage, login: str, width: int = 1440) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
    await page.goto(stage.url + "/sign-in")
    await page.fill("input[name=login]", login)
    await page.fill("input[name=password]", people.PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("h1")).to_have_text("等我处理")
    return page


async def _activation(browser: Browser, stage: Stage, desk: str) -> Page:
    page = await _enter(browser, stage, f"{make.LUDING}.{desk}")
    await page.goto(stage.url + "/incidents")
    await page.locator("td a[href^='/incidents/']").first.click()
    await page.get_by_role("link", name="启动响应").first.click()
    return page


async def test_from_activation_to_the_residents_answer(browser: Browser, stage: Stage, pool: Pool) -> None:
    officer = await _activation(browser, stage, "officer")
    card = officer.locator("article.envelope", has_text="泸定县")
    await card.locator("input[name=document]").fill("泸应急〔2022〕1号")
    await card.get_by_role("button").click()

    approver = await _activation(browser, stage, "approver")
    await approver.locator("article.envelope", has_text="泸定县").get_by_role("button", name=re.compile("启动")).click()

    await officer.reload()
    await officer.locator("article.envelope", has_text="泸定县").get_by_role("button").click()
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM award WHERE status = 'proposed'") == HOUSEHOLDS

    reviewer = await _enter(browser, stage, f"{make.MOXI}.reviewer", width=390)
    await reviewer.goto(stage.url + "/approvals")
    await reviewer.locator("button.main").click()
    await expect(reviewer.locator("main")).to_contain_text("已审核通过")

    preparer = await _enter(browser, stage, f"{make.LUDING}.prepare")
    await preparer.goto(stage.url + "/batches")
    await preparer.locator("form[action='/batches/freeze'] button").click()
    await _is_told(preparer, "frozen")  # leaving sooner would take the request back
    await preparer.goto(stage.url + "/batches")
    await preparer.locator("form[action='/batches/sign'] button").click()
    await _is_told(preparer, "signed")
    for desk in ("check", "authorise"):
        signer = await _enter(browser, stage, f"{make.LUDING}.{desk}")
        await signer.goto(stage.url + "/batches")
        if desk == "authorise":
            await signer.fill("input[name=code]", stage.people.phones[f"{make.LUDING}.{desk}"].code(datetime.now(UTC)))
        await signer.locator("form[action='/batches/sign'] button").click()
        await _is_told(signer, "signed")
        await expect(signer.locator("form[action='/batches/sign']")).to_have_count(0)

    await _until(pool, "SELECT count(*) FROM payment WHERE status = 'paid'", HOUSEHOLDS)
    await _until(pool, "SELECT count(*) FROM message WHERE status = 'delivered'", HOUSEHOLDS)
    await _resident_says_yes(browser, stage, stage.receipts[1])
    await _phone_says_yes(browser, stage)
    await _until(pool, "SELECT count(*) FROM confirmation WHERE status = 'confirmed' AND way IN ('page', 'sms')", 2)


async def _resident_says_yes(browser: Browser, stage: Stage, receipt: Receipt) -> None:
    """On an old phone without JavaScript."""
    assert receipt.slip is not None
    assert receipt.slip_code is not None
    context = await browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(stage.url + "/r")
    await page.fill("input[name=slip]", receipt.slip)
    await page.fill("input[name=code]", receipt.slip_code)
    await page.get_by_role("button", name="查看").click()
    await page.get_by_role("button", name="收到了").click()
    await expect(page.locator("body")).to_contain_text("您已确认：收到了")


async def _phone_says_yes(browser: Browser, stage: Stage) -> None:
    """In the phone simulator: read the text, press 1."""
    page = await browser.new_page()
    await page.goto(stage.phones)
    await page.locator("a", has_text="+1").first.click()
    await expect(page.locator("body")).to_contain_text("收到请回1")
    await page.locator("button[value='1']").first.click()


async def _is_told(page: Page, done: str) -> None:
    """The page that follows says what was done."""
    await expect(page.locator("main")).to_contain_text(CATALOGUE[f"done.{done}"][0], timeout=20_000)


#: What to look at when something is not reached.
_STANDS = """
SELECT 'batch ' || status AS what, count(*)::text AS much FROM batch GROUP BY status UNION ALL
SELECT 'payment ' || status, count(*)::text FROM payment GROUP BY status UNION ALL
SELECT 'row ' || disposition || ' ' || coalesce(code, ''), count(*)::text FROM bank_row GROUP BY disposition, code UNION ALL
SELECT 'act ' || act, count(*)::text FROM audit GROUP BY act UNION ALL
SELECT 'errand ' || name, due_at::text FROM errand
"""


async def _until(pool: Pool, question: str, wanted: int) -> None:
    for _ in range(240):
        async with db.read(pool) as tx:
            if await db.value(tx, question) == wanted:
                return
        await asyncio.sleep(0.25)
    async with db.read(pool) as tx:
        stands = [tuple(r) for r in await tx.fetch(_STANDS)]
    raise AssertionError(f"not reached: {question} = {wanted}; {stands}")
