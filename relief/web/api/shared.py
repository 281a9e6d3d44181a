"""Pages of lists, and how many rows one asks for."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

T = TypeVar("T")

#: Rows of one page.
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Rows of one page, 1–200.")]
#: Where the page before ended.
After = Annotated[str | None, QueryParameter(max_length=120, description="`next` of the page before.")]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list; `next` is null on the last one."""

    items: list[T]
    next: str | None
