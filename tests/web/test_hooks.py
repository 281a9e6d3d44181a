"""Webhooks: only what the carrier signed for exactly this address counts, once, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar
from twilio.request_validator import RequestValidator

from relief.channels.sms_webhook import INBOUND_PATH, STATUS_PATH
from relief.domain.message import Outgoing, Sent
from relief.domain.sealing import Keys
from relief.services import notify
from relief.settings import Settings
from relief.store import db
from relief.store.db import Pool
from relief.web.house import House
from tests import paid
from tests.make import LUDING, NOW
from tests.paid import Paid

pytestmark = pytest.mark.slow

SETTINGS = Settings()
STATUS, INBOUND = SETTINGS.public_url + STATUS_PATH, SETTINGS.public_url + INBOUND_PATH
SID = "SM" + "a" * 32
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def app(built: Litestar, pool: Pool, keys: Keys) -> Litestar:
    built.state.house = House(pool=pool, keys=keys, settings=SETTINGS, clock=lambda: NOW)
    built.state.pop("gatherer", None)  # it belongs to one house
    return built


@pytest.fixture
async def carrier(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=cast("Any", app)), base_url=SETTINGS.public_url) as client:
        yield client


def params(word: str = "delivered", **more: str) -> dict[str, str]:
    return {"MessageSid": SID, "SmsSid": SID, "MessageStatus": word, "AccountSid": SETTINGS.sms_account, "To": "+12125550101", **more}


def sign(url: str, form: dict[str, str], token: str = SETTINGS.sms_token) -> dict[str, str]:
    return {**FORM, "X-Twilio-Signature": RequestValidator(token).compute_signature(url, form)}


async def tell(carrier: httpx.AsyncClient, word: str, **more: str) -> httpx.Response:
    form = params(word, **more)
    return await carrier.post(STATUS, content=urlencode(form), headers=sign(STATUS, form))


async def claimed(pool: Pool, keys: Keys) -> tuple[Paid, Outgoing]:
    async with db.begin(pool) as tx:
        [family] = await paid.households(tx, keys)
        await notify.queue_paid(tx, LUDING, [family.payment], NOW, keys)
        [message] = await notify.claim(tx, 1, NOW, timedelta(minutes=1), keys, False)
    return family, message


async def record(pool: Pool, message: Outgoing) -> None:
    async with db.begin(pool) as tx:
        await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)


async def state(pool: Pool) -> tuple[str, str | None, int]:
    async with db.begin(pool) as tx:
        row = await tx.fetchrow("SELECT status, error, (SELECT count(*) FROM message_event) FROM message")
    assert row is not None
    return tuple(row)


async def test_a_signed_callback_moves_the_message_and_a_replay_changes_nothing(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    for _ in range(3):
        assert (await tell(carrier, "delivered")).status_code == 200
    assert await state(pool) == ("delivered", None, 1)


async def test_callbacks_out_of_order_end_where_they_should(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    for word in ("undelivered", "sent", "delivered", "queued"):
        assert (await tell(carrier, word, ErrorCode="30003")).status_code == 200
    assert await state(pool) == ("failed", "30003", 4)


async def test_a_storm_of_callbacks_shares_transactions_and_each_is_answered(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    words = ["sent", "delivered", "queued", "sending", "undelivered"] * 40
    answers = await asyncio.gather(*(tell(carrier, w) for w in words))
    assert {a.status_code for a in answers} == {200}
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT count(*) FROM message_event") == 5
        assert await tx.fetchval("SELECT count(DISTINCT xmin::text) FROM message_event") <= 3
    assert (await state(pool))[0] in ("delivered", "failed")


async def test_a_callback_the_database_cannot_take_is_not_acknowledged(pool: Pool, carrier: httpx.AsyncClient) -> None:
    await pool.close()
    assert (await tell(carrier, "sent")).status_code >= 500


async def test_a_callback_before_our_own_write_counts_when_we_write(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    _, message = await claimed(pool, keys)
    assert (await tell(carrier, "delivered")).status_code == 200
    assert (await state(pool))[0] == "sending"
    await record(pool, message)
    assert (await state(pool))[0] == "delivered"


FORGED = {
    "no signature": (FORM, params()),
    "empty signature": ({**FORM, "X-Twilio-Signature": ""}, params()),
    "another token": (sign(STATUS, params(), "other"), params()),
    "another host": (sign("http://evil.example/hooks/sms/status", params()), params()),
    "https instead of http": (sign(STATUS.replace("http:", "https:"), params()), params()),
    "another port": (sign(STATUS.replace(":8000", ":8001"), params()), params()),
    "a query that is not there": (sign(STATUS + "?a=1", params()), params()),
    "one more parameter": (sign(STATUS, params()), params(Extra="1")),
    "a changed parameter": (sign(STATUS, params("sent")), params("failed")),
    "not text": ({**FORM, "X-Twilio-Signature": "\u00e9" * 28}, params()),
    "another account": (sign(STATUS, params(AccountSid="AC0")), params(AccountSid="AC0")),
    "an unknown algorithm": ({**sign(STATUS, params()), "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=MD5"}, params()),
    "an algorithm we hold no key for": ({**sign(STATUS, params()), "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}, params()),
}  # fmt: skip


async def test_unsigned_and_forged_callbacks_are_refused_without_an_echo(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    for how, (headers, form) in FORGED.items():
        encoded = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
        for url in (STATUS, INBOUND):
            answer = await carrier.post(url, content=urlencode(form), headers=encoded)
            assert (answer.status_code, answer.content) == (403, b""), how
    assert await state(pool) == ("sent", None, 0)


async def test_a_parameter_given_twice_breaks_the_signature(carrier: httpx.AsyncClient) -> None:
    answer = await carrier.post(STATUS, content=urlencode(params()) + "&MessageStatus=failed", headers=sign(STATUS, params()))
    assert answer.status_code == 403


async def test_only_small_forms_are_read(carrier: httpx.AsyncClient) -> None:
    assert (await carrier.post(STATUS, json=params(), headers={"X-Twilio-Signature": "x"})).status_code == 415
    big = params(Body="x" * 20_000)
    assert (await carrier.post(STATUS, content=urlencode(big), headers=sign(STATUS, big))).status_code == 413
    broken = await carrier.post(STATUS, content=b"MessageSid=%ff", headers=sign(STATUS, params()))
    assert broken.status_code == 403
    many = {f"p{n}": "1" for n in range(200)}
    assert (await carrier.post(STATUS, content=urlencode(many), headers=sign(STATUS, many))).status_code == 403


async def test_signed_nonsense_is_taken_and_changes_nothing(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    for more in ({"MessageStatus": "teleported"}, {"MessageSid": "x" * 99}, {"MessageSid": ""}, {"MessageStatus": ""}):
        form = {**params(), **more}
        answer = await carrier.post(STATUS, content=urlencode(form), headers=sign(STATUS, form))
        assert (answer.status_code, answer.content) == (200, b"")
    assert await state(pool) == ("sent", None, 0)


async def test_an_error_code_that_is_text_is_not_kept(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    await record(pool, (await claimed(pool, keys))[1])
    await tell(carrier, "failed", ErrorCode="<script>")
    assert await state(pool) == ("failed", "failed", 1)


async def answer(carrier: httpx.AsyncClient, phone: str, body: str, **more: str) -> httpx.Response:
    form = {"MessageSid": SID, "AccountSid": SETTINGS.sms_account, "From": phone, "To": SETTINGS.sms_sender, "Body": body, **more}
    return await carrier.post(INBOUND, content=urlencode(form), headers=sign(INBOUND, form))


async def test_a_residents_answer_confirms_and_is_thanked_in_twiml(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    family, _ = await claimed(pool, keys)
    for _ in range(2):
        said = await answer(carrier, family.phone, "1")
        assert said.status_code == 200
        assert said.headers["content-type"].startswith("text/xml")
        assert "<Message>已登记：您已收到" in said.text
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT status FROM confirmation") == "confirmed"
        assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'confirm.confirmed'") == 1


async def test_an_opt_out_the_carrier_recognised_is_obeyed_in_silence(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    family, _ = await claimed(pool, keys)
    said = await answer(carrier, family.phone, "ARRET", OptOutType="STOP")
    assert "<Message>" not in said.text
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT phone_route FROM person") == "none"


async def test_an_answer_from_nowhere_gets_an_empty_reply(carrier: httpx.AsyncClient) -> None:
    for phone in ("", "12345", "whatsapp:+12125550101", "+999999999999999999"):
        said = await answer(carrier, phone, "1")
        assert (said.status_code, "<Message>" in said.text) == (200, False)


async def test_an_answer_with_any_text_at_all_is_harmless(pool: Pool, keys: Keys, carrier: httpx.AsyncClient) -> None:
    family, _ = await claimed(pool, keys)
    for body in ("\x00", "😀", "<x>&", "1" * 1600, "' OR 1=1 --"):
        assert (await answer(carrier, family.phone, body)).status_code == 200
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT status FROM confirmation") == "awaited"
