"""The first night: counties report, the plans propose a level, named officers decide, and more dead and missing raise it.

The figures are made for the rehearsal; the hours and the step from Ⅳ to Ⅲ are those of Luding, 2022-09-05.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from relief.demo.scene import Scene
from relief.domain.days import BEIJING
from relief.domain.plan import ROMAN
from relief.services import report, respond
from relief.services.report import NewReport
from relief.services.respond import Decision
from relief.settings import CHECKOUT

_PLANS: Final = CHECKOUT / "playbooks" / "plans"
_AFTERNOON: Final = datetime(2022, 9, 5, 14, 40, tzinfo=BEIJING)
_NIGHT: Final = datetime(2022, 9, 5, 22, 10, tzinfo=BEIJING)
_FIRST: Final = {
    "513322": {"affected_population": 18_000, "deaths": 21, "missing": 4, "injured_sick": 30, "relocated": 2_400, "rooms_collapsed": 60},
}
_MORE: Final = {
    "513322": {"affected_population": 31_000, "deaths": 29, "missing": 9, "injured_sick": 61, "relocated": 11_000, "rooms_collapsed": 249},
    "511824": {"affected_population": 14_000, "deaths": 17, "missing": 7, "injured_sick": 26, "relocated": 6_200, "rooms_collapsed": 120},
}
#: Whoever decides in this story, and for which area.
_GOVERNMENTS: Final = (("national", "51", "国减办"), ("province", "51", "川减灾委"))


async def report_and_respond(scene: Scene) -> None:
    """Plans come in; the first report launches a response, the second one raises it."""
    for path in sorted(_PLANS.glob("*.toml")):
        text = await asyncio.to_thread(path.read_text, "utf-8")
        async with scene.tx() as tx:
            await respond.import_plan(tx, scene.people["province.officer"], text, scene.house.clock())
    await _tell(scene, _FIRST, _AFTERNOON, after=0)
    await _decide(scene, "launch", datetime(2022, 9, 5, 15, 20, tzinfo=BEIJING), 1)
    await _tell(scene, {"513322": _MORE["513322"]}, _NIGHT, after=1)
    await _tell(scene, {"511824": _MORE["511824"]}, _NIGHT, after=0)
    await _decide(scene, "raise", datetime(2022, 9, 5, 22, 40, tzinfo=BEIJING), 2)


async def _tell(scene: Scene, counties: Mapping[str, Mapping[str, int]], as_of: datetime, after: int) -> None:
    """Each county reports for itself, straight to the province too where ten or more are dead or missing; the province passes it on."""
    now = scene.house.clock()
    for county, figures in counties.items():
        new = NewReport(
            county, after, as_of, "县应急管理局（演练数据）", {k: str(v) for k, v in figures.items()}, "演练：数值为演练而设，并非史实。"
        )
        async with scene.tx() as tx:
            await report.report(tx, scene.at(county, "officer"), scene.incident, [new], now)
            await report.relay(tx, scene.at(county, "officer"), scene.incident, [(county, after + 1)], "direct", now)
            await report.relay(tx, scene.people["province.officer"], scene.incident, [(county, after + 1)], "province", now)
        scene.say(f"{scene.counties[county]} 第 {after + 1} 版：死亡 {figures['deaths']}，失踪 {figures['missing']}")


async def _decide(scene: Scene, act: str, at: datetime, number: int) -> None:
    """The nation's response is recorded from its document, the province decides its own, each at the level its plan proposes."""
    officer, now = scene.people["province.officer"], scene.house.clock()
    async with scene.tx() as tx:
        proposed = await respond.proposals(tx, officer, scene.incident, now)
    for issuer, area, office in _GOVERNMENTS:
        said = next(p for p in proposed if (p.issuer, p.area) == (issuer, area))
        if said.act != act or said.proposal.level is None:
            raise RuntimeError(f"the plan of {issuer} proposes {said.act} {said.proposal.level}, not {act}")
        document, reason = f"演{office}〔2022〕{number}号", "达到启动条件" if act == "launch" else "伤亡仍在增加，达到上一级启动条件"
        decision = Decision(said.issuer, area, said.act, document, reason, at, said.proposal.level)
        async with scene.tx() as tx:
            await respond.decide(tx, officer, scene.incident, decision, now)
        scene.say(f"{_names(said.issuer)}响应 {_level(said.current)} → {_level(said.proposal.level)}，{document}{_mark(said.verified)}")


def _names(issuer: str) -> str:
    return {"national": "国家", "province": "省级"}[issuer]


def _level(number: int | None) -> str:
    return "无" if number is None else f"{ROMAN[number]}级"


def _mark(verified: bool) -> str:
    return "" if verified else "（预案未核实）"
