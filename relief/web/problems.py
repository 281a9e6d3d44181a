"""Every refusal in one shape: RFC 9457 problem+json for programs, one calm page for people. Never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from structlog.contextvars import get_contextvars

from relief.domain.errors import Conflict, Invalid, NotFound, Refused, ReliefError, Unavailable
from relief.web import pages

LOG = structlog.get_logger("relief.web")

#: Kind → status; the table below names the codes that deviate from their kind.
_KINDS: Final[tuple[tuple[type[ReliefError], int], ...]] = (
    (NotFound, 404), (Refused, 403), (Conflict, 409), (Invalid, 422), (Unavailable, 503),
)  # fmt: skip
_CODES: Final[Mapping[str, int]] = {
    "bad_encoding": 400, "too_deep": 400, "duplicate_key": 400, "not_json": 400, "not_a_number": 400, "surrogate": 400,
    "duplicate_param": 400, "key_required": 400, "key_form": 400, "empty_body": 400, "host": 400, "unknown_param": 400, "bbox": 400, "datetime": 400, "format": 400,
    "not_signed_in": 401, "bad_credentials": 401, "device_unknown": 401, "device_revoked": 401, "app_outdated": 426, "media_type": 415, "content_encoding": 415, "too_large": 413, "zip_bomb": 413, "too_many_parts": 413, "unpacked_too_large": 413, "throttled": 429,
}  # fmt: skip
#: Codes for litestar's own refusals, by status.
_PLAIN: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "请求无法读懂 · the request could not be read"),
    401: ("not_signed_in", "请先登录 · please sign in"),
    403: ("not_permitted", "没有此项权限 · not permitted"),
    404: ("not_found", "没有找到，或不在您的辖区 · not found, or outside your area"),
    405: ("method", "该地址不接受此方法 · that address does not take this method"),
    413: ("too_large", "内容过大 · the content is too large"),
    429: ("throttled", "请求过于频繁，请稍后再试 · too many requests, try again later"),
    500: ("internal", "系统内部错误，已记录；未保存任何内容 · an internal error, recorded; nothing was saved"),
    503: ("unavailable", "暂不可用，请稍后重试 · not available, try again shortly"),
}
_RETRY: Final = {409: "1", 429: "60", 503: "2"}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `code` is stable, `detail` is one bilingual sentence, `data` holds harmless figures and field names."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    data: dict[str, Any] = {}
    instance: str | None = None  # the request as the log knows it


def status_of(error: ReliefError) -> int:
    """The HTTP status of a refusal."""
    if error.code in _CODES:
        return _CODES[error.code]
    return next((status for kind, status in _KINDS if isinstance(error, kind)), 500)


def problem(error: Exception) -> Problem:
    """Shape any exception; what nobody foresaw becomes a plain 500 whose details stay in the log."""
    if isinstance(error, ReliefError) and status_of(error) < 600:
        status = status_of(error)
        if status < 500 or isinstance(error, Unavailable):
            return _problem(status, error.code, error.message, {k: v for k, v in error.data.items() if v is not None})
    if isinstance(error, ValidationException):
        return _problem(422, "invalid", "请求参数有误 · a parameter is wrong", {"fields": _fields(error)})
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, detail = _PLAIN.get(status, _PLAIN[500 if status >= 500 else 400])
    return _problem(status, code, detail, {})


def _problem(status: int, code: str, detail: str, data: dict[str, Any]) -> Problem:
    request = get_contextvars().get("request")
    return Problem(
        type=f"urn:relief:problem:{code}", title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, data=data,
        instance=None if request is None else f"urn:relief:request:{request}",
    )  # fmt: skip


def _fields(error: ValidationException) -> list[str]:
    """Names of the parameters litestar refused; never their values."""
    extra = error.extra if isinstance(error.extra, list) else []
    return [str(e["key"]) for e in extra if isinstance(e, dict) and "key" in e]


def innermost(error: BaseException) -> Exception:
    """The one refusal inside the group litestar makes when a dependency translates an error on its way out."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = next((e for e in error.exceptions if isinstance(e, ReliefError)), error.exceptions[0])
    return cast("Exception", error)


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The one exception handler of the house."""
    error = innermost(error)
    body = problem(error)
    if body.status >= 500:
        LOG.error("request failed", method=request.method, route=request.scope.get("path_template"), exc_info=error)
    headers = {"Retry-After": _RETRY[body.status]} if body.status in _RETRY else {}
    if body.code == "too_large":
        headers["Connection"] = "close"
    if body.status == 401 and request.scope["path"].startswith("/ogc"):
        headers["WWW-Authenticate"] = 'Basic realm="relief", charset="UTF-8"'
    if _wants_page(request):
        if body.code == "not_signed_in" and request.method == "GET":
            return Response(content=b"", status_code=303, headers={"Location": pages.sign_in_path(request)})
        if body.code == "password_due" and request.method == "GET":
            return Response(content=b"", status_code=303, headers={"Location": "/me"})
        template = "error.html" if request.scope.get("auth") else "error_outside.html"
        return pages.page(request, template, body.status, headers, status=body.status, code=body.code, detail=body.detail, data=body.data)
    return Response(content=msgspec.json.encode(body), status_code=body.status, media_type="application/problem+json", headers=headers)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    return not request.scope["path"].startswith(("/api/", "/hooks/", "/live/", "/ogc")) and "text/html" in request.headers.get("accept", "")
