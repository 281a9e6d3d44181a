"""From a county's activation to every first bank file on disk: located, decided, approved, frozen, signed by script, handed over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from relief.channels import bank_layouts
from relief.channels.bank import FolderBank
from relief.domain.batch import envelope
from relief.services import disburse
from relief.services.activate import activate
from relief.services.approve import approve, digest_of
from relief.services.decide import decide
from relief.services.disburse import Frozen, Writer
from relief.services.locate import locate
from relief.store import db
from relief.store.db import Tx
from tests.bench import world
from tests.bench.harness import Figure, Line, Place, Watch, judge, place, timed, watch
from tests.bench.world import Event
from tests.make import LUDING, NOW, proof, staff

#: Awards under one signature, as a township's screen and the API allow.
LIST = 20_000
#: Lines in a file, the production limit.
LINES = 5_000
_DRAFTED = (
    "UPDATE county_activation SET status = 'drafted', activated_by = NULL, activated_at = NULL; UPDATE playbook SET status = 'in force'"
)
_WAITING = "SELECT id, amount_fen FROM award WHERE county = $1 AND aid = 'EMERG' AND status = 'proposed' ORDER BY village, id"


async def run(rows: int) -> Sequence[Figure]:
    """`rows` households with real seals, registered before anybody decided anything."""
    async with place() as here:
        at = await world.event(here.owner)
        await world.households(here.owner, at, rows, "staged")
        await world.people(here.owner, at)
        await world.funds(here.owner, at, 10**11)
        await world.seal(here.owner, here.house.keys, everybody=True)
        await here.owner.execute(_DRAFTED)
        await here.owner.execute("ANALYZE")
        await here.owner.execute("CHECKPOINT")
        steps = {name: await _timed(here, step, at) for name, step in STEPS.items()}
        files, lines = await here.owner.fetchrow("SELECT count(*), sum(lines) FROM batch WHERE status = 'sent'")
        paid = await here.owner.fetchval("SELECT count(*) FROM award WHERE aid = 'EMERG' AND status = 'approved'")
        written = len(list((here.house.settings.bank / "out").glob("*.csv.ok")))
    assert (lines, written) == (paid, files), (lines, paid, written, files)
    whole = sum(steps.values(), Watch())
    return [
        *(_step(name, rows, seen) for name, seen in steps.items()),
        Line(name="first payments", rows=rows, unit="lines", value=lines),
        timed("activation to bank files", rows, whole, 60.0, 1_000_000),
        Line(
            name="activation memory, this process", rows=rows, unit="MB", value=round(whole.rss_mb), rss_mb=round(whole.rss_mb), promise="≤ 1024 MB",
            kept=judge(whole.rss_mb <= 1024, rows, 1_000_000),
        ),
    ]  # fmt: skip


def _step(name: str, rows: int, seen: Watch) -> Line:
    return Line(
        name=f"activation: {name}", rows=rows, seconds=round(seen.seconds, 2), cpu_s=round(seen.cpu_s, 2), rss_mb=round(seen.rss_mb), unit="s",
        value=round(seen.seconds, 2),
    )  # fmt: skip


async def _timed(here: Place, step: Callable[[Place, Event], Awaitable[None]], at: Event) -> Watch:
    with watch(here) as seen:
        await step(here, at)
    return seen


async def _activate(here: Place, at: Event) -> None:
    approver = await staff(here.owner, ("county_approver", LUDING))
    part = await here.owner.fetchval("SELECT id FROM county_activation WHERE activation = $1", at.activation)
    async with db.begin(here.house.pool) as tx:
        await activate(tx, approver, LUDING, part, NOW)


async def _locate(here: Place, at: Event) -> None:
    async with db.begin(here.house.pool) as tx:
        await locate(tx, LUDING, at.zone, NOW)


async def _decide(here: Place, at: Event) -> None:
    async with db.begin(here.house.pool) as tx:
        await decide(tx, at.officer, LUDING, at.activation, NOW)


async def _approve(here: Place, at: Event) -> None:
    shown = [(r["id"], r["amount_fen"]) for r in await here.owner.fetch(_WAITING, LUDING)]
    for start in range(0, len(shown), LIST):
        part = shown[start : start + LIST]
        async with db.begin(here.house.pool) as tx:
            await approve(tx, at.township, LUDING, [i for i, _ in part], digest_of(part), NOW)


async def _freeze(here: Place, at: Event) -> None:
    writer = Writer(bank_layouts.load("yikatong"), LINES)
    while await _some(here, at, writer):
        pass


async def _some(here: Place, at: Event, writer: Writer) -> list[Frozen]:
    async with db.begin(here.house.pool) as tx:
        return await disburse.freeze(tx, at.finance[0], LUDING, NOW, here.house.keys, writer)


async def _sign(here: Place, at: Event) -> None:
    for step, officer in zip(disburse.STEPS, at.finance, strict=True):
        async with db.begin(here.house.pool) as tx:
            ids, digests = await _batches(tx)
            if step == "authorise":
                await proof(tx, officer, envelope(digests))
            await disburse.sign(tx, officer, LUDING, step, ids, envelope(digests), NOW)


async def _batches(tx: Tx) -> tuple[list[UUID], list[bytes]]:
    rows = await tx.fetch("SELECT id, digest FROM batch WHERE county = $1", LUDING)
    return [r["id"] for r in rows], [r["digest"] for r in rows]


async def _deliver(here: Place, _: Event) -> None:
    bank, pool = FolderBank(here.house.settings.bank), here.house.pool
    while True:
        async with db.begin(pool) as tx:
            claimed = await disburse.claim(tx, NOW, timedelta(minutes=5), real=False, limit=8)
        if not claimed:
            return
        for batch in claimed:
            await bank.deliver(batch.number, disburse.content(batch, here.house.keys))
            async with db.begin(pool) as tx:
                await disburse.record_sent(tx, batch, NOW)


STEPS = {
    "activate": _activate, "locate": _locate, "decide": _decide, "approve": _approve, "freeze and write": _freeze, "sign": _sign, "deliver": _deliver,
}  # fmt: skip
