"""Which response an activation rests on: the playbook says which levels it serves (`responses`), the governments say which are in force."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from relief.domain.errors import Conflict
from relief.domain.playbook import Playbook
from relief.store import responses
from relief.store.db import Tx
from relief.store.responses import InForce as InForce

_ROMAN = " ⅠⅡⅢⅣ"


async def by(tx: Tx, incident: UUID, county: str, book: Playbook) -> InForce | None:
    """The response in force over a county that this playbook serves, the highest first; None where none is declared (or none is needed).

    Nobody waits for a declaration: an advance may be the first thing that is done, and says that it rests on none. Conflict where responses
    are in force, but none of a level this playbook is for.
    """
    return fitting(await responses.current(tx, incident), county, book)


def fitting(current: Sequence[InForce], county: str, book: Playbook) -> InForce | None:
    """The same of responses that were read already."""
    if not book.responses:
        return None
    here = [r for r in current if r.level is not None and county.startswith(r.area)]
    served = [r for r in here if r.level in book.responses]
    if here and not served:
        levels = "、".join(f"{_ROMAN[r.level or 0]}级" for r in here)
        raise Conflict(
            "response_level",
            f"已启动的响应（{levels}）不在本预案适用的级别内 · this playbook does not serve the response in force (level {levels})",
            levels=[r.level for r in here],
        )
    return min(served, key=lambda r: (r.level or 9, len(r.area)), default=None)
