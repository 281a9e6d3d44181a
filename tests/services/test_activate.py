"""Playbook and figures in, dry run, proposal, each county's two people, and the move to a new zone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import shapely
from msgspec.structs import replace

from relief.domain import playbook, standard
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import SYSTEM, Actor
from relief.domain.sealing import Keys
from relief.services import activate as service
from relief.services import move
from relief.services.fund import NewFund, allocate
from relief.services.register import register
from relief.store.db import Tx
from tests.make import LUDING, NOW, SHIMIAN, incident, registration, staff

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
FIGURES = (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8")
LATER = NOW + timedelta(minutes=5)
#: Half a degree of squares around 磨西, one inside the other.
SQUARES = {9: 0.02, 8: 0.05, 7: 0.1, 6: 0.2}


class World:
    """An incident with a zone in force over Luding and Shimian, and the people who act."""

    def __init__(self, tx: Tx, keys: Keys) -> None:
        self.tx, self.keys = tx, keys

    async def open(self) -> World:
        self.province = await staff(self.tx, ("province_officer", "51"))
        self.drafter = await staff(self.tx, ("county_officer", LUDING))
        self.activator = await staff(self.tx, ("county_approver", LUDING))
        self.incident = await incident(self.tx)
        self.zone = await self.new_zone(1)
        await service.load_standards(self.tx, SYSTEM, FIGURES, NOW)
        self.playbook = await service.import_playbook(self.tx, SYSTEM, BOOK, NOW)
        return self

    async def new_zone(
        self, version: int, *, status: str = "in force", levels: dict[int, float] = SQUARES, event: UUID | None = None
    ) -> UUID:
        if status == "in force":
            await self.tx.execute(
                "UPDATE zone SET status = 'superseded' WHERE incident = $1 AND status = 'in force'", event or self.incident
            )
        zone: UUID = await self.tx.fetchval(
            "INSERT INTO zone (incident, version, status, title, reason, source_digest, area_km2, drafted_by, drafted_at) "
            "VALUES ($1, $2, $3, '烈度图', '测试', '\\x00', 1, $4, $5) RETURNING id",
            event or self.incident, version, status, self.province.id, NOW,
        )  # fmt: skip
        for rank, (level, half) in enumerate(sorted(levels.items(), reverse=True)):
            box = shapely.to_wkb(shapely.box(102.11 - half, 29.64 - half, 102.11 + half, 29.64 + half))
            await self.tx.execute(
                "INSERT INTO zone_band VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 1)", zone, rank, "ⅥⅦⅧⅨⅩ"[level - 6], level, box
            )
        for county in (LUDING, SHIMIAN):
            await self.tx.execute("INSERT INTO zone_county VALUES ($1, $2, 1, 0.5)", zone, county)
        return zone

    async def propose(self) -> UUID:
        return await service.propose(self.tx, self.province, self.incident, self.zone, self.playbook, NOW)

    async def draft(self, activation: UUID, county: str = LUDING, actor: Actor | None = None) -> UUID:
        return await service.draft(self.tx, actor or self.drafter, county, activation, "泸府函〔2022〕1号", 10**9, NOW)

    async def families(self, *facts: dict[str, Any]) -> list[UUID]:
        registrar = await staff(self.tx, ("reporter", "51"))
        items = [
            replace(registration(n, incident=self.incident, **f), device_id=uuid4()) for n, f in enumerate(facts, start=500)
        ]  # fmt: skip
        receipts = await register(self.tx, registrar, items, NOW, self.keys)
        return [r.household for r in receipts if r.household is not None]


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> World:
    return await World(tx, keys).open()


async def test_same_playbook_again_is_the_same_playbook(world: World) -> None:
    assert await service.import_playbook(world.tx, world.province, BOOK, LATER) == world.playbook


async def test_version_cannot_stand_for_another_text(world: World) -> None:
    with pytest.raises(Conflict) as refusal:
        await service.import_playbook(world.tx, world.province, BOOK.replace("days = 15", "days = 10"), NOW)
    assert refusal.value.code == "playbook_version"


async def test_faulty_playbook_is_not_kept(world: World) -> None:
    with pytest.raises(Invalid, match="stages"):
        await service.import_playbook(world.tx, world.province, BOOK.replace("4000", "4001").replace('version = "2"', 'version = "3"'), NOW)
    assert await world.tx.fetchval("SELECT count(*) FROM playbook WHERE version = '3'") == 0


async def test_only_the_province_brings_rules_and_figures(world: World) -> None:
    with pytest.raises(Refused):
        await service.import_playbook(world.tx, world.drafter, BOOK, NOW)
    with pytest.raises(Refused):
        await service.load_standards(world.tx, world.drafter, FIGURES, NOW)


async def test_figures_are_added_once_and_never_changed(world: World) -> None:
    assert await service.load_standards(world.tx, world.province, FIGURES, NOW) == 0
    with pytest.raises(Conflict) as refusal:
        await service.load_standards(world.tx, world.province, FIGURES.replace('"500.00"', '"600.00"'), NOW)
    assert (refusal.value.code, refusal.value.data["keys"]) == ("standard_exists", ["DIBAO.month"])
    dated = FIGURES.replace("2020-01-01", "2022-09-01").replace('"500.00"', '"600.00"')
    assert await service.load_standards(world.tx, world.province, dated, NOW) == len(standard.read(FIGURES))


async def test_two_people_start_the_clock_of_a_county_and_the_incident_becomes_active(world: World) -> None:
    activation = await world.propose()
    part = await world.draft(activation)
    await service.activate(world.tx, world.activator, LUDING, part, LATER)
    row = await world.tx.fetchrow("SELECT status, drafted_by, activated_by, activated_at FROM county_activation WHERE id = $1", part)
    assert tuple(row) == ("active", world.drafter.id, world.activator.id, LATER)
    assert await world.tx.fetchval("SELECT status FROM incident WHERE id = $1", world.incident) == "active"
    assert await world.tx.fetchval("SELECT status FROM activation WHERE id = $1", activation) == "active"
    acts = await world.tx.fetch("SELECT county, act FROM audit WHERE act LIKE 'activation.%' ORDER BY act")
    assert [tuple(r) for r in acts] == [
        (LUDING, "activation.activate"),
        (LUDING, "activation.draft"),
        ("000000", "activation.propose"),
    ]


async def test_drafter_cannot_activate(world: World) -> None:
    both = await staff(world.tx, ("county_officer", LUDING), ("county_approver", LUDING))
    part = await world.draft(await world.propose(), actor=both)
    with pytest.raises(Refused) as refusal:
        await service.activate(world.tx, both, LUDING, part, NOW)
    assert refusal.value.code == "same_person"


async def test_second_activation_of_a_county_is_refused(world: World) -> None:
    activation = await world.propose()
    part = await world.draft(activation)
    with pytest.raises(Conflict) as refusal:
        await world.draft(activation)
    assert refusal.value.code == "activation_exists"
    await service.activate(world.tx, world.activator, LUDING, part, NOW)
    with pytest.raises(Conflict) as again:
        await service.activate(world.tx, world.activator, LUDING, part, NOW)
    assert again.value.code == "already_active"


async def test_second_proposal_of_the_same_playbook_is_refused(world: World) -> None:
    await world.propose()
    with pytest.raises(Conflict) as refusal:
        await world.propose()
    assert refusal.value.code == "activation_exists"


async def test_county_outside_the_zone_cannot_take_part(world: World) -> None:
    far = await staff(world.tx, ("county_officer", "510104"))
    with pytest.raises(Invalid) as refusal:
        await world.draft(await world.propose(), "510104", far)
    assert refusal.value.code == "county_outside"


async def test_empty_document_and_no_cap_are_refused(world: World) -> None:
    activation = await world.propose()
    for document, cap in (("  ", 100), ("泸府函〔2022〕1号", 0)):
        with pytest.raises(Invalid):
            await service.draft(world.tx, world.drafter, LUDING, activation, document, cap, NOW)


async def test_zone_must_be_in_force_and_of_the_incident(world: World) -> None:
    draft = await world.new_zone(2, status="draft")
    other = await world.new_zone(1, event=await incident(world.tx))
    with pytest.raises(Conflict, match="not in force"):
        await service.propose(world.tx, world.province, world.incident, draft, world.playbook, NOW)
    with pytest.raises(NotFound):
        await service.propose(world.tx, world.province, world.incident, other, world.playbook, NOW)


async def test_activation_on_a_superseded_zone_waits_for_the_move(world: World) -> None:
    activation = await world.propose()
    part = await world.draft(activation)
    newer = await world.new_zone(2)
    with pytest.raises(Conflict) as refusal:
        await service.activate(world.tx, world.activator, LUDING, part, NOW)
    assert refusal.value.code == "zone_not_in_force"
    drafted = await move.draft(world.tx, world.province, activation, newer, world.playbook, "新版烈度图", NOW)
    await move.confirm(world.tx, await staff(world.tx, ("province_officer", "51")), drafted, NOW)
    await service.activate(world.tx, world.activator, LUDING, part, NOW)


async def test_playbook_must_fit_hazard_and_bands(world: World) -> None:
    quake = world.incident
    world.incident = await world.tx.fetchval(
        "INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at) "
        "SELECT name || ' 洪涝', '010200', county, occurred_at, status, drill, opened_by, opened_at FROM incident WHERE id = $1 RETURNING id",
        quake,
    )
    await world.tx.execute("UPDATE zone SET incident = $2 WHERE id = $1", world.zone, world.incident)
    with pytest.raises(Invalid) as hazard:
        await world.propose()
    await world.tx.execute("UPDATE zone SET incident = $2 WHERE id = $1", world.zone, quake)
    world.incident = quake
    world.zone = await world.new_zone(2, levels={10: 0.01, **SQUARES})
    with pytest.raises(Invalid) as bands:
        await world.propose()
    assert (hazard.value.code, bands.value.code) == ("playbook_hazard", "playbook_bands")


async def test_closed_incident_is_not_activated(world: World) -> None:
    part = await world.draft(await world.propose())
    await world.tx.execute("UPDATE incident SET status = 'closed' WHERE id = $1", world.incident)
    with pytest.raises(Conflict):
        await service.activate(world.tx, world.activator, LUDING, part, NOW)


async def test_proposing_needs_the_right_over_every_county_of_the_zone(world: World) -> None:
    ganzi = await staff(world.tx, ("city_officer", "5133"))
    with pytest.raises(Refused):
        await service.propose(world.tx, ganzi, world.incident, world.zone, world.playbook, NOW)


async def test_one_person_alone_moves_no_running_activation(world: World) -> None:
    activation = await world.propose()
    newer = await world.new_zone(2)
    drafted = await move.draft(world.tx, world.province, activation, newer, world.playbook, "新版烈度图", NOW)
    with pytest.raises(Refused) as refusal:
        await move.confirm(world.tx, world.province, drafted, NOW)
    assert refusal.value.code == "same_person"
    assert await world.tx.fetchval("SELECT zone FROM activation WHERE id = $1", activation) == world.zone


async def test_preview_counts_people_and_money_by_band_before_anybody_is_located(world: World) -> None:
    near, _, out = await world.families({"rooms_collapsed": 1}, {"lon": 102.11 + 0.07, "members": 6}, {"lon": 103.5})
    await world.tx.execute(
        "UPDATE account SET status = 'replaced' WHERE person IN (SELECT id FROM person WHERE household = $1 AND role = 'householder')", out
    )
    finance = await staff(world.tx, ("finance_preparer", LUDING))
    new = NewFund(
        county=LUDING, incident=world.incident, source="province", year=2022, document="川财建〔2022〕1号", budget_item="2240703",
        purpose="EMERG", amount_fen=200_000,
    )  # fmt: skip
    await allocate(world.tx, finance, new, NOW)
    shown = await service.preview(world.tx, world.drafter, world.incident, world.zone, world.playbook, NOW)
    assert (shown.registered, shown.outside, shown.households, shown.people) == (3, 1, 2, 9)
    assert shown.amount_fen == 90_000 + 2_000_000 + 150_000
    assert [(line.county, line.label, line.aid, line.households, line.people, line.amount_fen) for line in shown.lines] == [
        (LUDING, "Ⅸ", "EMERG", 1, 3, 90_000),
        (LUDING, "Ⅸ", "HOUSE", 1, 3, 2_000_000),
        (LUDING, "Ⅶ", "EMERG", 1, 6, 150_000),
    ]
    assert [(f.aid, f.need_fen, f.available_fen, f.short_fen) for f in shown.funds] == [
        ("EMERG", 240_000, 200_000, 40_000),
        ("HOUSE", 2_000_000, 0, 2_000_000),
    ]
    assert [u.key for u in shown.unverified] == sorted(playbook.read(BOOK).figure_keys)
    assert shown.without_account == {LUDING: 1}
    assert (shown.largest[0].household, shown.largest[0].amount_fen) == (near, 2_090_000)


async def test_preview_uses_places_already_found_and_writes_nothing(world: World) -> None:
    (home,) = await world.families({})
    await world.tx.execute("INSERT INTO location VALUES ($1, $2, $3, -1, false)", LUDING, world.zone, home)
    before = await world.tx.fetchval("SELECT count(*) FROM audit")
    shown = await service.preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    assert (shown.registered, shown.outside, shown.lines) == (1, 1, [])
    assert await world.tx.fetchval("SELECT count(*) FROM audit") == before
    assert await world.tx.fetchval("SELECT count(*) FROM decision") == 0


async def test_preview_of_nobody_is_empty_and_outside_the_area_refused(world: World) -> None:
    shown = await service.preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    assert (shown.registered, shown.households, shown.amount_fen, shown.largest) == (0, 0, 0, [])
    stranger = await staff(world.tx, ("county_officer", "510104"))
    with pytest.raises(Refused):
        await service.preview(world.tx, stranger, world.incident, world.zone, world.playbook, NOW)


def test_two_counties_may_have_different_figures() -> None:
    figures = standard.read(FIGURES)
    here = standard.in_force(playbook.read(BOOK).figure_keys, figures)
    there = standard.in_force(playbook.read(BOOK).figure_keys, [replace(figures[0], amount_fen=1), *figures[1:]])
    assert here.digest() != there.digest()
    assert here.digest() == standard.Figures(tuple(reversed(figures))).digest()


async def _respond(world: World, level: int | None, seq: int = 1, issuer: str = "province", area: str = "51") -> None:
    await world.tx.execute(
        "INSERT INTO response (incident, issuer, area, seq, act, level, figures, document, decided_by, reason, person, decided_at, recorded_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, '{}', $7, '', '测试', $8, $9, $9)",
        world.incident, issuer, area, seq, "launch" if level else "end", level, f"川减灾委〔2022〕{level}号", world.province.id, NOW,
    )  # fmt: skip


async def _rests_on(world: World) -> str | None:
    part = await world.draft(await world.propose())
    await service.activate(world.tx, world.activator, LUDING, part, LATER)
    found: str | None = await world.tx.fetchval(
        "SELECT r.document FROM county_activation c LEFT JOIN response r ON r.id = c.response WHERE c.id = $1", part
    )
    return found


async def test_an_activation_keeps_the_highest_response_it_rests_on(world: World) -> None:
    await _respond(world, 4)
    await _respond(world, 2, issuer="city", area="5133")
    await _respond(world, 1, issuer="city", area="5118")
    assert await _rests_on(world) == "川减灾委〔2022〕2号"


async def test_aid_may_go_before_any_response_and_the_record_says_so(world: World) -> None:
    await _respond(world, 3)
    await _respond(world, None, seq=2)
    assert await _rests_on(world) is None


async def test_a_response_of_a_level_the_playbook_does_not_serve_stops_the_activation(world: World) -> None:
    text = BOOK.replace("responses = [1, 2, 3, 4]", "responses = [1, 2]", 1).replace('version = "2"', 'version = "9"', 1)
    world.playbook = await service.import_playbook(world.tx, SYSTEM, text, NOW)
    await _respond(world, 4)
    with pytest.raises(Conflict) as refusal:
        await _rests_on(world)
    assert (refusal.value.code, refusal.value.data["levels"]) == ("response_level", [4])


async def test_no_day_is_paid_twice_by_two_playbooks_of_one_disaster(world: World) -> None:
    await world.propose()
    text = (ROOT / "playbooks" / "earthquake_recovery.toml").read_text("utf-8")
    early = text.replace("first_day = 16", "first_day = 15", 1).replace('version = "1"', 'version = "9"', 1)
    overlapping, following = [await service.import_playbook(world.tx, SYSTEM, t, NOW) for t in (early, text)]
    with pytest.raises(Conflict) as refusal:
        await service.propose(world.tx, world.province, world.incident, world.zone, overlapping, NOW)
    assert (refusal.value.code, refusal.value.data["aid"], refusal.value.data["other"]) == ("same_days", "TRANS", "EMERG")
    await service.propose(world.tx, world.province, world.incident, world.zone, following, NOW)
