"""The whole line by hand: every form an officer presses, from an empty register to three signatures."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import activate, fund, register
from relief.store import db
from relief.store.views import households, running
from tests import make
from tests.noticed import hang_out
from tests.web.conftest import Clock, Enter, code

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ZONE = ROOT / "geo" / "data" / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
COUNTY = make.LUDING


def _name(tag: str) -> str:
    found = re.search(r'name="(\w+)"', tag)
    assert found, tag
    return found[1]


class Desk:
    """A person with a browser without script: opens pages, presses the buttons of their forms."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.client.headers["Accept"] = "text/html"

    async def open(self, path: str) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])
        return answer.text

    async def press(self, page: str, action: str, files: Any = None, **given: str) -> httpx.Response:
        """Send the form with that action as a browser would: hidden and ticked fields of the page, and what was typed."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
        assert form, f"no form {action} in {re.findall('action=.*?>', page)}"
        data: dict[str, Any] = {}
        for tag in re.findall(r"<input [^>]*>", form[1]):
            kind, value = re.search(r'type="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
            if value and kind and kind[1] != "checkbox":
                data.setdefault(_name(tag), []).append(unescape(value[1]))
        for box in re.findall(r"<input type=\"checkbox\"[^>]*>", form[1]):
            if " checked" in box and " disabled" not in box:
                data.setdefault(_name(box), []).extend(re.findall(r'value="([^"]*)"', box))
        for name, options in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form[1], re.DOTALL):
            values = re.findall(r'<option value="([^"]*)"( selected)?', options)
            data[name] = next((v for v, selected in values if selected), values[0][0])
        data.update(given)
        return await self.client.post(action, data=data, files=files)

    async def do(self, page: str, action: str, files: Any = None, **given: str) -> str:
        """Press, and follow to the page that says it is done."""
        answer = await self.press(page, action, files, **given)
        assert answer.status_code == 303, answer.text[:3000]
        return await self.open(answer.headers["location"])


@pytest.fixture
async def rules(pool: db.Pool, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        await activate.import_playbook(tx, SYSTEM, (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8"), clock.now)
        await activate.load_standards(
            tx, SYSTEM, (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8"), clock.now
        )


async def families(pool: db.Pool, incident: str, keys: Keys, clock: Clock) -> None:
    """Six households near the epicentre, two of them with collapsed homes."""

    async with db.begin(pool) as tx:
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        items = [make.registration(n, incident=UUID(incident), lon=102.08, lat=29.62, rooms_collapsed=3 if n < 2 else 0) for n in range(6)]
        receipts = await register.register(tx, reporter, items, clock.now, keys)
        assert {r.outcome for r in receipts} == {"new"}


async def find(desk: Desk, page: str, action: str) -> str:
    """The address of a form, given as a pattern."""
    found = re.search(rf'action="({action})"', page)
    assert found, re.findall("action=.*?>", page)
    return found[1]


async def draw_zone(province: Desk, second: Desk) -> str:
    """Incident opened, zone imported by one officer and put in force by another; the incident's address."""
    page = await province.open(f"/incidents/new?county={COUNTY}&hazard=020100&occurred_at=2022-09-05T12:52&drill=yes")
    assert "2022-09-05 泸定县地震" in page
    opened = await province.press(page, "/incidents")
    at = opened.headers["location"].split("?")[0]
    assert 'class="drill"' in await province.open(at)
    page = await province.open(at + "/zones/new")
    page = await province.do(page, at + "/zones", {"file": ("v1.geojson", ZONE.read_bytes())}, title="快速评估", reason="震后首报")
    assert "须由拟稿人以外" in page
    page = await second.open(at + "/zones")
    await second.do(page, await find(second, page, f"{at}/zones/[0-9a-f-]+/force"))
    return at


async def fund_county(finance: Desk, incident: str) -> None:
    page = await finance.open("/funds")
    for purpose in ("EMERG", "HOUSE"):
        page = await finance.do(page, "/funds", incident=incident, purpose=purpose, document=f"演财〔2022〕{purpose}号", amount="500000.00")
    assert page.count("500,000.00") >= 4


async def start_county(at: str, province: Desk, officer: Desk, approver: Desk) -> None:
    """Proposed, drafted, started by somebody else, decided."""
    page = await province.open(at + "/activation")
    assert "含未核实标准" in page
    await province.do(page, at + "/activation")
    page = await officer.open(at + "/activation")
    page = await officer.do(
        page, await find(officer, page, f"{at}/activation/[0-9a-f-]+/draft"), document="泸应急〔2022〕31号", cap="1000000.00"
    )
    assert "/start" not in page, "whoever drafted is not offered the start"
    page = await approver.open(at + "/activation")
    await approver.do(page, await find(approver, page, f"{at}/activation/{COUNTY}/[0-9a-f-]+/start"))
    page = await officer.open(at + "/activation")
    await officer.do(page, await find(officer, page, f"{at}/activation/{COUNTY}/[0-9a-f-]+/decide"))


