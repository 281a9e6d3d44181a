"""Inspecting: every sample file understood in the child, and the heaviest uploads answered within its limits.

The child's CPU seconds are those of ended children (`RUSAGE_CHILDREN`); its memory is the highest that any child has had so far.
"""

from __future__ import annotations

import json
import random
import resource
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from geo import data, sandbox
from geo.model import EARTH, Options, ZoneFileError
from tests.bench.harness import Figure, Line
from tests.geo import makers

SAMPLES = Path(__file__).resolve().parent.parent / "geo" / "files"
FILE_S, CPU_S, RSS_MB = 5.0, 20.0, 512


async def run(rows: int) -> Sequence[Figure]:
    """`rows` is not asked: the files are what they are."""
    files = [
        *sorted(p for p in SAMPLES.rglob("*") if p.suffix in (".kml", ".zip", ".json", ".geojson", ".cap")),
        data.LUDING_V1,
        data.LUDING_V2,
    ]
    await sandbox.inspect(data.LUDING_V2.read_bytes(), "warm.geojson")
    lines: list[Figure] = []
    slowest: tuple[float, float, str] = (0.0, 0.0, "")
    for path in files:
        seconds, cpu, _ = await _inspect(path.read_bytes(), path.name)
        slowest = max(slowest, (seconds, cpu, path.name))
    seconds, cpu, name = slowest
    lines.append(
        Line(
            name=f"inspect: slowest of {len(files)} samples ({name})", rows=len(files), seconds=round(seconds, 3), cpu_s=round(cpu, 2),
            rss_mb=_rss(), unit="s", value=round(seconds, 3), promise=f"≤ {FILE_S:g} s", kept=seconds <= FILE_S,
        )
    )  # fmt: skip
    for name, content in uploads().items():
        seconds, cpu, answer = await _inspect(content, "upload")
        lines.append(
            Line(
                name=f"inspect: {name} → {answer}", rows=len(content), seconds=round(seconds, 3), cpu_s=round(cpu, 2), rss_mb=_rss(), unit="s CPU",
                value=round(cpu, 2), promise=f"≤ {CPU_S:g} s CPU, ≤ {RSS_MB} MB", kept=cpu <= CPU_S and _rss() <= RSS_MB,
            )
        )  # fmt: skip
    return lines


async def _inspect(content: bytes, name: str) -> tuple[float, float, str]:
    """Seconds, CPU seconds of the child, and what was answered."""
    before, started = _cpu(), time.perf_counter()
    try:
        found = await sandbox.inspect(content, name, Options(box=EARTH, repair=True))
        answer = f"{len(found.bands)} bands"
    except ZoneFileError as error:
        answer = error.code
    return time.perf_counter() - started, _cpu() - before, answer


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rss() -> float:
    return round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def uploads() -> dict[str, bytes]:
    """The largest and the unkindest files there are."""
    draw = random.Random(2022)

    def ring(corners: int, lon: float, lat: float) -> list[list[float]]:
        return [[lon + i / corners, lat + draw.random() * 0.4] for i in range(corners)] + [[lon + 1, lat - 0.1], [lon, lat - 0.1]]

    def closed(points: list[list[float]]) -> list[list[float]]:
        return [*points, points[0]]

    def geojson(*rings: list[list[float]]) -> bytes:
        features = [
            {"type": "Feature", "properties": {"level": i}, "geometry": {"type": "Polygon", "coordinates": [r]}}
            for i, r in enumerate(rings)
        ]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()

    wild = closed([[102 + draw.random(), 29 + draw.random()] for _ in range(20_000)])
    full = [closed(ring(45_000, 100 + 1.5 * i, 29)) for i in range(4)]
    return {
        "50 MB of numbers": b"[" + b"0," * 24_999_999 + b"0]",
        "10 MB of brackets": b"[" * 10_000_000,
        "10 MB of features": b'{"type":"FeatureCollection","features":[' + b"{}," * 3_300_000 + b"{}]}",
        "180,000 vertices as GeoJSON": geojson(*full),
        "180,000 vertices, nested": geojson(*[closed(ring(45_000, 102, 29)) for _ in range(4)]),
        "20,000 random vertices to repair": geojson(wild),
        "180,000 vertices as a shapefile": makers.shapefile(full),
        "200 MB of zeros as KMZ": makers.archive({"doc.kml": b" " * 200_000_000}),
        "59 MB of zeros as .dbf": makers.shapefile(dbf=b"\0" * 59_000_000),
        "50 MB stored, nothing in it": makers.archive({"a.bin": b"\0" * 49_000_000}, zipfile.ZIP_STORED),
        "10 MB of elements": makers.kml("<a/>" * 2_400_000),
        "GeoPackage nested 200,000 deep": makers.geopackage([makers.nested_wkb(200_000)]),
    }
