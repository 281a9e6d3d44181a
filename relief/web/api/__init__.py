"""The JSON interface: parse → one service call → reply."""

from __future__ import annotations

from typing import Final

from litestar import Router

from relief.web.api import (
    alerts,
    bank,
    cases,
    complaints,
    decisions,
    duplicates,
    field,
    households,
    incidents,
    law,
    life,
    money,
    playbooks,
    reports,
    session,
    sheets,
    village,
    zones,
)

#: One room a line.
_ROOMS: Final = (
    session,
    incidents,
    zones,
    life,
    alerts,
    reports,
    households,
    cases,
    field,
    decisions,
    duplicates,
    playbooks,
    sheets,
    money,
    bank,
    law,
    complaints,
    village,
)

ROUTERS: Final = [Router(path="/api/v1", route_handlers=[handler for room in _ROOMS for handler in room.HANDLERS], tags=["v1"])]
