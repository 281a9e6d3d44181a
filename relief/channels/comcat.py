"""USGS ComCat event feeds (GeoJSON summary format): earthquakes as the catalogue has them now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from relief.domain.alert import Message
from relief.domain.errors import Invalid
from relief.domain.incident import EARTHQUAKE

SENDER: Final = "earthquake.usgs.gov"


class _Properties(msgspec.Struct):
    time: int
    updated: int
    mag: float | None = None
    place: str | None = None
    status: str | None = None
    type: str = "earthquake"
    alert: str | None = None


class _Geometry(msgspec.Struct):
    coordinates: list[float]


class _Feature(msgspec.Struct):
    id: str
    properties: _Properties
    geometry: _Geometry | None = None


class _Collection(msgspec.Struct):
    features: list[msgspec.Raw]


def features(content: bytes) -> list[bytes]:
    """Every feature as it stands in the file; Invalid where it is no feature collection."""
    try:
        return [bytes(f) for f in msgspec.json.decode(content, type=_Collection).features]
    except (msgspec.DecodeError, RecursionError):
        raise Invalid("not_a_feed", "不是 ComCat 的 GeoJSON · not a ComCat GeoJSON collection") from None


def message(body: bytes) -> Message:
    """One event: its name is the catalogue's id, `sent` the moment of its last update; a deleted one is a cancel. Invalid `comcat`."""
    try:
        event = msgspec.json.decode(body, type=_Feature)
        moment, updated = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (event.properties.time, event.properties.updated))
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError, OSError):
        raise Invalid("comcat", "ComCat 事件格式有误 · the ComCat event is malformed") from None
    lon, lat = _place(event)
    quake, said = event.properties.type == "earthquake", event.properties
    return Message(
        source="comcat", sender=SENDER, identifier=event.id[:100], sent=updated, nature="actual",
        kind="cancel" if said.status == "deleted" else "alert", event="地震" if quake else said.type[:100],
        headline=f"M {said.mag:.1f} {said.place or ''}".strip()[:200] if said.mag is not None else (said.place or "")[:200],
        occurred_at=moment, body=body, link=f"{event.id[:100]}|{said.updated}", severity=said.alert or "",
        certainty=said.status or "", hazard=EARTHQUAKE if quake else None, lon=lon, lat=lat, magnitude=said.mag,
    )  # fmt: skip


def _place(event: _Feature) -> tuple[float | None, float | None]:
    at = [] if event.geometry is None else event.geometry.coordinates
    if len(at) < 2 or not (abs(at[0]) <= 180 and abs(at[1]) <= 90):
        return None, None
    return at[0], at[1]
