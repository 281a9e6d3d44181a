"""Every part on one page, for development and for the screenshots that guard them. Invented figures only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Response, get

from relief.domain.errors import NotFound
from relief.domain.policy import Actor, Grant
from relief.store.views.batches import Batch
from relief.store.views.payments import Fund
from relief.web import access, house, pages, shown
from relief.web.access import Visitor
from relief.web.charts import Bar, Chart
from relief.web.comparison import Mark, Row
from relief.web.console.home import Stage
from relief.web.console.households import Told
from relief.web.document import Amount, Clause
from relief.web.given import Req

NOW: Final = datetime(2022, 9, 5, 6, 40, tzinfo=UTC)
_ID: Final = UUID(int=0x5EED)


@get("/dev/parts", action=access.PUBLIC)
async def parts(request: Req) -> Response[str]:
    """Shown only where the application was started for development."""
    if not house.of(request).development:
        raise NotFound("not_found", "没有找到 · not found")
    sample = Actor(
        _ID, "李演示", (Grant("county_officer", "513322"), Grant("township_reviewer", "513322"), Grant("finance_checker", "513322"))
    )
    request.scope["auth"] = Visitor(sample, "sample", "token", "token")
    return pages.page(request, "dev_parts.html", now=NOW, nouns=shown.TONES, **_samples())


def _samples() -> dict[str, Any]:
    return {
        "stages": [
            Stage("registered", 5_000, None, 37, NOW - timedelta(minutes=52), "#", "#"),
            Stage("decided", 3_812, 416_250_000, 212, NOW - timedelta(minutes=41), "#", "#"),
            Stage("approved", 3_600, 391_200_000, 84, NOW - timedelta(minutes=12), "#", "#"),
            Stage("bank", 3_516, 379_800_000, 640, NOW - timedelta(hours=2, minutes=5), "#", "#"),
            Stage("paid", 2_876, 310_440_000, 1_020, NOW - timedelta(days=1, hours=3), "#", "#"),
            Stage("confirmed", 1_856, 200_100_000, 0, None, "#", "#"),
        ],
        "batch": Batch(
            "513322", "泸定县", _ID, "513322-EMERG_1-202209-402-0001", _ID, "EMERG_1", "202209", "402", True, "prepared", 1_204, 72_240_000,
            bytes(range(32)), NOW, None, ["prepare 王演示"], False,
        ),
        "fund": Fund(
            "513322", "泸定县", _ID, "province", 2022, "川财资环〔2022〕1号", "2240703", "EMERG", _ID, "2022-09-05 泸定县地震", True,
            500_000_000, 108_800_000, 25_050_000, 55_710_000, 310_440_000,
        ),
        "events": [
            Told(NOW - timedelta(hours=1), "move", "登记受灾户", "513322-7K2M", "张演示"),
            Told(NOW - timedelta(minutes=40), "wait", "待乡镇审核", "应急期救助 600.00 元", None),
            Told(NOW - timedelta(minutes=5), "done", "已到账", "应急期救助 600.00 元", None),
            Told(NOW, "bad", "居民反映未收到", "转乡镇核实", None),
        ],
        **_rules(),
    }  # fmt: skip


def _rules() -> dict[str, Any]:
    """A sentence with a placeholder in it, two charts, and a changed clause."""
    amount = Clause(
        "amount",
        "金额",
        ("按家庭人口，每人 ", Amount("EMERG.per_person_day", 2_000, False), " 元 × 15 天。"),
        "《自然灾害救助条例》第十四条",
    )
    cap = Clause("cap", "封顶", ("累计不超过每户 ", Amount("ADVANCE.household", 150_000, True), " 元。"))
    bands = [("Ⅸ度区", 112, 83_470_000), ("Ⅷ度区", 103, 57_410_000), ("Ⅶ度区", 288, 191_770_000)]
    old, new = Mark("15", True), Mark("20", True)
    around = (Mark("按家庭人口，每人 20.00 元 × ", False), Mark(" 天。", False))
    return {
        "clauses": [amount, cap],
        "chart": Chart("band", "按分区", "份", [Bar(*b) for b in bands]),
        "compared": Chart("aid", "按救助种类", "份", [Bar("应急期救助", 379, 37_080_000, 379, 41_550_000), Bar("恢复重建", 159, 318_000_000, 120, 240_000_000)]),
        "changes": [
            Row("应急期救助", "amount", (around[0], old, around[1]), (around[0], new, around[1]), "changed"),
            Row("应急期救助", "papers", (), (Mark("先救助、后补手续：10 个工作日内补齐。", True),), "added"),
        ],
    }  # fmt: skip


HANDLERS: Final = [parts]
