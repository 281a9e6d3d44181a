"""Zone files at the two ends: what one holds, for people and scripts; and a version written out for others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
import numpy as np

from geo import locate as geometry
from geo import sandbox, write
from geo.model import MAX_BYTES, Box, ZoneFile
from geo.model import Options as Options
from geo.write import Shape
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.services import sheets, zoning
from relief.store import zones
from relief.store.db import Tx

Format = Literal["geojson", "kml", "gpkg", "xlsx"]
MIME: Final = {
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": sheets.XLSX,
}
#: How a zone file may be declared when it is sent; what it is, its content says.
MEDIA_TYPES: Final = (
    "application/octet-stream", "application/geo+json", "application/json", "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz", "application/zip", "application/geopackage+sqlite3", "application/xml", "application/cap+xml", "text/csv",
)  # fmt: skip
_HEADS: Final = ("分区 band", "等级 level", "县代码", "县", "乡镇", "村代码", "村", "村点位置 place")


class Exported(msgspec.Struct, frozen=True):
    """A file: a name for it, its media type, its bytes, and how many bands or villages it holds."""

    name: str
    media_type: str
    content: bytes
    rows: int


async def inspect_file(path: Path, options: Options = Options()) -> dict[str, Any]:  # noqa: B008 - frozen
    """What a zone file holds; nothing is kept. Invalid where it is refused."""
    return report(await zoning.inspect(await content_of(path), path.name, options), repair=options.repair)


async def content_of(path: Path) -> bytes:
    """The bytes of a file; one more than allowed is enough to refuse it."""
    return await asyncio.to_thread(_content, path)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid("file", f"文件打不开 · the file cannot be opened: {error.strerror}") from None


def box_of(text: str) -> Box:
    """`west,south,east,north` in degrees; Invalid where it is no box."""
    try:
        west, south, east, north = (float(n) for n in text.split(","))
    except ValueError:
        west = south = east = north = 0.0
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise Invalid("box", "范围写作 西,南,东,北（度） · a box is west,south,east,north in degrees")
    return Box(west, south, east, north)


def report(zone: ZoneFile, *, repair: bool = False) -> dict[str, Any]:
    """The same as data: format, system, bands with their counties, warnings; alert, event and repairs where there are any."""
    found: dict[str, Any] = {
        "title": zone.title,
        "format": zone.format,
        "crs": zone.crs,
        "area_km2": round(sum(b.area_km2 for b in zone.bands), 2),
        "bands": [
            {
                "name": b.label,
                "level": b.level,
                "area_km2": round(b.area_km2, 2),
                "parts": b.parts,
                "holes": b.holes,
                "vertices": b.vertices,
                "counties": [{"code": s.code, "name": s.name, "share": round(s.share, 4)} for s in b.counties],
            }
            for b in zone.bands
        ],
        "warnings": [{"code": w.code, "message": w.message, "at": w.at} for w in zone.warnings],
    }
    if zone.alert is not None:
        found["alert"] = msgspec.to_builtins(zone.alert)
    if zone.event is not None:
        found["event"] = msgspec.to_builtins(zone.event)
    if repair:
        found["repairs"] = [
            {
                "code": r.code,
                "message": r.message,
                "at": r.at,
                "area_before_km2": round(r.area_before_km2, 4),
                "area_after_km2": round(r.area_after_km2, 4),
            }
            for r in zone.repairs
        ]
    return found


async def export(tx: Tx, zone: UUID, form: Format, now: datetime) -> Exported:
    """A version as GeoJSON, KML, GeoPackage, or the villages inside each band as XLSX. No household, no point of one."""
    version = await zones.get(tx, zone)
    bands = await zones.bands(tx, zone)
    shapes = [Shape(b.label, b.level, b.area_km2, b.geometry) for b in bands]
    match form:
        case "xlsx":
            villages = await zones.villages(tx, zone, beijing_day(now))
            rows = await asyncio.to_thread(_inside, bands, villages)
            content = await asyncio.to_thread(_sheet, version, rows, now)
            count = len(rows)
        case "gpkg":
            content, count = await sandbox.geopackage(version.title, shapes), len(shapes)
        case "kml":
            content, count = await asyncio.to_thread(write.kml, version.title, shapes), len(shapes)
        case "geojson":
            said = {"version": version.version, "status": version.status, "drafted_at": version.drafted_at.isoformat()}
            content, count = await asyncio.to_thread(lambda: write.geojson(version.title, shapes, zone=said)), len(shapes)
    return Exported(f"zone_v{version.version}.{form}", MIME[form], content, count)


def _inside(bands: Sequence[zones.Band], villages: Sequence[zones.Village]) -> list[tuple[str | int, ...]]:
    """A line per village inside, most severe band first."""
    lon, lat = (np.array([getattr(v, axis) for v in villages], dtype=float) for axis in ("lon", "lat"))
    ranks = geometry.ranks([b.geometry for b in bands], lon, lat, np.zeros(len(lon))).rank
    by_rank = {b.rank: b for b in bands}
    return [
        (
            by_rank[r].label, by_rank[r].level, v.county, v.county_name, v.township_name, v.code, v.name,
            "示意（非实测） made up" if v.synthetic else "实测 measured",
        )
        for r, v in sorted(zip(ranks.tolist(), villages, strict=True), key=lambda pair: (pair[0], pair[1].code))
        if r >= 0
    ]  # fmt: skip


def _sheet(version: zones.Zone, rows: Sequence[tuple[str | int, ...]], now: datetime) -> bytes:
    said = f"{version.title} · 第{version.version}版 version {version.version}（{version.status}） · {beijing_day(now)} · {len(rows)}个村"
    return sheets.book([("村名单 villages", [(said,), _HEADS, *rows], 2)])
