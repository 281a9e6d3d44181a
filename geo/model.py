"""What a zone file becomes: bands of severity, disjoint, most severe first; or a refusal that says where and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

Place = tuple[float, float]

#: Largest accepted file, in bytes.
MAX_BYTES: Final = 10_000_000
#: Most vertices of one geometry: the validity test grows with their square on unkind shapes.
MAX_GEOMETRY: Final = 20_000
#: Most vertices of one file.
MAX_VERTICES: Final = 200_000
MAX_FEATURES: Final = 5_000
MAX_BANDS: Final = 32


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where zones may lie, in degrees."""

    west: float
    south: float
    east: float
    north: float


#: Sichuan (97.35–108.54 E, 26.05–34.32 N) with a margin. Longitude and latitude do not overlap, so swapped axes are certain.
SICHUAN: Final = Box(97.0, 26.0, 109.0, 35.0)


class ZoneFileError(Exception):
    """A file that is refused: a stable code, one sentence in two languages, and the place (lon, lat) where there is one."""

    def __init__(self, code: str, message: str, at: Place | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


class Warn(msgspec.Struct, frozen=True):
    """Something that was accepted but that a person should know."""

    code: str
    message: str
    at: Place | None = None


class Feature(msgspec.Struct, frozen=True):
    """One polygon or multipolygon as a reader found it: rings closed, coordinates finite, nothing else checked yet."""

    properties: Mapping[str, Any]
    geometry: Any


class Layer(msgspec.Struct, frozen=True):
    """What every reader returns, whatever the format."""

    format: str
    title: str
    crs: str
    features: Sequence[Feature]
    warnings: Sequence[Warn]


class Band(msgspec.Struct, frozen=True):
    """One band of severity. Rank 0 is the most severe; a border belongs to the lower rank.

    `wkb` is a polygon or multipolygon in EPSG:4490; `bounds` is west, south, east, north; the area is on the ellipsoid.
    """

    rank: int
    label: str
    level: int
    wkb: bytes
    bounds: tuple[float, float, float, float]
    area_km2: float
    parts: int
    holes: int
    vertices: int


class ZoneFile(msgspec.Struct, frozen=True):
    """A zone file that was understood."""

    title: str
    format: str
    crs: str
    bands: list[Band]
    warnings: list[Warn]
