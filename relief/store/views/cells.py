"""Households counted in the squares of a map tile: never a household, never fewer than five, and no two answers less than five apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

#: A cell of fewer households is not shown: it would point at a family. Shown numbers are rounded down to multiples of it, so that neither
#: a coarse cell less its finer ones, nor a cell now less the same cell before, is ever a smaller number.
FEWEST: Final = 5
#: The finest squares: the Web Mercator world is 2¹⁶ of them across, some 530 m in Sichuan. Coarser ones halve the number.
FINEST: Final = 16
#: A tile is 2⁴ cells across.
ACROSS: Final = 4
#: The sizes that are kept added up, with the digits of the areas they tell apart; others are made of the next finer one.
_KEPT: Final = ((10, 9), (11, 9), (13, 12), (16, 12))

# $2 is the size that is read and $3, $4 its stretch; $5, $6 are those of the changes not added up yet; $7, $8 make cells of both.
_TILE = """
SELECT cell, sum(households)::int AS households, sum(people)::int AS people, sum(made_up) > 0 AS synthetic
FROM (SELECT square >> $7 AS cell, households, people, made_up FROM square
      WHERE incident = $1 AND level = $2 AND square >= $3 AND square < $4 AND area LIKE ANY ($9::text[])
      UNION ALL
      SELECT square >> $8, households, people, made_up FROM square_change
      WHERE incident = $1 AND square >= $5 AND square < $6 AND village LIKE ANY ($9::text[])) AS counted
GROUP BY cell HAVING sum(households) >= $10 ORDER BY cell
"""


class Cell(msgspec.Struct, frozen=True):
    """One square of a tile, counted from its north-western corner; `synthetic` where some place in it is made up."""

    column: int
    row: int
    households: int
    people: int
    synthetic: bool


class _Sum(msgspec.Struct, frozen=True):
    cell: int
    households: int
    people: int
    synthetic: bool


async def tile(tx: Tx, incident: UUID, villages: Sequence[str], z: int, x: int, y: int) -> list[Cell]:
    """The cells of one map tile (z at most FINEST − ACROSS) in which these areas (LIKE patterns) have at least FEWEST households.

    Neither duplicates nor rejected ones count. Numbers are rounded down to multiples of FEWEST.
    """
    grid, place = z + ACROSS, sum((x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1 for bit in range(z))
    digits = max((len(v.rstrip("%")) for v in villages), default=0)
    kept = next(level for level, told in _KEPT if level >= grid and told >= digits)
    read, changed = 2 * (kept - z), 2 * (FINEST - z)
    stretch = (place << read, place + 1 << read, place << changed, place + 1 << changed)
    sums = await many(tx, _TILE, _Sum, incident, kept, *stretch, 2 * (kept - grid), 2 * (FINEST - grid), list(villages), FEWEST)
    return [Cell(_even(s.cell), _even(s.cell >> 1), _down(s.households), _down(s.people), s.synthetic) for s in sums]


def _even(cell: int) -> int:
    """A coordinate within the tile: every second one of the last 2 × ACROSS bits."""
    return sum((cell >> 2 * bit & 1) << bit for bit in range(ACROSS))


def _down(n: int) -> int:
    return n - n % FEWEST
