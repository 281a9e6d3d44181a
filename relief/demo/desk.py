"""The township's desk: every village has its reporter, somebody asks for help on the public page, a household is looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from relief.demo.scene import Scene
from relief.services import change, intake, rosters
from relief.services.intake import Lead
from relief.store import scenes


async def staff_villages(scene: Scene, places: Sequence[scenes.Place]) -> None:
    """Before anything is opened: the reporter of each township answers for its villages."""
    given = 0
    async with scene.tx() as tx:
        for township, group in groupby(sorted(places, key=lambda p: p.code), key=lambda p: p.township):
            villages, reporter = [p.code for p in group], scene.at(township, "reporter")
            given += await rosters.assign(tx, scene.at(township, "reviewer"), township[:6], villages, reporter.person, scene.house.clock())
    scene.say(f"{given:,} 个村已指定灾害信息员")


async def work_a_day(scene: Scene) -> None:
    """A stranded traveller writes on the public page and is answered; a reporter looks at a household again."""
    now, keys = scene.house.clock(), scene.house.keys
    async with scene.tx() as tx:
        home = await scenes.any_household(tx, scene.incident)
        township = home.village[:9]
        asked = Lead(home.county, township, "stranded", "甄演路", "三人徒步至此，道路中断，缺食物和住处。（演练）")
        slip = await intake.from_stranger(tx, "203.0.113.8", asked, now, keys)
        reviewer = scene.at(township, "reviewer")
        await intake.take(tx, reviewer, slip.county, slip.id, now)
        await intake.close(tx, reviewer, slip.county, slip.id, "已接到乡镇安置点，提供食宿，道路抢通后返程。（演练）", now, keys)
        await change.tell(
            tx, scene.at(township, "reporter"), home.county, home.id, "unchanged", "入户复查，情况与登记一致。（演练）", now, keys
        )
    scene.say(f"网上申请 {slip.county}-{slip.reference} 已受理并答复")
