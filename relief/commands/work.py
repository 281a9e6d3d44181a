"""The background process: the timetable over rows in the database."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from relief import app, jobs, logs, settings
from relief.channels.bank import FolderBank
from relief.channels.bank_sftp import SftpBank
from relief.channels.feeds import HttpFeeds
from relief.channels.form_server import FormServer
from relief.channels.sms import TwilioSms
from relief.commands.screen import err
from relief.house import House
from relief.jobs import Work


@asynccontextmanager
async def open_work(house: House) -> AsyncIterator[Work]:
    """The channels beside the house: everything the timetable needs."""
    chosen = house.settings
    async with (
        TwilioSms(chosen) as sms,
        HttpFeeds(chosen) as feeds,
        FormServer(chosen.forms_url, chosen.forms_token, chosen.feed_timeout_seconds) as forms,
    ):
        yield Work(
            pool=house.pool, keys=house.keys, settings=house.settings, clock=house.clock, bank=(SftpBank if house.settings.bank_sftp else FolderBank).of(house.settings),
            layout=house.writer.layout, sms=sms, feeds=feeds, forms=forms,
        )  # fmt: skip


async def _work(args: argparse.Namespace) -> int:
    """The background process; ends on SIGTERM or SIGINT after the beats in hand."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    chosen = settings.load()
    logs.set_up(chosen.log_form)
    async with app.open_house(chosen) as house, open_work(house) as parts:
        timetable = jobs.schedule(parts)
        timetable.start()
        err.print("relief work: the timetable runs")
        await stop.wait()
        timetable.pause()
        await jobs.drain(parts)
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief work` takes none."""
    parser.set_defaults(does=_work)
