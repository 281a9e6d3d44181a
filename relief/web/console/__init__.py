"""The pages of staff: parse → one service call or one read model → page."""

from __future__ import annotations

from typing import Final

from litestar import Router

from relief.web.console import (
    account,
    activation,
    alerts,
    approvals,
    audit,
    batches,
    cases,
    checks,
    complaints,
    desk,
    door,
    dossier,
    duplicates,
    estimates,
    funds,
    home,
    households,
    incidents,
    moves,
    notices,
    papers,
    parts,
    phones,
    playbook_versions,
    playbooks,
    recoveries,
    reference,
    referrals,
    reports,
    responses,
    reveal,
    scenarios,
    sheets,
    situation,
    staff,
    standards,
    supervision,
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
                alerts,
                incidents,
                situation,
                reports,
                responses,
                zones,
                playbooks,
                playbook_versions,
                standards,
                activation,
                scenarios,
                estimates,
                moves,
                approvals,
                supervision,
                cases,
                checks,
                batches,
                funds,
                households,
                dossier,
                sheets,
                duplicates,
                desk,
                complaints,
                notices,
                papers,
                recoveries,
                audit,
                account,
                staff,
                reveal,
                referrals,
                phones,
                parts,
                reference,
            )
            for h in room.HANDLERS
        ],
    )
]
