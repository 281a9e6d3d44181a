"""From the act that puts a zone in force to the list and the counts of the households inside, over HTTP."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench import served, world
from tests.bench.harness import Figure, Line, at_home, cpu_s, judge, postmaster
from tests.make import LUDING, NOW

#: Promise for so many households.
MOST_S: Final = 3.0
MADE_FOR: Final = 100_000

# The zone in force once more, as the draft that is to replace it.
_DRAFT = """
WITH made AS (
    INSERT INTO zone (incident, version, status, title, reason, source_digest, area_km2, drafted_by, drafted_at)
    SELECT incident, version + 1, 'draft', title, reason, 'next', area_km2, drafted_by, $2 FROM zone WHERE id = $1 RETURNING id
), bands AS (
    INSERT INTO zone_band (zone, rank, label, level, geometry, west, south, east, north, area_km2)
    SELECT m.id, b.rank, b.label, b.level, b.geometry, b.west, b.south, b.east, b.north, b.area_km2 FROM zone_band b, made m WHERE b.zone = $1
), counties AS (
    INSERT INTO zone_county (zone, county, area_km2, share) SELECT m.id, c.county, c.area_km2, c.share FROM zone_county c, made m WHERE c.zone = $1
)
SELECT id FROM made
"""


async def line(rows: int) -> Figure:
    """Seconds until the page of the list and the counts by band have both answered; nobody was located in that version before."""
    with tempfile.TemporaryDirectory(prefix="relief-bench-") as folder:
        home = Path(folder) / "relief"
        async with at_home(home) as here:
            at = await world.event(here.owner)
            await world.households(here.owner, at, rows, "staged")
            await world.people(here.owner, at)
            await world.seal(here.owner, here.house.keys, everybody=True)
            draft = await here.owner.fetchval(_DRAFT, at.zone, NOW)
            await served.staff(here, "approver", "county_approver", LUDING)
        async with served.serving(home) as web, served.signed_in(web, "approver") as client:
            roots = [web.process.pid, postmaster(home / "pg") or web.process.pid]
            spent, started = cpu_s(roots), time.perf_counter()
            forced = await client.post(f"/api/v1/zones/{draft}/force", params={"against": str(at.zone)})
            located = time.perf_counter() - started
            listed = await client.get(f"/households?incident={at.incident}&show=inside", headers={"Accept": "text/html"})
            counted = await client.get(f"/incidents/{at.incident}/zones/{draft}/overlay", headers={"Accept": "text/html"})
            seconds, spent = time.perf_counter() - started, cpu_s(roots) - spent
    assert (forced.status_code, listed.status_code, counted.status_code) == (204, 200, 200), (forced.text, listed.text, counted.text)
    assert listed.text.count("/households/513322/") >= 20, listed.text
    return Line(
        name=f"zone put in force (located {located:.2f} s) → households inside listed and counted over HTTP", rows=rows, seconds=round(seconds, 3), cpu_s=round(spent, 2),
        unit="s", value=round(seconds, 3), promise=f"≤ {MOST_S:g} s", kept=judge(seconds <= MOST_S, rows, MADE_FOR),
    )  # fmt: skip
