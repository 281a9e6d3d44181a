"""The peer that every GIS bureau has: points and bands in PostGIS, `ST_Covers` over a GiST index, the hits stored.

It is reached where RELIEF_BENCH_POSTGIS_URL names a database whose owner may create the extension. The same points in the same order; its
points, their index and its statistics are in place before the watch runs; only hits are stored, not what lies outside.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import asyncpg

from tests.bench.harness import Owner, Place, Watch, cpu_s, watch

VARIABLE: Final = "RELIEF_BENCH_POSTGIS_URL"

_PUT = """
CREATE EXTENSION IF NOT EXISTS postgis;
DROP SCHEMA IF EXISTS relief_bench CASCADE;
CREATE SCHEMA relief_bench;
CREATE TABLE relief_bench.point (id uuid PRIMARY KEY, lon float8 NOT NULL, lat float8 NOT NULL, at geometry(Point, 4490));
CREATE TABLE relief_bench.band (rank integer PRIMARY KEY, shape geometry NOT NULL);
CREATE TABLE relief_bench.location (county text, zone uuid, household uuid, rank integer NOT NULL, edge boolean NOT NULL,
                                    PRIMARY KEY (county, zone, household));
"""
_READY = """
UPDATE relief_bench.point SET at = ST_SetSRID(ST_MakePoint(lon, lat), 4490);
CREATE INDEX ON relief_bench.point USING gist (at);
VACUUM ANALYZE relief_bench.point;
"""
# Its process, where it is one of this machine.
_BACKEND = "SELECT pg_backend_pid() WHERE coalesce(inet_server_addr() << '127.0.0.0/8', true)"
_LOCATE = """
INSERT INTO relief_bench.location (county, zone, household, rank, edge)
SELECT '513322', '00000000-0000-0000-0000-000000000001', p.id, b.rank, false
FROM relief_bench.band b JOIN relief_bench.point p ON ST_Covers(b.shape, p.at)
"""


async def located(here: Place, bands: Sequence[bytes]) -> tuple[Watch, int] | str:
    """The time PostGIS takes and how many points it found inside; or why it was not asked."""
    url = os.environ.get(VARIABLE)
    if not url:
        return f"no PostGIS is named by {VARIABLE}"
    try:
        peer = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        return f"the PostGIS of {VARIABLE} does not answer: {type(error).__name__}"
    try:
        await peer.execute(_PUT)
        await _copy(here.owner, peer)
        for statement in filter(str.strip, _READY.split(";")):
            await peer.execute(statement)
        await peer.executemany("INSERT INTO relief_bench.band VALUES ($1, ST_GeomFromWKB($2, 4490))", list(enumerate(bands)))
        await peer.execute("CHECKPOINT")
        backend = await peer.fetchval(_BACKEND)
        before = cpu_s([backend] if backend else [])
        with watch(here) as seen:
            found = await peer.execute(_LOCATE)
        seen.cpu_s += cpu_s([backend] if backend else []) - before
        await peer.execute("DROP SCHEMA relief_bench CASCADE")
        return seen, int(found.rsplit(" ", 1)[1])
    finally:
        await peer.close()


async def _copy(owner: Owner, peer: asyncpg.Connection[asyncpg.Record]) -> None:
    raw = bytearray()

    async def keep(chunk: bytes) -> None:
        raw.extend(chunk)

    async def given() -> object:
        yield bytes(raw)

    await owner.copy_from_query("SELECT id, lon, lat FROM household ORDER BY id", output=keep, format="binary")
    await peer.copy_to_table("point", schema_name="relief_bench", columns=["id", "lon", "lat"], source=given(), format="binary")
