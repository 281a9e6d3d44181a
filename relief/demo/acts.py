"""The first half of the story: incident and zone, registrations, playbook and activation, decisions, approvals."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from relief.demo import notices, phones
from relief.demo.families import Village, families
from relief.demo.scene import Scene
from relief.domain import standard
from relief.domain.errors import ReliefError
from relief.domain.household import Registration
from relief.domain.likeness import Limits
from relief.domain.money import display
from relief.domain.policy import Actor
from relief.services import activate, adjudicate, approve, decide, enact, fund, locate, move, preview, suspect, zoning
from relief.services.approve import digest_of
from relief.services.fund import NewFund
from relief.settings import CHECKOUT
from relief.store import activations, scenes
from relief.store.scenes import Pick
from relief.store.views import suspicions as views

_ZONES: Final = CHECKOUT / "geo" / "data" / "luding2022"
V1: Final = _ZONES / "zone_v1_rapid_2022-09-05.geojson"
V2: Final = _ZONES / "zone_v2_official_2022-09-11.geojson"
_PLAYBOOK: Final = CHECKOUT / "playbooks" / "earthquake.toml"
_STANDARDS: Final = CHECKOUT / "playbooks" / "standards" / "sichuan-rehearsal.toml"
#: Records in one call of the register, as a phone's sync sends them.
CHUNK: Final = 500
_MOST_SUSPICIONS: Final = 10_000
#: The county whose first allocation is too small, so that the refusal is seen.
SHORT: Final = "511824"


async def import_zone(scene: Scene, path: Path, title: str, reason: str) -> UUID:
    """A zone file read in the sandbox, drafted by one officer."""
    content = await asyncio.to_thread(path.read_bytes)
    bands = await zoning.inspect(content, path.name)
    async with scene.tx() as tx:
        zone = await zoning.import_zone(
            tx, scene.people["province.officer"], scene.incident, zoning.NewZone(title, reason), content, bands, scene.house.clock()
        )
    for band in bands.bands:
        scene.say(f"烈度 {band.label}  {band.area_km2:,.0f} km²")
    return zone


async def force_zone(scene: Scene, zone: UUID, against: UUID | None = None) -> None:
    """Put in force by a second officer who saw what it changes `against` the version before; the drafter is refused."""
    try:
        async with scene.tx() as tx:
            await zoning.put_in_force(tx, scene.people["province.officer"], zone, scene.house.clock())
    except ReliefError as error:
        scene.refused(error.code, "拟稿人自己确认灾区范围")
    async with scene.tx() as tx:
        await zoning.put_in_force(tx, scene.people["province.second"], zone, scene.house.clock(), against)
    scene.zone = zone


async def move_activation(scene: Scene, zone: UUID) -> None:
    """The running activation goes over to the zone in force: drafted by one officer, confirmed by another."""
    one, other = scene.people["province.officer"], scene.people["province.second"]
    async with scene.tx() as tx:
        act = await activations.get(tx, scene.activation)
        drafted = await move.draft(tx, one, act.id, zone, act.playbook, "改用新版灾区范围", scene.house.clock())
    async with scene.tx() as tx:
        await move.confirm(tx, other, drafted, scene.house.clock())


async def register_families(scene: Scene, places: Sequence[scenes.Place]) -> int:
    """Every family from the phone of its township's reporter, in chunks; one record comes twice with different contents and is looked at."""
    villages = [Village(p.code, p.lon, p.lat) for p in places]
    queues: dict[str, list[Registration]] = {}
    new = 0
    with scene.bar() as bar:
        task = bar.add_task("登记 registering", total=scene.households)
        for family in families(scene.households, scene.incident, villages, scene.house.clock()):
            queue = queues.setdefault(family.village[:9], [])
            queue.append(family)
            if len(queue) == CHUNK:
                new += await _register(scene, family.village[:9], queue)
                bar.advance(task, len(queue))
                queue.clear()
        for township, queue in queues.items():
            if queue:
                new += await _register(scene, township, queue)
                bar.advance(task, len(queue))
    scene.say(f"{new:,} 户，{len(queues)} 个乡镇，{len(scene.phones)} 部手机")
    await phones.second_version(scene, next(families(1, scene.incident, villages, scene.house.clock())))
    return new


async def _register(scene: Scene, township: str, queue: Sequence[Registration]) -> int:
    async with scene.tx() as tx:
        receipts = await phones.push(scene, tx, township, queue)
    wrong = [r for r in receipts if r.outcome not in ("accepted", "case")]
    if wrong:
        raise RuntimeError(f"{len(wrong)} registrations were not taken: {wrong[0].code} {wrong[0].field}")
    for r in receipts:
        if r.household is not None and r.slip is not None and r.slip_code is not None:
            scene.slips[r.household] = (r.slip, r.slip_code)
    return len(receipts)


