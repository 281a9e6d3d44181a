"""The door for form servers: one submission a call, vouched for by the form's own token before anything else is looked at.

Whatever is taken, known already or cannot be registered is answered with 200 and kept: the server would only send it again.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, post

from relief.channels import form_server
from relief.domain import form_mapping
from relief.domain.errors import Invalid
from relief.services import forms
from relief.store import db
from relief.web import access, given, guard, house

MAX_BODY: Final = 2_000_000


@post("/hooks/forms/{name:str}", name="hooks.form", status_code=200)
async def take(request: Request[Any, Any, Any], name: given.FromPath[str]) -> Response[Any]:
    """Take one submission: `Authorization: Token …` or `X-Token: …`."""
    here = house.of(request)
    try:
        form = form_mapping.read(forms.known(form_server.mappings(here.settings.forms), name))
    except Invalid:
        return Response(b"", status_code=404, media_type="text/plain")
    token = request.headers.get("x-token") or request.headers.get("authorization", "").partition(" ")[2]
    if not form_mapping.vouched(form, token):
        return Response(b"", status_code=403, media_type="text/plain")
    submission = guard.load(await request.body())
    if not isinstance(submission, dict):
        raise Invalid("type", "提交须为 JSON 对象 · a submission is a JSON object")
    async with db.begin(here.pool) as tx:
        taken = await forms.take(tx, name, form, submission, here.clock(), here.keys)
    return Response(msgspec.to_builtins(taken), status_code=200)


ROUTER: Final = Router(
    path="/", route_handlers=[take], opt={"action": access.PUBLIC}, request_max_body_size=MAX_BODY, include_in_schema=False
)