async def test_officers_bring_money_from_an_empty_register_to_three_signatures(
    enter: Enter, pool: db.Pool, keys: Keys, clock: Clock, rules: None
) -> None:
    province, second = Desk(await enter("province_officer", "51")), Desk(await enter("province_officer", "51"))
    officer, approver = Desk(await enter("county_officer", COUNTY)), Desk(await enter("county_approver", COUNTY))
    reviewer = Desk(await enter("township_reviewer", make.MOXI))
    finance = {s: Desk(await enter(f"finance_{s}", COUNTY)) for s in ("preparer", "checker", "authoriser")}

    at = await draw_zone(province, second)
    incident = at.rsplit("/", 1)[1]
    await families(pool, incident, keys, clock)
    async with db.begin(pool) as tx:
        await fund.set_payer(tx, SYSTEM, COUNTY, "泸定县应急管理局（演示）", "6299995133220000000", clock.now)
    await fund_county(finance["preparer"], incident)
    await start_county(at, province, officer, approver)

    assert "小金额先行" in await reviewer.open("/")
    page = await reviewer.open("/approvals")
    assert "甄**" in page
    assert "甄演一" not in page
    await reviewer.do(page, "/approvals")
    async with db.begin(pool) as tx:
        await hang_out(tx, clock.now)
    await approver.do(await approver.open("/approvals"), "/approvals")

    await finance["preparer"].do(await finance["preparer"].open("/batches"), "/batches/freeze")
    for role, desk in finance.items():
        typed = {"code": code(desk.client, clock)} if role == "authoriser" else {}
        page = await desk.do(await desk.open("/batches"), "/batches/sign", **typed)
        assert 'action="/batches/sign"' not in page, "one signature covers the envelope"
    assert "未送银行" in await officer.open("/")
    page = await officer.open(f"/payments?show=batched&incident={incident}")
    story = re.search(rf'href="(/households/{COUNTY}/[0-9a-f-]+)"', page)
    assert story
    page = await officer.open(story[1])
    for word in ("登记受灾户", "核定", "审核通过", "批次经办", "批次复核", "批次审批"):
        assert word in page


async def test_pressing_a_money_button_twice_does_it_once(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    finance = Desk(await enter("finance_preparer", COUNTY))
    page = await finance.open("/funds")
    typed = {
        "incident": str(incident), "purpose": "EMERG", "source": "central", "year": "2022", "document": "演财〔2022〕1号", "budget_item": "2240703",
        "amount": "1.00", "county": COUNTY,
    }  # fmt: skip
    for _ in range(2):
        await finance.do(page, "/funds", **typed)
    assert (await finance.open("/funds")).count("演财〔2022〕1号") == 1


async def test_a_refusal_is_a_page_in_the_readers_language(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    finance = Desk(await enter("finance_preparer", COUNTY))
    page = await finance.open("/funds?lang=en")
    assert "Record a fund" in page
    answer = await finance.press(
        page, "/funds", incident=str(incident), purpose="EMERG", source="central", year="2022", document="x", budget_item="2240703", amount="1,5",
        county=COUNTY,
    )  # fmt: skip
    assert answer.status_code == 422
    assert "an amount is yuan with two decimals" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/incidents",
        "/households",
        "/approvals",
        "/corrections",
        "/evidence",
        "/batches",
        "/payments",
        "/funds",
        "/coming",
        "/holds",
        "/messages",
        "/confirmations",
    ],
)
async def test_an_empty_register_has_words_on_every_page(shared_enter: Enter, path: str) -> None:
    role = {
        "/batches": "finance_checker",
        "/approvals": "township_reviewer",
        "/corrections": "township_reviewer",
        "/confirmations": "reporter",
    }.get(path, "county_officer")
    desk = Desk(await shared_enter(role, "510104"))
    page = await desk.open(path)
    assert "<main" in page


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("reporter", "/batches"),
        ("reporter", "/funds"),
        ("auditor", "/evidence"),
        ("finance_checker", "/messages"),
        ("system_admin", "/households"),
    ],
)
async def test_a_page_without_the_right_is_refused_in_words(shared_enter: Enter, role: str, path: str) -> None:
    client = await shared_enter(role, COUNTY)
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "您没有此项权限" in answer.text


async def test_another_county_s_things_are_not_found(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    await families(pool, str(incident), keys, clock)
    own, foreign = await enter("county_officer", COUNTY), await enter("county_officer", make.SHIMIAN)
    mine = (await own.get("/api/v1/households")).json()["items"]
    assert len(mine) == 6
    assert {h["householder"] for h in mine} == {"甄**"}
    assert (await foreign.get("/api/v1/households")).json()["items"] == []
    path = f"/households/{COUNTY}/{mine[0]['id']}"
    assert (await own.get(path)).status_code == 200
    assert (await foreign.get(path)).status_code == 404
    assert (await own.get(f"/incidents/{incident}/cells/5/25/13")).content != b""
    assert (await foreign.get(f"/incidents/{incident}/cells/5/25/13")).content == b""


async def test_a_reviewer_of_another_township_sees_nothing_of_it(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    await families(pool, str(incident), keys, clock)
    neighbour = await enter("township_reviewer", "513322100")
    assert (await neighbour.get("/api/v1/households")).json()["items"] == []


async def test_pages_of_a_list_follow_each_other_without_gap_or_repeat(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    await families(pool, str(incident), keys, clock)
    officer = await enter("county_officer", COUNTY)
    seen: list[str] = []
    after = ""
    while True:
        page = (await officer.get("/api/v1/households", params={"limit": 4, **({"after": after} if after else {})})).json()
        seen += [h["id"] for h in page["items"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 6


async def test_every_number_of_the_funnel_opens_exactly_its_households(pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        incident = await make.incident(tx)
        await make.awards(tx, keys, incident=incident, reporter=reporter, count=3)
        await register.register(tx, reporter, [make.registration(90, incident=incident)], make.NOW, keys)
        patterns = [make.LUDING + "%"]
        counts = await running.funnel(tx, incident, patterns)
        for step, expected in (("registered", 4), ("decided", 3), ("approved", 0), ("bank", 0), ("paid", 0), ("confirmed", 0)):
            found = await households.households(tx, patterns, incident, None, step, ("", UUID(int=0)), 50)
            assert (step, len(found), getattr(counts, step)) == (step, expected, expected)
