"""`relief playbook preview | explain | replay | diff`: what rules would cost, why a decision is as it is, that it stays so, what a version changes."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from rich.table import Table

from relief import app, settings
from relief.commands.screen import out
from relief.domain import playbook as playbooks_
from relief.domain import standard
from relief.domain.errors import Invalid
from relief.domain.money import display
from relief.domain.playbook import Playbook
from relief.domain.policy import SYSTEM
from relief.domain.revision import Revision, revise
from relief.domain.rules import Text
from relief.domain.supposed import read_csv
from relief.services import explain, preview, replay, suppose
from relief.services.explain import Decision
from relief.services.preview import Preview
from relief.store import db, playbooks
from relief.store.views import incidents

Does = Callable[[argparse.Namespace], Awaitable[int]]


def arguments(verbs: Any) -> None:
    """Adds the four verbs to those of `relief playbook`."""
    dry = _verb(verbs, "preview", _preview)
    dry.add_argument("file", nargs="?", type=Path, help="CSV of households or counted groups; without it --incident")
    dry.add_argument("--incident", type=UUID, help="registered households of this incident, in its zone in force")
    dry.add_argument("--playbook", required=True, metavar="KEY[:VERSION]|FILE", help="a playbook in the database or a file")
    dry.add_argument("--standards", type=Path, help="file of figures laid over those in force")
    told = _verb(verbs, "explain", _explain)
    told.add_argument("thing", type=UUID, metavar="HOUSEHOLD|DECISION")
    again = _verb(verbs, "replay", _replay)
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("--activation", type=UUID)
    which.add_argument("--county")
    which.add_argument("--all", action="store_true")
    two = _verb(verbs, "diff", _diff)
    two.add_argument("old", metavar="KEY:VERSION|FILE")
    two.add_argument("new", metavar="KEY:VERSION|FILE")


def _verb(verbs: Any, name: str, does: Does) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=does.__doc__, description=does.__doc__)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(does=does)
    return parser


async def _book(tx: db.Tx, named: str) -> tuple[UUID | None, Playbook]:
    """A version in the database by `key:version`, the newest in force by `key`, or a file."""
    path = Path(named)
    if path.suffix == ".toml":
        return None, playbooks_.read(await _text(path))
    key, _, version = named.partition(":")
    found = await (playbooks.named(tx, key, version) if version else playbooks.latest(tx, key))
    if found is None:
        raise Invalid("playbook", f"没有生效的处置方案：{key} · no such playbook in force")
    return found.id, playbooks_.read(found.body)


async def _text(path: Path) -> str:
    try:
        return await asyncio.to_thread(path.read_text, "utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("file", f"文件无法读取 · the file cannot be read: {path}: {type(error).__name__}") from None


async def _preview(args: argparse.Namespace) -> int:
    """What a playbook would cost: registered households of an incident, or a CSV before anybody is registered."""
    if (args.file is None) == (args.incident is None):
        raise Invalid("preview", "给出 CSV 文件或 --incident 之一 · give a CSV file or --incident")
    groups = [] if args.file is None else read_csv(await _text(args.file))
    drafts = [] if args.standards is None else standard.read(await _text(args.standards))
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        named, book = await _book(tx, args.playbook)
        if args.file is not None:
            told = await suppose.estimate(tx, SYSTEM, book, groups, house.clock(), drafts)
        else:
            told = await _registered(tx, args.incident, named, house.clock())
    if args.json:
        return _json({**msgspec.to_builtins(told), "by_month": {m or "": fen for m, fen in told.by_month.items()}})
    _show(told, book)
    return 0


async def _registered(tx: db.Tx, incident: UUID, playbook: UUID | None, now: Any) -> Preview:
    zone = next((z.id for z in await incidents.zones(tx, incident) if z.status == "in force"), None)
    if zone is None or playbook is None:
        raise Invalid(
            "preview", "灾害须有生效的灾区范围，方案须已导入 · the incident needs a zone in force and the playbook must be imported"
        )
    return await preview.preview(tx, SYSTEM, incident, zone, playbook, now)


def _show(told: Preview, book: Playbook) -> None:
    out.print(f"{told.households:,} / {told.registered:,} 户 households · {told.people:,} 人 people · {display(told.amount_fen)} 元 yuan")
    table = Table("县 county", "分区 band", "救助 aid", "户 households", "人 people", "元 yuan")
    for x in told.lines:
        table.add_row(x.county, x.label, x.aid, f"{x.households:,}", f"{x.people:,}", display(x.amount_fen))
    out.print(table)
    table = Table("救助 aid", "类型 category", "户 households", "元 yuan")
    for c in told.categories:
        table.add_row(f"{c.county} {c.aid}", c.family, f"{c.households:,}", display(c.amount_fen))
    out.print(table)
    table = Table("救助 aid", "期 stage", "条件 condition", "月 month", "元 yuan")
    for s in told.stages:
        table.add_row(s.aid, str(s.seq), s.condition, s.month or "按进度 by progress", display(s.amount_fen))
    out.print(table)
    for f in told.funds:
        if f.short_fen:
            out.print(f"资金不足 short: {f.county} {f.aid} {display(f.short_fen)}")
    for u in told.unverified:
        out.print(f"未核实 unverified: {u.key} {display(u.amount_fen)} {u.area} {book.figure(u.key).title.zh} ({u.document})")
    for o in told.strangest:
        rare = " ".join(f"{r.fact}={r.value} ({r.per_10_000}/10000)" for r in o.rare)
        out.print(f"少见 strange: {o.household or o.row + 1} {o.bits} bits {rare} {' '.join(o.contradictions)}")


async def _explain(args: argparse.Namespace) -> int:
    """Why a household, or one decision, was given so much: what was true, which clause, how it was worked out."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        told = await explain.explain_any(tx, SYSTEM, args.thing)
    if args.json:
        return _json(told)
    out.print(f"住户 household {told.county}/{told.household}")
    for d in told.decisions:
        _tell(d)
    return 0


