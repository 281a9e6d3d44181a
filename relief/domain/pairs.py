"""Which of many share a block: sorted once, compared only with their neighbours. Never everybody with everybody."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

#: A block that holds more than this tells nothing apart (a hostel, a name everybody has) and is passed over.
MOST_IN_BLOCK: Final = 40

Ints = npt.NDArray[np.int64]


def sharing(block: Ints, owner: npt.NDArray[np.int32], kept: int) -> tuple[Ints, Ints]:
    """Pairs of owners with a block in common, each once and the smaller first; pairs of owners below `kept` were found before.

    Even blocks are exact keys: everybody is paired with the first of the block only. Odd blocks pair all with all within a block of
    at most MOST_IN_BLOCK.
    """
    several = _repeated(block)
    block, owner = block[several], owner[several]
    order = np.lexsort((owner, block))
    block, owner = block[order], owner[order].astype(np.int64)
    starts = np.flatnonzero(np.r_[True, block[1:] != block[:-1]]) if len(block) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(block)])
    first, size = np.repeat(owner[starts], sizes), np.repeat(sizes, sizes)
    exact = block & 1 == 0
    left, right = [first[exact]], [owner[exact]]
    narrow = ~exact & (size <= MOST_IN_BLOCK)
    block, owner = block[narrow], owner[narrow]
    for distance in range(1, MOST_IN_BLOCK):
        together = block[distance:] == block[:-distance]
        if not together.any():
            break
        left.append(owner[:-distance][together])
        right.append(owner[distance:][together])
    return _once(np.concatenate(left), np.concatenate(right), kept)


def _repeated(block: Ints) -> npt.NDArray[np.bool_]:
    """Where a block stands that stands more than once: values alone sort many times faster than their places, and few repeat."""
    values = np.sort(block)
    twice = np.unique(values[1:][values[1:] == values[:-1]])
    if not len(twice):
        return np.zeros(len(block), np.bool_)
    place = np.minimum(np.searchsorted(twice, block), len(twice) - 1)
    found: npt.NDArray[np.bool_] = twice[place] == block
    return found


def _once(left: Ints, right: Ints, kept: int) -> tuple[Ints, Ints]:
    low, high = np.minimum(left, right), np.maximum(left, right)
    wanted = (low != high) & (high >= kept)
    pairs = np.unique(low[wanted] << 32 | high[wanted])
    return pairs >> 32, pairs & 0xFFFFFFFF
