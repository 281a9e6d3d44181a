"""The way of the money in the story: batches, three officers, the bank's answers, corrections, stages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from relief.demo import numbers
from relief.demo.scene import Scene
from relief.domain.batch import envelope
from relief.domain.errors import Conflict, ReliefError, Unavailable
from relief.domain.money import display
from relief.services import correct, disburse, evidence, second_factor, settle
from relief.services.correct import Correction
from relief.services.evidence import Piece
from relief.store import scenes
from relief.store.scenes import Pick

_PATIENCE_S: Final = 600.0
_POLL_S: Final = 0.25


async def pay_all(scene: Scene) -> None:
    """Freeze, sign three times, and wait until the bank has said something about every payment or is known to be silent."""
    lines = await batch_and_sign(scene)
    if lines:
        await wait_for_bank(scene)


async def batch_and_sign(scene: Scene) -> int:
    """生成发放批次 in every county, then 经办, 复核, 审批: one envelope, one signature each. Returns lines."""
    lines = total = files = 0
    for county in scene.track(scene.active, "批次 batches"):
        async with scene.tx() as tx:
            frozen = await disburse.freeze(tx, scene.at(county, "prepare"), county, scene.house.clock(), scene.house.keys, scene.writer())
        if not frozen:
            continue
        files, lines, total = files + len(frozen), lines + sum(f.lines for f in frozen), total + sum(f.total_fen for f in frozen)
        digest = envelope([f.digest for f in frozen])
        ids = [f.id for f in frozen]
        for step in disburse.STEPS:
            await sign(scene, county, step, ids, digest)
    scene.say(f"{files} 个批次，{lines:,} 笔，{display(total)} 元，经办、复核、审批各一人")
    if await mend_unfit(scene):
        lines += await batch_and_sign(scene)
    return lines


async def mend_unfit(scene: Scene) -> int:
    """Lines a bank's file cannot hold (a name longer than its column) go to a card of another bank. Returns how many."""
    async with scene.tx() as tx:
        unfit = await scenes.unfit(tx)
    if unfit:
        await _correct(scene, unfit, 800_000_000)
        scene.say(f"{len(unfit)} 笔写不进银行文件（姓名超长），改用其他银行的卡 · {len(unfit)} lines did not fit the bank's file")
    return len(unfit)


async def sign(scene: Scene, county: str, step: str, ids: Sequence[UUID], digest: bytes) -> None:
    """One officer's step; whoever authorises takes the code from their phone."""
    officer, now = scene.at(county, step), scene.house.clock()
    if step == "authorise":
        async with scene.tx() as tx:
            await second_factor.prove(tx, officer, scene.people.phones[f"{county}.{step}"].code(now), digest, now, scene.house.keys)
    async with scene.tx() as tx:
        await disburse.sign(tx, officer, county, step, ids, digest, now)


async def show_second_step_refused(scene: Scene) -> None:
    """Whoever prepared a batch may not check it, whatever roles they hold."""
    county = scene.active[0]
    officer = scene.at(county, "prepare")
    both = type(officer)(id=officer.id, name=officer.name, grants=(*officer.grants, *scene.at(county, "check").grants))
    async with scene.tx() as tx:
        frozen = await disburse.freeze(tx, officer, county, scene.house.clock(), scene.house.keys, scene.writer())
    if not frozen:
        return
    digest, ids = envelope([f.digest for f in frozen]), [f.id for f in frozen]
    async with scene.tx() as tx:
        await disburse.sign(tx, officer, county, "prepare", ids, digest, scene.house.clock())
    try:
        async with scene.tx() as tx:
            await disburse.sign(tx, both, county, "check", ids, digest, scene.house.clock())
    except ReliefError as error:
        scene.refused(error.code, error.message)
    await sign(scene, county, "check", ids, digest)
    try:
        async with scene.tx() as tx:
            await disburse.sign(tx, scene.at(county, "authorise"), county, "authorise", ids, digest, scene.house.clock())
    except ReliefError as error:
        scene.refused(error.code, error.message)
    await sign(scene, county, "authorise", ids, digest)
    scene.say(f"{len(frozen)} 个批次，{sum(f.lines for f in frozen):,} 笔（首县）")


async def wait_for_bank(scene: Scene) -> None:
    """Until nothing is underway: every line is paid, returned, or unknown because the bank says nothing."""

    async def underway() -> int:
        async with scene.tx() as tx:
            tally = await scenes.payments(tx)
        return sum(tally[s].count for s in ("approved", "batched", "sent") if s in tally)

    await wait(scene, "银行处理 at the bank", underway)
    async with scene.tx() as tx:
        tally = await scenes.payments(tx)
    scene.say(" · ".join(f"{s} {t.count:,}" for s, t in sorted(tally.items())))


