"""The rehearsal twins as processes of their own."""

from __future__ import annotations

import argparse

import uvicorn

from relief import flags, settings
from relief.channels.rehearsal import bank, sms


async def _bank(args: argparse.Namespace) -> int:
    """The bank's twin."""
    await bank.run(settings.load().bank, flags.read(args, bank.Options))
    return 0


async def _sms(args: argparse.Namespace) -> int:
    """The carrier's twin, with its phone simulator."""
    twin = sms.make(flags.read(args, sms.Options))
    await uvicorn.Server(
        uvicorn.Config(twin, host="127.0.0.1", port=args.port, log_level="warning", access_log=False, timeout_keep_alive=75)
    ).serve()
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief rehearse bank | sms`, each with its misdeeds as flags."""
    twins = parser.add_subparsers(required=True)
    teller = twins.add_parser("bank", help="reads our files, writes its answers")
    flags.add(teller, bank.Options)
    teller.set_defaults(does=_bank)
    carrier = twins.add_parser("sms", help="speaks Twilio's API, shows its phones")
    carrier.add_argument("--port", type=int, default=8081)
    flags.add(carrier, sms.Options)
    carrier.set_defaults(does=_sms)
