"""What arrives is checked before anything reads it: headers on every request, and JSON by a strict reader.

litestar and msgspec alone let pass duplicate keys, text/plain bodies, NUL in strings and numbers of thirty digits, and answer
500 to bad UTF-8 or deep nesting; here each has its code.
"""

from __future__ import annotations

import math
import re
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, urlsplit

import msgspec
import numpy as np
from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from relief.domain.errors import Invalid, Refused
from relief.domain.policy import Actor

MAX_DEPTH: Final = 32
MAX_BODY: Final = 2_000_000
MAX_ZONE: Final = 50_000_000
UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

#: A text; one that never ends takes the rest, so that no body makes this slow.
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS: Final = bytes(b for b in range(256) if b not in b"[]{}")
#: C0 controls (tab and line breaks are text), DEL, and the marks that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_PATH = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")


# --- JSON ------------------------------------------------------------------------------------------------------------------------


def load(body: bytes) -> Any:
    """Read JSON strictly into plain values or refuse with a code; values are never repeated in the refusal."""
    _depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("bad_encoding", "内容须为 UTF-8 编码 · the body must be UTF-8") from None
    try:
        plain = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise Invalid("not_json", "不是有效的 JSON · this is not valid JSON", position=error.pos) from None
    if "\\" in text or _CONTROL.search(text):  # without an escape nothing can stand in a string that does not stand in the text
        _strings(plain)
    return plain


def convert(plain: Any, kind: Any) -> Any:
    """Plain values into a typed Struct; what is wrong is named by path and kind, never by value."""
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None


def _named(message: str) -> Invalid:
    match = _PATH.search(message)
    field = match[1].lstrip(".") if match else ""
    if "unknown field" in message:
        return Invalid("unknown_field", "有不认识的字段 · there is an unknown field", field=field)
    if "missing required field" in message:
        name = message.split("`")[1]
        return Invalid("missing_field", "缺少必填字段 · a required field is missing", field=f"{field}.{name}".lstrip("."))
    if re.search(r"Expected `[^`]*` (?:[<>]|matching|of length|that's)", message) or "out of range" in message:
        return Invalid("range", "数值或长度超出允许范围 · a value is outside what is allowed", field=field)
    return Invalid("type", "类型不符 · a value is of the wrong kind", field=field)


def _depth(body: bytes) -> None:
    """Brackets outside of texts, counted all at once: a loop over them costs more than reading the document."""
    brackets = np.frombuffer(_TEXT.sub(b"", body).translate(None, _NO_BRACKETS), np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    if np.cumsum(np.where(opening, 1, -1)).max(initial=0) > MAX_DEPTH:
        raise Invalid("too_deep", "嵌套层数过多 · the document is nested too deeply", limit=MAX_DEPTH)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("duplicate_key", "同一键出现两次 · a key stands twice")
    return found


def _integer(text: str) -> int:
    if len(text) > 19 or text == "-0":
        raise Invalid("range", "整数超出范围 · an integer is out of range")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Invalid("not_a_number", "数值超出可表示范围 · a number cannot be represented")
    return number


def _constant(_: str) -> NoReturn:
    raise Invalid("not_a_number", "NaN 与 Infinity 不是 JSON · NaN and Infinity are not JSON")


_DECODER = JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _strings(plain: Any) -> None:
    stack = [plain]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            clean(item)
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def clean(text: str) -> str:
    """The same text, or a refusal where it holds control characters or lone surrogates."""
    if _CONTROL.search(text):
        raise Invalid("control_char", "文字中含控制字符 · the text contains control characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Invalid("surrogate", "文字编码不完整 · the text contains a lone surrogate") from None
    return text


class StrictRequest(Request[Actor, Any, State]):
    """A request whose JSON is read by `load` and converted to the handler's own `data` type without any coercion."""

    async def json(self) -> Any:
        """The body as the type the handler asks for."""
        plain = load(await self.body())
        field = self.route_handler.parsed_data_field
        return plain if field is None else convert(plain, field.annotation)

    async def form(self) -> Any:
        """The form, its texts checked like JSON texts."""
        form = await super().form()
        for key, value in form.multi_items():
            clean(key)
            if isinstance(value, str):
                clean(value)
        return form


# --- headers ---------------------------------------------------------------------------------------------------------------------


class Gate(ASGIMiddleware):
    """Host, origin, media type and query of every request, before its route runs."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Refuse or pass on."""
        if scope["type"] == ScopeType.HTTP:
            check(scope)
        await next_app(scope, receive, send)


def check(scope: HTTPScope) -> None:
    """All header rules in order."""
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    _host(scope, headers)
    _query(scope)
    if scope["method"] not in UNSAFE:
        return
    _origin(headers)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Invalid("content_encoding", "请勿压缩请求内容 · send the body uncompressed")
    if scope["path"].startswith("/api/"):
        _media_type(scope, headers)


def _host(scope: HTTPScope, headers: dict[str, str]) -> None:
    """Only names this server answers to; X-Forwarded-* is never read."""
    settings = scope["litestar_app"].state.house.settings
    allowed = {urlsplit(settings.public_url).hostname, settings.listen_host, "127.0.0.1", "localhost", "::1"}
    if urlsplit("//" + headers.get("host", "")).hostname not in allowed:
        raise Invalid("host", "主机名不符 · this server does not answer to that host name")


def _query(scope: HTTPScope) -> None:
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    names = [clean(k) for k, _ in pairs]
    for _, value in pairs:
        clean(value)
    if len(set(names)) < len(names):
        raise Invalid("duplicate_param", "同一参数出现两次 · a parameter stands twice")


def _origin(headers: dict[str, str]) -> None:
    """A browser says where a request comes from: anything but our own pages may not write."""
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Refused("origin", "请求来自别的网站，已拒绝 · the request comes from another site")


def _media_type(scope: HTTPScope, headers: dict[str, str]) -> None:
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind, _, rest = headers.get("content-type", "").partition(";")
    accepted = scope["route_handler"].opt.get("accepts", ("application/json",))
    charset = re.search(r'charset\s*=\s*"?([\w-]+)', rest, re.IGNORECASE)
    if kind.strip().lower() not in accepted or (charset and charset[1].lower() not in ("utf-8", "utf8")):
        raise Invalid("media_type", "内容类型不符 · that content type is not accepted", accepted=list(accepted))
