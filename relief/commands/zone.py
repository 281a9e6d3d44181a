"""`relief zone …`: look at a file, keep it as a version, see what lies in it, compare two, give one up, write one out. Each says what it did."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
from rich.table import Table

from relief import app, settings
from relief.commands.screen import err, out
from relief.domain.errors import Invalid, ReliefError
from relief.domain.money import display
from relief.domain.policy import SYSTEM, Actor, Grant
from relief.domain.zone import Difference, NewZone
from relief.services import consequences, zone_files, zoning
from relief.services.consequences import Cost
from relief.services.zone_files import Options
from relief.store import db, staff


def arguments(parser: argparse.ArgumentParser) -> None:
    """`relief zone inspect | import | overlay | diff | discard | export`."""
    verbs = parser.add_subparsers(required=True)
    looking = _verb(verbs, "inspect", _inspect)
    looking.add_argument("file", type=Path)
    _reading(looking)
    keeping = _verb(verbs, "import", _import)
    keeping.add_argument("file", type=Path)
    keeping.add_argument("--incident", type=UUID, required=True)
    keeping.add_argument("--as", dest="login", required=True, metavar="LOGIN", help="who drafts it")
    keeping.add_argument("--title", required=True)
    keeping.add_argument("--reason", required=True)
    _reading(keeping)
    seeing = _verb(verbs, "overlay", _overlay)
    seeing.add_argument("zone", type=UUID)
    comparing = _verb(verbs, "diff", _diff)
    comparing.add_argument("old", type=UUID)
    comparing.add_argument("new", type=UUID)
    comparing.add_argument("--households", action="store_true", help="also name the households that come in and go out, by their ids")
    leaving = _verb(verbs, "discard", _discard)
    leaving.add_argument("zone", type=UUID)
    leaving.add_argument("--as", dest="login", required=True, metavar="LOGIN", help="who gives it up")
    leaving.add_argument("--reason", required=True)
    writing = _verb(verbs, "export", _export)
    writing.add_argument("zone", type=UUID)
    writing.add_argument("--format", choices=get_args(zone_files.Format), default="geojson")
    writing.add_argument("--out", type=Path, help="file to write; without it a name is chosen here")


def _verb(verbs: Any, name: str, does: Callable[[argparse.Namespace], Awaitable[int]]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=does.__doc__, description=does.__doc__)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(does=does)
    return parser


def _reading(parser: argparse.ArgumentParser) -> None:
    """What a person may say about a file."""
    parser.add_argument("--repair", action="store_true", help="mend invalid shapes and say what that changes")
    parser.add_argument("--datum", choices=("declared", "gcj02", "bd09"), default="declared", help="coordinates are shifted")
    parser.add_argument("--crs", help="EPSG:…, where the file declares none")
    parser.add_argument("--bands", default="auto", metavar="auto|one|order|ATTRIBUTE", help="what makes the bands")
    parser.add_argument("--layer", help="layer of a GeoPackage")
    parser.add_argument("--buffer-km", type=float, help="distance around points and lines")
    parser.add_argument("--min-level", type=int, help="leave out bands below")
    parser.add_argument("--box", help="west,south,east,north: where zones may lie; RELIEF_ZONE_BOX without it")


def _options(args: argparse.Namespace) -> Options:
    said = {n: getattr(args, n) for n in ("repair", "datum", "crs", "bands", "layer", "buffer_km", "min_level")}
    return Options(**said, box=zone_files.box_of(args.box or settings.load().zone_box))


async def _inspect(args: argparse.Namespace) -> int:
    """What a zone file holds; exit 2 when it is refused."""
    try:
        found = await zone_files.inspect_file(args.file, _options(args))
    except Invalid as error:
        return _refused(error, args.json)
    if args.json:
        _print_json(found)
        return 0
    out.print(f"{found['title']} · {found['format']} · {found['crs']} · {found['area_km2']:,.2f} km²")
    table = Table("分区 band", "等级 level", "km²", "图斑 parts", "孔 holes", "顶点 vertices", "县 counties (share)")
    for b in found["bands"]:
        shares = "、".join(f"{c['name']} {c['share']:.0%}" for c in b["counties"])
        table.add_row(b["name"], str(b["level"]), f"{b['area_km2']:,.2f}", str(b["parts"]), str(b["holes"]), str(b["vertices"]), shares)
    out.print(table if found["bands"] else "没有范围 · no area")
    for repair in found.get("repairs", ()):
        out.print(f"修复 repair {repair['code']} {_at(repair)}: {repair['area_before_km2']:,.4f} → {repair['area_after_km2']:,.4f} km²")
    for key in ("alert", "event"):
        if key in found:
            out.print(key, found[key])
    for warning in found["warnings"]:
        out.print(f"{warning['code']} {warning['message']} {_at(warning)}")
    return 0


def _at(thing: dict[str, Any]) -> str:
    return "" if thing["at"] is None else f"({thing['at'][0]:.5f}, {thing['at'][1]:.5f})"


def _refused(error: ReliefError, as_json: bool) -> int:
    """What is wrong, where, and how to see a repair."""
    at = error.data.get("at")
    if as_json:
        _print_json({"code": error.code, "message": error.message, "at": at})
    else:
        err.print(f"{error.code}: {error.message}" + (f" {at}" if at else ""))
    return 2


async def _import(args: argparse.Namespace) -> int:
    """Keep a file as the next draft version of an incident's zone."""
    options = _options(args)
    try:
        content = await zone_files.content_of(args.file)
        found = await zoning.inspect(content, args.file.name, options)
    except Invalid as error:
        return _refused(error, args.json)
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        actor = await _person(tx, args.login, house.clock())
        new = NewZone(args.title, args.reason)
        made = await zoning.import_zone(tx, actor, args.incident, new, content, found, house.clock(), options)
    if args.json:
        _print_json({"zone": str(made), **zone_files.report(found, repair=options.repair)})
    else:
        area = sum(b.area_km2 for b in found.bands)
        out.print(f"草稿 {made}：{len(found.bands)} 个分区，{area:,.2f} km² · a draft; another person must put it in force")
        for warning in found.warnings:
            out.print(f"{warning.code} {warning.message}")
    return 0


