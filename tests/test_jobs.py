"""The beats that ask the feeds and chase the reports, on a real database and the rehearsal twin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from relief import jobs
from relief.channels import bank_layout
from relief.channels.bank import FolderBank
from relief.channels.feeds import HttpFeeds
from relief.channels.rehearsal import feeds as twin
from relief.channels.sms import TwilioSms
from relief.domain.sealing import Keys
from relief.jobs import Work
from relief.settings import Settings
from relief.store import db
from tests import make
from tests.channels.test_sms import serving
from tests.make import NOW


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
            pool=pool, keys=keys, settings=settings, clock=clock, bank=FolderBank.of(settings), layout=bank_layout.load("yikatong"), sms=sms,
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
    assert told == {"cap proposed": 1, "cap superseded": 1, "cap noted": 1, "comcat proposed": 1, "comcat noted": 1}
    assert await counts(pool, ALERTS) == told


async def test_a_feed_that_fails_does_not_keep_the_other_from_being_heard(pool: db.Pool, keys: Keys, home: Path) -> None:
    async with serving(twin.make(twin.Options())) as url:
        settings = Settings(home=home, feed_cap_url=f"{url}/nowhere", feed_comcat_url=f"{url}/comcat.geojson")
        async with working(pool, keys, home, Clock(), settings) as work:
            assert await jobs.run_beat(work, "poll feeds") == 2
    assert await counts(pool, ALERTS) == {"comcat proposed": 1, "comcat noted": 1}


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
