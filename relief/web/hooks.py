"""What the carrier tells us: status callbacks and residents' answers. The signature comes before anything else, a transaction included.

A callback is checked against our configured public URL, never against a Host header. Whatever is signed but makes no sense to us is
answered with 200 and changes nothing: the carrier would only send it again.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from litestar import Request, Response, Router, post
from litestar.datastructures import MultiDict
from twilio.request_validator import HMAC_SHA1, SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, get_signature_algorithm

from relief.channels.sms_webhook import INBOUND_PATH, STATUS_PATH, Signature
from relief.domain import identity
from relief.domain.errors import Invalid
from relief.services import confirm
from relief.services.notify import Heard
from relief.settings import Settings
from relief.store import db
from relief.web import access, house
from relief.web.gather import Gatherer

MAX_BODY: Final = 16 * 1024
_MAX_FIELDS: Final = 100
_SID: Final = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
_ERROR: Final = re.compile(r"[0-9]{1,6}")
_FORM: Final = "application/x-www-form-urlencoded"

Params = MultiDict[str]


def _nothing(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type="text/plain")


def _twiml(text: str | None) -> Response[str]:
    said = f"<Message>{escape(text)}</Message>" if text else ""
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>', status_code=200, media_type="text/xml")


async def _read(request: Request[Any, Any, Any], settings: Settings) -> Params | int:
    """The parameters of a webhook the carrier has signed for exactly this address; otherwise the status to refuse with."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return 415
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return 403
    params = MultiDict(pairs)
    query = request.scope["query_string"].decode("latin-1")
    url = settings.public_url.rstrip("/") + request.scope["path"] + ("?" + query if query else "")
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER)) != HMAC_SHA1:
        return 403
    if not Signature(settings.sms_token).valid(url, params, signature) or params.get("AccountSid") != settings.sms_account:
        return 403
    return params


def _gatherer(request: Request[Any, Any, Any]) -> Gatherer:
    state, here = request.app.state, house.of(request)
    found = state.get("gatherer")
    if found is None:
        found = state["gatherer"] = Gatherer(here.pool, here.clock)
    return cast("Gatherer", found)


@post(STATUS_PATH, name="sms.status", status_code=200)
async def status(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A status callback. Replays and words we do not know change nothing."""
    here = house.of(request)
    params = await _read(request, here.settings)
    if isinstance(params, int):
        return _nothing(params)
    sid, error = params.get("MessageSid", ""), params.get("ErrorCode", "")
    if _SID.fullmatch(sid) is not None:
        heard = Heard(sid, params.get("MessageStatus", ""), error if _ERROR.fullmatch(error) else None)
        await _gatherer(request).apply(heard)
    return _nothing(200)


@post(INBOUND_PATH, name="sms.inbound", status_code=200)
async def inbound(request: Request[Any, Any, Any]) -> Response[Any]:
    """A resident wrote to us; the answer goes back as TwiML."""
    here = house.of(request)
    params = await _read(request, here.settings)
    if isinstance(params, int):
        return _nothing(params)
    try:
        number = identity.phone(params.get("From", ""))
    except Invalid:
        return _twiml(None)
    # The carrier knows opt-out words in more languages than we do, and has answered them itself.
    body = {"STOP": "STOP", "START": "START"}.get(params.get("OptOutType", ""), params.get("Body", ""))
    async with db.begin(here.pool) as tx:
        said = await confirm.by_sms(tx, number, body, here.clock(), here.keys)
    return _twiml(said.text)


ROUTER: Final = Router(
    path="/", route_handlers=[status, inbound], opt={"action": access.PUBLIC}, request_max_body_size=MAX_BODY, include_in_schema=False
)
