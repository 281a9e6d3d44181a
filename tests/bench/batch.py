"""Batches: freeze, digest and write one large file, then import what the bank says about every line of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from relief.channels import bank_layout, bank_layouts
from relief.channels.bank import FolderBank
from relief.domain.batch import BatchFile, envelope
from relief.domain.money import yuan
from relief.services import disburse, settle
from relief.services.disburse import Writer
from relief.store import db
from tests.bench import world
from tests.bench.harness import Figure, Line, compared, copied, place, timed, watch
from tests.make import LUDING, NOW, proof

LATER = NOW + timedelta(hours=1)
#: Every so-many-th line comes back.
_RETURNED_EVERY = 33


async def run(rows: int) -> Sequence[Figure]:
    """One batch of `rows` lines, whatever the production limit is."""
    layout = bank_layouts.load("yikatong")
    async with place() as here:
        at = await world.approved(here, rows)
        bank, pool, keys = FolderBank(here.house.settings.bank), here.house.pool, here.house.keys
        await here.owner.execute("CHECKPOINT")
        with watch(here) as freezing:
            async with db.begin(pool) as tx:
                frozen = await disburse.freeze(tx, at.finance[0], LUDING, NOW, keys, Writer(layout, rows))
        assert [f.lines for f in frozen] == [rows]
        for step, officer in zip(disburse.STEPS, at.finance, strict=True):
            async with db.begin(pool) as tx:
                await proof(tx, officer, envelope([frozen[0].digest]), NOW)
                await disburse.sign(tx, officer, LUDING, step, [frozen[0].id], envelope([frozen[0].digest]), NOW)
        with watch(here) as claiming:
            async with db.begin(pool) as tx:
                (gone,) = await disburse.claim(tx, NOW, timedelta(minutes=1), real=False)
        with watch(here) as sending:
            content = disburse.content(gone, keys)
            await bank.deliver(gone.number, content)
            async with db.begin(pool) as tx:
                await disburse.record_sent(tx, gone, NOW)
        answer = _answer(bank_layout.decode(layout, content))
        await here.owner.execute("CHECKPOINT")
        with watch(here) as importing:
            async with db.begin(pool) as tx:
                done = await settle.import_answer(tx, layout, "result.csv", answer, LATER, keys)
        assert done.paid + done.returned == rows, done
        with watch(here) as repeating:
            async with db.begin(pool) as tx:
                assert (await settle.import_answer(tx, layout, "again.csv", answer, LATER, keys)).status == "repeat"
        bare = await copied(here, "bank_row", "transfer", "confirmation", "message")
    return [
        timed("freeze and write", rows, freezing + sending, 8.0, 100_000),
        Line(
            name="claim",
            rows=rows,
            seconds=round(claiming.seconds, 3),
            cpu_s=round(claiming.cpu_s, 2),
            unit="s",
            value=round(claiming.seconds, 3),
        ),
        timed("import the result", rows, importing, 15.0, 100_000),
        timed("import it again", rows, repeating, 15.0, 100_000),
        compared("import against its rows", rows, importing, "bare INSERT of rows, transfers, confirmations, messages", bare, None),
    ]


def _answer(sent: BatchFile) -> bytes:
    """成功 for all but every 33rd line, in the bank's own form."""
    lines = [
        "批次号,回执笔数,回执金额(元),回执时间",
        f"{sent.number},{sent.count},{yuan(sent.total_fen)},2022-09-05 14:12:00",
        "序号,业务流水号,社保卡银行账号,金额(元),状态,失败代码,失败原因,入账时间,银行流水号",
        *(
            f"{i.seq},{i.reference},{i.account},{yuan(i.amount_fen)},"
            + ("失败,F04,,2022-09-05 14:12:00," if i.seq % _RETURNED_EVERY == 0 else f"成功,,,2022-09-05 14:12:00,B{i.reference[-12:]}")
            for i in sent.lines
        ),
        f"合计,{sent.count},{yuan(sent.total_fen)}",
        "",
    ]
    return "\r\n".join(lines).encode("gb18030")
