"""One's own account, accounts of others, and the door against strangers."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from litestar import Litestar

from relief.services import sign_in
from relief.settings import Settings
from relief.store import db
from relief.web.house import House
from tests.make import LUDING
from tests.web.conftest import PASSWORD, Clock, Enter, new_client
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow


def from_address(app: Litestar, address: str) -> httpx.AsyncClient:
    """A browser at another address."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=(address, 1)), base_url="http://127.0.0.1:8000")


async def try_(client: httpx.AsyncClient, login: str, password: str) -> int:
    return (await client.post("/api/v1/session", json={"login": login, "password": password})).status_code


async def test_a_stranger_who_guesses_stops_themselves_and_not_the_officer(shared_enter: Enter, shared_app: Litestar, clock: Clock) -> None:
    officer = await shared_enter("county_officer", LUDING, login="li.lockout")
    async with from_address(shared_app, "203.0.113.9") as stranger, from_address(shared_app, "203.0.113.10") as other:
        for _ in range(sign_in.FAILURES):
            assert await try_(stranger, "li.lockout", "not this one") == 401
        assert await try_(stranger, "li.lockout", PASSWORD) == 429
        assert await try_(other, "li.lockout", PASSWORD) == 201, "another address may still try"
    async with new_client(shared_app) as again:
        assert await try_(again, "li.lockout", PASSWORD) == 201, "the officer's own address is not touched"
    assert (await officer.get("/api/v1/session")).status_code == 200


async def test_many_addresses_together_are_stopped_on_one_login_but_not_where_it_is_at_home(
    shared_enter: Enter, shared_app: Litestar, clock: Clock
) -> None:
    await shared_enter("county_officer", LUDING, login="li.botnet")
    for n in range(sign_in.LOGIN_FAILURES // 4):
        async with from_address(shared_app, f"198.51.100.{n}") as bot:
            for _ in range(4):
                assert await try_(bot, "li.botnet", "not this one") == 401
    async with from_address(shared_app, "198.51.100.200") as bot, new_client(shared_app) as home:
        assert await try_(bot, "li.botnet", PASSWORD) == 429
        assert await try_(home, "li.botnet", PASSWORD) == 201
        clock.now += sign_in.WINDOW + timedelta(seconds=1)
        assert await try_(bot, "li.botnet", PASSWORD) == 201


async def test_one_address_that_tries_many_logins_is_stopped(shared_app: Litestar, clock: Clock) -> None:
    clock.now += timedelta(days=3)  # what other tests did from this address is long ago
    async with from_address(shared_app, "2001:db8::1") as one, from_address(shared_app, "2001:db8::ffff") as neighbour:
        codes = [await try_(one, f"nobody.{n}", "not this one") for n in range(sign_in.ADDRESS_FAILURES)]
        assert set(codes) == {401}
        assert await try_(one, "nobody.else", "not this one") == 429
        assert await try_(neighbour, "nobody.else", "not this one") == 429, "the whole /64 is one address"


async def test_an_officer_enrols_a_phone_sees_sessions_and_changes_the_password(
    shared_enter: Enter, shared_app: Litestar, clock: Clock
) -> None:
    desk = Desk(await shared_enter("county_officer", LUDING, login="li.account"))
    page = await desk.do(await desk.open("/me"), "/me/factor")
    assert "<svg" in page
    assert "style=" not in page
    secret = re.sub(r"\s", "", html.unescape(re.search(r'class="mono breaks">(.*?)</span>', page)[1]))  # type: ignore[index]
    wrong = await desk.press(page, "/me/factor/code", code="000000")
    assert (wrong.status_code, "验证码不对" in wrong.text) == (403, True)
    async with db.read(shared_app.state.house.pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM sign_in_attempt WHERE subject LIKE 'factor:%' AND NOT ok") == 1, (
            "a wrong code counts"
        )
    done = await desk.press(page, "/me/factor/code", code=pyotp.TOTP(secret).at(clock.now))
    assert done.text.count('<li class="mono">') == 10
    assert "恢复码，只显示这一次" not in await desk.open("/me")

    async with new_client(shared_app) as elsewhere:
        assert await try_(elsewhere, "li.account", PASSWORD) == 201
        page = await desk.open("/me")
        assert page.count('action="/me/sessions/end"') == 2, "one other session, and all others"
        new = "four calm words here"
        assert (await desk.press(page, "/me/password", old="not this one", new=new, again=new)).status_code == 401
        assert (await desk.press(page, "/me/password", old=PASSWORD, new=new, again=new + "!")).status_code == 422
        for guessable in ("short", "password1234", "123456789012", "li.account li", "qwertyuiop12"):
            assert (await desk.press(page, "/me/password", old=PASSWORD, new=guessable, again=guessable)).status_code == 422, guessable
        await desk.do(page, "/me/password", old=PASSWORD, new=new, again=new)
        assert (await elsewhere.get("/api/v1/session")).status_code == 401, "every other session has ended"
        assert await try_(elsewhere, "li.account", PASSWORD) == 401
        assert await try_(elsewhere, "li.account", new) == 201


async def test_three_powers_make_grant_and_close_and_nobody_does_two_of_them(
    shared_enter: Enter, shared_app: Litestar, clock: Clock
) -> None:
    system, security = Desk(await shared_enter("system_admin", "51")), Desk(await shared_enter("security_admin", "51"))
    answer = await system.press(await system.open("/staff"), "/staff/new", login="wang.new", name="王演示")
    first = re.search(r'large-code">([^<]+)<', answer.text)
    assert first, (answer.status_code, answer.text[:3000])
    granted: dict[str, Any] = {"role": "finance_authoriser", "area": LUDING, "until": "2022-12-31"}
    csrf = system.client.headers["X-Test-Csrf"]
    refused = await system.client.post("/staff/grant", data={"csrf": csrf, "login": "wang.new", **granted})
    assert refused.status_code == 403
    page = await security.do(await security.open("/staff?find=wang.new"), "/staff/grant", **granted)
    assert "财政审批" in page

    async with new_client(shared_app) as person:
        signed = await person.post("/api/v1/session", json={"login": "wang.new", "password": first[1]})
        assert signed.status_code == 201
        assert (await person.get("/api/v1/batches")).json()["code"] == "password_due"
        assert (await person.get("/batches", headers={"Accept": "text/html"})).headers["location"] == "/me"
        desk = Desk(person)
        assert "请先更换口令" in await desk.open("/me")
        await desk.do(await desk.open("/me"), "/me/password", old=first[1], new="four calm words here", again="four calm words here")
        assert (await person.get("/api/v1/batches")).status_code == 200
        clock.now += timedelta(days=118)  # the last day is over
        security, system = Desk(await shared_enter("security_admin", "51")), Desk(await shared_enter("system_admin", "51"))
        assert await try_(person, "wang.new", "four calm words here") == 201
        assert (await person.get("/api/v1/batches")).status_code == 403
        await system.do(await system.open("/staff?find=wang.new"), "/staff/close")
        assert (await person.get("/api/v1/session")).status_code == 401
        assert await try_(person, "wang.new", "four calm words here") == 401


async def test_with_rotation_switched_on_an_old_password_must_be_changed(shared_enter: Enter, shared_app: Litestar, clock: Clock) -> None:
    here: House = shared_app.state.house
    clock.now += timedelta(days=91)  # since the accounts of the tests were made
    officer = await shared_enter("county_officer", LUDING)
    assert (await officer.get("/api/v1/batches")).status_code == 200
    shared_app.state.house = House(here.pool, here.keys, Settings(password_days=90), here.clock)
    assert (await officer.get("/api/v1/batches")).json()["code"] == "password_due"
