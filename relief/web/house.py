"""What every request may ask of the application."""

from __future__ import annotations

from typing import Any, cast

from litestar.connection import ASGIConnection

from relief.house import House as House


def of(connection: ASGIConnection[Any, Any, Any, Any]) -> House:
    """The house this request came to."""
    return cast("House", connection.app.state.house)
