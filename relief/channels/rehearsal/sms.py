"""A carrier for rehearsals: Twilio's HTTP API on a port of its own, and a phone simulator in the browser at `/`."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import uvicorn
from jinja2 import Environment, FileSystemLoader
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from relief.channels.rehearsal.sms_line import Line, Options
from relief.channels.rehearsal.sms_store import Phones, Stored, new_sid, now, resource
from relief.domain.message import segments

__all__ = ["Options", "make", "run"]

Call = Request[Any, Any, State]
TheLine = NamedDependency[Line]

_PAGE = Path(__file__).parent / "phone"
_VIEWS = Environment(loader=FileSystemLoader(_PAGE), autoescape=True)
_BODY_LIMIT = 64 * 1024
_PHONES_SHOWN = 100
_REFUSALS = (
    (21610, "Attempt to send to unsubscribed recipient"),
    (21211, "Invalid 'To' Phone Number"),
    (21614, "'To' number is not a valid mobile"),
)


def _json(status: int, thing: object, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(msgspec.json.encode(thing), status_code=status, media_type=MediaType.JSON, headers=headers)


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return _json(status, {"code": code, "message": message, "more_info": more, "status": status}, headers)


def _denied(request: Call, line: Line, account: str) -> Response[bytes] | None:
    given = request.headers.get("authorization", "")
    right = "Basic " + base64.b64encode(f"{line.options.account}:{line.options.token}".encode()).decode()
    if hmac.compare_digest(given.encode(), right.encode()) and account == line.options.account:
        return None
    return _error(401, 20003, "Authenticate", {"WWW-Authenticate": 'Basic realm="Twilio API"'})


@post("/2010-04-01/Accounts/{account:str}/Messages.json", request_max_body_size=_BODY_LIMIT)
async def create(request: Call, account: FromPath[str], line: TheLine) -> Response[bytes]:
    """Accept a message, or behave as badly as told."""
    if (denied := _denied(request, line, account)) is not None:
        return denied
    form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
    to, body, options = form.get("To", ""), form.get("Body", ""), line.options
    if line.random.random() < options.busy_rate:
        return _error(429, 20429, "Too Many Requests", {"Retry-After": "1"})
    if not to.startswith("+") or not to[1:].isdecimal():
        return _error(400, 21211, "Invalid 'To' Phone Number")
    if not 0 < len(body) <= 1600:
        return _error(400, 21602 if not body else 21617, "Message body is required, and at most 1600 characters")
    if line.random.random() < options.refuse_rate:
        return _error(400, *line.random.choice(_REFUSALS))
    message = Stored(new_sid(), to, form.get("From", ""), body, "outbound-api", now(), callback=form.get("StatusCallback", ""))
    shown = resource(message, account, segments(body))
    line.phones.add(message)
    line.accept(message)
    if line.random.random() < options.lost_answer_rate:
        return _error(500, 20500, "Internal Server Error")
    return _json(201, shown)


@get("/2010-04-01/Accounts/{account:str}/Messages.json")
async def listing(request: Call, account: FromPath[str], line: TheLine) -> Response[bytes]:
    """Messages newest first, filtered by To and DateSent, a page at a time."""
    if (denied := _denied(request, line, account)) is not None:
        return denied
    asked = dict(request.query_params.items())
    size, page = min(int(asked.get("PageSize", "50")), 1000), int(asked.get("Page", "0"))
    day, since, before = (_moment(asked.get(k)) for k in ("DateSent", "DateSent>", "DateSent<"))
    if day is not None:
        since, before = day, day + timedelta(days=1)
    found = line.phones.find(asked.get("To"), since, before)
    here = found[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        return f"/2010-04-01/Accounts/{account}/Messages.json?{urlencode({**asked, 'PageSize': size, 'Page': number})}"

    return _json(200, {
        "messages": [resource(m, account, segments(m.body)) for m in here], "page": page, "page_size": size, "start": page * size,
        "end": page * size + len(here) - 1, "uri": uri(page), "first_page_uri": uri(0), "previous_page_uri": uri(page - 1) if page else None,
        "next_page_uri": uri(page + 1) if (page + 1) * size < len(found) else None,
    })  # fmt: skip


@get("/2010-04-01/Accounts/{account:str}/Messages/{name:str}")
async def fetch(request: Call, account: FromPath[str], name: FromPath[str], line: TheLine) -> Response[bytes]:
    """One message by sid."""
    if (denied := _denied(request, line, account)) is not None:
        return denied
    message = line.phones.get(name.removesuffix(".json"))
    if message is None:
        return _error(404, 20404, "The requested resource was not found")
    return _json(200, resource(message, account, segments(message.body)))


@get("/", media_type=MediaType.HTML)
async def phones(line: TheLine) -> str:
    """The phones that got something lately."""
    return _VIEWS.get_template("phones.html").render(phones=line.phones.phones(_PHONES_SHOWN), counts=line.counts, kept=len(line.phones))


@get("/phone", media_type=MediaType.HTML)
async def phone(line: TheLine, number: FromQuery[str]) -> str:
    """One phone: what it got and wrote, and a form to answer."""
    messages: Sequence[Stored] = line.phones.of(number)
    return _VIEWS.get_template("phone.html").render(number=number, messages=messages, inbound=line.options.inbound_url)


@post("/phone", request_max_body_size=_BODY_LIMIT)
async def write(request: Call, line: TheLine) -> Redirect:
    """The resident presses 1 or 2, or writes something else."""
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    number = form.get("number", "")
    last = next((m for m in reversed(line.phones.of(number)) if m.direction != "inbound"), None)
    if last is not None and form.get("body"):
        await line.answer(number, last.sender, form["body"][:1600])
    return Redirect("/phone?" + urlencode({"number": number}), status_code=303)


@get("/phone.css", media_type=MediaType.CSS)
async def stylesheet() -> str:
    """The simulator's own looks."""
    return _STYLE


@get("/stats.json")
async def stats(line: TheLine) -> dict[str, int]:
    """What happened so far."""
    return {**line.counts, "kept": len(line.phones)}


_STYLE = (_PAGE / "phone.css").read_text()


def make(options: Options) -> Litestar:
    """The twin as an ASGI app."""
    line = Line(options, Phones(options.limit))

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await line.start()
        try:
            yield
        finally:
            await line.stop()

    def provide() -> Line:
        return line

    return Litestar(
        [create, listing, fetch, phones, phone, write, stylesheet, stats],
        lifespan=[lifespan], dependencies={"line": Provide(provide, sync_to_thread=False, use_cache=True)}, openapi_config=None, logging_config=None,
    )  # fmt: skip


def run(host: str, port: int, options: Options) -> None:
    """Serve until stopped."""
    uvicorn.run(make(options), host=host, port=port, log_level="warning", access_log=False, timeout_keep_alive=75)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text if "T" in text else text + "T00:00:00Z")
