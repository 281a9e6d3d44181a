"""急难 that stands all year: one burnt home in January walks the same line as an earthquake, mode A within the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from geo import zonefile
from relief.domain import playbook, standard
from relief.domain.errors import Conflict, Invalid
from relief.domain.household import Member, Registration
from relief.domain.incident import NewIncident
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.domain.zone import NewZone
from relief.services import activate, approve, decide, locate, register, zoning
from relief.store import standards
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, ROOT, VILLAGE

pytestmark = pytest.mark.slow

YEAR = datetime(2022, 1, 3, 1, tzinfo=UTC)
FIRE = datetime(2022, 2, 9, 20, 40, tzinfo=UTC)  # 04:40 in the morning
FIGURES = standard.read((ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8"))


def text(key: str) -> str:
    return (ROOT / "playbooks" / f"{key}.toml").read_text("utf-8")


class Standing:
    """A county's standing activation, proposed by the province; its zone is the county, written as its code."""

    def __init__(self, tx: Tx, keys: Keys) -> None:
        self.tx, self.keys = tx, keys

    async def open(self, key: str, hazard: str, *, zone: bytes = b"513322\n", now: datetime = YEAR, fund: str = "TEMP") -> Standing:
        tx = self.tx
        province, other = await make.staff(tx, ("province_officer", "51")), await make.staff(tx, ("province_officer", "51"))
        self.officer, approver = await make.staff(tx, ("county_officer", LUDING)), await make.staff(tx, ("county_approver", LUDING))
        self.reporter, self.reviewer = await make.staff(tx, ("reporter", MOXI)), await make.staff(tx, ("township_reviewer", MOXI))
        self.incident = await zoning.open_incident(tx, province, NewIncident(hazard, LUDING, now, drill=True), now)
        found = zonefile.read(zone, "codes.csv")
        self.zone = await zoning.import_zone(tx, province, self.incident, NewZone("泸定县", "常年"), zone, found, now)
        await zoning.put_in_force(tx, other, self.zone, now)
        await standards.insert(tx, FIGURES)
        book = await activate.import_playbook(tx, SYSTEM, text(key), now)
        self.activation = await activate.propose(tx, province, self.incident, self.zone, book, now)
        part = await activate.draft(tx, self.officer, LUDING, self.activation, "泸府办函〔2022〕1号", 10**9, now)
        await activate.activate(tx, approver, LUDING, part, now)
        await make.fund(tx, incident=self.incident, amount_fen=10**8, purpose=fund, document=f"演财〔2022〕{key}号")
        return self

    async def register(self, n: int, at: datetime = FIRE, **facts: Any) -> UUID:
        given = {"relocated": "none", "captured_at": at, **facts}
        item: Registration = make.registration(n, incident=self.incident, **given)
        (receipt,) = await register.register(self.tx, self.reporter, [item], at, self.keys)
        assert receipt.outcome == "new", receipt
        assert receipt.household is not None
        return receipt.household

    async def decide(self, at: datetime) -> decide.Decided:
        await locate.locate(self.tx, LUDING, self.zone, at)
        return await decide.decide(self.tx, self.officer, LUDING, self.activation, at)

    async def decision(self, household: UUID, aid: str) -> tuple[int, list[str]]:
        row = await self.tx.fetchrow(
            "SELECT amount_fen, reasons FROM decision WHERE household = $1 AND aid = $2 AND status = 'current'", household, aid
        )
        return row["amount_fen"], row["reasons"]


async def test_a_single_fire_is_paid_by_the_township_within_the_day(tx: Tx, keys: Keys) -> None:
    county = await Standing(tx, keys).open("hardship", "900100")
    home = await county.register(1, rooms_collapsed=2, circumstances=["no_means"])
    decided = await county.decide(FIRE + timedelta(hours=2))
    assert decided.new_awards["TEMP"] == decide.Sum(1, 120_000)
    assert await county.decision(home, "TEMP") == (120_000, ["band.1", "has.no_means", "has.collapsed"])
    award = await tx.fetchrow("SELECT id, amount_fen, mode FROM award WHERE household = $1", home)
    assert award["mode"] == "A"
    signed_at = FIRE + timedelta(hours=3)
    digest = approve.digest_of([(award["id"], award["amount_fen"])])
    approved = await approve.approve(tx, county.reviewer, LUDING, [award["id"]], digest, signed_at)
    assert (approved.awards, approved.payments) == (1, 1)
    paperwork = await tx.fetchval("SELECT due_on FROM paperwork WHERE award = $1", award["id"])
    hours = playbook.read(text("hardship")).aid("TEMP").within_hours
    assert hours is not None
    assert signed_at - FIRE < timedelta(hours=hours)
    assert paperwork.isoformat() == "2022-02-17", "five working days after Thursday the 10th"


