"""The rehearsal carrier's line to its customer: signed webhooks over kept connections, at most so many at once.

Twilio's rules: no callback for the first status, none repeated by itself when the customer is away.
"""

from __future__ import annotations

import asyncio
import random
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from urllib.parse import urlencode

import aiohttp
import msgspec
from twilio.request_validator import RequestValidator

from relief.channels.rehearsal.sms_store import Phones, Stored, new_sid, now
from relief.domain.message import segments


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rehearsal carrier does badly. Rates are shares of 1; times are seconds."""

    account: str = "ACrehearsal00000000000000000000000"
    token: str = "rehearsal-token"
    inbound_url: str | None = None  # where residents' answers go
    fail_rate: float = 0.0  # undelivered at the end
    drop_rate: float = 0.0  # callbacks that are never made
    duplicate_rate: float = 0.0  # callbacks made twice
    reorder_rate: float = 0.0  # messages whose callbacks come in reverse
    delay_s: float = 0.0  # before the first callback
    busy_rate: float = 0.0  # 429, not processed
    lost_answer_rate: float = 0.0  # accepted, yet answered with 500
    refuse_rate: float = 0.0  # 400 with a number's error code
    answer_rate: float = 0.0  # two-way residents who answer
    no_rate: float = 0.0  # of these, who say 2 (not received)
    forge_rate: float = 0.0  # messages with one more callback that somebody else signed
    concurrency: int = 16
    limit: int = 100_000  # messages kept
    seed: int = 1


Call = tuple[str, dict[str, str], bool]  # address, parameters, genuine
_Job = tuple[Stored, str, int | None, list[Call]]  # message, its end, its error, the calls to make

_FAILURES = (30003, 30005, 30006, 30008)
_TIMEOUT = aiohttp.ClientTimeout(total=15)


class Line:
    """Makes the calls. `counts` tells what happened, for tests and for the front page."""

    def __init__(self, options: Options, phones: Phones) -> None:
        self.options = options
        self.phones = phones
        self.random = random.Random(options.seed)  # a rehearsal repeats itself by its seed
        self.counts = {"accepted": 0, "callbacks": 0, "answers": 0, "refused by customer": 0, "customer away": 0, "dropped": 0}
        self._signer = RequestValidator(options.token)
        self._forger = RequestValidator("somebody else")
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(maxsize=options.limit)
        self._workers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connections."""
        # Shorter than the five seconds after which common servers hang up: a call must not meet a closing line.
        connector = aiohttp.TCPConnector(limit=self.options.concurrency, keepalive_timeout=3)
        self._session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.options.concurrency)]

    async def stop(self) -> None:
        """Drop what is not made yet, as a carrier that loses power would."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def accept(self, message: Stored) -> None:
        """Take a message on its way: decide its end now, call back later."""
        self.counts["accepted"] += 1
        failed = self.random.random() < self.options.fail_rate
        error = self.random.choice(_FAILURES) if failed else None
        end = "undelivered" if failed else "delivered"
        job = (message, end, error, self._plan(message, end, error))
        if self.options.delay_s > 0:
            asyncio.get_running_loop().call_later(self.options.delay_s, self._put, job)
        else:
            self._put(job)

    async def answer(self, phone: str, to: str, body: str) -> int:
        """The resident writes back. Returns the customer's HTTP status, 0 when there is nobody."""
        message = Stored(new_sid(), to, phone, body, "inbound", now(), status="received")
        self.phones.add(message)
        if self.options.inbound_url is None:
            return 0
        self.counts["answers"] += 1
        params = {
            "MessageSid": message.sid, "SmsSid": message.sid, "SmsMessageSid": message.sid, "SmsStatus": "received", "AccountSid": self.options.account,
            "From": phone, "To": to, "Body": body, "NumMedia": "0", "NumSegments": str(segments(body)), "ApiVersion": "2010-04-01",
        }  # fmt: skip
        status, text = await self._post(self.options.inbound_url, params, genuine=True)
        for said in _messages(text) if status == 200 else ():
            self.phones.add(Stored(new_sid(), phone, to, said, "outbound-reply", now(), status="delivered"))
        return status

    def _put(self, job: _Job) -> None:
        if self._jobs.full():
            self.counts["dropped"] += 1
        else:
            self._jobs.put_nowait(job)

    def _plan(self, message: Stored, end: str, error: int | None) -> list[Call]:
        if not message.callback:
            return []
        words = ["sent", end]
        if self.random.random() < self.options.reorder_rate:
            words.reverse()
        calls: list[Call] = []
        for word in words:
            if self.random.random() < self.options.drop_rate:
                self.counts["dropped"] += 1
                continue
            call = (message.callback, self._callback(message, word, error if word == end else None), True)
            calls += [call, call] if self.random.random() < self.options.duplicate_rate else [call]
        if self.random.random() < self.options.forge_rate:
            calls.insert(0, (message.callback, self._callback(message, "failed", 30007), False))
        return calls

    def _callback(self, message: Stored, word: str, error: int | None) -> dict[str, str]:
        params = {
            "MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": word, "SmsStatus": word, "AccountSid": self.options.account,
            "From": message.sender, "To": message.to, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return params if error is None else {**params, "ErrorCode": str(error)}

    async def _work(self) -> None:
        while True:
            message, end, error, calls = await self._jobs.get()
            message.sent, message.status, message.error = now(), end, error
            for url, params, genuine in calls:
                self.counts["callbacks"] += 1
                await self._post(url, params, genuine)
            await self._maybe_answer(message)

    async def _maybe_answer(self, message: Stored) -> None:
        reached = message.status == "delivered" and not message.to.startswith("+86")
        if reached and self.random.random() < self.options.answer_rate:
            await self.answer(message.to, message.sender, "2" if self.random.random() < self.options.no_rate else "1")

    async def _post(self, url: str, params: dict[str, str], genuine: bool) -> tuple[int, str]:
        assert self._session is not None
        signature = (self._signer if genuine else self._forger).compute_signature(url, params)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"}
        try:
            async with self._session.post(url, data=urlencode(params), headers=headers) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.counts["customer away"] += 1
            return 0, ""
        if genuine and response.status >= 400:
            self.counts["refused by customer"] += 1
        return response.status, text


def _messages(twiml: str) -> Sequence[str]:
    try:
        return [m.text or "" for m in ET.fromstring(twiml).iter("Message")]
    except ET.ParseError:
        return []
