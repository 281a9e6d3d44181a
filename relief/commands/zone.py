"""Zone files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from relief.commands.screen import out
from relief.services import zoning


async def _inspect(args: argparse.Namespace) -> int:
    """What a zone file holds."""
    report = await zoning.inspect_file(args.file)
    if args.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        out.print_json(msgspec.json.encode(report).decode())
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief zone inspect`."""
    verbs = parser.add_subparsers(required=True)
    inspect = verbs.add_parser("inspect", help="what a zone file holds; exit 2 when it is refused")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true")
    inspect.set_defaults(does=_inspect)
