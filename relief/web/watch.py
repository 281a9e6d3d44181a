"""Every request has an id, a line in the log and a place in the figures: its route, never its path, for a path may hold what someone typed."""

from __future__ import annotations

import re
import time
from typing import Any, Final
from uuid import uuid4

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

log = structlog.get_logger("relief.web")

REQUESTS: Final = Counter("relief_requests_total", "Requests answered, by route and status", ["method", "route", "status"])
SECONDS: Final = Histogram(
    "relief_request_seconds",
    "Time to the last byte of the answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
#: Asked every few seconds by machines: counted, not told.
_QUIET: Final = ("/health", "/metrics", "/assets")
#: An id a proxy gave is kept where it looks like one.
_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Watch:
    """Around the whole application, so that what no route takes is seen too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and remember what came of it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request = given.decode() if _GIVEN.fullmatch(given) else uuid4().hex
        status, started = 500, time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request):
            try:
                await self._app(scope, receive, told)
            finally:
                _remember(scope, status, time.perf_counter() - started)


def _remember(scope: Any, status: int, seconds: float) -> None:
    route, method = scope.get("path_template") or "none", scope["method"]
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)
    if route.startswith(_QUIET):
        return
    actor = scope.get("user")
    person = None if actor is None else str(actor.id)
    if status == 404 and person and "{" in route:  # someone signed in asked for what is not there, or not theirs
        log.warning("not found or foreign", method=method, route=route, person=person)
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), person=person)
