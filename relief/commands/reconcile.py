"""The three-way balance of a county: ledger = files = bank + returns + open, per batch and fund. Exit 1 where it does not balance, naming the row."""

from __future__ import annotations

import argparse
import sys
from datetime import date

import msgspec
from rich.table import Table

from relief import app, settings
from relief.commands.screen import err, out
from relief.domain.days import beijing_day
from relief.domain.errors import Invalid
from relief.domain.money import display
from relief.services import reconcile
from relief.services.reconcile import Standing, Sums
from relief.store import db


async def _reconcile(args: argparse.Namespace) -> int:
    """One county at the end of a day."""
    if len(args.county) != 6 or not args.county.isdigit():
        raise Invalid("county", "请给出六位县代码，如 513322 · give a county code of six digits, such as 513322")
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        now = house.clock()
        found = await reconcile.standing(tx, args.county, reconcile.until_of(args.day or beijing_day(now), now))
    if args.json:
        shown = {
            "batches": found.batches,
            "funds": found.funds,
            "total": found.total,
            "differing": found.differing,
            "balanced": found.balanced,
        }
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
    else:
        _show(found)
    for wrong in found.wrong:
        err.print(f"out of balance: {wrong.name}")
    for row in found.differing:
        err.print(f"differs: {row.number} {row.reference}")
    return 0 if found.balanced else 1


def _show(found: Standing) -> None:
    table = Table("", "账本 ledger", "文件 files", "银行 bank", "退回 returns", "在途 open", "")
    for part in (found.batches, found.funds, [found.total]):
        for s in part:
            table.add_row(s.name or "合计 total", *(display(f) for f in (s.ledger, s.files, s.bank, s.returns, s.open)), _word(s))
        table.add_section()
    out.print(table)


def _word(s: Sums) -> str:
    return "✓" if s.balanced else "✗ 不平"


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief reconcile COUNTY [--day DAY] [--json]`."""
    parser.add_argument("county", help="six digits")
    parser.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD in Beijing; today unless told")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(does=_reconcile)
