"""A real server on a free port, and Debian's Chromium without a screen."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import uvicorn
from litestar import Litestar
from playwright.async_api import Browser, async_playwright

ARGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none", "--disable-lcd-text",
)  # fmt: skip
Serve = Callable[[Litestar], Awaitable[str]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium as Debian has it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "the browser tests need Debian's chromium: run `make browser`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield browser
        await browser.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(app)` answers on a port of its own until the test ends; returns the address."""
    async with AsyncExitStack() as stack:

        async def start(app: Litestar) -> str:
            door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # listens already: who comes early waits
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            task = asyncio.create_task(server.serve(sockets=[door]))

            async def stop() -> None:
                server.should_exit = True
                await task

            stack.push_async_callback(stop)
            return f"http://127.0.0.1:{door.getsockname()[1]}"

        yield start
