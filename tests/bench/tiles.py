"""Tiles of counted households, cold: a database just started, a web process just started, and no tile asked twice."""

from __future__ import annotations

import math
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from relief.store import db, squares
from relief.store.views import cells
from tests import make
from tests.bench import served
from tests.bench.harness import Figure, Line, Owner, Place, at_home, cpu_s, judge, postmaster, watch
from tests.make import NOW

#: Promise for a tile over 1,000,000 households.
MOST_S = 0.2
#: Tiles asked of one zoom.
EACH = 60
_WAITING = 0.005  # of the households came just now and are not added up yet

# Real villages of the province, each with its share of the households within some 3 km.
_HOUSEHOLDS = """
WITH v AS MATERIALIZED (SELECT code, lon, lat, row_number() OVER (ORDER BY code) - 1 AS n FROM region
                        WHERE level = 'village' AND lon IS NOT NULL AND lat IS NOT NULL)
INSERT INTO household (county, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type, members,
                       only_home, occupied, slip, slip_code_hash, registered_by, captured_at, received_at)
SELECT left(v.code, 6), $1, gen_random_uuid(), '\\x00', v.code, v.lon + (random() - random()) * 0.03, v.lat + (random() - random()) * 0.03, 10,
       i % 2 = 0, 'located', 'ordinary', 1 + i % 4, true, true, 'B' || i, '\\x00', $2, $3, $3
FROM generate_series(1, $4::int) AS t (i) JOIN v ON v.n = i % (SELECT count(*) FROM v)
"""
# As if every one had come alone: the most changes there can be.
_CHANGES = """
INSERT INTO square_change (county, incident, square, village, households, people, made_up)
SELECT county, incident, relief_square(lon, lat), village, 1, members, synthetic_point::int FROM household
WHERE (abs(hashtext(id::text)) % 1000 < $1::int) = $2::bool
"""


async def run(rows: int) -> Sequence[Figure]:
    """Tiles of every zoom over a province, of those that hold anybody, asked once each of `relief serve`; the first finds nothing warm.

    The CPU seconds are those of all tiles together, of the web process and its database.
    """
    with tempfile.TemporaryDirectory(prefix="relief-bench-") as folder:
        home = Path(folder) / "relief"
        async with at_home(home) as here:
            incident, added = await _fill(here, rows)
            asked = await _asked(here.owner)
        took, cost_s = await _ask(home, incident, asked)
    slowest = max((_p95(times), z) for z, times in took.items())
    every = [t for times in took.values() for t in times]
    first = took[asked[0][0]][0]
    promise = {"promise": f"≤ {MOST_S} s", "unit": "s", "rows": rows}
    return [
        added,
        Line(name=f"cold tile p95 of {len(every)}", value=_p95(every), cpu_s=cost_s, kept=judge(_p95(every) <= MOST_S, rows, 1_000_000), **promise),
        Line(name=f"cold tile p95 of the slowest zoom ({slowest[1]})", value=slowest[0], kept=judge(slowest[0] <= MOST_S, rows, 1_000_000), **promise),
        Line(name="first tile of a fresh process and database", value=round(first, 4), unit="s", rows=rows),
    ]  # fmt: skip


def _p95(times: Sequence[float]) -> float:
    return round(sorted(times)[math.ceil(0.95 * len(times)) - 1], 4)


async def _fill(here: Place, rows: int) -> tuple[UUID, Line]:
    incident = await make.incident(here.owner)
    registrar = await make.staff(here.owner)
    await here.owner.execute(_HOUSEHOLDS, incident, registrar.id, NOW, rows)
    await here.owner.execute(_CHANGES, int(_WAITING * 1000), False)
    counties = [r["county"] for r in await here.owner.fetch("SELECT DISTINCT county FROM square_change")]
    with watch(here) as seen:
        for county in counties:
            async with db.begin(here.house.pool) as tx:
                while await squares.gather(tx, county):
                    pass
    await here.owner.execute(_CHANGES, int(_WAITING * 1000), True)
    await served.staff(here, "bench", "province_officer", "51")
    rate = round(rows * (1 - _WAITING) / seen.seconds)
    return incident, Line(
        name="changes added up", rows=rows, seconds=round(seen.seconds, 2), cpu_s=round(seen.cpu_s, 2), unit="/s", value=rate
    )


async def _asked(owner: Owner) -> list[tuple[int, int, int]]:
    """Tiles with households in them, zoom by zoom, the farthest first."""
    draw, found = random.Random(5), []
    for z in range(5, cells.FINEST - cells.ACROSS + 1):
        places = await owner.fetch("SELECT DISTINCT lon, lat FROM region WHERE level = 'village' AND lon IS NOT NULL")
        tiles = sorted({(z, int((p["lon"] + 180) / 360 * 2**z), _row(p["lat"], z)) for p in places})
        found += sorted(draw.sample(tiles, min(EACH, len(tiles))))
    return found


async def _ask(home: Path, incident: UUID, asked: Sequence[tuple[int, int, int]]) -> tuple[dict[int, list[float]], float]:
    """Seconds of every tile by zoom, and the CPU seconds of all."""
    took: dict[int, list[float]] = {}
    async with served.serving(home) as web, served.signed_in(web, "bench") as client:
        roots = [web.process.pid, postmaster(home / "pg") or web.process.pid]
        before = cpu_s(roots)
        for z, x, y in asked:
            started = time.perf_counter()
            answer = await client.get(f"/incidents/{incident}/cells/{z}/{x}/{y}")
            took.setdefault(z, []).append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text
        return took, round(cpu_s(roots) - before, 2)


def _row(lat: float, z: int) -> int:
    return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
