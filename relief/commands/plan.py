"""Response plans."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from relief import app, settings
from relief.commands.screen import err, out
from relief.domain import plan
from relief.domain.errors import Invalid, ReliefError
from relief.domain.policy import SYSTEM
from relief.services import respond
from relief.store import db

_UNVERIFIED = "  未核实 unverified"


async def _check(args: argparse.Namespace) -> int:
    """Decode and check response plans."""
    files = args.files or sorted((settings.CHECKOUT / "playbooks" / "plans").glob("*.toml"))
    faulty = 0
    for path in files:
        try:
            found = plan.read(await _text(path))
            levels = "".join(plan.ROMAN[level.level] for level in found.levels)
            out.print(f"{path.name}: {found.key} {found.version}, {found.document}, {levels}{'' if found.verified else _UNVERIFIED}")
        except ReliefError as error:
            faulty += 1
            err.print(f"{path.name}: {error.message}")
    return 2 if faulty else 0


async def _import(args: argparse.Namespace) -> int:
    """Keep response plans in the database, all or none; the same text again is the same plan."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        for path in args.files:
            made = await respond.import_plan(tx, SYSTEM, await _text(path), house.clock())
            out.print(f"{path.name}: {made}")
    return 0


async def _text(path: Path) -> str:
    try:
        return await asyncio.to_thread(path.read_text, "utf-8")
    except (OSError, UnicodeDecodeError):
        raise Invalid("file", f"{path.name} 打不开或不是 UTF-8 · cannot be opened, or is not UTF-8") from None


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief plan check | import`."""
    does = parser.add_subparsers(required=True)
    check = does.add_parser("check", help="decode and check response plans; exit 2 with path and sentence")
    check.add_argument("files", nargs="*", type=Path)
    check.set_defaults(does=_check)
    keep = does.add_parser("import", help="keep them in the database; the plan in force on the day is the one that counts")
    keep.add_argument("files", nargs="+", type=Path)
    keep.set_defaults(does=_import)