async def _person(tx: db.Tx, login: str, now: Any) -> Actor:
    for person in await staff.all_(tx, now):
        if person.login == login and person.active:
            return Actor(person.id, person.name, tuple(Grant(*g.split(" ", 1)) for g in person.grants))
    raise Invalid("login", f"没有这个账号：{login} · no such account")


async def _overlay(args: argparse.Namespace) -> int:
    """The part of each county inside a version: of its area, its registered households and, estimated, its people."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        found = await zoning.overlaid(tx, args.zone)
    if args.json:
        _print_json({
            "counties": [
                {**msgspec.to_builtins(c), "registered": c.registered, "inside": c.inside, "people_inside_estimate": c.people_inside} for c in found
            ]
        })  # fmt: skip
        return 0
    table = Table("县 county", "km²", "面积 area", "户 households", "人口（估计） people (estimate)", "依据 by")
    for c in found:
        by = (
            "未知：未填县人口 unknown"
            if c.population is None
            else f"{c.population.people:,}，{c.population.counted_on}，{c.population.source}"
        )
        about = "—" if c.people_inside is None else f"约 {c.people_inside:,}"
        table.add_row(c.name, f"{c.area_km2:,.0f}", f"{c.share:.1%}", f"{c.inside:,} / {c.registered:,}", about, by)
    out.print(table)
    return 0


async def _diff(args: argparse.Namespace) -> int:
    """What a new version changes against an old one: area, counties, households, and what it costs by the playbooks of the incident."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        found = await zoning.difference(tx, args.old, args.new)
        costs = await consequences.costs(tx, SYSTEM, args.old, args.new, house.clock())
        changed = sorted(found.came_in.keys() | found.went_out.keys()) if args.households else []
        moved = {c: await zoning.moved(tx, c, args.old, args.new) for c in changed}
    if args.json:
        told = {**msgspec.to_builtins(found), "came_in": found.came_in, "went_out": found.went_out}
        told["costs"] = [{**msgspec.to_builtins(c), "more_fen": c.more_fen} for c in costs]
        _print_json(told | ({"moved": msgspec.to_builtins(moved)} if args.households else {}))
        return 0
    _show(found)
    for county, who in moved.items():
        for sign, ids in (("+", who.came_in), ("−", who.went_out)):
            for household in ids:
                out.print(f"{sign} {county} {household}")
    _show_costs(costs)
    return 0


def _show_costs(costs: Sequence[Cost]) -> None:
    if not costs:
        out.print("资金 money: 该灾害尚未提出发放方案，无法试算 · no playbook is proposed yet, the money cannot be compared")
    for c in costs:
        if c.refused:
            out.print(f"资金 money（{c.playbook}）: {c.refused}")
            continue
        sides = f"{display(c.before_fen)} → {display(c.after_fen)} 元（{'+' if c.more_fen >= 0 else '−'}{display(abs(c.more_fen))}）"
        out.print(f"资金 money（{c.playbook}）: {sides}；增加 more {c.more:,} 户，减少 less {c.less:,} 户")


async def _discard(args: argparse.Namespace) -> int:
    """Give up a draft that will not be used."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.begin(house.pool) as tx:
        await zoning.discard(tx, await _person(tx, args.login, house.clock()), args.zone, args.reason, house.clock())
    if args.json:
        _print_json({"zone": str(args.zone), "status": "discarded"})
    else:
        out.print(f"草稿 {args.zone} 已作废 · the draft is discarded")
    return 0


def _show(found: Difference) -> None:
    out.print(f"面积 area: {found.old_km2:,.2f} → {found.new_km2:,.2f} km²（+{found.gained_km2:,.2f} −{found.lost_km2:,.2f}）")
    for label, areas in (("新增县 counties in", found.counties_in), ("退出县 counties out", found.counties_out)):
        out.print(f"{label}: {'、'.join(f'{a.name} {a.code}' for a in areas) or '—'}")
    out.print(f"户 households: +{found.households_in:,} −{found.households_out:,}")
    table = Table("县 county", "原等级 old", "新等级 new", "户 households")
    for m in found.moves:
        if m.old_rank != m.new_rank:
            table.add_row(m.county, *("—" if n is None else str(n) for n in (m.old_level, m.new_level)), f"{m.households:,}")
    out.print(table)


async def _export(args: argparse.Namespace) -> int:
    """Write a version as GeoJSON, KML or GeoPackage, or the villages inside it as XLSX."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        made = await zone_files.export(tx, args.zone, args.format, house.clock())
    path = args.out or Path(made.name)
    try:
        await asyncio.to_thread(path.write_bytes, made.content)
    except OSError as error:
        raise Invalid("file", f"文件写不了 · the file cannot be written: {error.strerror}") from None
    said = {"file": str(path), "bytes": len(made.content), "rows": made.rows}
    if args.json:
        _print_json(said)
    else:
        out.print(f"{path}：{made.rows} 行，{len(made.content):,} 字节 · {made.rows} rows, {len(made.content):,} bytes")
    return 0


def _print_json(thing: object) -> None:
    sys.stdout.write(msgspec.json.encode(thing).decode() + "\n")
