"""Money writes over HTTP: one approval of one award, with session, Idempotency-Key, audit and ledger, against a bare service."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from relief.services import sign_in
from relief.services.approve import digest_of
from relief.store import db, sessions
from relief.web.access import COOKIE
from relief.web.idempotency import HEADER
from tests import processes
from tests.bench import wire, world
from tests.bench.harness import Against, Figure, Line, Place, judge, like, place
from tests.make import LUDING

TABLES = ("audit", "audit_pending", "signature", "transfer", "payment", "payable", "paperwork", "idempotency")
#: Officers' clients at work at the same time.
CONNECTIONS = 4
_WARM = 50


async def run(rows: int) -> Sequence[Figure]:
    """`rows` approvals of one award each by one `relief serve`, then as many bare writes by the peer, on the same server."""
    async with place() as here:
        at, shown = await world.proposed(here, rows + _WARM)
        await like(here.owner, *TABLES)
        await here.owner.execute("ANALYZE; CHECKPOINT")
        settings = here.house.settings
        owner = db.with_database(f"postgresql://postgres@/postgres?host={settings.home / 'pg'}", "relief")
        address, other = processes.free_url(), processes.free_url()
        environment = {
            "RELIEF_HOME": str(settings.home), "RELIEF_DATABASE_URL": owner, "RELIEF_LISTEN_PORT": processes.port(address),
            "RELIEF_PUBLIC_URL": address,
        }  # fmt: skip
        bodies = [msgspec.json.encode({"awards": [award], "digest": digest_of([(award, fen)]).hex()}) for award, fen in shown]
        with processes.process(environment, "serve"):
            cookie = await _session(here, at.township.person)
            path = f"{address}/api/v1/counties/{LUDING}/awards/approve"
            ours = await _load(address, [_write(path, b, {"Cookie": f"{COOKIE}={cookie}", HEADER: secrets.token_hex(16)}) for b in bodies])
        with _bare(other, owner):
            bare = await _load(other, [_write(f"{other}/write", b, {}) for b in bodies])
    ratio = ours.per_s / bare.per_s
    return [
        Line(
            name="money writes", rows=rows, unit="writes/s", value=round(ours.per_s), ratio=round(ratio, 2), promise="≥ 0.5 ×",
            against=Against("bare litestar + asyncpg, the same rows", value=round(bare.per_s)), kept=judge(ratio >= 0.5, rows, 2_000),
        ),
        Line(
            name="money writes p99", rows=rows, unit="ms", value=round(ours.quantile(0.99), 1), promise="≤ 25 ms",
            against=Against("bare p99", value=round(bare.quantile(0.99), 1)), kept=judge(ours.quantile(0.99) <= 25, rows, 2_000),
        ),
    ]  # fmt: skip


async def _load(address: str, requests: Sequence[bytes]) -> wire.Answers:
    """A few to warm up, then the watch runs."""
    await wire.ready(address)
    await wire.send(address, requests[:_WARM], CONNECTIONS)
    return await wire.send(address, requests[_WARM:], CONNECTIONS)


def _write(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    return wire.request("POST", url, {"Content-Type": "application/json", **headers}, body)


async def _session(here: Place, person: UUID) -> str:
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await here.owner.execute("UPDATE staff SET password_at = $2 WHERE id = $1", person, now)
    async with db.begin(here.house.pool) as tx:
        await sessions.open_(tx, sign_in.token_hash(token), person, secrets.token_urlsafe(24), now, now + timedelta(hours=8))
    return token


@contextmanager
def _bare(address: str, url: str) -> Iterator[None]:
    started = subprocess.Popen([sys.executable, "-m", "tests.bench.bare", processes.port(address), url])
    try:
        yield
    finally:
        started.terminate()
        started.wait(timeout=30)
