"""Export the trace: one line an act, by county and number, to be verified offline with `relief verify-audit FILE`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from relief import app, settings
from relief.commands.screen import out
from relief.store import db, seals
from relief.store.db import Pool


async def write(pool: Pool, path: Path, counties: Sequence[str] | None) -> int:
    """The sealed trace of these counties (None: all) into a file, as one snapshot; how many lines."""
    lines = 0
    async with db.read(pool) as tx:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            async for line in seals.export(tx, [f"{c}%" for c in counties] if counties else ["%"]):
                file.write(line + "\n")
                lines += 1
    return lines


async def _export(args: argparse.Namespace) -> int:
    """Write the export."""
    async with app.open_house(settings.load(), pool_size=2) as house:
        lines = await write(house.pool, args.file, args.county)
    out.print(f"{lines:,} 条留痕 acts → {args.file}")
    return 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief export-audit FILE [--county CODE]`."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--county", action="append", metavar="CODE", help="only this county (or all that begin with it); may be given again"
    )
    parser.set_defaults(does=_export)
