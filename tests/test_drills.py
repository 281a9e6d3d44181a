"""A drill reaches no real bank and no real phone: not by the timetable, not by a switch thrown half way, not by an address set wrongly."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from relief import jobs
from relief.channels.bank import FolderBank
from relief.channels.sms import TwilioSms
from relief.domain.errors import Refused
from relief.domain.sealing import Keys
from relief.services import disburse, notify
from relief.settings import Settings
from relief.store import db
from tests import make, paid
from tests.services.test_disburse import LEASE, freeze, office, sign_all
from tests.test_jobs import Clock, working

pytestmark = pytest.mark.slow

#: Every beat that talks to a bank or a carrier; the others read or keep house.
OUTWARD = ("deliver batches", "ask about batches", "send messages", "ask about messages")


async def drill(pool: db.Pool, keys: Keys) -> None:
    """A signed batch and a queued text of a drill."""
    async with db.begin(pool) as tx:
        here = await office(tx, keys)
        await sign_all(tx, here, await freeze(tx, here, keys))
        families = await paid.households(tx, keys, drill=True, first=50)
        await notify.queue_paid(tx, make.LUDING, [f.payment for f in families], make.NOW, keys)


async def test_with_real_channels_no_beat_hands_a_drill_to_bank_or_carrier(pool: db.Pool, keys: Keys, home: Path) -> None:
    await drill(pool, keys)
    real = Settings(home=home, real_channels=True, bank_folder=home / "real bank", sms_base_url="http://127.0.0.1:9")
    async with working(pool, keys, home, Clock(), real) as work:
        for beat in OUTWARD:
            await jobs.run_beat(work, beat)
    assert not (home / "real bank" / "out").exists()
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT string_agg(DISTINCT status, ' ') FROM batch WHERE drill AND status <> 'settled'") == "authorised"
        assert await db.value(tx, "SELECT string_agg(status || ' ' || error, ',') FROM message") == "failed drill"


async def test_a_drill_half_sent_when_the_channel_becomes_real_is_left_alone(pool: db.Pool, keys: Keys, home: Path) -> None:
    await drill(pool, keys)
    clock = Clock()
    async with db.begin(pool) as tx:
        assert len(await disburse.claim(tx, clock.now, LEASE, real=False)) == 1
    clock.now = make.NOW + timedelta(hours=1)
    real = Settings(home=home, real_channels=True, bank_folder=home / "real bank")
    async with working(pool, keys, home, clock, real) as work:
        assert await jobs.run_beat(work, "ask about batches") == 0
    async with working(pool, keys, home, clock, Settings(home=home)) as work:
        assert await jobs.run_beat(work, "ask about batches") == 1
    assert not (home / "real bank" / "out").exists()
    assert (home / "bank" / "out").exists()


def test_the_timetable_has_no_other_way_out() -> None:
    """A beat that names the bank's or the carrier's channel is proven above; `collect answers` only reads what the bank put down."""
    said = {name: inspect.getsource(beat) for name, beat in jobs.TIMETABLE.items()}
    talking = {name for name, text in said.items() if "work.sms" in text or "work.bank" in text}
    assert talking == {*OUTWARD, "collect answers"}, "a new way out: does it take a drill outside?"


def test_with_real_channels_off_the_banks_own_folder_is_not_even_opened(home: Path) -> None:
    with pytest.raises(Refused, match="RELIEF_BANK_FOLDER"):
        FolderBank.of(Settings(home=home, bank_folder=home / "elsewhere"))


@pytest.mark.parametrize("url", ["https://api.twilio.com", "https://sms.gateway.example.cn", "http://10.0.0.8:8081"])
def test_with_real_channels_off_no_address_off_this_machine_is_opened(url: str) -> None:
    with pytest.raises(Refused, match="real channels are off"):
        TwilioSms(Settings(sms_base_url=url))


@pytest.mark.slow
@pytest.mark.parametrize("twin", ["bank", "sms"])
def test_no_twin_answers_where_channels_are_real(twin: str, home: Path) -> None:
    environment = {**os.environ, "RELIEF_HOME": str(home), "RELIEF_REAL_CHANNELS": "true"}
    done = subprocess.run([sys.executable, "-m", "relief", "rehearse", twin], env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"real_channels:")
