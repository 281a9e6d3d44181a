"""Cells of the map as a Mapbox vector tile, version 2.1 (protocol buffers): one layer of squares, every square with its counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relief.store.views.cells import ACROSS, Cell

MEDIA_TYPE: Final = "application/vnd.mapbox-vector-tile"
LAYER: Final = "cells"
#: Units of a tile's side.
EXTENT: Final = 4096

_KEYS: Final = ("households", "people", "synthetic")
_MOVE, _LINE, _CLOSE = 1, 2, 7
_POLYGON: Final = 3


def encode(cells: Sequence[Cell]) -> bytes:
    """The tile; empty where there is nothing to show."""
    if not cells:
        return b""
    values: dict[bytes, int] = {}
    features = b"".join(_field(2, _feature(cell, values)) for cell in cells)
    keys = b"".join(_field(3, key.encode()) for key in _KEYS)
    kept = b"".join(_field(4, value) for value in values)
    return _field(3, _number(15, 2) + _field(1, LAYER.encode()) + features + keys + kept + _number(5, EXTENT))


def _feature(cell: Cell, values: dict[bytes, int]) -> bytes:
    said = (_number(5, cell.households), _number(5, cell.people), _number(7, int(cell.synthetic)))  # 5: a count, 7: true or false
    tags = [n for key, value in enumerate(said) for n in (key, values.setdefault(value, len(values)))]
    size = EXTENT >> ACROSS
    shape = [
        _MOVE | 1 << 3, _zigzag(cell.column * size), _zigzag(cell.row * size),
        _LINE | 3 << 3, _zigzag(size), 0, 0, _zigzag(size), _zigzag(-size), 0, _CLOSE | 1 << 3,
    ]  # fmt: skip
    return _field(2, _packed(tags)) + _number(3, _POLYGON) + _field(4, _packed(shape))


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _zigzag(n: int) -> int:
    return n << 1 if n >= 0 else (-n << 1) - 1


def _number(field: int, n: int) -> bytes:
    return _varint(field << 3) + _varint(n)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(numbers: Sequence[int]) -> bytes:
    return b"".join(map(_varint, numbers))
