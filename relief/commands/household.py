"""`relief household …`: a register as a spreadsheet: check it, import it, write an empty one."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from relief import app, settings
from relief.commands.screen import err, out
from relief.domain.errors import Invalid
from relief.domain.policy import Actor, Grant
from relief.domain.sheet_form import FORMS, Fault
from relief.house import House
from relief.services import load, sheet_files
from relief.store import db, staff
from relief.store.views import sheets as views

#: Faults printed; the file has them all.
_SHOWN = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief household check | import | template`."""
    verbs = parser.add_subparsers(required=True)
    checking = _verb(verbs, "check", _check)
    checking.add_argument("file", type=Path)
    checking.add_argument("--form", choices=sorted(FORMS), default="household")
    importing = _verb(verbs, "import", _import)
    importing.add_argument("file", type=Path)
    importing.add_argument("--incident", type=UUID, required=True)
    importing.add_argument("--county", required=True, help="GB/T 2260 code of six digits")
    importing.add_argument("--as", dest="login", required=True, metavar="LOGIN", help="who loads it")
    importing.add_argument("--confirm", choices=("all", "faultless"), help="load it at once; without it the file is only staged")
    for verb in (checking, importing):
        verb.add_argument("--encoding", choices=("auto", "utf-8", "gb18030"), default="auto")
        verb.add_argument("--faults", type=Path, help="write every fault into this CSV file")
    writing = _verb(verbs, "template", _template)
    writing.add_argument("form", choices=sorted(FORMS))
    writing.add_argument("--county", required=True)
    writing.add_argument("--out", type=Path)


def _verb(verbs: Any, name: str, does: Callable[[argparse.Namespace], Awaitable[int]]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=does.__doc__, description=does.__doc__)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(does=does)
    return parser


async def _content(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise Invalid("file", f"文件读不了 · the file cannot be read: {error.strerror}") from None


async def _check(args: argparse.Namespace) -> int:
    """What is wrong with a register, cell by cell; nothing is kept. Exit 2 where something is."""
    found = await load.check(await _content(args.file), args.file.name, args.form, app.clock(), args.encoding)
    await _tell(args, found.faults, found.words)
    said = {"rows": found.rows, "encoding": found.encoding, "skipped": found.skipped, "faults": len(found.faults)}
    if args.json:
        _print_json({**said, "list": [msgspec.to_builtins(f) for f in found.faults]})
    else:
        out.print(f"{found.rows:,} 行，{len(found.faults):,} 处错误，略过 {len(found.skipped):,} 行 · {found.encoding}")
    return 2 if found.faults else 0


async def _tell(args: argparse.Namespace, faults: list[Fault], words: dict[str, str]) -> None:
    if args.faults and faults:
        made = sheet_files.faults(args.file.name, [(f.row, f.place, f.code, words.get(f.code, "")) for f in faults])
        await asyncio.to_thread(args.faults.write_bytes, made.content)
    if faults and not args.json:
        table = Table("行 row", "列 column", "代码 code", "说明 what to do")
        for f in faults[:_SHOWN]:
            table.add_row(str(f.row), f.place, f.code, words.get(f.code, ""))
        err.print(table)


async def _import(args: argparse.Namespace) -> int:
    """Stage a household register and, with --confirm, load it. Exit 2 where households are faulty and stay out."""
    upload = await load.read(await _content(args.file), args.file.name, args.encoding)
    async with app.open_house(settings.load(), pool_size=2) as house:
        async with db.begin(house.pool) as tx:
            actor = await _person(tx, args.login, house)
            staged = await load.stage(tx, actor, args.county, args.incident, upload, house.clock(), house.keys)
        async with db.read(house.pool) as tx:
            rows = await views.faults(tx, args.county, staged.id, 0, load.MOST_FAULTS)
            words = (await views.sheet(tx, ["%"], staged.id, actor.id)).words
        await _tell(args, [Fault(f.row, f.place, f.code) for f in rows], words)
        if args.confirm and staged.households:
            await _load(house, actor, args, staged)
        async with db.read(house.pool) as tx:
            done = await views.sheet(tx, ["%"], staged.id, actor.id)
    said = {n: getattr(done, n) for n in ("id", "status", "rows", "households", "faulty", "faults", "loaded", "seen", "refused")}
    if args.json:
        _print_json(said)
    else:
        out.print(" · ".join(f"{k} {v:,}" if isinstance(v, int) else f"{k} {v}" for k, v in said.items()))
    return 2 if done.faulty or done.refused else 0


async def _load(house: House, actor: Actor, args: argparse.Namespace, staged: load.Staged) -> None:
    """Portion by portion, as the timetable would; a background process may do some of it meanwhile."""
    async with db.begin(house.pool) as tx:
        await load.confirm(tx, actor, args.county, staged.id, house.clock(), faultless_only=args.confirm == "faultless")
    with Progress(TextColumn("导入 loading"), BarColumn(), MofNCompleteColumn(), console=err, disable=args.json) as bar:
        task = bar.add_task("", total=staged.households)
        while True:
            async with db.begin(house.pool) as tx:
                done = await load.advance(tx, house.clock(), house.keys)
            if not done:
                return
            bar.advance(task, done)


async def _person(tx: db.Tx, login: str, house: House) -> Actor:
    for person in await staff.all_(tx, house.clock()):
        if person.login == login and person.active:
            return Actor(person.id, person.name, tuple(Grant(*g.split(" ", 1)) for g in person.grants))
    raise Invalid("login", f"没有这个账号：{login} · no such account")


async def _template(args: argparse.Namespace) -> int:
    """An empty register with its drop-downs."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        made = await sheet_files.template(tx, args.form, args.county)
    path = args.out or Path(made.name)
    await asyncio.to_thread(path.write_bytes, made.content)
    if args.json:
        _print_json({"file": str(path), "bytes": len(made.content)})
    else:
        out.print(f"{path} · {len(made.content):,} 字节 bytes")
    return 0


def _print_json(thing: object) -> None:
    sys.stdout.write(msgspec.json.encode(thing).decode() + "\n")
