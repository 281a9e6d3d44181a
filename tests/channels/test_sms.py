"""The official client against the rehearsal carrier on loopback: what is sent, refused, throttled, unknown, and found again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import aiohttp
import msgspec
import pytest
import uvicorn
from litestar import Litestar, Request, Response, post

from relief.channels.rehearsal import sms as twin
from relief.channels.rehearsal.sms_line import Options
from relief.channels.sms import TwilioSms, send_all
from relief.channels.sms_webhook import Signature
from relief.domain.errors import Refused, Unavailable
from relief.domain.message import Outgoing, Rejected, Sent, Throttled, Unknown
from relief.settings import Settings

pytestmark = pytest.mark.slow  # every case starts the carrier's twin

TWO_WAY, ONE_WAY = "+12125550101", "+8615400001234"
TOKEN = "rehearsal-token"


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """An ASGI app on a free port of loopback."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="on", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Customer:
    """Somebody the carrier calls back: keeps what comes and whether the signature was right."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.forged = 0
        self.url = ""
        self._news = asyncio.Condition()

    def app(self) -> Litestar:
        @post(["/status", "/inbound"], status_code=200)
        async def hear(request: Request[Any, Any, Any]) -> Response[str]:
            params = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            if not Signature(TOKEN).valid(self.url + request.url.path, params, request.headers.get("x-twilio-signature", "")):
                await self._note(None)
                return Response("", status_code=403)
            await self._note(params)
            return Response("<Response><Message>谢谢</Message></Response>", media_type="text/xml")

        return Litestar([hear], openapi_config=None, logging_config=None)

    def words(self) -> list[str]:
        return [h["MessageStatus"] for h in self.heard if "MessageStatus" in h]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: len(self.heard) + self.forged >= count)

    async def _note(self, params: dict[str, str] | None) -> None:
        async with self._news:
            if params is None:
                self.forged += 1
            else:
                self.heard.append(params)
            self._news.notify_all()


@asynccontextmanager
async def carrier(customer: Customer | None = None, timeout_s: float = 5.0, **badly: Any) -> AsyncIterator[tuple[TwilioSms, str, str]]:
    """A twin that behaves as told and the product's channel to it; yields channel, twin's URL, callback URL."""
    customer = customer or Customer()
    async with serving(customer.app()) as customer.url:
        options = Options(inbound_url=customer.url + "/inbound", **badly)
        async with (
            serving(twin.make(options)) as url,
            TwilioSms(Settings(sms_base_url=url, sms_timeout_seconds=timeout_s)) as sms,
        ):
            yield sms, url, customer.url + "/status"


async def stats(url: str) -> dict[str, int]:
    async with aiohttp.ClientSession() as session, session.get(url + "/stats.json") as response:
        counts: dict[str, int] = await response.json()
        return counts


async def test_a_message_is_sent_and_called_back_sent_then_delivered_with_a_valid_signature() -> None:
    customer = Customer()
    async with carrier(customer) as (sms, _, callback):
        outcome = await sms.send(TWO_WAY, "您好 & 再见 +1=2", callback)
        await customer.until(2)
    assert isinstance(outcome, Sent)
    assert outcome.status == "queued"
    assert customer.words() == ["sent", "delivered"]
    assert customer.forged == 0
    assert {h["MessageSid"] for h in customer.heard} == {outcome.sid}


async def test_a_failed_message_comes_back_undelivered_with_its_code() -> None:
    customer = Customer()
    async with carrier(customer, fail_rate=1.0) as (sms, _, callback):
        await sms.send(TWO_WAY, "x", callback)
        await customer.until(2)
    assert customer.words() == ["sent", "undelivered"]
    assert customer.heard[1]["ErrorCode"].startswith("300")


async def test_the_carrier_can_reorder_duplicate_drop_and_be_imitated() -> None:
    for badly, words, forged in (
        ({"reorder_rate": 1.0}, ["delivered", "sent"], 0),
        ({"duplicate_rate": 1.0}, ["sent", "sent", "delivered", "delivered"], 0),
        ({"forge_rate": 1.0}, ["sent", "delivered"], 1),
    ):
        customer = Customer()
        async with carrier(customer, **badly) as (sms, _, callback):
            await sms.send(TWO_WAY, "x", callback)
            await customer.until(len(words) + forged)
        assert (customer.words(), customer.forged) == (words, forged)
    customer = Customer()
    async with carrier(customer, drop_rate=1.0) as (sms, url, callback):
        await sms.send(TWO_WAY, "x", callback)
        assert (await stats(url))["dropped"] == 2


async def test_a_two_way_resident_answers_and_a_mainland_one_cannot() -> None:
    customer = Customer()
    async with carrier(customer, answer_rate=1.0, no_rate=1.0) as (sms, url, callback):
        await sms.send(ONE_WAY, "x", callback)
        await sms.send(TWO_WAY, "x", callback)
        await customer.until(5)
        assert (await stats(url))["answers"] == 1
    answers = [h for h in customer.heard if "Body" in h]
    assert [(a["From"], a["Body"]) for a in answers] == [(TWO_WAY, "2")]


async def test_a_throttled_message_was_never_taken_and_says_when_to_come_again() -> None:
    async with carrier(busy_rate=1.0) as (sms, url, callback):
        assert await sms.send(TWO_WAY, "x", callback) == Throttled(1.0)
        assert (await stats(url))["accepted"] == 0


async def test_a_refused_number_is_rejected_with_the_carriers_code() -> None:
    async with carrier(refuse_rate=1.0) as (sms, _, callback):
        outcome = await sms.send(TWO_WAY, "x", callback)
    assert isinstance(outcome, Rejected)
    assert outcome.code in {"21610", "21211", "21614"}


async def test_a_wrong_token_is_our_fault_and_tried_again_later() -> None:
    async with serving(twin.make(Options(token="other"))) as url, TwilioSms(Settings(sms_base_url=url)) as sms:
        assert await sms.send(TWO_WAY, "x", "http://127.0.0.1:1/") == Throttled(60.0)


async def test_a_server_error_after_acceptance_is_unknown_and_is_found_again() -> None:
    since = datetime.now(UTC)
    async with carrier(lost_answer_rate=1.0) as (sms, _, callback):
        assert await sms.send(TWO_WAY, "编号K7P2", callback) == Unknown("http 500")
        found = await sms.find(TWO_WAY, "编号K7P2", since)
        assert found is not None
        assert found.sid.startswith("SM")
        assert await sms.find(TWO_WAY, "编号Z9Z9", since) is None
        assert await sms.find(ONE_WAY, "编号K7P2", since) is None
        assert await sms.find(TWO_WAY, "编号K7P2", since + timedelta(minutes=1)) is None


async def test_a_message_is_found_behind_more_than_one_page() -> None:
    since = datetime.now(UTC)
    async with carrier() as (sms, _, callback):
        for number in range(60):
            await sms.send(TWO_WAY, f"no {number}", callback)
        assert await sms.find(TWO_WAY, "no 0", since) is not None


async def test_a_silent_carrier_is_unknown_within_the_deadline() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, TwilioSms(Settings(sms_base_url=url, sms_timeout_seconds=0.3)) as sms:
        started = asyncio.get_running_loop().time()
        assert await sms.send(TWO_WAY, "x", "http://127.0.0.1:1/") == Unknown("timeout")
        assert asyncio.get_running_loop().time() - started < 1.0
        with pytest.raises(Unavailable):
            await sms.find(TWO_WAY, "x", datetime.now(UTC))


async def test_a_connection_lost_after_sending_is_unknown_and_a_refused_one_is_not_sent() -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with TwilioSms(Settings(sms_base_url=url)) as sms:
        async with server:
            assert isinstance(await sms.send(TWO_WAY, "x", "http://127.0.0.1:1/"), Unknown)
        assert await sms.send(TWO_WAY, "x", "http://127.0.0.1:1/") == Throttled(5.0)


async def test_without_real_channels_the_carrier_cannot_even_be_opened() -> None:
    with pytest.raises(Refused, match="real channels are off"):
        TwilioSms(Settings(sms_base_url="https://api.twilio.com"))


async def test_a_batch_is_sent_side_by_side_and_stops_at_its_lease() -> None:
    now = datetime.now(UTC)
    live = Outgoing("513322", UUID(int=1), TWO_WAY, "a", now + timedelta(minutes=1), now)
    late = msgspec.structs.replace(live, id=UUID(int=2), lease_until=now)
    async with carrier() as (sms, url, callback):
        outcomes = await send_all(sms, [live, late], callback, 4, lambda: now)
        assert [type(o) for _, o in outcomes] == [Sent, Throttled]
        assert (await stats(url))["accepted"] == 1


async def test_a_signature_holds_for_one_address_and_one_set_of_parameters() -> None:
    customer = Customer()
    async with carrier(customer) as (sms, _, callback):
        await sms.send(TWO_WAY, "x", callback)
        await customer.until(2)
    valid = Signature(TOKEN).valid
    assert not valid("http://127.0.0.1:1/status", customer.heard[0], "")
    assert not valid("http://127.0.0.1:1/status", customer.heard[0], "AAAA")


async def test_the_simulator_shows_phones_and_sends_an_answer_by_hand() -> None:
    customer = Customer()
    async with carrier(customer) as (sms, url, callback), aiohttp.ClientSession() as session:
        await sms.send(TWO_WAY, "您好<b>", callback)
        await customer.until(2)
        async with session.get(url + "/") as front:
            assert TWO_WAY in await front.text()
        async with session.post(url + "/phone", data={"number": TWO_WAY, "body": "1"}) as page:
            text = await page.text()
        assert page.status == 200
        assert "&lt;b&gt;" in text
        assert "谢谢" in text
        assert customer.heard[-1]["Body"] == "1"
