"""The Luding earthquake from zone to confirmed payment."""

from __future__ import annotations

import argparse

from relief import settings
from relief.demo import story


async def _demo(args: argparse.Namespace) -> int:
    """The Luding earthquake from zone to confirmed payment."""
    return await story.run(settings.load(), households=args.households, stay=not args.exit, as_json=args.json)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `relief demo`."""
    parser.add_argument("--exit", action="store_true", help="stop after the summary")
    parser.add_argument("--households", type=int, default=5_000)
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.set_defaults(does=_demo)
