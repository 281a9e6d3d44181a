"""The resident's page: slip and code open it, nothing else; what it shows and takes works without JavaScript."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar

from relief.domain.sealing import Keys
from relief.settings import Settings
from relief.store import db
from relief.store.db import Pool
from relief.web.house import House
from tests import paid
from tests.make import NOW
from tests.paid import Paid

pytestmark = pytest.mark.slow


@pytest.fixture
def app(built: Litestar, pool: Pool, keys: Keys) -> Litestar:
    built.state.house = House(pool=pool, keys=keys, settings=Settings(), clock=lambda: NOW)
    return built


@pytest.fixture
async def person(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers={"Accept": "text/html"}) as client:
        yield client


@pytest.fixture
async def family(pool: Pool, keys: Keys) -> Paid:
    async with db.begin(pool) as tx:
        return (await paid.told(tx, keys, two_way=False))[0]


async def look(person: httpx.AsyncClient, slip: str, code: str) -> httpx.Response:
    return await person.post("/r/look", data={"slip": slip, "code": code})


async def answer(person: httpx.AsyncClient, family: Paid, **more: str) -> httpx.Response:
    return await person.post("/r/answer", data={"slip": family.slip, "code": family.code, **more})


async def test_the_first_page_asks_for_slip_and_code_and_needs_no_script(person: httpx.AsyncClient) -> None:
    page = await person.get("/r?slip=513322k7p2m4qxnb")
    assert page.status_code == 200
    assert 'value="513322-K7P2M4QXNB"' in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert (await person.get("/r/resident.css")).headers["content-type"].startswith("text/css")


async def test_slip_and_code_show_the_money_but_no_name_and_no_number(pool: Pool, person: httpx.AsyncClient, family: Paid) -> None:
    page = await look(person, family.slip, family.code)
    assert page.status_code == 200
    for shown in ("1,234.56 元", "应急救助金", "收到了", "没收到", "我要反映", "****"):
        assert shown in page.text
    assert 'class="drill"' in page.text, "the family's incident is a drill"
    for hidden in ("甄演一", family.phone, family.phone[3:], "519999"):
        assert hidden not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_control_characters_are_refused_and_never_an_error(person: httpx.AsyncClient, family: Paid) -> None:
    for form in ({"slip": "513322\0", "code": "1"}, {"slip": family.slip, "code": "\x1b1"}):
        page = await person.post("/r/look", data=form)
        assert (page.status_code, "control_char" in page.text) == (422, True)


async def test_the_slip_may_be_typed_in_many_ways(person: httpx.AsyncClient, family: Paid) -> None:
    wide = family.code.translate({d: d + 0xFEE0 for d in range(48, 58)})
    for slip in (family.slip.lower(), family.slip.replace("-", " "), "　" + family.slip.replace("-", "－")):
        assert (await look(person, slip, wide)).status_code == 200


async def test_a_wrong_code_and_a_slip_that_never_was_get_the_same_page(person: httpx.AsyncClient, family: Paid) -> None:
    wrong = f"{(int(family.code) + 1) % 1_000_000:06d}"
    one = await look(person, family.slip, wrong)
    other = await look(person, "513322-2222222222", wrong)
    assert one.status_code == other.status_code == 403
    assert one.text.replace(family.slip, "") == other.text.replace("513322-2222222222", "")


async def test_guessing_is_stopped_and_the_count_survives_every_refusal(person: httpx.AsyncClient, family: Paid) -> None:
    wrong = f"{(int(family.code) + 1) % 1_000_000:06d}"
    statuses = [(await look(person, family.slip, wrong)).status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    assert (await look(person, family.slip, family.code)).status_code == 429


async def test_received_is_noted_once_and_a_second_thought_is_turned_away(pool: Pool, person: httpx.AsyncClient, family: Paid) -> None:
    page = await answer(person, family, payment=str(family.payment), answer="confirmed")
    assert page.status_code == 200
    assert "已登记：收到了" in page.text
    assert "您已确认：收到了" in page.text
    assert (await answer(person, family, payment=str(family.payment), answer="confirmed")).status_code == 200
    turned = await answer(person, family, payment=str(family.payment), answer="disputed")
    assert turned.status_code == 409
    assert "此前已有不同的答复" in turned.text
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT status || ' ' || way FROM confirmation") == "confirmed page"


async def test_not_received_opens_a_complaint(pool: Pool, person: httpx.AsyncClient, family: Paid) -> None:
    page = await answer(person, family, payment=str(family.payment), answer="disputed")
    assert "您已反映：没收到" in page.text
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT kind FROM complaint WHERE payment = $1", family.payment) == "not_received"


async def test_something_else_can_be_reported(pool: Pool, person: httpx.AsyncClient, family: Paid) -> None:
    assert "已登记您的反映" in (await answer(person, family, payment=str(family.payment), answer="complaint", kind="wrong_amount")).text
    assert "已登记您的反映" in (await answer(person, family, answer="complaint", kind="other")).text
    assert (await answer(person, family, answer="complaint", kind="weather")).status_code == 422
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT count(*) FROM complaint") == 2


async def test_a_broken_answer_is_refused_and_changes_nothing(pool: Pool, person: httpx.AsyncClient, family: Paid) -> None:
    broken: list[dict[str, str]] = [{"answer": "confirmed"}, {"answer": "confirmed", "payment": "x"}, {"answer": "nonsense"}, {}]
    for more in broken:
        assert (await answer(person, family, **more)).status_code == 422
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT status FROM confirmation") == "awaited"


async def test_another_site_cannot_answer_for_a_resident(person: httpx.AsyncClient, family: Paid) -> None:
    form = {"slip": family.slip, "code": family.code, "payment": str(family.payment), "answer": "confirmed"}
    assert (await person.post("/r/answer", data=form, headers={"Origin": "https://evil.example"})).status_code == 403


async def test_a_household_without_an_award_is_told_so(pool: Pool, keys: Keys, person: httpx.AsyncClient) -> None:
    async with db.begin(pool) as tx:
        [family] = await paid.households(tx, keys)
        await tx.execute("UPDATE award SET status = 'withdrawn'")
    page = await look(person, family.slip, family.code)
    assert "目前没有救助款项" in page.text
