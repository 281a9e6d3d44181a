"""The Luding earthquake of 2022-09-05, from the zone to the confirmed payment: a drill on real geography with invented people."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from relief import app
from relief.demo import acts, books, desk, meeting, money, night, people, processes, summary, voices
from relief.demo.processes import Places
from relief.demo.scene import Scene
from relief.domain.days import BEIJING
from relief.domain.errors import Invalid, Refused
from relief.house import House
from relief.services import consequences, zoning
from relief.settings import Settings
from relief.store import db, ready, scenes

#: Around the zone (degrees): its counties and those beside it.
BOX: Final = (101.2, 28.7, 103.2, 30.7)
LUDING: Final = "513322"
MOXI: Final = "513322103"
_MOST: Final = 200_000
_TWIN_BANK: Final = [
    "--late-rate",
    "0.03",
    "--silent-rate",
    "0.005",
    "--late-s",
    "2",
    "--statement-s",
    "9",
    "--duplicate-rate",
    "0.1",
    "--stray-rate",
    "0.3",
    "--poll-s",
    "0.2",
]
_TWIN_SMS: Final = [
    "--answer-rate",
    "0.85",
    "--no-rate",
    "0.03",
    "--fail-rate",
    "0.01",
    "--duplicate-rate",
    "0.02",
    "--reorder-rate",
    "0.02",
]


async def run(settings: Settings, households: int, stay: bool, as_json: bool) -> int:
    """Tell the story; 0 when every promise held."""
    if not 100 <= households <= _MOST:
        raise Invalid("households", f"户数须在 100 与 {_MOST:,} 之间 · --households takes 100 to {_MOST:,}")
    screen = Console(stderr=as_json)
    await _start_afresh(settings, screen)
    where = processes.places(settings)
    settings = msgspec.structs.replace(settings, public_url=where.web_url, sms_base_url=where.phones_url)
    async with app.open_house(settings, pool_size=6) as house:
        where.environment["RELIEF_DATABASE_URL"] = (await ready.make_ready(settings)).owner_url
        commands = {
            "serve": ["serve", "--development"],
            "bank": ["rehearse", "bank", *_TWIN_BANK],
            "sms": ["rehearse", "sms", "--port", where.phones_url.rsplit(":", 1)[1], "--inbound-url", f"{where.web_url}/hooks/sms/inbound", *_TWIN_SMS],
            "work": ["work"],
        }  # fmt: skip
        waits = {"serve": f"{where.web_url}/health", "sms": f"{where.phones_url}/"}
        async with processes.running(commands, where, settings.home / "logs", waits):
            async with _scene(house, screen, households) as scene:
                told = await _tell(scene, where)
            if as_json:
                sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            await summary.show(scene, told)
            screen.print(f"   内存 peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (this process)")
            if stay:
                await _serve(scene, where)
    return 0 if told.kept and told.equation_holds else 1


@asynccontextmanager
async def _scene(house: House, screen: Console, households: int) -> AsyncIterator[Scene]:
    async with db.begin(house.pool) as tx:
        places = await scenes.villages(tx, *BOX)
        counties = {p.county: p.county_name for p in places}
        townships = {p.township: p.township_name for p in places}
        staff = await people.hire(tx, counties, townships, house.clock(), house.keys)
        opened = zoning.NewIncident(hazard="020100", county=LUDING, occurred_at=datetime(2022, 9, 5, 12, 52, tzinfo=BEIJING), drill=True)
        incident = await zoning.open_incident(tx, staff["province.officer"], opened, house.clock())
    yield Scene(house, screen, households, staff, counties, townships, incident)


async def _tell(scene: Scene, where: Places) -> summary.Summary:
    async with scene.tx() as tx:
        places = await scenes.villages(tx, *BOX)
    with scene.stage(1, "灾害事件与灾区范围 · incident and zone v1"):
        await night.report_and_respond(scene)
        await acts.force_zone(scene, await acts.import_zone(scene, acts.V1, "快速评估影响场", "快速评估"))
    with scene.stage(2, "登记受灾户 · registration"):
        await acts.register_families(scene, places)
        await ready.analyze(await ready.make_ready(scene.house.settings))
        await acts.settle_duplicates(scene)
    with scene.stage(3, "预演与启动响应 · preview and activation"):
        await desk.staff_villages(scene, places)
        playbook = await acts.prepare_rules(scene)
        await acts.fund_counties(scene, await acts.show_preview(scene, playbook))
        await acts.activate_counties(scene, playbook)
    with scene.stage(4, "定位与决定 · decisions"):
        await acts.locate_and_decide(scene)
    with scene.stage(5, "审批 · approvals"):
        await acts.show_own_refused(scene)
        await acts.approve_all(scene)
        await desk.work_a_day(scene)
    with scene.stage(6, "批次与三级签发 · batches"):
        await money.show_second_step_refused(scene)
        await money.batch_and_sign(scene)
    with scene.stage(7, "银行处理 · the bank"):
        await money.wait_for_bank(scene)
    with scene.stage(8, "回单、对账与更正 · answers and corrections"):
        await money.wait_for_statement(scene)
        await money.correct_returned(scene)
        await money.pay_all(scene)
        await money.wait_for_statement(scene)
        await money.import_again(scene, scene.house.settings.bank)
    with scene.stage(9, "短信与确认 · texts and confirmations"):
        await voices.hear_texts(scene)
        await voices.hear_residents(scene, where.web_url)
    with scene.stage(10, "分阶段发放 · first stage"):
        await money.accept_stage(scene, "materials_ready")
        await meeting.hold(scene, LUDING, places)
        await money.pay_all(scene)
    with scene.stage(11, "正式烈度图 · zone v2"):
        await _second_zone(scene)
    with scene.stage(12, "汇总 · summary"):
        await money.wait_for_statement(scene)
        await books.work_off(scene)
        await voices.hear_texts(scene)
        await books.ask_back(scene)
        await books.close_days(scene)
        told = await summary.summarise(scene)
    return msgspec.structs.replace(told, seconds=scene.seconds, seconds_total=round(sum(scene.seconds.values()), 2))


async def _second_zone(scene: Scene) -> None:
    """The official map: who came in and who went out; newcomers get their advance, the paid keep theirs."""
    old = scene.zone
    new = await acts.import_zone(scene, acts.V2, "地震烈度图", "官方烈度图发布")
    async with scene.tx() as tx:
        seen = await zoning.difference(tx, old, new)
        costs = await consequences.costs(tx, scene.people["province.second"], old, new, scene.house.clock())
    scene.say(
        f"新增 {seen.households_in:,} 户，移出 {seen.households_out:,} 户；新增县 {len(seen.counties_in)}，移出县 {len(seen.counties_out)}"
    )
    for cost in costs:
        scene.say(f"{cost.playbook}：{cost.more:,} 户增加，{cost.less:,} 户减少，共 {cost.more_fen / 100:+,.2f} 元")
    await acts.force_zone(scene, new, old)
    await acts.move_activation(scene, new)
    async with scene.tx() as tx:
        counties = await zoning.counties(tx, new)
    for county in counties:
        if county not in scene.active:
            await acts.allocate(scene, county, "EMERG", 50_000_000_00, "province", f"演川财〔2022〕EMERG-{county}号")
            await acts.allocate(scene, county, "HOUSE", 50_000_000_00, "province", f"演川财〔2022〕HOUSE-{county}号")
            await acts.activate_county(scene, county)
    await acts.locate_and_decide(scene)
    await acts.approve_all(scene)
    await money.pay_all(scene)


async def _start_afresh(settings: Settings, screen: Console) -> None:
    """The story needs an empty register. What an earlier drill left is removed; a real incident is never touched."""
    database = await ready.make_ready(settings)
    pool = await db.open_pool(database.app_url, 1)
    async with db.read(pool) as tx:
        real = await scenes.real_data(tx)
    await pool.close()
    if real:
        raise Refused(
            "real_data",
            "库中有非演练的灾害事件，演示不在其上运行；请另设 RELIEF_HOME · the database holds a real incident; set another RELIEF_HOME",
        )
    screen.print("[dim]清空上次演练 · starting from an empty register[/dim]")
    await ready.empty(database)
    for left in (settings.bank, settings.home / "checkpoints"):
        await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)


async def _serve(scene: Scene, where: Places) -> None:
    screen = scene.screen
    async with scene.tx() as tx:
        places = await scenes.villages(tx, *BOX)
    await acts.leave_work(scene, places, MOXI)
    screen.print(
        f"\n[bold]控制台 console[/bold]  {where.web_url}\n[bold]手机模拟 phones[/bold]  {where.phones_url}\n居民页 resident page  {where.web_url}/r"
    )
    screen.print(f"口令 password: {people.PASSWORD}")
    for login, name in people.printed(scene.people, LUDING, MOXI):
        screen.print(f"   {login:22s} {name}")
    slip, code = next(iter(scene.slips.values()))
    screen.print(f"   居民凭条 slip {slip}  验证码 code {code}")
    for login in (who for who, _ in people.printed(scene.people, LUDING, MOXI) if who in scene.people.phones):
        screen.print(f"   {login} 的验证器密钥，可录入手机 · its secret, for your own authenticator: {scene.people.phones[login].secret}")
    screen.print("[dim]Ctrl-C 结束 · ends it[/dim]")
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await _show_codes(scene, stop)


async def _show_codes(scene: Scene, stop: asyncio.Event) -> None:
    """The one-time codes of those who authorise, kept fresh until the end: 审批 asks for one."""
    mine = [login for login, _ in people.printed(scene.people, LUDING, MOXI)]

    def table() -> Table:
        shown = Table("验证码 one-time code", "", "秒 s")
        for login, code, left in people.codes(scene.people, mine, scene.house.clock()):
            shown.add_row(login, f"[bold]{code}[/bold]", str(left))
        return shown

    if not scene.screen.is_terminal:
        scene.screen.print(table())
        await stop.wait()
        return
    with Live(table(), console=scene.screen, auto_refresh=False) as live:
        while not stop.is_set():
            live.update(table(), refresh=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
