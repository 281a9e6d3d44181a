"""What a zone file becomes: bands of severity, disjoint, most severe first; or a refusal that says where and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

Place = tuple[float, float]

#: Largest accepted file, in bytes.
MAX_BYTES: Final = 50_000_000
#: Largest text (JSON, XML, list), unpacked: more than 200,000 vertices take, and a parser needs ten times as much memory.
MAX_TEXT: Final = 10_000_000
#: Most vertices of one geometry: the validity test grows with their square on unkind shapes (1 s here). Real flood outlines have 27,000.
MAX_GEOMETRY: Final = 50_000
#: Most vertices of one file.
MAX_VERTICES: Final = 200_000
MAX_FEATURES: Final = 5_000
MAX_BANDS: Final = 32
#: Farthest a point or line may be widened, in km.
MAX_BUFFER_KM: Final = 500.0


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where zones may lie, in degrees."""

    west: float
    south: float
    east: float
    north: float


#: Longitude and latitude do not overlap in either box, so swapped axes are certain.
CHINA: Final = Box(73.0, 3.0, 136.0, 54.0)
SICHUAN: Final = Box(97.0, 26.0, 109.0, 35.0)
EARTH: Final = Box(-180.0, -90.0, 180.0, 90.0)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says about a file.

    `datum`: coordinates are as declared by the file, or shifted (GCJ-02, BD-09). `crs`: where the file declares none. `bands`: `auto`
    (a level attribute if there is one, else one band), `one`, `order` (most severe first), or the name of an attribute. `layer`: which
    layer of a GeoPackage. `buffer_km`: distance around points and lines. `min_level`: bands below it are left out.
    """

    box: Box = CHINA
    datum: Literal["declared", "gcj02", "bd09"] = "declared"
    crs: str | None = None
    bands: str = "auto"
    layer: str | None = None
    buffer_km: float | None = None
    min_level: int | None = None
    repair: bool = False


class ZoneFileError(Exception):
    """A file that is refused: a stable code, one sentence in two languages, and where there is one the place (lon, lat) and the shape at
    fault, as GeoJSON text in EPSG:4490."""

    def __init__(self, code: str, message: str, at: Place | None = None, shape: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.shape = shape


class Warn(msgspec.Struct, frozen=True):
    """Something that was accepted but that a person should know."""

    code: str
    message: str
    at: Place | None = None


class Repair(msgspec.Struct, frozen=True):
    """One shape that was mended: what was wrong and where, the shape as drawn (WKB, EPSG:4490) and its areas in km².

    The area before is what its rings enclose as they are drawn, ring by ring, a place enclosed several times by one ring counted once:
    both wings of a bow-tie; parts that overlap each for itself; less each hole, wherever it lies. So a difference to the area after is what
    mending merged or left out.
    """

    code: str
    message: str
    at: Place | None
    before: bytes
    area_before_km2: float
    area_after_km2: float


class Event(msgspec.Struct, frozen=True):
    """A proposed incident: a point without extent. Degrees, km, ISO time."""

    lon: float
    lat: float
    title: str
    occurred_at: str | None = None
    magnitude: float | None = None
    depth_km: float | None = None
    source_id: str | None = None


class Alert(msgspec.Struct, frozen=True):
    """Who said what in a CAP 1.2 message. `references` are `sender,identifier,sent` of the messages it updates or cancels.

    `signed` says that a signature is there; it is not verified.
    """

    identifier: str
    sender: str
    sent: str
    status: str
    kind: str
    scope: str
    references: list[str]
    event: str
    headline: str
    expires: str | None
    signed: bool


class Feature(msgspec.Struct, frozen=True):
    """One shape as a reader found it: rings closed, coordinates finite, nothing else checked yet. Points and lines carry `buffer_km`."""

    properties: Mapping[str, Any]
    geometry: Any


class Layer(msgspec.Struct, frozen=True):
    """What every reader returns, whatever the format. `crs` is an `EPSG:…`/`OGC:CRS84` name or WKT; `mended` names rings that were closed;
    `nested` says that shapes lie inside one another by design."""

    format: str
    title: str
    crs: str
    features: Sequence[Feature]
    warnings: Sequence[Warn] = ()
    mended: Sequence[Warn] = ()
    nested: bool = False
    event: Event | None = None
    alert: Alert | None = None


class Share(msgspec.Struct, frozen=True):
    """The part of one county inside a shape."""

    code: str
    name: str
    area_km2: float
    share: float


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
    counties: list[Share] = []


class ZoneFile(msgspec.Struct, frozen=True):
    """A zone file that was understood. No bands: it proposes an incident (`event`) or cancels an alert."""

    title: str
    format: str
    crs: str
    bands: list[Band]
    warnings: list[Warn]
    name: str = ""
    repairs: list[Repair] = []
    event: Event | None = None
    alert: Alert | None = None
