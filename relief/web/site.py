"""The web application: every router, one guard, one exception handler, one set of headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Message, Scope

from relief.domain.errors import ReliefError
from relief.web import access, api, console, field, guard, ogc, problems
from relief.web.api import describe
from relief.web.house import House

ASSETS: Final = Path(__file__).parent / "assets" / "dist"

#: No inline script or style anywhere; MapLibre's worker is a file of our own, so even blob: stays shut.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # with no-referrer a browser says "Origin: null" even to us, and its forms would be refused
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(self)",
    }.items()
)
_PRIVATE: Final = (b"cache-control", b"no-store")

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]] | AsyncIterator[None]


@cache
def _policy(tile_url: str | None) -> bytes:
    """The rules of a page; a background of somebody else's opens its own host to images, and nothing else."""
    if tile_url is None:
        return _POLICY.encode()
    host = urlsplit(tile_url)
    origin = f"{host.scheme}://{host.netloc}"
    return (
        _POLICY.replace("img-src 'self'", f"img-src 'self' {origin}").replace("connect-src 'self'", f"connect-src 'self' {origin}").encode()
    )


async def _headers(message: Message, scope: Scope) -> None:
    """Every response carries the same walls; only assets may be cached."""
    if message["type"] != "http.response.start":
        return
    headers = list(message["headers"])
    headers.extend(_HEADERS)
    headers.append((b"content-security-policy", _policy(scope["litestar_app"].state.house.settings.tile_url)))
    if not any(name.lower() == b"cache-control" for name, _ in headers):
        headers.append(_PRIVATE)
    if scope["scheme"] == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    message["headers"] = headers


def build(house: House | None = None, lifespan: Sequence[Any] = (), more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """Assemble the application. Give `house`, or a lifespan that sets `app.state.house` before the first request."""
    ASSETS.mkdir(exist_ok=True)
    app = Litestar(
        route_handlers=[*api.ROUTERS, *console.ROUTERS, ogc.ROUTER, field.ROUTER, _assets(), *more],
        guards=[access.authorize],
        middleware=[guard.Gate()],
        request_class=guard.StrictRequest,
        request_max_body_size=guard.MAX_BODY,
        exception_handlers={ReliefError: problems.handle, Exception: problems.handle},
        dependencies={
            "tx": Provide(access.provide_tx),
            "read": Provide(access.provide_read),
            "actor": Provide(access.provide_actor),
            "now": Provide(access.provide_now),
        },
        before_send=[_headers],
        lifespan=list(lifespan),
        openapi_config=_openapi(),
        logging_config=None,  # the process decides how it logs: relief/logs.py
    )
    if house is not None:
        app.state.house = house
    missing = access.undeclared(app)
    if missing:
        raise RuntimeError(f"routes without an action: {missing}")
    return app


def _assets() -> Router:
    return create_static_files_router(
        path="/assets", directories=[ASSETS], opt={"action": access.PUBLIC}, cache_control=None, include_in_schema=False
    )


class _Description(JsonRenderPlugin):
    """The description of the API, completed when it is first asked for: no start of a process waits for it."""

    _made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """As JSON, the same bytes for everybody."""
        if self._made is None:
            whole = request.app.openapi_schema
            describe.complete(whole)
            self._made = super().render(request, whole.to_schema())
        return self._made


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="relief 灾害救助资金快速发放",
        version="1",
        description="Amounts are whole fen (`_fen`); points are EPSG:4490 degrees; areas are GB/T 2260 codes; times carry an offset. "
        "Errors are RFC 9457 problem+json with a stable `code`. Money writes need an `Idempotency-Key`.",
        use_handler_docstrings=True,
        openapi_router=Router(path="/api", route_handlers=[], opt={"action": access.SIGNED_IN, "basic": True}),
        render_plugins=[_Description(path="/openapi.json")],
        components=Components(security_schemes={"session": SecurityScheme(type="apiKey", name=access.COOKIE, security_scheme_in="cookie")}),
        security=[{"session": []}],
    )
