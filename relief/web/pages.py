"""Pages are Jinja templates with autoescape; language, session and filters are the same for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from relief.web import shown
from relief.web.texts import LANGUAGES, Texts

_HERE: Final = Path(__file__).parent
LANGUAGE_COOKIE: Final = "relief_lang"


@cache
def asset(name: str) -> str:
    """Address of an asset; changes with its content, so a browser never keeps an old one."""
    path = _HERE / "assets" / "dist" / name
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.exists() else "missing"
    return f"/assets/{name}?{mark}"


_ENV = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENV.filters.update(shown.FILTERS)
_ENV.globals.update(shown.GLOBALS, asset=asset, new_key=lambda: str(uuid4()))


def language(request: Request[Any, Any, Any]) -> str:
    """`?lang=` wins, then the cookie, then Chinese."""
    for given in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if given in LANGUAGES:
            return str(given)
    return LANGUAGES[0]


def page(
    request: Request[Any, Any, Any], template: str, status_code: int = 200, headers: Mapping[str, str] | None = None, **things: Any
) -> Response[str]:
    """Render one page. `t` is the catalogue, `visitor` whoever is signed in.

    The frame of a drill stands around what belongs to one, and around everything while nothing real is going on.
    """
    lang, visitor = language(request), request.scope.get("auth")
    things["drill"] = bool(things.get("drill")) or bool(visitor and visitor.drill)
    text = _ENV.get_template(template).render(
        t=Texts(lang), lang=lang, path=request.scope["path"], visitor=visitor, house=request.app.state.house, **things
    )
    answer = Response(content=text, status_code=status_code, media_type="text/html", headers=dict(headers or {}))
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, lang, path="/", samesite="lax", httponly=True, max_age=31_536_000)
    return answer


def sign_in_path(request: Request[Any, Any, Any]) -> str:
    """Where to sign in, coming back here afterwards."""
    return "/sign-in?next=" + quote(request.scope["path"], safe="/")
