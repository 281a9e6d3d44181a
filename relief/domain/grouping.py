"""Households that a rule cannot tell apart: a million rows have few distinct sets of facts, and each set is decided once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int32]

#: Up to so many possible keys the distinct ones are found through a table, beyond it by sorting.
_TABLE: Final = 1 << 22
_MOST: Final = 1 << 62


def distinct(columns: Iterable[npt.NDArray[Any]], rows: int) -> tuple[Index, Index]:
    """The group of every row, and one row of every group. Rows are of one group when all columns (none negative) agree."""
    key: npt.NDArray[Any] = np.zeros(rows, np.int32)
    size = 1
    for column in columns:
        radix = int(column.max(initial=0)) + 1
        if size * radix > _TABLE:
            key, size = _dense(key, size)
        if size * radix > _MOST:
            column, radix = _dense(column, radix)
        if size * radix > _TABLE:
            key = key.astype(np.int64)
        if radix > 1:
            key = key * key.dtype.type(radix) + column
            size *= radix
    group, size = _dense(key, size)
    one = np.zeros(size, np.int32)
    one[group] = np.arange(rows, dtype=np.int32)
    return group, one


def _dense(key: npt.NDArray[Any], size: int) -> tuple[Index, int]:
    """The same distinctions numbered 0, 1, 2 … without gaps, and how many there are."""
    if size > _TABLE:
        found, inverse = np.unique(key, return_inverse=True)
        return inverse.astype(np.int32), len(found)
    seen = np.zeros(size, np.bool_)
    seen[key] = True
    place = np.cumsum(seen, dtype=np.int32) - np.int32(1)
    return place[key], int(place[-1]) + 1
