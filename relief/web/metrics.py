"""Figures for Prometheus: requests of this process, and what waits in the database. Nothing in them names anybody.

Not public: a system administrator signs in, a machine with HTTP Basic.
"""

from __future__ import annotations

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest

from relief.store.db import read as reading
from relief.store.views import backlog
from relief.web import given, house
from relief.web.given import Req


@get("/metrics", action="figures.watch", opt={"basic": True}, include_in_schema=False)
async def metrics(request: Req, now: given.Now) -> Response[bytes]:
    """In the text form of Prometheus."""
    fresh = CollectorRegistry()
    rows = Gauge("relief_waiting_rows", "Rows that wait", ["what"], registry=fresh)
    ages = Gauge(
        "relief_waiting_seconds",
        "Age of the oldest row that waits; of the background process: since it last lived",
        ["what"],
        registry=fresh,
    )
    async with reading(house.of(request).pool, ["%"]) as tx:
        for line in await backlog.waiting(tx):
            rows.labels(line.what).set(line.rows)
            ages.labels(line.what).set(0 if line.oldest is None else max(0.0, (now - line.oldest).total_seconds()))
    return Response(generate_latest(REGISTRY) + generate_latest(fresh), media_type=CONTENT_TYPE_LATEST)
