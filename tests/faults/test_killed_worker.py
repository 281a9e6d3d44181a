"""`relief work` is killed with -9 at every labelled point and started again: nothing is paid twice, nothing is lost."""

from __future__ import annotations

import asyncio
import csv
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from relief import jobs
from relief.domain.sealing import Keys
from relief.store import db, invariants
from relief.store.db import Pool
from tests.processes import PERFECT_BANK, free_url, port, process
from tests.services.test_disburse import freeze, office, sign_all

pytestmark = pytest.mark.slow

#: Spreadsheets have points too; they leave nobody's house and have tests of their own.
OUTSIDE = {"batch", "answer", "messages"}
LABELLED = sorted(set(re.findall(r'work\.point\("([^"]+)"\)', Path(jobs.__file__).read_text("utf-8"))))
POINTS = [p for p in LABELLED if p.split()[0] in OUTSIDE]
HOUSEHOLDS = 12
PATIENCE_S = 60.0


def test_there_are_points_in_every_beat_that_talks_to_the_outside() -> None:
    assert {p.split()[0] for p in POINTS} == OUTSIDE


@pytest.fixture
def phones() -> str:
    return free_url()


@pytest.fixture
async def environment(database: str, pool: Pool, keys: Keys, home: Path, phones: str) -> AsyncIterator[dict[str, str]]:
    """A county with one authorised batch, and both twins running."""
    (home / "keys.json").write_bytes(msgspec.json.encode(keys))
    async with db.begin(pool) as tx:
        here = await office(tx, keys, count=HOUSEHOLDS)
        await sign_all(tx, here, await freeze(tx, here, keys))
    settings = {
        "RELIEF_HOME": str(home), "RELIEF_DATABASE_URL": database, "RELIEF_SMS_BASE_URL": phones, "RELIEF_TICK_SECONDS": "0.2",
        "RELIEF_LEASE_SECONDS": "3", "RELIEF_BANK_ANSWER_SECONDS": "3600",
    }  # fmt: skip
    with (
        process(settings, "rehearse", "bank", "--poll-s", "0.1", *PERFECT_BANK),
        process(settings, "rehearse", "sms", "--port", port(phones)),
    ):
        yield settings


async def _until_quiet(pool: Pool) -> None:
    """Until every payment is answered and every message handed over."""
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE_S:
        async with db.read(pool) as tx:
            open_payments = await db.value(tx, "SELECT count(*) FROM payment WHERE status NOT IN ('paid', 'returned')")
            open_messages = await db.value(tx, "SELECT count(*) FROM message WHERE status IN ('queued', 'sending', 'unknown')")
            messages = await db.value(tx, "SELECT count(*) FROM message")
        if not open_payments and not open_messages and messages == HOUSEHOLDS:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not quiet after {PATIENCE_S} s: {open_payments} payments, {open_messages} messages open")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("point", POINTS)
async def test_killed_there_and_started_again_everyone_is_paid_once_and_told_once(
    point: str, environment: dict[str, str], pool: Pool, home: Path, phones: str
) -> None:
    with process({**environment, "RELIEF_CRASH_AT": point}, "work") as doomed:
        assert await asyncio.to_thread(doomed.wait, PATIENCE_S) == -signal.SIGKILL
    with process(environment, "work"):
        await _until_quiet(pool)
    async with db.read(pool) as tx:
        for invariant in invariants.ALL:
            finding = await invariants.examine(tx, invariant)
            assert not finding.broken, (finding.name, finding.rows)
        assert await db.value(tx, "SELECT count(*) FROM payment WHERE status = 'paid'") == HOUSEHOLDS
    with (home / "bank" / "credits.csv").open(encoding="utf-8", newline="") as ledger:
        credited = Counter(row["reference"] for row in csv.DictReader(ledger))
    assert len(credited) == HOUSEHOLDS
    assert set(credited.values()) == {1}
    async with aiohttp.ClientSession() as session, session.get(f"{phones}/stats.json") as answer:
        assert (await answer.json())["accepted"] == HOUSEHOLDS
