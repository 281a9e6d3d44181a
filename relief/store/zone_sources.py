"""The files zone versions were made from, and what was mended in them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from relief.store.db import Tx, maybe, run


class Source(msgspec.Struct, frozen=True):
    """One file as received; options, warnings and alert are JSON text."""

    zone: UUID
    name: str
    format: str
    crs: str
    options: str
    warnings: str
    alert: str | None
    content: bytes
    repaired: bool


class Mended(msgspec.Struct, frozen=True):
    """One shape that was mended: the fault, its place in degrees, the shape as drawn (WKB), km² before and after."""

    code: str
    lon: float | None
    lat: float | None
    geometry_before: bytes
    area_before_km2: float
    area_after_km2: float


_INSERT = """
INSERT INTO zone_source (zone, name, format, crs, options, warnings, alert, content, repaired)
VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, $7::text::jsonb, $8, $9)
"""


async def insert(tx: Tx, source: Source) -> None:
    """Keep the file of a fresh version."""
    await run(tx, _INSERT, *(getattr(source, name) for name in Source.__struct_fields__))


_MENDED_IN = """
INSERT INTO zone_repair (zone, number, code, lon, lat, geometry_before, area_before_km2, area_after_km2)
SELECT $1, number, code, lon, lat, geometry, before, after
FROM unnest($2::text[], $3::float8[], $4::float8[], $5::bytea[], $6::float8[], $7::float8[])
    WITH ORDINALITY AS t (code, lon, lat, geometry, before, after, number)
"""


async def insert_mended(tx: Tx, zone: UUID, mended: Sequence[Mended]) -> None:
    """Keep what was mended, in the order of the file."""
    columns = [[getattr(m, name) for m in mended] for name in Mended.__struct_fields__]
    await run(tx, _MENDED_IN, zone, *columns)


_GET = """
SELECT zone, name, format, crs, options::text AS options, warnings::text AS warnings, alert::text AS alert, content, repaired
FROM zone_source WHERE zone = $1
"""


async def get(tx: Tx, zone: UUID) -> Source | None:
    """The file of a version; None for versions made before files were kept."""
    return await maybe(tx, _GET, Source, zone)
