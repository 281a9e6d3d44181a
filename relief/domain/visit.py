"""What was seen and said at the door beyond the facts a rule may ask for: the way the household came in, photos, who receives in whose place."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from math import cos, hypot, radians
from typing import Annotated, Final, Literal

import msgspec

from relief.domain import identity
from relief.domain.errors import Invalid

#: How the household came to be registered: house call, walk-in, 主动发现, 12349, online.
Channel = Literal["visit", "walk_in", "found", "hotline", "online"]
Presence = Literal["resident", "tenant", "traveller"]
Structure = Literal["steel_concrete", "brick_concrete", "brick_wood", "earth_wood", "other"]
#: What is lacking tonight.
Need = Literal["food", "water", "tent", "quilt", "clothes", "medicine", "infant", "wheelchair"]
PhotoKind = Literal["damage", "signature", "paper", "place"]
Words = Annotated[str, msgspec.Meta(max_length=500)]

#: Photos of damage a playbook that asks for them wants at least.
PHOTOS: Final = 3
#: One photo, as shrunk on the phone.
MOST_BYTES: Final = 1_500_000
#: A point less exact than this, or further from its village, is worth a look.
INACCURATE_M: Final = 200
FAR_M: Final = 20_000
#: A device whose clock is further off than this says nothing about time.
CLOCK: Final = timedelta(days=1)
_METRES_A_DEGREE: Final = 111_320


class Photo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A photo that will follow its record. Digest: SHA-256 of the JPEG in hex. Time and place are the device's claims."""

    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    kind: PhotoKind
    size: Annotated[int, msgspec.Meta(ge=100, le=MOST_BYTES)]
    taken_at: datetime
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=100_000)] | None = None


class Recipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """代领人: who receives in the householder's place, in whose name the account is, and why."""

    name: str
    id_number: str
    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of it. `place_by`: measured, tapped on the map, or only the village's own point."""

    channel: Channel = "visit"
    presence: Presence = "resident"
    structure: Structure | None = None
    place_by: Literal["gps", "tap", "village"] = "gps"
    needs: Annotated[list[Need], msgspec.Meta(max_length=8)] = []
    landmark: Words = ""
    note: Words = ""
    recipient: Recipient | None = None
    photos: Annotated[list[Photo], msgspec.Meta(max_length=12)] = []


def check(visit: Visit, today: date) -> Visit:
    """The same with its numbers in their one form, or a refusal naming the field."""
    if len({p.digest for p in visit.photos}) < len(visit.photos):
        raise Invalid("photo_twice", "同一张照片附了两次 · one photo stands twice", field="visit.photos")
    if visit.recipient is None:
        return visit
    try:
        recipient = Recipient(
            identity.person_name(visit.recipient.name), identity.id_number(visit.recipient.id_number, today), visit.recipient.reason.strip()
        )
    except Invalid as error:
        raise Invalid(error.code, error.message, field="visit.recipient") from None
    return msgspec.structs.replace(visit, recipient=recipient)


class Seen(msgspec.Struct, frozen=True):
    """What a record says that may deserve a look. Points are degrees, the village's is None where nobody knows it."""

    visit: Visit
    lon: float
    lat: float
    accuracy_m: float
    village: tuple[float, float] | None
    damaged: bool
    papers: bool  # everybody has some
    captured_at: datetime


def flags(seen: Seen, now: datetime) -> list[str]:
    """What somebody should look at; nothing of it refuses a record."""
    found = {
        "inaccurate": seen.visit.place_by == "gps" and seen.accuracy_m > INACCURATE_M,
        "far_from_village": seen.village is not None and distance_m(seen.lon, seen.lat, *seen.village) > FAR_M,
        "few_photos": seen.damaged and sum(p.kind == "damage" for p in seen.visit.photos) < PHOTOS,
        "proxy": seen.visit.recipient is not None,
        "no_papers": not seen.papers,
        "clock": (abs(seen.captured_at - now) > CLOCK and seen.captured_at > now) or now - seen.captured_at > timedelta(days=60),
    }
    return [name for name, holds in found.items() if holds]


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres between two near points, good to a percent within a province."""
    return hypot((other_lon - lon) * cos(radians(lat)), other_lat - lat) * _METRES_A_DEGREE


_HEX: Final = re.compile(r"[0-9a-f]{64}")


def digest_of(text: str) -> bytes:
    """A digest in hex as bytes, or a refusal."""
    if _HEX.fullmatch(text) is None:
        raise Invalid("digest", "照片摘要须为64位十六进制 · a digest has 64 hexadecimal digits", field="digest")
    return bytes.fromhex(text)
