"""Hazard feeds over HTTP: a CAP Atom feed and USGS ComCat. Off unless an address is configured; nothing they say is acted on here.

An answer is read up to a size and a time; a redirect or an entry that leads to another host is not followed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec

from relief.channels import cap, comcat
from relief.channels.loopback import stays_here
from relief.domain.alert import Message, Source
from relief.domain.errors import Invalid, ReliefError, Unavailable
from relief.settings import Settings

MOST_FEED_BYTES: Final = 4 * 1024 * 1024
MOST_MESSAGE_BYTES: Final = 256 * 1024
#: Messages taken from one feed at one visit; the rest comes at the next.
MOST_MESSAGES: Final = 100
_MOST_REDIRECTS: Final = 3


class Fetched(msgspec.Struct, frozen=True):
    """What one visit brought, and the codes of what could not be understood or fetched; not `heard`: the feed itself did not answer."""

    source: Source
    messages: tuple[Message, ...]
    faults: tuple[str, ...] = ()
    heard: bool = True


class Feeds(Protocol):
    """What the timetable needs of the feeds."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The configured ones."""
        ...

    async def fetch(self, source: Source, known: Collection[str]) -> Fetched:
        """Every message whose link is not known. Never raises for what the feed or the network does."""
        ...


class HttpFeeds:
    """The real ones, or anything that speaks their formats. Use as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        given: dict[Source, str | None] = {"cap": settings.feed_cap_url, "comcat": settings.feed_comcat_url}
        self._urls = {source: _checked(url) for source, url in given.items() if url}
        self._limit = aiohttp.ClientTimeout(total=settings.feed_timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The configured ones."""
        return tuple(self._urls)

    async def __aenter__(self) -> HttpFeeds:
        if self._urls:
            self._session = aiohttp.ClientSession(timeout=self._limit, headers={"User-Agent": "relief"})
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, source: Source, known: Collection[str]) -> Fetched:
        """See Feeds.fetch."""
        try:
            content = await self._get(self._urls[source], MOST_FEED_BYTES)
            return await (self._cap(content, known) if source == "cap" else self._comcat(content, known))
        except ReliefError as error:
            return Fetched(source, (), (error.code,), heard=False)

    async def _cap(self, content: bytes, known: Collection[str]) -> Fetched:
        new = [e for e in cap.entries(content) if e.link not in known][:MOST_MESSAGES]
        messages, faults = [], []
        for entry in new:
            try:
                body = entry.body
                if body is None:
                    body = await self._get(_same_host(self._urls["cap"], entry.href or ""), MOST_MESSAGE_BYTES)
                if len(body) > MOST_MESSAGE_BYTES:
                    raise _too_large()
                messages.append(cap.message(body, entry.link))
            except ReliefError as error:
                faults.append(error.code)
        return Fetched("cap", tuple(messages), tuple(faults))

    async def _comcat(self, content: bytes, known: Collection[str]) -> Fetched:
        messages, faults = [], []
        for body in comcat.features(content):
            try:
                message = comcat.message(body)
                if message.link not in known:
                    messages.append(message)
            except ReliefError as error:
                faults.append(error.code)
        return Fetched("comcat", tuple(messages[:MOST_MESSAGES]), tuple(faults))

    async def _get(self, url: str, most: int) -> bytes:
        assert self._session is not None, "entered as a context manager"
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                async with self._session.get(url, allow_redirects=False) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = _same_host(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise Unavailable("feed_status", "预警源未正常应答 · the feed did not answer properly", status=response.status)
                    return await _read(response, most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("feed_unreachable", "预警源无法连接 · the feed cannot be reached") from error
        raise Unavailable("feed_redirects", "预警源跳转过多 · the feed redirects without end")


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body as it is unpacked, up to a size: what a small answer unpacks to counts, not what it says of itself."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > most:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


def _too_large() -> Invalid:
    return Invalid("feed_too_large", "预警源内容过大 · the feed's answer is too large")


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or (parts.scheme == "http" and not stays_here(url)):
        raise Invalid("feed_url", "预警源地址须为 https（本机可用 http） · a feed's address is https (http on loopback only)")
    return url


def _same_host(base: str, target: str) -> str:
    """The target made absolute; refused where it leads elsewhere."""
    found, home = urlsplit(urljoin(base, target)), urlsplit(base)
    if not target or (found.scheme, found.netloc) != (home.scheme, home.netloc):
        raise Invalid("feed_other_host", "预警源指向其他主机，未予跟随 · the feed leads to another host; it was not followed")
    return found.geturl()
