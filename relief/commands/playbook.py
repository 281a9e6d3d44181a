"""Playbooks."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from relief import settings
from relief.commands.screen import err, out
from relief.domain import playbook
from relief.domain.errors import ReliefError


async def _check(args: argparse.Namespace) -> int:
    """Decode and check playbooks."""
    files = args.files or sorted(p for p in (settings.CHECKOUT / "playbooks").glob("*.toml") if not p.name.endswith(".cases.toml"))
    faulty = 0
    for path in files:
        try:
            found = playbook.read(await asyncio.to_thread(path.read_text, "utf-8"))
            out.print(f"{path.name}: {found.key} {found.version}, {len(found.aids)} aids")
        except ReliefError as error:
            faulty += 1
            err.print(f"{path.name}: {error.message}")
    return 2 if faulty else 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief playbook check`."""
    check = parser.add_subparsers(required=True).add_parser("check", help="decode and check playbooks; exit 2 with path and sentence")
    check.add_argument("files", nargs="*", type=Path)
    check.set_defaults(does=_check)
