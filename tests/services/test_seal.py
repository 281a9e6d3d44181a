"""Sealing: numbered without gaps in the order of commits, chained, checkpointed; and every falsification is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import cast

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relief import jobs
from relief.channels import audit_file
from relief.channels.checkpoints import FolderCheckpoints
from relief.domain import trail
from relief.domain.errors import Invalid
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import seal
from relief.settings import Settings
from relief.store import audits, db, invariants, seals
from relief.store.db import Tx
from tests import make, tampering
from tests.test_jobs import Clock, working


async def act(tx: Tx, county: str = make.LUDING) -> None:
    await audits.add(tx, county, SYSTEM, "test", "batch", [], make.NOW, {"n": 1})


async def numbers(tx: Tx, county: str = make.LUDING) -> list[int]:
    return [r["seq"] for r in await tx.fetch("SELECT seq FROM audit_seal WHERE county = $1 ORDER BY seq", county)]


async def test_acts_are_numbered_per_county_without_gaps(tx: Tx) -> None:
    for county in (make.LUDING, make.SHIMIAN, make.LUDING, audits.SHARED):
        await act(tx, county)
    assert await seal.seal(tx, make.NOW) == 4
    await act(tx)
    assert await seal.seal(tx, make.NOW) == 1
    assert (await numbers(tx), await numbers(tx, make.SHIMIAN), await numbers(tx, audits.SHARED)) == ([1, 2, 3], [1], [1])
    assert await seal.seal(tx, make.NOW) == 0
    assert (await seal.state(tx, make.NOW)).waiting == 0


async def test_an_act_that_commits_late_gets_a_late_number_and_no_writer_waits(pool: db.Pool) -> None:
    async with db.begin(pool) as slow:
        await act(slow)  # an early act whose transaction takes long
        for _ in range(2):
            async with asyncio.timeout(5), db.begin(pool) as tx:
                await act(tx)
        async with asyncio.timeout(5), db.begin(pool) as tx:
            assert await seal.seal(tx, make.NOW) == 2
    async with db.begin(pool) as tx:
        assert await seal.seal(tx, make.NOW) == 1
        assert await numbers(tx) == [1, 2, 3]
        assert [f.broken for f in [await invariants.examine(tx, i) for i in invariants.TRACE]] == [0, 0]


async def test_two_sealers_do_not_number_twice(pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        await act(tx)
    async with db.begin(pool) as one, db.begin(pool) as other:
        assert await seal.seal(one, make.NOW) == 1
        assert await seal.seal(other, make.NOW) == 0


async def test_the_application_may_not_touch_what_is_sealed(tx: Tx) -> None:
    await act(tx)
    await seal.seal(tx, make.NOW)
    for forbidden in ("UPDATE audit SET count = 7", "DELETE FROM audit", "UPDATE audit_seal SET seq = 7", "DELETE FROM audit_seal"):
        savepoint = tx.transaction()
        await savepoint.start()
        with pytest.raises(Exception, match="permission denied"):
            await tx.execute(forbidden)
        await savepoint.rollback()


async def test_an_act_nobody_seals_is_an_alarm(tx: Tx) -> None:
    await act(tx)
    waiting = await seals.waiting(tx)
    assert waiting.since is not None
    assert (await seal.state(tx, waiting.since + timedelta(seconds=59))).since == waiting.since
    assert (await seal.state(tx, waiting.since + timedelta(seconds=61))).late
    sealed = next(i for i in invariants.TRACE if i.name == "trace_is_sealed")
    assert (await invariants.examine(tx, sealed)).broken == 0
    await tx.execute("DELETE FROM audit_pending")  # whoever takes an act out of the queue leaves it without a seal for ever
    assert (await invariants.examine(tx, sealed)).broken == 1


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Tx]:
    connection = await db.connect_owner(database)
    yield cast("Tx", connection)
    await connection.close()


async def test_every_falsification_by_the_owner_of_the_database_is_found_and_the_first_row_named(owner: Tx) -> None:
    rng = Random(20220905)
    trace = await tampering.fill(owner, rng, {audits.SHARED: 7, make.SHIMIAN: 25, make.LUDING: 40})
    async with owner.transaction():
        assert (await tampering.verdict(owner, trace)).broken is None
    chained = next(i for i in invariants.TRACE if i.name == "trace_is_chained")
    for n in range(8 * len(tampering.KINDS)):
        kind = tampering.KINDS[n % len(tampering.KINDS)]
        falsified = owner.transaction()
        await falsified.start()
        await owner.execute("SET LOCAL session_replication_role = replica")
        expected = await kind(owner, rng, trace)
        found = (await tampering.verdict(owner, trace)).broken
        assert found is not None, (kind.__name__, expected)
        assert found.row == expected, (kind.__name__, found)
        if n < 6:
            assert (await invariants.examine(owner, chained)).broken, kind.__name__
        await falsified.rollback()


async def test_a_checkpoint_is_written_outside_once_an_hour_and_cannot_be_forged(pool: db.Pool, keys: Keys, home: Path) -> None:
    clock = Clock()
    async with working(pool, keys, home, clock, Settings(home=home)) as work:
        for hours in (0, 0, 1):
            async with db.begin(pool) as tx:
                await act(tx)
            await jobs.run_beat(work, "seal trace")
            clock.now = make.NOW + timedelta(hours=hours)
            await jobs.run_beat(work, "set checkpoint")
    outside = FolderCheckpoints(home / "checkpoints")
    files = await outside.read()
    found = trail.read(files, outside.key())
    assert [c.heads[make.LUDING].seq for c in found] == [1, 3]
    async with db.begin(pool) as tx:
        state = await seal.state(tx, clock.now)
    assert state.checkpoint is not None
    assert (state.checkpoint.serial, state.checkpoint.acts, state.late) == (2, 3, False)
    with pytest.raises(Invalid, match="not signed"):
        trail.read(files, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(Invalid, match="missing"):
        trail.read(files[1:], outside.key())
    forged = msgspec.json.decode(files[0][1], type=trail.Signed)
    forged = msgspec.structs.replace(forged, checkpoint=forged.checkpoint.replace('"heads":{"513322":[1', '"heads":{"513322":[0'))
    with pytest.raises(Invalid, match="not signed"):
        trail.read([(files[0][0], msgspec.json.encode(forged)), files[1]], outside.key())


def test_an_export_is_verified_in_parts_as_in_one(tmp_path: Path) -> None:
    lines: list[bytes] = []
    for county in ("511824", "513322"):
        chain = trail.genesis(county)
        for seq in range(1, 201):
            text = f'["{county}", {seq}, "演示"]'.encode()
            chain = trail.link(chain, seq, text)
            lines.append(b"%s\t%d\t%s\t%s\n" % (county.encode(), seq, chain.hex().encode(), text))
    file = tmp_path / "export"
    wanted = {"513322": {200: lines[-1].split(b"\t")[2].decode()}}

    def both(content: list[bytes]) -> list[tuple[str, str] | None]:
        file.write_bytes(b"".join(content))
        told = []
        for size in (1 << 26, 2_000):
            broken = audit_file.verify(file, wanted, None, processes=1, part=size).broken
            told.append(broken and (broken.row, broken.why))
        return told

    assert both(lines) == [None, None]
    assert both(lines[:-3]) == [("513322/198", "tail")] * 2
    assert both(lines[:200]) == [("513322/1", "tail")] * 2
    assert both([*lines[:77], *lines[78:]]) == [("511824/79", "gap")] * 2
    assert both([*lines[:300], lines[300].replace("演".encode(), b"x"), *lines[301:]]) == [("513322/101", "chain")] * 2
    assert both([*lines[200:], *lines[:200]]) == [("511824/1", "order")] * 2
    assert both([*lines[:50], b"nonsense\n", *lines[50:]]) == [("511824/51", "unreadable")] * 2
