"""The beats that ask the feeds and chase the reports, on a real database and the rehearsal twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relief import jobs
from relief.channels import bank_layouts
from relief.channels.bank import FolderBank
from relief.channels.feeds import HttpFeeds
from relief.channels.rehearsal import feeds as twin
from relief.channels.sms import TwilioSms
from relief.domain.sealing import Keys
from relief.jobs import Work
from relief.settings import Settings
from relief.store import db, feeds
from tests import make
from tests.channels.test_sms import serving
from tests.make import NOW

pytestmark = pytest.mark.slow


class Clock:
    """A clock that is set."""

    now = NOW

    def __call__(self) -> Any:
        return self.now


@asynccontextmanager
async def working(pool: db.Pool, keys: Keys, home: Path, clock: Clock, settings: Settings) -> AsyncIterator[Work]:
    """Everything the timetable needs, with the real channels."""
    async with TwilioSms(settings) as sms, HttpFeeds(settings) as feeds:
        yield Work(
            pool=pool, keys=keys, settings=settings, clock=clock, bank=FolderBank.of(settings), layout=bank_layouts.load("yikatong"), sms=sms,
            feeds=feeds,
        )  # fmt: skip


async def counts(pool: db.Pool, sql: str) -> dict[str, int]:
    async with db.read(pool) as tx:
        return {r["key"]: r["n"] for r in await tx.fetch(sql)}


ALERTS = "SELECT source || ' ' || status AS key, count(*) AS n FROM alert GROUP BY 1"


async def test_without_an_address_no_feed_is_asked_and_nothing_is_written(pool: db.Pool, keys: Keys, home: Path) -> None:
    async with working(pool, keys, home, Clock(), Settings(home=home)) as work:
        assert await jobs.run_beat(work, "poll feeds") == 0
    assert await counts(pool, "SELECT name AS key, 1 AS n FROM errand") == {}


async def test_feeds_are_asked_once_a_minute_and_what_they_say_is_proposed(pool: db.Pool, keys: Keys, home: Path) -> None:
    clock = Clock()
    async with serving(twin.make(twin.Options())) as url:
        settings = Settings(home=home, feed_cap_url=f"{url}/cap/atom.xml", feed_comcat_url=f"{url}/comcat.geojson")
        async with working(pool, keys, home, clock, settings) as work:
            assert await jobs.run_beat(work, "poll feeds") == 2
            told = await counts(pool, ALERTS)
            assert await jobs.run_beat(work, "poll feeds") == 0
            clock.now = NOW + timedelta(seconds=61)
            assert await jobs.run_beat(work, "poll feeds") == 2
    assert told == {
        "cap proposed": 1, "cap superseded": 1, "cap withdrawn": 1, "cap noted": 3, "comcat proposed": 1, "comcat noted": 1,
    }  # fmt: skip
    assert await counts(pool, ALERTS) == told


async def test_a_feed_that_fails_does_not_keep_the_other_from_being_heard(pool: db.Pool, keys: Keys, home: Path) -> None:
    async with serving(twin.make(twin.Options())) as url:
        settings = Settings(home=home, feed_cap_url=f"{url}/nowhere", feed_comcat_url=f"{url}/comcat.geojson")
        async with working(pool, keys, home, Clock(), settings) as work:
            assert await jobs.run_beat(work, "poll feeds") == 2
    assert await counts(pool, ALERTS) == {"comcat proposed": 1, "comcat noted": 1}
    async with db.read(pool) as tx:
        told = {s.source: (s.heard_at, s.silent, s.fault) for s in await feeds.states(tx)}
    assert told == {"cap": (None, 1, "feed_status"), "comcat": (NOW, 0, None)}


#: What a sender says, one message a line: name, minute, status, kind, and of which message it speaks.
SAID = {
    "first": (0, "Actual", "Alert", None), "second": (5, "Actual", "Update", "first"), "third": (9, "Actual", "Update", "second"),
    "end": (30, "Actual", "Cancel", "third"), "drill": (1, "Exercise", "Alert", None), "test": (2, "Test", "Cancel", "first"),
}  # fmt: skip


def put(folder: Path, *names: str) -> None:
    """These messages are on the feed from now on."""
    plain = (twin.RECORDED / "luding_alert.cap").read_text("utf-8")
    for name in names:
        minute, status, kind, of = SAID[name]
        text = plain.replace("51332241600000_20220905183000_0", name).replace("18:30:00", f"13:{minute:02d}:00")
        text = text.replace(">Actual<", f">{status}<").replace(">Alert<", f">{kind}<")
        if of is not None:
            said = f"rehearsal@example.org,{of},2022-09-05T13:{SAID[of][0]:02d}:00+08:00"
            text = text.replace("</scope>", f"</scope><references>{said}</references>")
        (folder / f"{name}.cap").write_text(text, "utf-8")


async def test_a_real_feed_brings_them_late_twice_and_out_of_order_and_the_latest_word_counts(
    pool: db.Pool, keys: Keys, home: Path, tmp_path: Path
) -> None:
    """Over HTTP, every message listed twice: the update comes before its original, a test cancel and an exercise touch nothing."""
    clock, states = Clock(), "SELECT identifier || ' ' || status AS key, count(*) AS n FROM alert GROUP BY 1"
    folder = tmp_path / "feed"
    folder.mkdir()
    async with serving(twin.make(twin.Options(folder=str(folder), repeat=True))) as url:
        settings = Settings(home=home, feed_cap_url=f"{url}/cap/atom.xml")
        async with working(pool, keys, home, clock, settings) as work:

            async def visit(*names: str) -> set[str]:
                put(folder, *names)
                clock.now += timedelta(minutes=1)
                assert await jobs.run_beat(work, "poll feeds") == 1
                found = await counts(pool, states)
                assert set(found.values()) <= {1}, "kept once however often it is listed"
                return set(found)

            assert await visit("third", "drill") == {"third parked", "drill noted"}
            assert await visit("first", "test") == {"third parked", "drill noted", "first proposed", "test noted"}
            late = await visit("second")
            assert late == {"third proposed", "second superseded", "first superseded", "drill noted", "test noted"}
            last = await visit("end")
    assert last == {"third withdrawn", "second superseded", "first superseded", "end noted", "drill noted", "test noted"}
    assert await counts(pool, "SELECT 'incidents' AS key, count(*) AS n FROM incident") == {"incidents": 0}, "nothing acts by itself"


async def test_missed_deadlines_are_looked_at_once_a_minute_and_written_once(pool: db.Pool, keys: Keys, home: Path) -> None:
    clock = Clock()
    async with db.begin(pool) as tx:
        await make.incident(tx)
    async with working(pool, keys, home, clock, Settings(home=home)) as work:
        clock.now = NOW + timedelta(hours=3)
        assert await jobs.run_beat(work, "chase reports") == 1
        clock.now += timedelta(minutes=2)
        assert await jobs.run_beat(work, "chase reports") == 0
    assert await counts(pool, "SELECT duty AS key, count(*) AS n FROM report_reminder GROUP BY 1") == {"first": 1}
    assert await counts(pool, "SELECT act AS key, count(*) AS n FROM audit WHERE act = 'report.missed' GROUP BY 1") == {"report.missed": 1}