async def settle_duplicates(scene: Scene) -> None:
    """Everybody is compared with everybody; a person named by two households is looked at, both households stand, the guard pays once."""
    limits, compared = Limits(), None
    while compared is None or compared.households:
        async with scene.tx() as tx:  # the worker does the same; whoever comes second finds nothing left
            compared = await suspect.find(tx, limits, scene.house.clock(), scene.house.keys)
    officer = scene.people["province.officer"]
    async with scene.tx() as tx:
        found = await views.suspicions(tx, ["%"], "open", ("", UUID(int=0)), _MOST_SUSPICIONS, officer.person)
        if found:
            rulings = [adjudicate.Ruling(f.county, f.id) for f in found]
            await adjudicate.decide(tx, officer, rulings, "different", "入户核实：两户各自存在", scene.house.clock(), scene.house.keys)
    scene.say(f"疑似重复 {len(found)} 件，均已核实 · {len(found)} suspected doubles looked at")


async def allocate(scene: Scene, county: str, purpose: str, amount_fen: int, source: str, document: str) -> None:
    """One allocation notice."""
    item = {"EMERG": "2240703", "HOUSE": "2240704"}[purpose]
    new = NewFund(
        county=county, incident=scene.incident, source=source, year=2022, document=document, budget_item=item, purpose=purpose, amount_fen=amount_fen  # type: ignore[arg-type]
    )  # fmt: skip
    async with scene.tx() as tx:
        await fund.allocate(tx, scene.people["province.officer"], new, scene.house.clock())


async def prepare_rules(scene: Scene) -> UUID:
    """Playbook and standards, drafted by one officer of the province and put in force by another."""
    officer, second, now = scene.people["province.officer"], scene.people["province.second"], scene.house.clock()
    async with scene.tx() as tx:
        playbook = await enact.draft_playbook(tx, officer, _PLAYBOOK.read_text("utf-8"), now)
        figures = await enact.draft_figures(tx, officer, standard.read(_STANDARDS.read_text("utf-8")), now)
    try:
        async with scene.tx() as tx:
            await enact.force_playbook(tx, officer, playbook, now)
    except ReliefError as error:
        scene.refused(error.code, "拟稿人自己确认处置方案")
    async with scene.tx() as tx:
        await enact.force_playbook(tx, second, playbook, now)
        await enact.force_figures(tx, second, figures, now)
    scene.say(f"预案 earthquake，标准 {len(figures)} 项（未核定，仅供演练）")
    return playbook


async def show_preview(scene: Scene, playbook: UUID) -> preview.Preview:
    """What it would cost, before anybody activates it."""
    async with scene.tx() as tx:
        seen = await preview.preview(tx, scene.people["province.officer"], scene.incident, scene.zone, playbook, scene.house.clock())
    for aid in sorted({line.aid for line in seen.lines}):
        lines = [line for line in seen.lines if line.aid == aid]
        scene.say(f"{aid}: {sum(x.households for x in lines):,} 户 {display(sum(x.amount_fen for x in lines))} 元")
    scene.say(f"登记 {seen.registered:,} 户，范围外 {seen.outside:,} 户，未核定标准 {len(seen.unverified)} 项")
    return seen


