"""Provinces to villages: codes, names, places. Loaded once from geo/data."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

import asyncpg

_COUNT = "SELECT count(*) FROM region"
_DATA = Path(__file__).resolve().parents[2] / "geo" / "data" / "divisions.csv.gz"
_VALID_FROM = date(2023, 6, 30)


async def load_if_empty(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    """Copy the divisions of the province into an empty `region` table; how many rows were written."""
    if await connection.fetchval(_COUNT):
        return 0
    rows = _rows()
    await connection.copy_records_to_table(
        "region", records=rows, columns=["code", "name", "level", "parent", "lon", "lat", "synthetic", "valid_from"]
    )
    return len(rows)


def _rows() -> list[tuple[str, str, str, str | None, float, float, bool, date]]:
    with gzip.open(_DATA, "rt", encoding="utf-8", newline="") as file:
        return [
            (r["code"], r["name"], r["level"], r["parent"] or None, float(r["lon"]), float(r["lat"]), len(r["code"]) > 6, _VALID_FROM)
            for r in csv.DictReader(file)
        ]
