"""Every invariant on the live database."""

from __future__ import annotations

import argparse
import sys

import msgspec
from rich.table import Table

from relief import app, settings
from relief.commands.screen import err, out
from relief.domain.errors import Invalid
from relief.services import check
from relief.store import db


async def _check(args: argparse.Namespace) -> int:
    """Every invariant on the live database."""
    chosen = settings.load()
    if chosen.database_url is None and not (chosen.home / "pg").exists():
        raise Invalid(
            "no_database", f"{chosen.home} 中没有数据库，请核对 RELIEF_HOME · there is no database in {chosen.home}: check RELIEF_HOME"
        )
    async with app.open_house(chosen, pool_size=2) as house, db.read(house.pool) as tx:
        findings = await check.check(tx)
    if args.json:
        sys.stdout.write(msgspec.json.encode(findings).decode() + "\n")
    else:
        table = Table("invariant", "what must be true", "examined", "broken")
        for f in findings:
            table.add_row(f.name, f.says, f"{f.examined:,}", "0" if not f.broken else f"{f.broken} {f.rows[0]}")
        out.print(table)
    broken = [f for f in findings if f.broken]
    for f in broken:
        err.print(f"broken: {f.name}: {', '.join(f.rows)}")
    if args.expect_data and (empty := [f.name for f in findings if not f.examined]):
        err.print(f"nothing to examine for: {', '.join(empty)}")
        return 1
    return 1 if broken else 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `relief check`."""
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--expect-data", action="store_true", help="an invariant that finds no rows to examine is a failure")
    parser.set_defaults(does=_check)
