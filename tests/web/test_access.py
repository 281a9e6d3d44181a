"""Who gets in, and what they may then ask."""

from __future__ import annotations

from datetime import timedelta

import httpx
from litestar import Litestar

from relief.domain.policy import ACTIONS, SYSTEM, Grant
from relief.services import sign_in
from relief.store import db
from relief.web import access
from tests.web.conftest import MORNING, PASSWORD, Clock, Enter


def test_every_route_says_which_right_it_needs(app: Litestar) -> None:
    assert access.undeclared(app) == []
    handlers = [h for r in app.routes for h in getattr(r, "route_handlers", []) if "OPTIONS" not in h.http_methods]
    assert len(handlers) > 5
    assert {h.opt["action"] for h in handlers} <= {*ACTIONS, access.PUBLIC, access.SIGNED_IN}


async def test_a_stranger_is_told_to_sign_in(shared_client: httpx.AsyncClient) -> None:
    answer = await shared_client.get("/api/v1/session")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_signed_in"


async def test_a_stranger_on_a_page_is_led_to_the_door_and_back(shared_client: httpx.AsyncClient) -> None:
    answer = await shared_client.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")


async def test_signing_in_gives_a_strict_cookie_and_a_session(shared_enter: Enter) -> None:
    client = await shared_enter("county_officer", "513322")
    answer = await client.get("/api/v1/session")
    assert answer.json()["grants"] == [{"role": "county_officer", "area": "513322"}]


async def test_the_cookie_is_hidden_from_scripts_and_from_other_sites(app: Litestar, enter: Enter, client: httpx.AsyncClient) -> None:
    await enter("county_officer", "513322", login="li")
    answer = await client.post("/api/v1/session", json={"login": "li", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert len(answer.cookies["relief_session"]) >= 43


async def test_unknown_login_and_wrong_password_get_the_same_words(enter: Enter, client: httpx.AsyncClient) -> None:
    await enter("county_officer", "513322", login="li")
    wrong = await client.post("/api/v1/session", json={"login": "li", "password": "not this one"})
    unknown = await client.post("/api/v1/session", json={"login": "nobody", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


async def test_guessing_is_stopped_even_with_the_right_password(enter: Enter, client: httpx.AsyncClient, clock: Clock) -> None:
    await enter("county_officer", "513322", login="li")
    for _ in range(sign_in.FAILURES):
        await client.post("/api/v1/session", json={"login": "li", "password": "not this one"})
    stopped = await client.post("/api/v1/session", json={"login": "li", "password": PASSWORD})
    assert (stopped.status_code, stopped.json()["code"]) == (429, "throttled")
    clock.now += sign_in.WINDOW + timedelta(seconds=1)
    assert (await client.post("/api/v1/session", json={"login": "li", "password": PASSWORD})).status_code == 201


async def test_a_forged_or_expired_cookie_opens_nothing(shared_enter: Enter, shared_client: httpx.AsyncClient, clock: Clock) -> None:
    shared_client.cookies.set("relief_session", "x" * 43)
    assert (await shared_client.get("/api/v1/session")).status_code == 401
    officer = await shared_enter("county_officer", "513322")
    clock.now += sign_in.IDLE + timedelta(seconds=1)
    assert (await officer.get("/api/v1/session")).status_code == 401


async def test_a_session_that_is_used_stays_open_until_its_last_hour(shared_enter: Enter, clock: Clock) -> None:
    officer = await shared_enter("county_officer", "513322")
    for _ in range(7):
        clock.now += timedelta(hours=1, minutes=40)
        assert (await officer.get("/api/v1/session")).status_code == 200
    clock.now += timedelta(hours=1, minutes=40)
    assert (await officer.get("/api/v1/session")).status_code == 401


async def test_signing_out_ends_the_session(shared_enter: Enter) -> None:
    officer = await shared_enter("county_officer", "513322")
    assert (await officer.delete("/api/v1/session")).status_code == 204
    assert (await officer.get("/api/v1/session")).status_code == 401


async def test_a_form_without_the_session_token_is_refused(shared_enter: Enter) -> None:
    officer, other = await shared_enter("county_officer", "513322"), await shared_enter("county_officer", "513322")
    none = await officer.post("/sign-out", data={"csrf": ""})
    foreign = await officer.post("/sign-out", data={"csrf": other.headers["X-Test-Csrf"]})
    assert (none.status_code, foreign.status_code) == (403, 403)
    assert (await officer.post("/sign-out", data={"csrf": officer.headers["X-Test-Csrf"]})).status_code == 303


async def test_a_write_from_another_site_is_refused(shared_enter: Enter) -> None:
    officer = await shared_enter("county_officer", "513322")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await officer.delete("/api/v1/session", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin")
    assert (await officer.get("/api/v1/session")).status_code == 200


async def test_a_foreign_host_name_is_refused(shared_client: httpx.AsyncClient) -> None:
    answer = await shared_client.get("/sign-in", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "host")


async def test_a_grant_counts_only_between_its_dates(app: Litestar, pool: db.Pool, enter: Enter, clock: Clock) -> None:
    officer = await enter("county_officer", "513322")
    async with db.begin(pool) as tx:
        person = sign_in.NewStaff("later", "后来", PASSWORD, (Grant("auditor", "51"),))
        await sign_in.create_staff(tx, SYSTEM, [person], MORNING + timedelta(hours=1), sign_in.CHEAP)
    await officer.post("/api/v1/session", json={"login": "later", "password": PASSWORD})
    assert (await officer.get("/api/v1/session")).json()["grants"] == []
    clock.now += timedelta(hours=1)
    assert (await officer.get("/api/v1/session")).json()["grants"] == [{"role": "auditor", "area": "51"}]


async def test_every_answer_carries_the_walls(shared_client: httpx.AsyncClient) -> None:
    for path in ("/sign-in", "/no-such-page", "/api/v1/session"):
        headers = (await shared_client.get(path)).headers
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


async def test_the_door_leads_only_to_addresses_of_this_site(shared_client: httpx.AsyncClient) -> None:
    for bad in ("//evil.test", "/\t/evil.test", "/\\evil.test", "/a\\b", "https://evil.test", "/\n/evil.test", "/家"):
        page = await shared_client.get("/sign-in", params={"next": bad})
        assert 'name="next" value="/"' in page.text, bad
    page = await shared_client.get("/sign-in", params={"next": "/households?page=2"})
    assert 'name="next" value="/households?page=2"' in page.text
