"""What a new zone version does is shown before it takes force: people, counties, money; and a draft nobody wants is given up by name."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import SYSTEM
from relief.domain.population import Population
from relief.domain.sealing import Keys
from relief.domain.zone import Overlaid
from relief.services import consequences, population, zoning
from relief.services.consequences import Cost
from relief.store import invariants, zones
from relief.store.db import Tx
from tests import make
from tests.geo.shapes import LAT, LON, feature, file, polygon, square
from tests.make import LUDING, NOW, SHIMIAN
from tests.services.test_activate import World
from tests.services.test_zoning import approver, boxes, draft, forced, household, officer

pytestmark = pytest.mark.slow
COUNTED = Population(LUDING, 80_000, date(2020, 11, 1), "演练用数字（非真实）")


async def test_no_version_is_replaced_by_one_whose_difference_nobody_looked_at(tx: Tx) -> None:
    incident = await make.incident(tx)
    first = await forced(tx, incident, boxes(0.1))
    second, third = await draft(tx, incident, boxes(0.2)), await draft(tx, incident, boxes(0.3))
    for seen in (None, third):
        with pytest.raises(Conflict) as caught:
            await zoning.put_in_force(tx, await approver(tx), second, NOW, seen)
        assert (caught.value.code, caught.value.data["against"]) == ("zone_unseen", str(first))
    await zoning.put_in_force(tx, await approver(tx), second, NOW, first)
    with pytest.raises(Conflict) as caught:
        await zoning.put_in_force(tx, await approver(tx), third, NOW, first)  # another came between
    assert caught.value.data["version"] == 2


async def test_a_closed_incident_gets_no_zone_in_force(tx: Tx) -> None:
    incident = await make.incident(tx)
    zone = await draft(tx, incident, boxes(0.1))
    await tx.execute("UPDATE incident SET status = 'closed' WHERE id = $1", incident)
    with pytest.raises(Conflict, match="closed"):
        await zoning.put_in_force(tx, await approver(tx), zone, NOW)


async def test_a_draft_is_discarded_with_a_reason_and_its_file_may_come_again(tx: Tx) -> None:
    incident = await make.incident(tx)
    zone, actor = await draft(tx, incident, boxes(0.1)), await officer(tx)
    for reason in ("", "  ", "a\x00b", "x" * 201):
        with pytest.raises(Invalid):
            await zoning.discard(tx, actor, zone, reason, NOW)
    await zoning.discard(tx, actor, zone, " 文件有误 ", NOW)
    kept = await tx.fetchrow("SELECT status, discard_reason, discarded_by, discarded_at FROM zone WHERE id = $1", zone)
    assert kept is not None
    assert tuple(kept) == ("discarded", "文件有误", actor.id, NOW)
    assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'zone.discard'") == 1
    assert (await zones.get(tx, await draft(tx, incident, boxes(0.1)))).version == 2


async def test_a_discarded_zone_and_one_in_force_stay_what_they_are(tx: Tx) -> None:
    incident = await make.incident(tx)
    gone, force = await draft(tx, incident, boxes(0.1)), await forced(tx, incident, boxes(0.2))
    await zoning.discard(tx, await officer(tx), gone, "重画", NOW)
    for zone in (gone, force):
        with pytest.raises(Conflict) as caught:
            await zoning.discard(tx, await officer(tx), zone, "重画", NOW)
        assert caught.value.code == "zone_not_draft"
    with pytest.raises(Conflict):
        await zoning.put_in_force(tx, await approver(tx), gone, NOW, force)


async def test_only_who_may_draft_may_discard(tx: Tx) -> None:
    zone = await draft(tx, await make.incident(tx), boxes(0.1))
    with pytest.raises(Refused):
        await zoning.discard(tx, await make.staff(tx, ("county_officer", SHIMIAN)), zone, "重画", NOW)


async def _luding(tx: Tx, zone: UUID) -> Overlaid:
    return next(c for c in await zoning.overlaid(tx, zone) if c.county == LUDING)


async def test_people_inside_are_an_estimate_by_area_of_the_newest_figure(tx: Tx) -> None:
    zone = await draft(tx, await make.incident(tx), boxes(0.1))
    luding = await _luding(tx, zone)
    assert (luding.population, luding.people_inside) == (None, None)
    actor = await officer(tx)
    old = Population(LUDING, 90_000, date(2010, 11, 1), "演练用数字（非真实）")
    assert await population.give(tx, actor, [old, COUNTED], NOW) == 2
    luding = await _luding(tx, zone)
    assert luding.population == COUNTED
    assert luding.people_inside == pytest.approx(80_000 * luding.share, rel=0.005)
    await population.give(tx, actor, [Population(LUDING, 81_000, COUNTED.counted_on, "更正")], NOW + timedelta(hours=1))
    luding = await _luding(tx, zone)
    assert luding.population is not None
    assert (luding.population.people, luding.population.source) == (81_000, "更正")


async def test_a_population_needs_a_county_of_ones_own(tx: Tx) -> None:
    actor = await officer(tx)
    for region in ("51", "5133", "513399", "513322103"):
        with pytest.raises(Invalid) as caught:
            await population.give(tx, actor, [Population(region, 1, date(2020, 11, 1), "x")], NOW)
        assert caught.value.code == "area_unknown"
    with pytest.raises(Refused):
        await population.give(tx, actor, [COUNTED, Population(SHIMIAN, 1, date(2020, 11, 1), "x")], NOW)
    assert await tx.fetchval("SELECT count(*) FROM region_population") == 0


async def test_a_wider_zone_costs_what_its_newcomers_get(tx: Tx, keys: Keys) -> None:
    world = await World(tx, keys).open()
    await world.families({"rooms_collapsed": 1}, {"lon": 102.11 + 0.3, "rooms_collapsed": 1}, {"lon": 103.5})
    old, wider = world.zone, await world.new_zone(2, status="draft", levels={9: 0.02, 8: 0.05, 7: 0.1, 6: 0.4})
    assert await consequences.costs(tx, world.province, old, wider, NOW) == []  # nobody proposed a playbook
    activation = await world.propose()
    (cost,) = await consequences.costs(tx, SYSTEM, old, wider, NOW)
    assert (cost.activation, cost.refused, cost.before_households, cost.after_households) == (activation, None, 1, 2)
    assert (cost.more, cost.less) == (1, 0)
    assert cost.more_fen == cost.after_fen - cost.before_fen == sum(c.more_fen for c in cost.changes) > 0
    (back,) = await consequences.costs(tx, SYSTEM, wider, old, NOW)
    assert (back.more_fen, back.less) == (-cost.more_fen, 1)


async def test_a_playbook_that_says_nothing_of_a_band_is_named_and_not_counted(tx: Tx, keys: Keys) -> None:
    world = await World(tx, keys).open()
    await world.propose()
    strange = await world.new_zone(2, status="draft", levels={10: 0.02})
    (cost,) = await consequences.costs(tx, SYSTEM, world.zone, strange, NOW)
    assert cost == Cost(cost.activation, cost.playbook, refused=cost.refused)
    assert cost.refused
    assert "10" in cost.refused


async def test_coming_in_and_going_out_is_told_by_county_and_household(tx: Tx) -> None:
    incident = await make.incident(tx)
    stays, goes = await household(tx, incident, LON + 0.05, LAT + 0.05), await household(tx, incident, LON + 0.25, LAT + 0.05)
    old = await forced(tx, incident, file(feature(polygon(square(0.3)), intensity=9)))
    new = await draft(tx, incident, file(feature(polygon(square(0.1)), intensity=9)))
    found, moved = await zoning.difference(tx, old, new), await zoning.moved(tx, LUDING, old, new)
    assert (found.came_in, found.went_out) == ({}, {LUDING: 1})
    assert moved.went_out == [goes]
    assert stays not in moved.came_in


async def test_the_database_keeps_no_discarded_zone_without_a_reason(tx: Tx) -> None:
    zone: UUID = await draft(tx, await make.incident(tx), boxes(0.1))
    with pytest.raises(Exception, match="zone_discarded"):
        await tx.execute("UPDATE zone SET status = 'discarded' WHERE id = $1", zone)


async def test_an_activation_that_rests_on_a_discarded_zone_is_found(tx: Tx, keys: Keys) -> None:
    world = await World(tx, keys).open()
    await world.propose()
    rests = next(i for i in invariants.ALL if i.name == "nothing_rests_on_a_draft")
    await tx.execute("UPDATE zone SET approved_by = $2 WHERE id = $1", world.zone, world.activator.id)
    assert (await invariants.examine(tx, rests)).broken == 0
    await tx.execute("UPDATE zone SET status = 'draft' WHERE id = $1", world.zone)
    assert (await invariants.examine(tx, rests)).rows == [str(world.zone)]
    await tx.execute("UPDATE zone SET status = 'in force', approved_by = NULL WHERE id = $1", world.zone)
    assert (await invariants.examine(tx, rests)).rows == [str(world.zone)]
