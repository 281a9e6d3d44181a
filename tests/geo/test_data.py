"""The reference files are complete, consistent and reproducible."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import shapely

from geo import area, counties, data
from geo.data import build

ROWS = list(csv.DictReader(io.StringIO(gzip.decompress(data.DIVISIONS.read_bytes()).decode())))


def test_every_area_has_its_parent_before_it() -> None:
    seen: set[str] = set()
    for row in ROWS:
        assert row["parent"] in seen or row["level"] == "province"
        seen.add(row["code"])
    assert len(seen) == len(ROWS)


def test_every_point_lies_inside_its_county() -> None:
    known = counties.load()
    at = {code: i for i, code in enumerate(known.codes)}
    rows = [r for r in ROWS if len(r["code"]) >= 6]
    owner = np.array([at[r["code"][:6]] for r in rows])
    points = shapely.points([float(r["lon"]) for r in rows], [float(r["lat"]) for r in rows])
    assert shapely.contains(known.shapes[owner], points).all()


def test_villages_lie_within_four_kilometres_of_their_township() -> None:
    seats = {r["code"]: (float(r["lon"]), float(r["lat"])) for r in ROWS if r["level"] == "township"}
    villages = [r for r in ROWS if r["level"] == "village"]
    seat = np.array([seats[r["parent"]] for r in villages])
    place = np.array([(float(r["lon"]), float(r["lat"])) for r in villages])
    metres = (place - seat) * np.stack([111_320 * np.cos(np.radians(seat[:, 1])), np.full(len(seat), 111_320)], axis=1)
    assert np.hypot(*metres.T).max() < build.VILLAGE_REACH_M + 5


def test_made_up_points_depend_on_the_code_alone() -> None:
    known = counties.load()
    county = known.shapes[known.codes.index("513322")]
    row = next(r for r in ROWS if r["level"] == "township" and r["parent"] == "513322")
    assert build.made_up_seat(row["code"], county) == (float(row["lon"]), float(row["lat"]))


def test_the_committed_polygons_are_those_of_the_source() -> None:
    known, source = counties.load(), build.read_boundaries("district")
    for code, shape in zip(known.codes, known.shapes, strict=True):
        assert shape.equals(source[code][3])


def test_the_light_map_is_gapless_small_and_nearly_the_same() -> None:
    assert data.COUNTIES_MAP.stat().st_size < 600_000
    features = json.loads(data.COUNTIES_MAP.read_bytes())["features"]
    shapes = shapely.from_geojson([json.dumps(f["geometry"]) for f in features])
    assert shapely.coverage_is_valid(shapes)
    exact = counties.load().areas_km2
    light = np.array([area.km2(s) for s in shapes])
    assert np.abs(light / exact - 1).max() < 0.05
