"""The reference of the API, drawn from our own description with local files."""

from __future__ import annotations

from typing import Final

from litestar import Response, get

from relief.web import access, pages
from relief.web.given import Req


@get("/api/docs", action=access.SIGNED_IN)
async def reference(request: Req) -> Response[str]:
    """Swagger UI over /api/openapi.json."""
    return pages.page(request, "reference.html")


HANDLERS: Final = [reference]
