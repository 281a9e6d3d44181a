"""Short messages through Twilio's HTTP API with its official client. The base URL decides who is spoken to; nothing else does.

There is no idempotency key on a message: a 5xx, a timeout or a lost connection may have sent it. Such an outcome is Unknown, and only
`find` may tell; it is never sent again on a guess. 429 and 'our fault' codes were never processed and are safe to try again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from relief.channels.loopback import stays_here
from relief.domain.errors import Refused, Unavailable
from relief.domain.message import Outcome, Outgoing, Rejected, Sent, Throttled, Unknown, disposition
from relief.settings import Settings

_BUSY_AFTER_S: Final = 1.0  # a 429 without Retry-After
_FAULT_AFTER_S: Final = 60.0  # our account or sender is refused: somebody must look first
_REFUSED_AFTER_S: Final = 5.0  # nobody listens: nothing was sent
_CLOCK_SKEW: Final = timedelta(seconds=5)
_LOOK_BACK: Final = 1000  # messages of one number to look through before giving up
_PAGE: Final = 50


class Sms(Protocol):
    """What the house needs of a carrier."""

    async def send(self, to: str, text: str, callback_url: str) -> Outcome:
        """Send one text to one E.164 number. Never raises for what the carrier or the network does."""
        ...

    async def find(self, to: str, text: str, since: datetime) -> Sent | None:
        """The message of exactly this text to this number since then, if the carrier has one. Raises Unavailable when it cannot say."""
        ...


class _Busy(Exception):
    """429 with what the carrier says about when to come again."""

    def __init__(self, after_s: float) -> None:
        self.after_s = after_s


class _Wire(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The official transport, kept on one pool of connections, aimed at the configured base URL, with a deadline on every request.

    The client's own `timeout` is ignored by its async transport (twilio-python issue 925), and its logging would print numbers.
    """

    def __init__(self, base_url: str, timeout_s: float, connections: int) -> None:
        super().__init__(pool_connections=False, timeout=timeout_s, logger=logging.getLogger("relief.sms.wire"))
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=30))
        self._base = urlsplit(base_url)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """As the parent, but at the configured place and never without a deadline."""
        parts = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        if auth is not None:
            headers = {**(headers or {}), "Authorization": aiohttp.encode_basic_auth(*auth)}
        response = await super().request(method, urlunsplit(parts), params, data, headers, None, timeout or self.timeout, allow_redirects)
        if response.status_code == 429:
            raise _Busy(_seconds(response.headers.get("Retry-After")))
        return response

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Nothing: the parent would log the number."""

    def log_response(self, status_code: int, response: Response) -> None:
        """Nothing: the status is in the outcome."""


class TwilioSms:
    """The carrier, or anything that speaks its API. Use as an async context manager, or call `close`."""

    def __init__(self, settings: Settings) -> None:
        if not (settings.real_channels or stays_here(settings.sms_base_url)):
            raise Refused("real_channels", "未开启真实通道，不得连接运营商 · real channels are off: the carrier may not be reached")
        self._sender = settings.sms_sender
        self._limit_s = settings.sms_timeout_seconds
        self._wire = _Wire(settings.sms_base_url, settings.sms_timeout_seconds, settings.sms_concurrency)
        self._client = Client(settings.sms_account, settings.sms_token, http_client=self._wire)

    async def __aenter__(self) -> TwilioSms:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._wire.close()

    async def send(self, to: str, text: str, callback_url: str) -> Outcome:
        """See Sms.send."""
        try:
            async with asyncio.timeout(self._limit_s):
                message = await self._client.messages.create_async(to=to, from_=self._sender, body=text, status_callback=callback_url)
        except _Busy as busy:
            return Throttled(busy.after_s)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(error.status, error.code)
        except aiohttp.ClientConnectorError:
            return Throttled(_REFUSED_AFTER_S)
        except TimeoutError:
            return Unknown("timeout")
        except (aiohttp.ClientError, TwilioException, OSError, ValueError) as error:
            return Unknown(type(error).__name__)
        return Unknown("no sid") if not message.sid else Sent(message.sid, str(message.status))

    async def find(self, to: str, text: str, since: datetime) -> Sent | None:
        """See Sms.find. Only the number is filtered at the carrier: its date filter leaves out what is still in its queue."""
        oldest, seen = since - _CLOCK_SKEW, 0
        try:
            async with asyncio.timeout(self._limit_s):
                async for message in await self._client.messages.stream_async(to=to, limit=_LOOK_BACK, page_size=_PAGE):
                    if message.date_created is not None and message.date_created < oldest:
                        return None
                    if message.body == text:
                        return Sent(message.sid, str(message.status), str(message.error_code) if message.error_code else None)
                    seen += 1
        except (_Busy, TwilioException, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _cannot_say() from error
        if seen >= _LOOK_BACK:
            raise _cannot_say()
        return None


async def send_all(
    sms: Sms, items: Sequence[Outgoing], callback_url: str, concurrency: int, clock: Callable[[], datetime]
) -> list[tuple[Outgoing, Outcome]]:
    """Send a claimed batch, at most `concurrency` at a time. What its lease no longer covers is not started: another worker may have it."""
    room = asyncio.Semaphore(concurrency)

    async def one(item: Outgoing) -> tuple[Outgoing, Outcome]:
        async with room:
            if clock() >= item.lease_until:
                return item, Throttled(0.0)
            return item, await sms.send(item.to, item.text, callback_url)

    return list(await asyncio.gather(*(one(i) for i in items)))


def _cannot_say() -> Unavailable:
    return Unavailable("sms_lookup", "短信通道暂时查不到结果，稍后再试 · the carrier cannot say now, ask again later")


def _refusal(status: int, code: int | None) -> Outcome:
    if status == 429:
        return Throttled(_BUSY_AFTER_S)
    if status >= 500 or status == 408:
        return Unknown(f"http {status}")
    number = code or status
    return Throttled(_FAULT_AFTER_S) if disposition(number) == "retry" or status in (401, 403) else Rejected(str(number))


def _seconds(header: str | None) -> float:
    return float(header) if header is not None and header.isdigit() else _BUSY_AFTER_S
