"""The trace: acts sealed, an export verified, and falsifications found by the thousand."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from uuid import UUID

from relief.channels import audit_file
from relief.domain import trail
from relief.services import seal
from tests import make, tampering
from tests.bench.harness import Figure, Line, judge, place, timed, watch

#: Promises: so many rows verified in so many seconds, every falsification found.
VERIFIED, VERIFIED_S, TAMPERINGS = 10_000_000, 30.0, 10_000
#: Acts sealed and read back through the database.
SEALED = 100_000


async def run(rows: int) -> Sequence[Figure]:
    """Verification of `rows` exported acts; a hundredth of them sealed; a thousandth of them falsified, one at a time."""
    async with place() as here:
        figures: list[Figure] = []
        acts = max(1_000, min(rows // 100, SEALED))
        await here.owner.execute(
            "INSERT INTO audit (county, at, act, subject, count, digest, detail) "
            "SELECT (ARRAY['513322', '511824', '513326'])[1 + n % 3], $1::timestamptz + n * interval '1 ms', 'batch.check', 'batch', n % 900, "
            "sha256(n::text::bytea), jsonb_build_object('total_fen', n) FROM generate_series(1, $2::int) n", make.NOW, acts,
        )  # fmt: skip
        await here.owner.execute("INSERT INTO audit_pending (county, id) SELECT county, id FROM audit")
        with watch(here) as seen:
            left = acts
            while left > 0:
                async with here.house.pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT set_config('relief.scope', '%', true)")
                    left -= await seal.seal(connection, make.NOW)
        figures.append(
            Line(
                name="acts sealed",
                rows=acts,
                seconds=round(seen.seconds, 3),
                cpu_s=round(seen.cpu_s, 2),
                unit="rows/s",
                value=round(acts / seen.seconds),
            )
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "export"
            await asyncio.to_thread(_export, file, rows)
            with watch(here) as seen:
                verdict = await asyncio.to_thread(audit_file.verify, file, {})
            assert (verdict.broken, verdict.rows) == (None, rows)
        figures.append(timed("export verified", rows, seen, VERIFIED_S, VERIFIED))
        figures.append(await _falsified(here.owner, max(100, rows * TAMPERINGS // VERIFIED)))
    return figures


async def _falsified(owner: tampering.Tx, tries: int) -> Line:
    """So many falsifications over a small trace of its own, each found under its right name and taken back."""
    await owner.execute("TRUNCATE audit, audit_seal, audit_pending")
    rng = Random(20220905)
    trace = await tampering.fill(owner, rng, {"000000": 7, make.SHIMIAN: 25, make.LUDING: 40})
    found = 0
    for n in range(tries):
        falsified = owner.transaction()
        await falsified.start()
        await owner.execute("SET LOCAL session_replication_role = replica")
        expected = await tampering.KINDS[n % len(tampering.KINDS)](owner, rng, trace)
        broken = (await tampering.verdict(owner, trace)).broken
        found += broken is not None and broken.row == expected
        await falsified.rollback()
    return Line(
        name="falsifications found and named", rows=tries, unit="%", value=round(100 * found / tries, 3), promise="100 %",
        kept=judge(found == tries, tries, TAMPERINGS) if found == tries else False,
    )  # fmt: skip


def _export(path: Path, rows: int) -> None:
    """An export as the database writes it: twenty counties, sealed rows, made without the database."""
    at, rng = int(datetime(2022, 9, 5).timestamp() * 1e6), Random(1)  # noqa: DTZ001
    written = 0
    with path.open("wb") as file:
        for n in range(20):
            county = f"{513300 + n}"
            chain = trail.genesis(county)
            for seq in range(1, (rows * (n + 1) // 20) - written + 1):
                text = (
                    f'["{county}", "{UUID(int=rng.getrandbits(128))}", {at + seq}, "{UUID(int=seq)}", "batch.authorise", "batch", {seq % 900}, '
                    f'"{hashlib.sha256(b"%d" % seq).hexdigest()}", {{"total_fen": {seq}}}]'
                ).encode()
                chain = trail.link(chain, seq, text)
                file.write(b"%b\t%d\t%b\t%b\n" % (county.encode(), seq, chain.hex().encode(), text))
            written = rows * (n + 1) // 20
