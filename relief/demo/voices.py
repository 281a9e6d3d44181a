"""What residents say: texts delivered and answered, the resident page, the reporter at the door, and some who stay silent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp

from relief.demo.money import wait
from relief.demo.scene import Scene
from relief.domain.confirmation import Answer
from relief.domain.errors import Unavailable
from relief.services import confirm
from relief.store import scenes
from relief.store.scenes import Paid

#: Of the +86 households: this many by the page at most (each a real HTTP form), every eleventh stays silent, the rest by their reporter.
PAGES: Final = 300
_SILENT_EVERY: Final = 11
_NO_EVERY: Final = 40


async def hear_texts(scene: Scene) -> None:
    """Until every text is delivered or has failed, and those who can answer have had the time to."""

    async def underway() -> int:
        async with scene.tx() as tx:
            return await scenes.open_messages(tx)

    await wait(scene, "短信 texts", underway)
    await settle_down(scene)
    async with scene.tx() as tx:
        tally = await scenes.messages(tx)
    scene.say("短信 " + " · ".join(f"{s} {t.count:,}" for s, t in sorted(tally.items())))


async def settle_down(scene: Scene) -> None:
    """Wait until the number of unanswered two-way payments no longer changes: whoever wanted to answer has."""
    before = -1
    while True:
        async with scene.tx() as tx:
            now = await scenes.two_way_awaited(tx)
        if now == before:
            return
        before = now
        await asyncio.sleep(1.0)


async def hear_residents(scene: Scene, web_url: str) -> None:
    """+86 numbers cannot answer a text: the page by slip and code, or the reporter who asks at the door."""
    async with scene.tx() as tx:
        open_ = [p for p in await scenes.unanswered(tx) if p.route != "two way"]
    asked = [p for n, p in enumerate(open_) if n % _SILENT_EVERY]
    by_page = [p for p in asked[: PAGES * 2 : 2] if p.household in scene.slips]
    chosen = {p.payment for p in by_page}
    await _pages(scene, web_url, by_page)
    by_reporter = [p for p in asked if p.payment not in chosen]
    groups: dict[tuple[str, Answer], list[Paid]] = {}
    for n, paid in enumerate(by_reporter):
        groups.setdefault((paid.village[:9], "disputed" if n % _NO_EVERY == 7 else "confirmed"), []).append(paid)
    for (township, answer), payments in groups.items():
        async with scene.tx() as tx:
            await confirm.by_reporter(
                tx, scene.at(township, "reporter"), township[:6], [p.payment for p in payments], answer, scene.house.clock()
            )
    scene.say(f"居民页 {len(by_page):,} 户，信息员入户 {len(by_reporter):,} 户，未答 {len(open_) - len(asked):,} 户")


async def _pages(scene: Scene, web_url: str, payments: Sequence[Paid]) -> None:
    async with aiohttp.ClientSession(headers={"origin": web_url}) as session:
        for paid in scene.track(payments, "居民页 pages"):
            slip, code = scene.slips[paid.household]
            form = {"slip": slip, "code": code, "payment": str(paid.payment), "county": paid.county, "answer": "confirmed"}
            async with session.post(f"{web_url}/r/answer", data=form) as answer:
                if answer.status != 200:
                    raise Unavailable("page", f"居民页答复 {answer.status} · the resident page answered {answer.status}")