def _tell(d: Decision) -> None:
    mark = "（标准未核实 figures not verified）" if d.unverified else ""
    out.print(
        f"\n{_both(d.asked)}（{d.aid}，{d.mode}）→ {display(d.amount_fen)} 元 yuan{mark}  [{d.status}] {d.decided_at:%Y-%m-%d %H:%M}Z  {d.id}"
    )
    out.print(f"  依据 by: {d.legal_basis}\n  方案 playbook: {d.playbook} · 灾区 zone: {d.zone}{f' · {d.band}' if d.band else ''}")
    out.print("  事实 facts: " + "；".join(f"{_both(s.label)} = {_both(s.value)}" for s in d.facts))
    for text in d.path:
        out.print(f"  → {_both(text)}")
    for c in d.clauses:
        if c.used:
            out.print(
                f"  条款 clause: {_both(c.title)} {display(c.amount_fen)}，{c.legal_basis}；{c.document}{'' if c.verified else '（未核实 unverified）'}"
            )
    for s in d.working:
        out.print(f"  = {_both(s.says)}: {s.written} = {display(s.fen)}")
    for a in d.awards:
        out.print(f"  核定 award: {display(a.amount_fen)} {a.status}{f' 补发 tops up {a.tops_up}' if a.tops_up else ''}")
    for r in d.recoveries:
        out.print(f"  追回 recovery: {display(r.amount_fen)} {r.status}，{r.due_on}")


def _both(text: Text) -> str:
    return text.zh if text.zh == text.en else f"{text.zh} · {text.en}"


async def _replay(args: argparse.Namespace) -> int:
    """Take old decisions again from what they pinned; exit 1 naming those that come out otherwise."""
    async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
        told = await replay.replay(tx, SYSTEM, None if args.county is None else [args.county], args.activation)
    if args.json:
        _json(told)
    else:
        out.print(f"{told.decisions:,} 项决定重算 decisions taken again ({told.kinds:,} 种 kinds)，{told.differing:,} 项不同 differ")
        if told.without_figures:
            out.print(f"{told.without_figures:,} 项未留存标准，不能重算 · without kept figures, not taken again")
        for d in told.differences:
            out.print(f"{d.county}/{d.decision} {d.aid}: {display(d.was_fen)} {' '.join(d.was)} → {display(d.is_fen)} {' '.join(d.is_)}")
    return 1 if told.differing else 0


async def _diff(args: argparse.Namespace) -> int:
    """What one version says differently from another, in words; files or versions in the database."""
    if all(Path(n).suffix == ".toml" for n in (args.old, args.new)):
        old, new = [playbooks_.read(await _text(Path(n))) for n in (args.old, args.new)]
    else:
        async with app.open_house(settings.load(), pool_size=2) as house, db.read(house.pool) as tx:
            (_, old), (_, new) = [await _book(tx, n) for n in (args.old, args.new)]
    found = revise(old, new)
    if args.json:
        return _json(found)
    _differ(found)
    return 0


def _differ(found: Sequence[Revision]) -> None:
    if not found:
        out.print("没有不同 · no difference")
    for r in found:
        sign = {"changed": "~", "added": "+", "removed": "-"}[r.state]
        change = "" if r.before is None and r.after is None else f"：{_or_none(r.before)} → {_or_none(r.after)}"
        out.print(f"{sign} {_both(r.where)}{change}")


def _or_none(text: Text | None) -> str:
    return "—" if text is None else _both(text)


def _json(thing: object) -> int:
    sys.stdout.write(msgspec.json.encode(thing).decode() + "\n")
    return 0
