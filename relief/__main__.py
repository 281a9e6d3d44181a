"""The command line. Every command that refuses says why: exit 2 for bad input, 1 for a broken promise."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from rich.console import Console
from rich.table import Table

from relief import app, flags, jobs, settings
from relief.channels.rehearsal import bank as rehearsal_bank
from relief.channels.rehearsal import sms as rehearsal_sms
from relief.demo import story
from relief.domain import playbook
from relief.domain.errors import Invalid, ReliefError
from relief.domain.policy import ROLES, SYSTEM, Grant
from relief.services import check, sign_in, zoning
from relief.store import db, ready, staff

out = Console()
err = Console(stderr=True)


async def serve(args: argparse.Namespace) -> int:
    """The web process."""
    chosen = settings.load()
    server = uvicorn.Server(
        uvicorn.Config(
            app.web(chosen, development=args.development),
            host=chosen.listen_host,
            port=chosen.listen_port,
            log_level="warning",
            access_log=False,
            ssl_certfile=chosen.tls_cert,
            ssl_keyfile=chosen.tls_key,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=32_768,
        )
    )
    err.print(f"relief serve: {chosen.public_url}")
    await server.serve()
    return 0 if server.started else 1


async def work(args: argparse.Namespace) -> int:
    """The background process; ends on SIGTERM or SIGINT after the beats in hand."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with app.open_house(settings.load()) as house, app.open_work(house) as parts:
        timetable = jobs.schedule(parts)
        timetable.start()
        err.print("relief work: the timetable runs")
        await stop.wait()
        timetable.pause()
        await jobs.drain(parts)
    return 0


async def migrate(args: argparse.Namespace) -> int:
    """Apply migrations."""
    database = await ready.make_ready(settings.load())
    out.print(f"{len(database.applied.new)} applied, {database.applied.already} there already")
    return 0


async def run_check(args: argparse.Namespace) -> int:
    """Every invariant on the live database."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        findings = await check.check(tx)
    if args.json:
        sys.stdout.write(msgspec.json.encode(findings).decode() + "\n")
    else:
        table = Table("invariant", "what must be true", "examined", "broken")
        for f in findings:
            table.add_row(f.name, f.says, f"{f.examined:,}", "0" if not f.broken else f"[red]{f.broken}[/red] {f.rows[0]}")
        out.print(table)
    broken = [f for f in findings if f.broken]
    for f in broken:
        err.print(f"broken: {f.name}: {', '.join(f.rows)}")
    if args.expect_data and (empty := [f.name for f in findings if not f.examined]):
        err.print(f"nothing to examine for: {', '.join(empty)}")
        return 1
    return 1 if broken else 0


async def zone_inspect(args: argparse.Namespace) -> int:
    """What a zone file holds."""
    report = await zoning.inspect_file(args.file)
    if args.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        out.print_json(msgspec.json.encode(report).decode())
    return 0


async def playbook_check(args: argparse.Namespace) -> int:
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


async def demo(args: argparse.Namespace) -> int:
    """The Luding earthquake from zone to confirmed payment."""
    return await story.run(settings.load(), households=args.households, stay=not args.exit, as_json=args.json)


async def rehearse_bank(args: argparse.Namespace) -> int:
    """The bank's twin."""
    await rehearsal_bank.run(settings.load().bank, flags.read(args, rehearsal_bank.Options))
    return 0


async def rehearse_sms(args: argparse.Namespace) -> int:
    """The carrier's twin, with its phone simulator."""
    twin = rehearsal_sms.make(flags.read(args, rehearsal_sms.Options))
    await uvicorn.Server(
        uvicorn.Config(twin, host="127.0.0.1", port=args.port, log_level="warning", access_log=False, timeout_keep_alive=75)
    ).serve()
    return 0


async def staff_add(args: argparse.Namespace) -> int:
    """Make an account."""
    password = getpass.getpass("口令 password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    grants = tuple(_grant(text) for text in args.grant)
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        await sign_in.create_staff(tx, SYSTEM, [sign_in.NewStaff(args.login, args.name, password, grants)], house.clock())
    out.print(f"{args.login} 已建立 · created")
    return 0


async def staff_list(args: argparse.Namespace) -> int:
    """Accounts with roles and areas."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        for person in await staff.all_(tx, house.clock()):
            out.print(f"{person.login}\t{person.name}\t{', '.join(person.grants)}")
    return 0


async def bench(args: argparse.Namespace) -> int:
    """Benchmarks live beside the tests; they need the checkout and its development tools."""
    command = [sys.executable, "-m", "tests.bench", *args.rest]
    done = await asyncio.to_thread(subprocess.run, command, cwd=settings.CHECKOUT, check=False)
    return int(done.returncode)


def _grant(text: str) -> Grant:
    role, _, area = text.partition(":")
    if role not in ROLES or not area.isdigit():
        raise Invalid("grant", f"授权写作 角色:区划代码，角色为 {', '.join(ROLES)} · a grant is role:area")
    return Grant(role=role, area=area)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="relief", description="灾害救助资金快速发放 · relief money to people, fast and once")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], Awaitable[int]], into: Any = commands) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = into.add_parser(name, help=does.__doc__, description=does.__doc__)
        added.set_defaults(does=does)
        return added

    command("serve", serve).add_argument("--development", action="store_true", help="also show the page of parts")
    command("work", work)
    command("migrate", migrate)
    checking = command("check", run_check)
    checking.add_argument("--json", action="store_true")
    checking.add_argument("--expect-data", action="store_true", help="an invariant that finds no rows to examine is a failure")
    inspect = command("inspect", zone_inspect, commands.add_parser("zone", help="zone files").add_subparsers(required=True))
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true")
    books = command("check", playbook_check, commands.add_parser("playbook", help="playbooks").add_subparsers(required=True))
    books.add_argument("files", nargs="*", type=Path)
    telling = command("demo", demo)
    telling.add_argument("--exit", action="store_true", help="stop after the summary")
    telling.add_argument("--households", type=int, default=5_000)
    telling.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    twins = commands.add_parser("rehearse", help="the rehearsal twins as processes of their own").add_subparsers(required=True)
    flags.add(command("bank", rehearse_bank, twins), rehearsal_bank.Options)
    carrier = command("sms", rehearse_sms, twins)
    carrier.add_argument("--port", type=int, default=8081)
    flags.add(carrier, rehearsal_sms.Options)
    people = commands.add_parser("staff", help="accounts").add_subparsers(required=True)
    adding = command("add", staff_add, people)
    adding.add_argument("login")
    adding.add_argument("name")
    adding.add_argument("--grant", action="append", default=[], metavar="ROLE:AREA")
    command("list", staff_list, people)
    command("bench", bench).add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    args = _parser().parse_args()
    try:
        code = asyncio.run(args.does(args))
    except (Invalid, msgspec.ValidationError) as error:
        err.print(f"{error.code}: {error.message}" if isinstance(error, Invalid) else f"bad input: {error}")
        code = 2
    except ReliefError as error:
        err.print(f"{error.code}: {error.message}")
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
