"""Areas: how many people live in a county, as published. Zones estimate by it; nobody is paid by it."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from rich.table import Table

from relief import app, settings
from relief.commands.screen import out
from relief.domain.errors import Invalid
from relief.domain.policy import SYSTEM
from relief.services import population
from relief.store import db, populations, regions


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief region population [FILE]`."""
    verbs = parser.add_subparsers(required=True)
    people = verbs.add_parser("population", help=_population.__doc__, description=_population.__doc__)
    people.add_argument(
        "file", type=Path, nargs="?", help="CSV with code,people,day,source (代码,人口,日期,来源); without it: what is known"
    )
    people.set_defaults(does=_population)


async def _population(args: argparse.Namespace) -> int:
    """Keep the populations of counties from a CSV, all or none; without a file, list what is known."""
    content = None if args.file is None else await _content(args.file)
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        if content is not None:
            kept = await population.give(tx, SYSTEM, population.read(content), house.clock())
            out.print(f"{args.file.name}：{kept} 个数字已保存 · {kept} figures kept")
            return 0
        known = await populations.all_(tx)
        names = await regions.names(tx, [p.region for p in known])
    if not known:
        out.print("没有县人口数字 · no population is given")
        return 0
    table = Table("代码 code", "县 county", "人口 people", "日期 day", "来源 source")
    for p in known:
        table.add_row(p.region, names[p.region], f"{p.people:,}", str(p.counted_on), p.source)
    out.print(table)
    return 0


async def _content(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Invalid("file", f"{path.name} 打不开 · cannot be opened: {error.strerror}") from None
