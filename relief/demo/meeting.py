"""一事一议 in the story: a family in need that no table fits. A county's standing playbook, minutes, a higher person, two signatures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from relief.demo import numbers
from relief.demo.scene import Scene
from relief.domain.days import BEIJING, beijing_day
from relief.domain.errors import ReliefError
from relief.domain.household import Member, Registration
from relief.domain.money import display
from relief.services import activate, approve, enact, fund, locate, minutes, register, zoning
from relief.services.approve import digest_of
from relief.services.fund import NewFund
from relief.services.minutes import NewMinutes
from relief.settings import CHECKOUT
from relief.store import scenes
from relief.store.scenes import Place

_PLAYBOOK: Final = CHECKOUT / "playbooks" / "hardship.toml"
#: Sudden illness (the project's own code: no natural hazard).
_ILLNESS: Final = "900300"
_AID: Final = "CASE"
_YEAR: Final = datetime(2022, 1, 4, 9, tzinfo=BEIJING)
_WHO: Final = 990_001
_ADOPTED_FEN: Final = 3_210_00


async def hold(scene: Scene, county: str, places: Sequence[Place]) -> None:
    """The county's standing response is opened, one family registered, its case taken to the meeting, adopted and signed by two."""
    incident, zone, activation = await _stand_ready(scene, county)
    village = next(p for p in places if p.county == county)
    home = await _register(scene, incident, village)
    now, officer = scene.house.clock(), scene.at(county, "officer")
    says = NewMinutes(
        household=home, activation=activation, aid=_AID, amount_fen=_ADOPTED_FEN, held_on=beijing_day(now),
        participants=["演一 民政", "演二 财政", "演三 应急"], votes_for=2, votes_against=1, votes_abstained=0,
        reason="住院费用超出家庭承受能力（演示）", legal_basis="国发〔2014〕47号", attachment=sha256(b"minutes").hexdigest(),
    )  # fmt: skip
    async with scene.tx() as tx:
        await locate.locate(tx, county, zone, now)
        made = await minutes.record(tx, officer, county, says, now, scene.house.keys)
    try:
        async with scene.tx() as tx:
            both = type(officer)(id=officer.id, name=officer.name, grants=(*officer.grants, *scene.at(county, "approver").grants))
            await minutes.adopt(tx, both, county, [made], now)
    except ReliefError as error:
        scene.refused(error.code, error.message)
    async with scene.tx() as tx:
        await minutes.adopt(tx, scene.at(county, "approver"), county, [made], now)
        awards = await scenes.proposed(tx, county, "C")
    digest = digest_of([(a.id, a.amount_fen) for a in awards])
    for desk in ("approver", "second"):
        async with scene.tx() as tx:
            await approve.approve(tx, scene.at(county, desk), county, [a.id for a in awards], digest, now)
    scene.say(
        f"一事一议 {len(awards)} 户 {display(sum(a.amount_fen for a in awards))} 元，纪要由他人采纳，两人会签 · decided by the meeting"
    )


async def _stand_ready(scene: Scene, county: str) -> tuple[UUID, UUID, UUID]:
    """Incident, zone (the county itself, by its code), playbook, fund and activation of the standing response.

    Its incident was opened when the year began, long before the earthquake: the newest one is what first pages show.
    """
    one, other, now = scene.people["province.officer"], scene.people["province.second"], scene.house.clock()
    opened = zoning.NewIncident(_ILLNESS, county, _YEAR, drill=True)
    content = f"{county}\n".encode()
    found = await zoning.inspect(content, "codes.csv")
    async with scene.tx() as tx:
        incident = await zoning.open_incident(tx, one, opened, _YEAR + timedelta(hours=1))
        zone = await zoning.import_zone(tx, one, incident, zoning.NewZone(scene.counties[county], "常年"), content, found, now)
        book = await enact.draft_playbook(tx, one, _PLAYBOOK.read_text("utf-8"), now)
    async with scene.tx() as tx:
        await zoning.put_in_force(tx, other, zone, now)
        await enact.force_playbook(tx, other, book, now)
        activation = await activate.propose(tx, one, incident, zone, book, now)
        new = NewFund(
            county=county, incident=incident, source="county", year=2022, document=f"演财〔2022〕{_AID}-{county}号", budget_item="2082001",
            purpose=_AID, amount_fen=50_000_00,
        )  # fmt: skip
        await fund.allocate(tx, one, new, now)
    async with scene.tx() as tx:
        part = await activate.draft(tx, scene.at(county, "officer"), county, activation, "演府办函〔2022〕1号", 100_000_00, now)
    async with scene.tx() as tx:
        await activate.activate(tx, scene.at(county, "approver"), county, part, now)
    return incident, zone, activation


async def _register(scene: Scene, incident: UUID, place: Place) -> UUID:
    now = scene.house.clock()
    item = Registration(
        device_id=UUID(int=(0xDE31 << 112) | _WHO), incident=incident, village=place.code, lon=place.lon, lat=place.lat, accuracy_m=10.0,
        members=[Member("甄演病", numbers.householder_id(_WHO))], account=numbers.account(_WHO), bank="402", captured_at=now,
        synthetic_point=True, phone=numbers.mainland_phone(_WHO), circumstances=["no_means"],
    )  # fmt: skip
    async with scene.tx() as tx:
        [receipt] = await register.register(tx, scene.at(place.township, "reporter"), [item], now, scene.house.keys)
    if receipt.household is None or receipt.slip is None or receipt.slip_code is None:
        raise RuntimeError(f"the family of the meeting was not registered: {receipt.code}")
    scene.slips[receipt.household] = (receipt.slip, receipt.slip_code)
    return receipt.household
