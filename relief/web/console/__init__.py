"""The pages of staff: parse → one service call or one read model → page."""

from __future__ import annotations

from typing import Final

from litestar import Router

from relief.web.console import (
    activation,
    approvals,
    batches,
    complaints,
    desk,
    door,
    funds,
    home,
    households,
    parts,
    playbooks,
    reference,
    reports,
    situation,
    zones,
)

ROUTERS: Final = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            h
            for room in (
                door,
                home,
                situation,
                reports,
                zones,
                playbooks,
                activation,
                approvals,
                batches,
                funds,
                households,
                desk,
                complaints,
                parts,
                reference,
            )
            for h in room.HANDLERS
        ],
    )
]
