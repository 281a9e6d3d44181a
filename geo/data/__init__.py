"""Reference files that travel with the product. Where each comes from, and its licence, is in SOURCES.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent

DIVISIONS: Final = _HERE / "divisions.csv.gz"  # code, name, level, parent, lon, lat
COUNTY_CODES: Final = _HERE / "county_codes.csv"  # codes of before → today's
COUNTIES: Final = _HERE / "counties.geojson.gz"  # exact polygons, for overlays
COUNTIES_MAP: Final = _HERE / "counties_map.geojson"  # light polygons, for maps of others
CHINA_MAP: Final = _HERE / "china_map.json"  # borders of the whole country, for our own maps
LUDING_V1: Final = _HERE / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
LUDING_V2: Final = _HERE / "luding2022" / "zone_v2_official_2022-09-11.geojson"
