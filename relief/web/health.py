"""Is this process able to work? For load balancers and containers; it tells nothing else."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from relief.store import db
from relief.web import access, house


@get("/health", opt={"action": access.PUBLIC}, include_in_schema=False)
async def health(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """200 when the database answers; 503 comes from the one exception handler when it does not."""
    async with db.read(house.of(request).pool) as tx:
        await db.value(tx, "SELECT 1")
    return Response({"status": "ok"})
