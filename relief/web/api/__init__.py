"""The JSON interface: parse → one service call → reply."""

from __future__ import annotations

from typing import Final

from litestar import Router

from relief.web.api import decisions, households, incidents, money, session

ROUTERS: Final = [
    Router(
        path="/api/v1",
        route_handlers=[*session.HANDLERS, *incidents.HANDLERS, *households.HANDLERS, *money.HANDLERS, *decisions.HANDLERS],
        tags=["v1"],
    )
]
