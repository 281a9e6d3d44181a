"""`relief bench [NAME…] [--rows N] [--seeds N] [--plant BUG] [--growth] [--json]`: exit 1 when a judged promise is broken, after printing."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench import (
    activation,
    approve,
    audit,
    batch,
    decide,
    demo,
    duplicates,
    entitle,
    explain,
    faults,
    inspect,
    load,
    locate,
    money,
    payments,
    preview,
    register,
    sync,
    tiles,
)
from tests.bench.harness import Bench, Figure, Line, growth
from tests.faults.plants import PLANTS

BENCHES = {
    b.name: b
    for b in (
        Bench("demo", 5_000, demo.run, "the whole story as a user starts it"),
        Bench("locate", 1_000_000, locate.run, "points into bands, stored"),
        Bench("inspect", 1, inspect.run, "zone files understood in the child"),
        Bench("decide", 1_000_000, decide.run, "amounts, reasons, guards, awards, instalments"),
        Bench("entitle", 1_000_000, entitle.run, "the decision alone, in memory, reasons included, against OpenFisca-core"),
        Bench("preview", 1_000_000, preview.run, "a dry run with every breakdown"),
        Bench("explain", 100_000, explain.run, "one household told over HTTP"),
        Bench("approve", 32_768, approve.run, "one signature over a list"),
        Bench("batch", 100_000, batch.run, "freeze, write, import the result"),
        Bench("activation", 1_000_000, activation.run, "a county from activation to its first bank files"),
        Bench("payments", 1_000_000, payments.run, "pages of a long list of payments"),
        Bench("money", 2_000, money.run, "approvals one by one over HTTP"),
        Bench("register", 20_000, register.run, "the register's service"),
        Bench("sync", 1_000, sync.run, "a month of phones with cut, doubled and shuffled pushes"),
        Bench("audit", 10_000_000, audit.run, "the trace sealed, verified, falsified"),
        Bench("load", 100_000, load.run, "a register from a spreadsheet"),
        Bench("duplicates", 131_072, duplicates.run, "registrations compared with each other"),
        Bench("faults", faults.SEEDS, faults.of(0, None), "the money core under everything that goes wrong, seed by seed"),
        Bench("tiles", 1_000_000, tiles.run, "households counted in squares of the map"),
    )
}


async def measure(bench: Bench, rows: int | None, grow: bool) -> AsyncIterator[Figure]:
    """The figures of one benchmark; with `grow` those of a tenth of the rows before it and how they compare."""
    chosen = rows or bench.rows
    small = {f.name: f for f in await bench.run(chosen // 10) if isinstance(f, Line)} if grow else {}
    for figure in await bench.run(chosen):
        yield figure
        before = small.get(figure.name)
        if isinstance(figure, Line) and figure.seconds and before is not None and before.seconds and before.rows * 10 == figure.rows:
            yield growth(before, figure)


async def run(args: argparse.Namespace) -> int:
    """Print every figure as it is taken; 1 when a judged promise is broken."""
    broken, table = 0, Table("name", "rows", "value", "against", "ratio", "promise", "kept", "CPU s", "MB", "load")
    console = Console(stderr=args.json, width=None if sys.stdout.isatty() else 200)
    for name in args.names or BENCHES:
        console.print(f"[dim]{name}: {BENCHES[name].says} …[/dim]")
        bench = BENCHES[name]
        if name == "faults":
            bench = Bench(name, args.seeds or faults.SEEDS, faults.of(args.first, args.plant), bench.says)
        async for figure in measure(bench, None if name == "faults" else args.rows, args.growth):
            broken += isinstance(figure, Line) and figure.kept is False
            if args.json:
                sys.stdout.write(msgspec.json.encode(figure).decode() + "\n")
                sys.stdout.flush()
            else:
                table.add_row(*_cells(figure))
    if not args.json:
        console.print(table)
    return 1 if broken else 0


def _cells(figure: Figure) -> list[str]:
    if not isinstance(figure, Line):
        return [figure.name, f"{figure.rows:,}", "", figure.omitted, "", "", "omitted", "", "", ""]
    peer = figure.against
    beside = "" if peer is None else f"{peer.name}: {peer.seconds if peer.seconds is not None else peer.value:,}"
    if peer is not None and peer.cpu_s is not None:
        beside += f" (CPU {peer.cpu_s})"
    kept = {None: "not judged" if figure.promise else "", True: "[green]kept[/green]", False: "[red]broken[/red]"}[figure.kept]
    return [
        figure.name, f"{figure.rows:,}", f"{figure.value:,} {figure.unit}", beside, "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.promise or "", kept, "" if figure.cpu_s is None else f"{figure.cpu_s}", "" if figure.rss_mb is None else f"{figure.rss_mb:,.0f}", f"{figure.load}",
    ]  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="relief bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--rows", type=int, help="instead of each benchmark's own number")
    parser.add_argument("--growth", action="store_true", help="also measure a tenth of the rows and print how time grows")
    parser.add_argument("--seeds", type=int, help="faults: how many seeds")
    parser.add_argument("--first", type=int, default=0, help="faults: the first seed, to replay one that was named")
    parser.add_argument(
        "--plant",
        metavar="BUG",
        choices=sorted(PLANTS),
        help="faults: run with a bug in the house, which must be found: " + ", ".join(PLANTS),
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args()
    if unknown := [n for n in args.names if n not in BENCHES]:
        parser.error(f"没有 · no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    sys.exit(asyncio.run(run(args)))


if __name__ == "__main__":
    main()
