"""The pages of staff: parse → one service call or one read model → page."""

from __future__ import annotations

from typing import Final

from litestar import Router

from relief.web.console import door

ROUTERS: Final = [Router(path="/", route_handlers=[*door.HANDLERS], include_in_schema=False)]
