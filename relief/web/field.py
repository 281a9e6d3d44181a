"""The reporter's page: a shell, its words, its worker. It needs no session and holds nothing; what is personal comes by the phone's own token."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, Router, get

from relief.domain import project
from relief.web import access, given, pages
from relief.web.texts import CATALOGUE

_HERE: Final = Path(__file__).parent
_DIST: Final = _HERE / "assets" / "dist"
_ICONS: Final = (192, 512)
#: Sections of the catalogue the page speaks with.
SECTIONS: Final = (
    "field", "at_door", "door_step", "door_home", "question", "wrong", "after", "family", "relocated", "need", "circumstance", "structure", "channel", "presence", "paper",
)  # fmt: skip

Asked = Request[Any, Any, Any]


@get("/", name="field.page")
async def shell(request: Asked) -> Response[str]:
    """The same bytes for everybody: the worker keeps them."""
    return pages.page(request, "field.html")


@get("/texts.json", name="field.texts")
async def texts() -> Response[bytes]:
    """Both languages, and the banks."""
    return Response(_texts(), media_type=MediaType.JSON)


@cache
def _texts() -> bytes:
    chosen = {key: words for key, words in CATALOGUE.items() if key.startswith(tuple(f"{s}." for s in SECTIONS))}
    return msgspec.json.encode({"texts": chosen, "banks": list(project.BANKS.items())})


@get("/manifest.webmanifest", name="field.manifest")
async def manifest() -> Response[bytes]:
    """What makes it an app on the home screen."""
    return Response(_manifest(), media_type="application/manifest+json")


@cache
def _manifest() -> bytes:
    return msgspec.json.encode(
        {
            "id": "/field", "start_url": "/field", "scope": "/field", "display": "standalone", "lang": "zh-CN",
            "name": "灾害救助登记", "short_name": "救助登记", "background_color": "#ffffff", "theme_color": "#0b2f5b",
            "icons": [{"src": f"/field/icon/{n}", "sizes": f"{n}x{n}", "type": "image/png", "purpose": "any"} for n in _ICONS],
        }
    )  # fmt: skip


@get("/icon/{size:int}", name="field.icon")
async def icon(size: given.FromPath[int]) -> Response[bytes]:
    """192 or 512 pixels."""
    return Response((_HERE / "assets" / "src" / "field" / f"icon-{512 if size == 512 else 192}.png").read_bytes(), media_type="image/png")


@get("/sw.js", name="field.worker")
async def worker(request: Asked) -> Response[str]:
    """The worker of exactly this version of the page: another file is another version, and is fetched whole before it counts."""
    files = ["/field", "/field/texts.json", "/field/manifest.webmanifest", *(f"/field/icon/{n}" for n in _ICONS), *_assets()]
    page = pages.page(request, "field.html").content
    mark = hashlib.sha256(page.encode() + _texts() + _manifest() + _code().encode()).hexdigest()[:16]
    text = f"const VERSION={msgspec.json.encode('field-' + mark).decode()},FILES={msgspec.json.encode(files).decode()};\n{_code()}"
    return Response(text, media_type="text/javascript", headers={"Service-Worker-Allowed": "/field", "Cache-Control": "no-cache"})


def _assets() -> Sequence[str]:
    return [pages.asset("field.js"), pages.asset("field_style.css")]


@cache
def _code() -> str:
    return (_DIST / "field_worker.js").read_text("utf-8")


ROUTER: Final = Router(
    path="/field", route_handlers=[shell, texts, manifest, icon, worker], opt={"action": access.PUBLIC}, include_in_schema=False
)