async def test_the_same_cause_again_this_year_is_not_for_the_township(tx: Tx, keys: Keys) -> None:
    county = await Standing(tx, keys).open("hardship", "900100")
    family = [Member("甄演一", make.numbers.householder_id(1))]
    await county.register(1, members=family, rooms_collapsed=1, circumstances=["no_means"])
    await county.decide(FIRE)
    again = await county.register(2, FIRE + timedelta(days=90), members=family, rooms_severe=1, circumstances=["no_means"])
    await county.decide(FIRE + timedelta(days=90))
    assert await county.decision(again, "TEMP") == (0, ["band.1", "has.no_means", "has.severe", "guard.held"])
    assert await county.decision(again, "CASE") == (0, ["band.1", "has.no_means", "minutes.none"])


async def test_another_cause_is_another_incident_and_not_the_same_once(tx: Tx, keys: Keys) -> None:
    fire = await Standing(tx, keys).open("hardship", "900100")
    family = [Member("甄演一", make.numbers.householder_id(1))]
    await fire.register(1, members=family, rooms_collapsed=1, circumstances=["no_means"])
    await fire.decide(FIRE)
    illness = await Standing(tx, keys).open("hardship", "900300")
    sick = await illness.register(2, members=family, circumstances=["no_means", "heavy_costs"])
    await illness.decide(FIRE)
    assert (await illness.decision(sick, "TEMP"))[0] == 40_000


async def test_who_is_registered_elsewhere_is_aided_where_it_happened(tx: Tx, keys: Keys) -> None:
    county = await Standing(tx, keys).open("hardship", "900200")
    guest = await county.register(1, members=1, injured=1, circumstances=["no_means"], home_county="510104")
    await county.decide(FIRE)
    assert await county.decision(guest, "TEMP") == (40_000, ["band.1", "has.no_means", "has.injured", "home.elsewhere"])


async def test_a_drought_reaches_only_the_townships_on_the_list(tx: Tx, keys: Keys) -> None:
    county = await Standing(tx, keys).open("drought", "010100", zone=f"代码\n{MOXI}\n".encode(), fund="DROUGHT")
    dry: dict[str, Any] = {"members": 4, "people_in_need": 3, "circumstances": ["no_means", "need_water"]}
    place = await tx.fetchrow("SELECT lon, lat FROM region WHERE code = $1", VILLAGE)
    inside = await county.register(1, lon=place["lon"], lat=place["lat"], **dry)
    outside = await county.register(2, lon=102.23, lat=29.91, **dry)
    await county.decide(FIRE)
    assert (await county.decision(inside, "DROUGHT"))[0] == 18_000
    assert await county.decision(outside, "DROUGHT") == (0, ["zone.outside"])


async def test_winter_aid_is_not_started_in_autumn(tx: Tx, keys: Keys) -> None:
    with pytest.raises(Conflict) as refusal:
        await Standing(tx, keys).open("winter", "900400", now=datetime(2022, 9, 5, tzinfo=UTC))
    assert refusal.value.code == "out_of_season"


async def test_a_special_care_standard_below_its_floor_stops_the_decision(tx: Tx, keys: Keys) -> None:
    county = await Standing(tx, keys).open("winter", "900400", fund="WINTER")
    await county.register(1, people_in_need=2, circumstances=["no_means", "need_grain"])
    low = next(s for s in FIGURES if s.key == "TEKUN.month")
    await standards.insert(tx, [standard.Standard(low.key, LUDING, 64_999, low.valid_from, None, "泸民发〔2022〕1号", True)])
    with pytest.raises(Invalid) as refusal:
        await county.decide(FIRE)
    assert refusal.value.code == "figure_floor"