async def wait_for_statement(scene: Scene) -> None:
    """Unknown payments are never sent again; the bank's statement tells what became of them."""

    async def unknown() -> int:
        async with scene.tx() as tx:
            tally = await scenes.payments(tx)
        return tally["unknown"].count if "unknown" in tally else 0

    await wait(scene, "对账单 statement", unknown)


async def wait(scene: Scene, what: str, left: Callable[[], Awaitable[int]]) -> None:
    """Poll until nothing is left; give up with a clear word after ten minutes."""
    started, first = time.monotonic(), await left()
    with scene.bar() as bar:
        task = bar.add_task(what, total=first)
        while rest := await left():
            bar.update(task, completed=max(0, first - rest))
            if time.monotonic() - started > _PATIENCE_S:
                raise Unavailable(
                    "demo_stuck", f"{what}: 仍有 {rest} 笔未完 · {rest} left after {_PATIENCE_S:.0f} s, see the logs in RELIEF_HOME/logs"
                )
            await asyncio.sleep(_POLL_S)


async def import_again(scene: Scene, folder: Path) -> None:
    """Every file of the bank once more, the other way round: each is known, and no money moves."""
    before = await _money(scene)
    archive = sorted((folder / "in" / "archive").glob("*.[ctx][sxm][vtl]"), reverse=True)
    for path in archive:
        async with scene.tx() as tx:
            again = await settle.import_answer(tx, scene.layout, path.name, path.read_bytes(), scene.house.clock(), scene.house.keys)
        if again.status != "repeat":
            raise Conflict("import_not_idempotent", f"重复导入被当作新文件：{again.status} · a file imported again was taken as new")
    if await _money(scene) != before:
        raise Conflict("import_not_idempotent", "重复导入改变了状态 · importing again changed the state")
    scene.say(f"{len(archive)} 个银行文件倒序重导，状态不变")


async def _money(scene: Scene) -> list[object]:
    """Payments by state and every fund's balances: what a repeated file must leave alone."""
    async with scene.tx() as tx:
        return [*(await scenes.payments(tx)).items(), *await scenes.funds(tx)]


async def correct_returned(scene: Scene) -> int:
    """The reporter collects the right card, the township compares it, a new attempt goes out. Returns new attempts."""
    async with scene.tx() as tx:
        returned = await scenes.returned(tx)
    attempts = await _correct(scene, returned, 900_000_000)
    scene.say(f"{len(returned):,} 笔退回已更正账号，{attempts:,} 笔重新发放")
    return attempts


async def _correct(scene: Scene, wrong: Sequence[Pick], first: int) -> int:
    """New cards from the `first` on: whoever is corrected twice gets another one each time."""
    groups: dict[str, list[Pick]] = {}
    for payment in wrong:
        groups.setdefault(payment.village[:9], []).append(payment)
    attempts = 0
    for township, payments in groups.items():
        county = township[:6]
        items = [
            Correction(payment=payment.id, account=numbers.account(first + payment.id.int % 99_999_999), bank="402") for payment in payments
        ]
        async with scene.tx() as tx:
            accounts = await correct.propose(tx, scene.at(township, "reporter"), county, items, scene.house.clock(), scene.house.keys)
        async with scene.tx() as tx:
            attempts += len(await correct.confirm(tx, scene.at(township, "reviewer"), county, accounts, scene.house.clock()))
        async with scene.tx() as tx:  # a changed card cools off for a day unless a third person has made sure
            await correct.release(tx, scene.at(county, "approver"), county, accounts, "电话核实本人（演示）", scene.house.clock())
    return attempts


async def accept_stage(scene: Scene, condition: str) -> int:
    """Evidence of one stage: handed in by the reporter, accepted by the township, due at once. Returns payments."""
    async with scene.tx() as tx:
        waiting = await scenes.waiting(tx, condition)
    groups: dict[str, list[Pick]] = {}
    for stage in waiting:
        groups.setdefault(stage.village[:9], []).append(stage)
    paid = 0
    for township, stages in scene.track(list(groups.items()), "验收 acceptance"):
        items = [Piece(instalment=s.id, kind=condition, digest=s.id.hex * 2, note="演示材料") for s in stages]
        async with scene.tx() as tx:
            pieces = await evidence.submit(tx, scene.at(township, "reporter"), township[:6], items, scene.house.clock())
        async with scene.tx() as tx:
            paid += (await evidence.accept(tx, scene.at(township, "reviewer"), township[:6], pieces, scene.house.clock())).payments
    scene.say(f"{len(waiting):,} 户材料验收通过，{paid:,} 笔进入发放")
    return paid
