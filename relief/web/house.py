"""What every request may ask of the application: pool, keys, settings, clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection

from relief.domain.sealing import Keys
from relief.services.disburse import Writer
from relief.settings import Settings
from relief.store.db import Pool


class House(msgspec.Struct, frozen=True):
    """The parts the composition root hands to the web."""

    pool: Pool
    keys: Keys
    settings: Settings
    clock: Callable[[], datetime]
    writer: Writer | None = None  # how batch files are written; without it nothing can be frozen from a screen
    development: bool = False  # shows /dev/parts


def of(connection: ASGIConnection[Any, Any, Any, Any]) -> House:
    """The house this request came to."""
    return cast("House", connection.app.state.house)
