"""What the server and its child say to each other. Light: the server loads no reader."""

from __future__ import annotations

from typing import Literal

import msgspec

from geo.model import Options, Place, ZoneFile


class Shape(msgspec.Struct, frozen=True):
    """A band to be written."""

    label: str
    level: int
    area_km2: float
    wkb: bytes


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the file: understand it, compare two zones (km² gained and lost), or write a GeoPackage."""

    name: str
    options: Options = Options()
    work: Literal["inspect", "difference", "geopackage"] = "inspect"


class Refusal(msgspec.Struct, frozen=True):
    """A ZoneFileError on the wire."""

    code: str
    message: str
    at: Place | None
    shape: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """Exactly one of the four."""

    zone: ZoneFile | None = None
    refusal: Refusal | None = None
    areas: tuple[float, float] | None = None
    content: bytes | None = None