async def fund_counties(scene: Scene, seen: preview.Preview) -> None:
    """The first allocations: enough everywhere, except in one county."""
    for need in seen.funds:
        share = 0.6 if need.county == SHORT and need.aid == "EMERG" else 1.3
        amount = max(100_000_00, int(need.need_fen * share) // 100 * 100)
        if need.county == SHORT and need.aid == "EMERG":
            amount = max(100_00, int(need.need_fen * share) // 100 * 100)
        await allocate(scene, need.county, need.aid, amount, "central", f"演财〔2022〕{need.aid}-{need.county}号")


async def activate_counties(scene: Scene, playbook: UUID) -> None:
    """Proposed by the province, drafted and activated in each county by two people; its clock starts."""
    async with scene.tx() as tx:
        scene.activation = await activate.propose(
            tx, scene.people["province.officer"], scene.incident, scene.zone, playbook, scene.house.clock()
        )
    async with scene.tx() as tx:
        counties = await zoning.counties(tx, scene.zone)
    for county in scene.track(counties, "启动 activating"):
        await activate_county(scene, county)
    scene.say(f"{len(scene.active)} 个县已启动")


def _cap(scene: Scene) -> int:
    """A county's own limit in fen, ample for the number of families of this drill."""
    return 50_000_000_00 + scene.households * 20_000_00


async def activate_county(scene: Scene, county: str) -> None:
    """One county: it says who pays, an officer drafts, another one activates."""
    async with scene.tx() as tx:
        name = f"{scene.counties[county]}应急管理局（演示）"
        await fund.set_payer(tx, scene.at(county, "prepare"), county, name, f"629999{county}0000000", scene.house.clock())
        part = await activate.draft(
            tx, scene.at(county, "officer"), county, scene.activation, f"演应急〔2022〕{county}号", _cap(scene), scene.house.clock()
        )
    async with scene.tx() as tx:
        await activate.activate(tx, scene.at(county, "approver"), county, part, scene.house.clock())
    scene.active.append(county)


async def locate_and_decide(scene: Scene) -> None:
    """Every household gets its band, its amount and its reasons."""
    total: dict[str, tuple[int, int]] = {}
    reasons: dict[str, int] = {}
    for county in scene.track(scene.active, "定位与决定 deciding"):
        async with scene.tx() as tx:
            await locate.locate(tx, county, scene.zone, scene.house.clock())
            done = await decide.decide(tx, scene.at(county, "officer"), county, scene.activation, scene.house.clock())
        for aid, made in done.new_awards.items():
            count, fen = total.get(aid, (0, 0))
            total[aid] = (count + made.count, fen + made.amount_fen)
        for reason, count in done.by_reason.items():
            reasons[reason] = reasons.get(reason, 0) + count
    for aid, (count, fen) in sorted(total.items()):
        scene.say(f"{aid}: 新增 {count:,} 项 {display(fen)} 元")
    scene.say("理由 " + " · ".join(f"{r} {c:,}" for r, c in sorted(reasons.items(), key=lambda x: -x[1])[:6]))


async def approve_all(scene: Scene) -> int:
    """Townships approve their advances in bulk, counties the staged awards; returns how many awards."""
    approved = 0
    for county in scene.track(scene.active, "审批 approving"):
        async with scene.tx() as tx:
            advances = await scenes.proposed(tx, county, "A")
            staged = await scenes.proposed(tx, county, "B")
        townships: dict[str, list[Pick]] = {}
        for award in advances:
            townships.setdefault(award.village[:9], []).append(award)
        for township, awards in townships.items():
            approved += await _approve(scene, scene.at(township, "reviewer"), county, awards)
        if staged:
            await notices.hang_out(scene, county, staged)
            approved += await _approve(scene, scene.at(county, "approver"), county, staged)
    scene.say(f"{approved:,} 项已审批，资金已预留")
    return approved


async def _approve(scene: Scene, actor: Actor, county: str, awards: Sequence[Pick]) -> int:
    digest = digest_of([(a.id, a.amount_fen) for a in awards])
    ids = [a.id for a in awards]
    try:
        async with scene.tx() as tx:
            return (await approve.approve(tx, actor, county, ids, digest, scene.house.clock())).awards
    except ReliefError as error:
        if error.code != "fund_short":
            raise
        scene.refused(error.code, error.message)
        short, more = str(error.data["aid"]), int(str(error.data["needed_fen"])) * 2
    await allocate(scene, county, short, more, "province", f"演川财〔2022〕追加-{county}-{len(scene.refusals)}号")
    scene.say(f"省级追加 {display(more)} 元后再次审批")
    async with scene.tx() as tx:
        return (await approve.approve(tx, actor, county, ids, digest, scene.house.clock())).awards


async def leave_work(scene: Scene, places: Sequence[scenes.Place], township: str, count: int = 24) -> None:
    """For the visitor: late registrations of one township, decided and waiting for its reviewer."""
    villages = [Village(p.code, p.lon, p.lat) for p in places if p.township == township]
    late = list(families(count, scene.incident, villages, scene.house.clock(), seed=1, first=scene.households))
    await _register(scene, township, late)
    async with scene.tx() as tx:
        await locate.locate(tx, township[:6], scene.zone, scene.house.clock())
        await decide.decide(tx, scene.at(township[:6], "officer"), township[:6], scene.activation, scene.house.clock())


async def show_own_refused(scene: Scene) -> None:
    """A reviewer who registered a household may not approve it."""
    async with scene.tx() as tx:
        awards = await scenes.proposed(tx, scene.active[0], "A")
    for county in scene.active:
        async with scene.tx() as tx:
            awards = await scenes.proposed(tx, county, "A")
        if awards:
            break
    award = awards[0]
    reporter = scene.at(award.village[:9], "reporter")
    both = Actor(id=reporter.id, name=reporter.name, grants=scene.at(award.village[:9], "reviewer").grants)
    try:
        async with scene.tx() as tx:
            await approve.approve(tx, both, award.village[:6], [award.id], digest_of([(award.id, award.amount_fen)]), scene.house.clock())
    except ReliefError as error:
        scene.refused(error.code, error.message)
