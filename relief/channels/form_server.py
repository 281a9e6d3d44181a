"""A Kobo (or compatible) server: submissions page by page for the back-fill, photos one by one. Only its own address is ever asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from relief.domain.errors import Invalid, Unavailable
from relief.later import Later

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = Later("aiohttp")

MOST_PAGE_BYTES: Final = 64 * 1024 * 1024
#: Submissions asked for at once.
PAGE: Final = 500


def mappings(folder: Path) -> list[tuple[str, str]]:
    """The mapping files of a folder: (name without .toml, text)."""
    return [(p.stem, p.read_text("utf-8")) for p in sorted(folder.glob("*.toml"))] if folder.is_dir() else []


class FormServer:
    """Use as an async context manager. Without an address it has nothing to ask."""

    def __init__(self, url: str | None, token: str, timeout_s: float) -> None:
        self._url = url.rstrip("/") if url else None
        self._headers = {"Authorization": f"Token {token}", "User-Agent": "relief"} if token else {"User-Agent": "relief"}
        self._limit = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> FormServer:
        if self._url:
            self._session = aiohttp.ClientSession(timeout=self._limit, headers=self._headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def configured(self) -> bool:
        """Whether there is a server to ask."""
        return self._url is not None

    async def submissions(self, asset: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every submission of a form, oldest first; Unavailable where the server does not answer."""
        start = 0
        while True:
            page = msgspec.json.decode(
                await self._get(f"{self._url}/api/v2/assets/{asset}/data.json?start={start}&limit={PAGE}", MOST_PAGE_BYTES)
            )
            for item in page["results"]:
                yield item
            start += len(page["results"])
            if not page.get("next") or not page["results"]:
                return

    async def photo(self, url: str, most: int) -> bytes:
        """The bytes of one photo of at most so many."""
        return await self._get(url, most)

    async def _get(self, url: str, most: int) -> bytes:
        if self._session is None or not self._own(url):
            raise Invalid("form_address", "地址不属于所配置的表单服务器 · the address is not the configured form server's")
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Unavailable("form_server", f"表单服务器回复 {answer.status} · the form server answered {answer.status}")
                content = await answer.content.read(most + 1)
                while len(content) <= most and not answer.content.at_eof():
                    content += await answer.content.read(most + 1 - len(content))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("form_server", "表单服务器没有回应 · the form server does not answer") from error
        if len(content) > most:
            raise Invalid("form_size", "文件过大 · the file is too large")
        return content

    def _own(self, url: str) -> bool:
        ours, theirs = urlsplit(self._url or ""), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
