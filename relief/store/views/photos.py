"""Photos of the phones that belong to a household; the files lie outside the database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from relief.store.db import Tx, many

_OF_HOUSEHOLD = """
SELECT id, digest, kind, size, status, taken_at, lon, lat, received_at FROM photo WHERE county = $1 AND household = $2 ORDER BY taken_at, id
"""


class Photo(msgspec.Struct, frozen=True):
    """A photo: time and place are claims of the phone."""

    id: UUID
    digest: bytes
    kind: str
    size: int
    status: str
    taken_at: datetime
    lon: float | None
    lat: float | None
    received_at: datetime | None


async def of_household(tx: Tx, county: str, household: UUID) -> list[Photo]:
    """Those its records have announced, in the order they were taken."""
    return await many(tx, _OF_HOUSEHOLD, Photo, county, household)
