"""The rehearsal twins as processes of their own."""

from __future__ import annotations

import argparse

import uvicorn
from litestar import Litestar

from relief import flags, settings
from relief.channels.rehearsal import bank, feeds, sms
from relief.domain.errors import Refused
from relief.settings import Settings


async def _bank(args: argparse.Namespace) -> int:
    """The bank's twin."""
    await bank.run(_rehearsing().bank, flags.read(args, bank.Options))
    return 0


async def _sms(args: argparse.Namespace) -> int:
    """The carrier's twin, with its phone simulator."""
    _rehearsing()
    return await _serve(sms.make(flags.read(args, sms.Options)), args.port)


def _rehearsing() -> Settings:
    """The settings; Refused where channels are real: a twin would answer for the real bank, and money would look paid."""
    found = settings.load()
    if found.real_channels:
        raise Refused(
            "real_channels", "已开启真实通道，不得运行演练银行或运营商 · channels are real: no rehearsal bank or carrier beside them"
        )
    return found


async def _feeds(args: argparse.Namespace) -> int:
    """Hazard feeds with recorded alerts and events."""
    return await _serve(feeds.make(flags.read(args, feeds.Options)), args.port)


async def _serve(twin: Litestar, port: int) -> int:
    config = uvicorn.Config(twin, host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_keep_alive=75)
    await uvicorn.Server(config).serve()
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief rehearse bank | sms | feeds`, each with its misdeeds as flags."""
    twins = parser.add_subparsers(required=True)
    teller = twins.add_parser("bank", help="reads our files, writes its answers")
    flags.add(teller, bank.Options)
    teller.set_defaults(does=_bank)
    carrier = twins.add_parser("sms", help="speaks Twilio's API, shows its phones")
    carrier.add_argument("--port", type=int, default=8081)
    flags.add(carrier, sms.Options)
    carrier.set_defaults(does=_sms)
    shelf = twins.add_parser("feeds", help="serves recorded CAP alerts and ComCat events: /cap/atom.xml, /comcat.geojson")
    shelf.add_argument("--port", type=int, default=8082)
    flags.add(shelf, feeds.Options)
    shelf.set_defaults(does=_feeds)
