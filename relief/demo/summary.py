"""The end of the story in figures: one object that a script can read, one table that a person can."""

from __future__ import annotations

from statistics import median

import msgspec
from rich.table import Table

from relief.demo.scene import Scene
from relief.domain.money import display
from relief.domain.plan import ROMAN
from relief.services import check
from relief.store import db, regions, responses, scenes
from relief.store.invariants import Finding
from relief.store.scenes import FundLine


class State(msgspec.Struct, frozen=True):
    """Count and money of one state."""

    count: int
    amount_fen: int


class FirstPayment(msgspec.Struct, frozen=True):
    """Seconds from a county's activation to its first paid payment."""

    counties: int
    median_s: float | None
    maximum_s: float | None


class Summary(msgspec.Struct, frozen=True):
    """Everything `relief demo --json` prints. Money is fen, times are seconds."""

    households: int
    states: dict[str, State]
    seconds: dict[str, float]
    seconds_total: float
    first_payment: FirstPayment
    funds: list[FundLine]
    equation_holds: bool
    responses: dict[str, list[str]]
    refused: list[str]
    invariants: list[Finding]
    kept: bool


async def summarise(scene: Scene) -> Summary:
    """Read it all from one snapshot."""
    async with db.read(scene.house.pool) as tx:
        states = await scenes.states(tx)
        funds = await scenes.funds(tx)
        clocks = await scenes.clocks(tx)
        findings = await check.check(tx)
        decided: dict[str, list[str]] = {}
        for r in await responses.history(tx, scene.incident):
            decided.setdefault(r.issuer, []).append(ROMAN[r.level] if r.level else "")
    waited = [(c.first_paid_at - c.activated_at).total_seconds() for c in clocks if c.first_paid_at is not None]
    return Summary(
        households=scene.households,
        states={s.key: State(s.count, s.amount_fen) for s in states},
        seconds=scene.seconds,
        seconds_total=round(sum(scene.seconds.values()), 2),
        first_payment=FirstPayment(len(waited), median(waited) if waited else None, max(waited, default=None)),
        funds=funds,
        equation_holds=all(f.allocated_fen == f.available_fen + f.reserved_fen + f.in_flight_fen + f.paid_fen for f in funds),
        responses=decided,
        refused=scene.refusals,
        invariants=findings,
        kept=all(f.examined and not f.broken for f in findings),
    )


async def show(scene: Scene, summary: Summary) -> None:
    """Tables for a person."""
    async with db.read(scene.house.pool) as tx:
        names = await regions.names(tx, sorted({f.county for f in summary.funds}))
    states = Table("状态 state", "数量 count", "金额 yuan", title="各状态")
    for key, state in summary.states.items():
        states.add_row(key, f"{state.count:,}", display(state.amount_fen) if state.amount_fen else "")
    funds = Table(
        "县 county",
        "用途",
        "下达 allocated",
        "= 可用 available",
        "+ 预留 reserved",
        "+ 在途 in flight",
        "+ 已付 paid",
        title="资金等式（元）",
    )
    for f in summary.funds:
        amounts = (f.allocated_fen, f.available_fen, f.reserved_fen, f.in_flight_fen, f.paid_fen)
        funds.add_row(names.get(f.county, f.county), f.purpose, *(display(a) for a in amounts))
    for column in (*states.columns, *funds.columns):
        column.overflow = "fold"  # money is never elided
    scene.screen.print(states, funds)
    first = summary.first_payment
    if first.median_s is not None and first.maximum_s is not None:
        scene.say(f"从县启动到首笔到账：中位 {first.median_s:.1f} 秒，最长 {first.maximum_s:.1f} 秒（{first.counties} 个县）")
    for finding in summary.invariants:
        mark = "[green]✓[/green]" if finding.examined and not finding.broken else "[red]✗[/red]"
        scene.say(f"{mark} {finding.name}: {finding.examined:,} examined, {finding.broken} broken")
    scene.say(f"合计 {summary.seconds_total:.1f} 秒")
