"""Apply migrations."""

from __future__ import annotations

import argparse

from relief import settings
from relief.commands.screen import out
from relief.store import ready


async def _migrate(args: argparse.Namespace) -> int:
    """Apply migrations."""
    database = await ready.make_ready(settings.load())
    out.print(f"{len(database.applied.new)} applied, {database.applied.already} there already")
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief migrate` takes none."""
    parser.set_defaults(does=_migrate)
