"""Households counted in the squares of a map: read once at the finest size, added up to any coarser one. Never a household, never fewer than five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from relief.store.db import Tx

#: A cell of fewer households is not shown: it would point at a family.
FEWEST: Final = 5
#: The finest squares: the Web Mercator world is 2¹⁶ of them across, some 530 m in Sichuan. Coarser ones halve the number.
FINEST: Final = 16
#: A tile is 2⁴ cells across.
ACROSS: Final = 4

# $3 is the number of squares across the world. Sorted by column, so that a tile is one stretch of rows.
_GRID = """
SELECT x, y, count(*)::int AS households, sum(members)::int AS people, bool_or(synthetic_point) AS synthetic
FROM (SELECT floor((lon + 180) / 360 * $3::float8)::int AS x, floor((1 - asinh(tan(radians(lat))) / pi()) / 2 * $3::float8)::int AS y,
             members, synthetic_point
      FROM household WHERE incident = $1 AND village LIKE ANY ($2::text[]) AND status NOT IN ('duplicate', 'rejected')) h
GROUP BY x, y ORDER BY x, y
"""
#: A row of binary COPY: how many fields, then length and value of each, big-endian; 19 bytes go before the rows, 2 after.
_ROW: Final = np.dtype([
    ("fields", ">i2"), ("n1", ">i4"), ("x", ">i4"), ("n2", ">i4"), ("y", ">i4"), ("n3", ">i4"), ("households", ">i4"), ("n4", ">i4"),
    ("people", ">i4"), ("n5", ">i4"), ("synthetic", "?"),
])  # fmt: skip
_HEAD, _TAIL = 19, 2

Column = npt.NDArray[Any]


class Grid(msgspec.Struct, frozen=True):
    """The finest squares that hold anybody, by column and row; a coarser square is its number shifted."""

    x: Column
    y: Column
    households: Column
    people: Column
    synthetic: Column


class Cell(msgspec.Struct, frozen=True):
    """One square of a tile, counted from its north-western corner; `synthetic` where some place in it is made up."""

    column: int
    row: int
    households: int
    people: int
    synthetic: bool


async def grid(tx: Tx, incident: UUID, villages: Sequence[str]) -> Grid:
    """Everybody registered within these areas (LIKE patterns) who is neither a duplicate nor rejected. Reads every household once."""
    raw = bytearray()

    async def keep(chunk: bytes) -> None:
        raw.extend(chunk)

    await tx.copy_from_query(_GRID, incident, list(villages), 2**FINEST, output=keep, format="binary")
    rows = np.frombuffer(raw, _ROW, (len(raw) - _HEAD - _TAIL) // _ROW.itemsize, _HEAD)
    x, y, households, people = (rows[name].astype(np.int64) for name in ("x", "y", "households", "people"))
    return Grid(x=x, y=y, households=households, people=people, synthetic=rows["synthetic"].copy())


def tile(found: Grid, z: int, x: int, y: int) -> list[Cell]:
    """The cells of one map tile (z at most FINEST − ACROSS) that hold at least FEWEST households."""
    shift = FINEST - ACROSS - z
    side, first = 2**ACROSS, x << ACROSS
    begin, end = np.searchsorted(found.x, [first << shift, (first + side) << shift])
    stretch = slice(int(begin), int(end))
    column, row = (found.x[stretch] >> shift) - first, (found.y[stretch] >> shift) - (y << ACROSS)
    here = (row >= 0) & (row < side)
    place = row[here] * side + column[here]
    count, people, made_up = (
        np.bincount(place, values[stretch][here], side * side) for values in (found.households, found.people, found.synthetic)
    )
    return [Cell(n % side, n // side, int(count[n]), int(people[n]), bool(made_up[n])) for n in np.flatnonzero(count >= FEWEST).tolist()]
