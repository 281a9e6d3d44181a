"""A load client that costs next to nothing: requests made beforehand, sent one after another over a few kept connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import httpx
import msgspec


class Answers(msgspec.Struct, frozen=True):
    """How many answers a second, and how long each took (seconds, sorted)."""

    per_s: float
    took: list[float]

    def quantile(self, share: float) -> float:
        """So long took the slowest but 1 − share of them, in milliseconds."""
        return self.took[min(len(self.took) - 1, int(share * len(self.took)))] * 1000


def request(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One request, byte for byte."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def send(url: str, requests: Sequence[bytes], connections: int) -> Answers:
    """Every request once, `connections` at a time; an answer other than 200 ends the run."""
    left, took = iter(requests), list[float]()
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_connection(url, left, took))
    return Answers(per_s=len(requests) / (time.perf_counter() - started), took=sorted(took))


async def _connection(url: str, left: Iterator[bytes], took: list[float]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for one in left:
        started = time.perf_counter()
        writer.write(one)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        took.append(time.perf_counter() - started)
        assert head.startswith(b"HTTP/1.1 200"), head + body
    writer.close()


async def ready(url: str) -> None:
    """Wait until somebody answers there."""
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise TimeoutError(url)
