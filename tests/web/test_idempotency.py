"""Money writes happen once under their key, however often and at the same time they are sent."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from relief.store import db
from tests import make
from tests.web.conftest import Enter

pytestmark = pytest.mark.slow

PATH = "/api/v1/funds"


@pytest.fixture
async def notice(pool: db.Pool) -> dict[str, Any]:
    """An allocation notice for an incident that exists."""
    async with db.begin(pool) as tx:
        return allocation(str(await make.incident(tx)))


def allocation(incident: str = "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e") -> dict[str, Any]:
    return {
        "county": make.LUDING, "incident": incident, "source": "central", "year": 2022, "document": "财资环〔2022〕88号",
        "budget_item": "2240703", "purpose": "EMERG", "amount_fen": 500_000_000,
    }  # fmt: skip


async def funds(client: httpx.AsyncClient) -> list[Any]:
    found: list[Any] = (await client.get(PATH)).json()["items"]
    return found


async def test_a_money_write_without_a_key_is_refused(shared_enter: Enter) -> None:
    officer = await shared_enter("finance_preparer", make.LUDING)
    answer = await officer.post(PATH, json=allocation())
    assert (answer.status_code, answer.json()["code"]) == (400, "key_required")
    assert await funds(officer) == []


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "\x7f"])
async def test_a_key_is_one_to_255_visible_ascii_characters(shared_enter: Enter, key: str) -> None:
    officer = await shared_enter("finance_preparer", make.LUDING)
    answer = await officer.post(PATH, json=allocation(), headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "key_form")


async def test_a_key_of_other_letters_is_refused(shared_enter: Enter) -> None:
    officer = await shared_enter("finance_preparer", make.LUDING)
    answer = await officer.post(PATH, json=allocation(), headers={"Idempotency-Key": "钥".encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "key_form")


async def test_the_same_key_gives_the_same_bytes_and_one_effect(enter: Enter, notice: dict[str, Any]) -> None:
    officer = await enter("finance_preparer", make.LUDING)
    first = await officer.post(PATH, json=notice, headers={"Idempotency-Key": "x" * 255})
    again = await officer.post(PATH, json=dict(reversed(notice.items())), headers={"Idempotency-Key": "x" * 255})
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert len(await funds(officer)) == 1


async def test_the_same_key_with_another_content_is_refused(enter: Enter, notice: dict[str, Any]) -> None:
    officer = await enter("finance_preparer", make.LUDING)
    await officer.post(PATH, json=notice, headers={"Idempotency-Key": "k"})
    other = await officer.post(PATH, json={**notice, "amount_fen": 1}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reuse")


async def test_a_refused_write_leaves_its_key_free(enter: Enter, notice: dict[str, Any]) -> None:
    officer = await enter("finance_preparer", make.LUDING)
    nowhere = {**notice, "incident": "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e"}
    assert (await officer.post(PATH, json=nowhere, headers={"Idempotency-Key": "k"})).status_code == 404
    assert (await officer.post(PATH, json=notice, headers={"Idempotency-Key": "k"})).status_code == 200


async def test_another_person_has_keys_of_their_own(enter: Enter, notice: dict[str, Any]) -> None:
    first, second = await enter("finance_preparer", make.LUDING), await enter("finance_preparer", make.LUDING)
    one = await first.post(PATH, json=notice, headers={"Idempotency-Key": "k"})
    two = await second.post(PATH, json={**notice, "document": "另一文号"}, headers={"Idempotency-Key": "k"})
    assert one.json()["id"] != two.json()["id"]


async def test_fifty_at_the_same_time_have_one_effect(enter: Enter, notice: dict[str, Any]) -> None:
    officer = await enter("finance_preparer", make.LUDING)
    answers = await asyncio.gather(*[officer.post(PATH, json=notice, headers={"Idempotency-Key": "k"}) for _ in range(50)])
    done = [a for a in answers if a.status_code == 200]
    waiting = [a for a in answers if a.status_code == 409]
    assert len(done) + len(waiting) == 50
    assert len({a.content for a in done}) == 1
    assert all(a.json()["code"] == "in_flight" and a.headers["retry-after"] == "1" for a in waiting)
    assert len(await funds(officer)) == 1


async def test_the_database_says_no_and_the_answer_says_why(enter: Enter, notice: dict[str, Any]) -> None:
    officer = await enter("finance_preparer", make.LUDING)
    await officer.post(PATH, json=notice, headers={"Idempotency-Key": "one"})
    twice = await officer.post(PATH, json=notice, headers={"Idempotency-Key": "two"})
    assert (twice.status_code, twice.json()["code"]) == (409, "fund_exists")
