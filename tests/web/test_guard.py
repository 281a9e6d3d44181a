"""What arrives malformed is refused with its code, never with 500, and never repeated back."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.web.conftest import Enter

JSON = {"Content-Type": "application/json"}
SIGN_IN = {"login": "li", "password": "a calm long password"}
FUND = {
    "county": "513322", "incident": "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e", "source": "central", "year": 2022, "document": "财资环〔2022〕88号",
    "budget_item": "2240703", "purpose": "EMERG", "amount_fen": 100,
}  # fmt: skip


def body(**changes: Any) -> bytes:
    return json.dumps({**SIGN_IN, **changes}).encode()


CASES: list[tuple[str, bytes, int, str]] = [
    ("bytes that are not UTF-8", b'{"login":"\xff","password":"x"}', 400, "bad_encoding"),
    ("an overlong UTF-8 form", b'{"login":"\xc0\xaf","password":"x"}', 400, "bad_encoding"),
    ("200,000 nested arrays", b"[" * 200_000, 400, "too_deep"),
    ("33 levels", b'{"login":' + b"[" * 32 + b"]" * 32 + b',"password":"x"}', 400, "too_deep"),
    ("brackets inside a string are no depth", json.dumps({"login": "[" * 60, "password": "x"}).encode(), 401, "bad_credentials"),
    ("a key twice", b'{"login":"a","login":"b","password":"x"}', 400, "duplicate_key"),
    ("a NUL in a string", b'{"login":"a\\u0000b","password":"x"}', 422, "control_char"),
    ("a raw control character", b'{"login":"a\x01b","password":"x"}', 400, "not_json"),
    ("a mark that turns the writing", '{"login":"a\u202eb","password":"x"}'.encode(), 422, "control_char"),
    ("a NUL in a key", b'{"lo\\u0000gin":"a","password":"x"}', 422, "control_char"),
    ("a lone surrogate", b'{"login":"\\ud800","password":"x"}', 400, "surrogate"),
    ("NaN", b'{"login":NaN,"password":"x"}', 400, "not_a_number"),
    ("Infinity", b'{"login":-Infinity,"password":"x"}', 400, "not_a_number"),
    ("1e400", b'{"login":1e400,"password":"x"}', 400, "not_a_number"),
    ("a BOM", b"\xef\xbb\xbf" + body(), 400, "not_json"),
    ("something after the document", body() + b" x", 400, "not_json"),
    ("two documents", body() + body(), 400, "not_json"),
    ("null", b"null", 422, "type"),
    ("an array instead of an object", b"[]", 422, "type"),
    ("a number instead of a text", b'{"login":1,"password":"x"}', 422, "type"),
    ("a text where a field is missing", b'{"login":"a"}', 422, "missing_field"),
    ("a field nobody knows", body(status="paid"), 422, "unknown_field"),
    ("a text too long", body(login="x" * 65), 422, "range"),
    ("cut in the middle", body()[:-5], 400, "not_json"),
    ("a text that never ends, made of escapes", b'{"login":"' + b'\\"' * 500_000, 400, "not_json"),
]


@pytest.mark.parametrize(("content", "status", "code"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
async def test_a_malformed_body_gets_its_code(shared_client: httpx.AsyncClient, content: bytes, status: int, code: str) -> None:
    answer = await shared_client.post("/api/v1/session", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("1.0", "type"), ("1e2", "type"), ('"1"', "type"), ("true", "type"), ("null", "type"), ("-0", "range"), ("0", "range"), ("-1", "range"),
        ("9" * 30, "range"), ("1000000000000000", "range"), ('"1_000"', "type"), ('"１２３"', "type"),
    ],
)  # fmt: skip
async def test_an_amount_is_a_whole_positive_number_of_fen(shared_enter: Enter, amount: str, code: str) -> None:
    officer = await shared_enter("finance_preparer", "513322")
    content = json.dumps(FUND).replace('"amount_fen": 100', f'"amount_fen": {amount}').encode()
    answer = await officer.post("/api/v1/funds", content=content, headers={**JSON, "Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 415, "media_type"),
        ({"Content-Type": "text/plain"}, 415, "media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "media_type"),
        ({"Content-Type": "application/json; charset=utf-16"}, 415, "media_type"),
        ({"Content-Type": "application/json; charset=utf-8"}, 401, "bad_credentials"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415, "content_encoding"),
    ],
)
async def test_only_plain_json_is_json(shared_client: httpx.AsyncClient, headers: dict[str, str], status: int, code: str) -> None:
    answer = await shared_client.post("/api/v1/session", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_empty_body_is_refused(shared_client: httpx.AsyncClient) -> None:
    answer = await shared_client.post("/api/v1/session", content=b"", headers=JSON)
    assert answer.status_code == 422


async def test_a_body_over_the_limit_is_refused_and_the_line_closed(shared_client: httpx.AsyncClient) -> None:
    declared = await shared_client.post("/api/v1/session", content=b"x" * 2_000_001, headers=JSON)

    async def chunks() -> Any:
        for _ in range(21):
            yield b"x" * 100_000

    streamed = await shared_client.post("/api/v1/session", content=chunks(), headers=JSON)
    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert answer.headers["connection"] == "close"


async def test_a_parameter_given_twice_is_refused(shared_enter: Enter) -> None:
    officer = await shared_enter("county_officer", "513322")
    answer = await officer.get("/api/v1/payments?limit=1&limit=2")
    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_param")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=-1", "limit=1e9", "limit=x", "after=%00", "after=abc", "after=" + "A" * 121]
)
async def test_page_sizes_and_cursors_are_bounded(shared_enter: Enter, query: str) -> None:
    officer = await shared_enter("county_officer", "513322")
    answer = await officer.get(f"/api/v1/payments?{query}")
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/incidents/not-an-id/zones", "/api/v1/incidents/１２/zones"])
async def test_an_unknown_address_is_not_found(shared_enter: Enter, path: str) -> None:
    officer = await shared_enter("county_officer", "513322")
    answer = await officer.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_method_that_is_not_meant_is_refused(shared_client: httpx.AsyncClient) -> None:
    for method in ("TRACE", "PUT", "PATCH"):
        answer = await shared_client.request(method, "/api/v1/session", headers={"X-HTTP-Method-Override": "GET"})
        assert (answer.status_code, answer.json()["code"]) == (405, "method")


async def test_a_page_that_does_not_exist_is_a_page_with_a_way_back(shared_client: httpx.AsyncClient) -> None:
    answer = await shared_client.get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "返回首页" in answer.text
    english = await shared_client.get("/nothing?lang=en", headers={"Accept": "text/html"})
    assert "Back to the first page" in english.text


async def test_control_characters_in_a_strangers_form_are_refused_never_an_error(shared_client: httpx.AsyncClient) -> None:
    for path, form in (("/sign-in", {"login": "a\0b", "password": "x"}), ("/sign-in", {"login": "a", "password": "x\x1b"})):
        answer = await shared_client.post(path, data=form, headers={"Accept": "text/html"})
        assert (answer.status_code, "control_char" in answer.text) == (422, True)
    for path in ("/sign-in?next=%00", "/households?q=%00"):
        assert (await shared_client.get(path)).status_code == 422
