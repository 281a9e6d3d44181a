"""The end of the day in the story: one payment found too high is set off against the next stage, and every county closes its books."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from relief.demo.scene import Scene
from relief.domain.days import beijing_day
from relief.domain.errors import ReliefError
from relief.domain.money import display
from relief.services import exceptions, reconcile, recover
from relief.services.exceptions import Item
from relief.store import scenes

#: Rows of the bank that are about nobody of ours.
_NOT_OURS: Final = ("unknown_line", "unknown_batch", "reference")


async def ask_back(scene: Scene) -> None:
    """多付追回: a tenth too much, by consent set off against the next stage; whoever proposes it may not decide it."""
    async with scene.tx() as tx:
        found = await scenes.overpaid(tx)
    for one in found:
        officer, approver = scene.at(one.county, "officer"), scene.at(one.county, "approver")
        async with scene.tx() as tx:
            case = await recover.open_case(tx, officer, one.county, one.payment, one.amount_fen, "复核后核低（演示）", scene.house.clock())
            entry = await recover.propose_offset(
                tx, officer, one.county, case, one.stage, one.amount_fen, "consent", "同意书（演示）", scene.house.clock()
            )
        try:
            async with scene.tx() as tx:
                both = type(officer)(id=officer.id, name=officer.name, grants=(*officer.grants, *approver.grants))
                await recover.decide(tx, both, one.county, [entry], True, scene.house.clock())
        except ReliefError as error:
            scene.refused(error.code, error.message)
        async with scene.tx() as tx:
            await recover.decide(tx, approver, one.county, [entry], True, scene.house.clock())
            await recover.close(tx, officer, one.county, case, "已抵扣下一期（演示）", scene.house.clock())
        scene.say(f"1 件追回：{display(one.amount_fen)} 元抵扣下一期，两人决定")


async def work_off(scene: Scene) -> None:
    """Entries of the statement that are not ours are answered by the preparer; no money moved on them."""
    async with scene.tx() as tx:
        rows = await scenes.strange(tx, _NOT_OURS)
    for county, group in groupby(rows, key=lambda row: row.county):
        items = [Item(row.file, row.row) for row in group]
        async with scene.tx() as tx:
            note = "对账单上的其他支出，已书面告知银行（演示）"
            await exceptions.answer(tx, scene.at(county, "prepare"), county, items, "not ours", note, scene.house.clock())
    scene.say(f"{len(rows)} 行不属本单位，已办结 · {len(rows)} entries of the statement are not ours")


async def close_days(scene: Scene) -> None:
    """日终对账: ledger = files = bank + returns in every county that sent something."""
    closed, bank = 0, 0
    for county in scene.active:
        now = scene.house.clock()
        async with scene.tx() as tx:
            found = await reconcile.standing(tx, county, now)
            if found.batches:
                await reconcile.close(tx, scene.at(county, "check"), county, beijing_day(now), now)
                closed, bank = closed + 1, bank + found.total.bank
    scene.say(f"{closed} 个县日终对账关闭：银行到账 {display(bank)} 元，账本、文件、银行三方一致")
