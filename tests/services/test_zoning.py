"""Incidents are named by rule; a zone version is drafted by one, put in force by another, and compared with the one before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from geo import data, zonefile
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.incident import NewIncident
from relief.domain.policy import Actor
from relief.domain.zone import NewZone
from relief.services import locate, zoning
from relief.store import incidents, zones
from relief.store.db import Tx
from tests import make
from tests.geo.shapes import LAT, LON, feature, file, one, polygon, square
from tests.make import LUDING, NOW, SHIMIAN

pytestmark = pytest.mark.slow

QUAKE = datetime(2022, 9, 5, 4, 52, tzinfo=UTC)


def new_incident(**changes: Any) -> NewIncident:
    return NewIncident(**{"hazard": "020100", "county": LUDING, "occurred_at": QUAKE, "drill": True, **changes})


async def officer(tx: Tx) -> Actor:
    return await make.staff(tx, ("county_officer", LUDING))


async def approver(tx: Tx) -> Actor:
    return await make.staff(tx, ("county_approver", LUDING))


async def draft(tx: Tx, incident: UUID, content: bytes, actor: Actor | None = None) -> UUID:
    zone = zonefile.read(content, "zone.geojson")  # no child: these files are ours
    return await zoning.import_zone(tx, actor or await officer(tx), incident, NewZone("范围", "快速评估"), content, zone, NOW)


async def forced(tx: Tx, incident: UUID, content: bytes) -> UUID:
    zone, before = await draft(tx, incident, content), await zones.in_force(tx, incident)
    await zoning.put_in_force(tx, await approver(tx), zone, NOW, before.id if before else None)
    return zone


def boxes(*sides: float) -> bytes:
    """Nested squares around Luding, smallest and most severe first."""
    return file(*[feature(polygon(square(side)), intensity=9 - i) for i, side in enumerate(sides)])


async def test_an_incident_is_named_by_day_county_and_hazard(tx: Tx) -> None:
    made = await zoning.open_incident(tx, await officer(tx), new_incident(), NOW)
    found = await incidents.get(tx, made)
    assert (found.name, found.status, found.drill) == ("2022-09-05 泸定县地震", "reported", True)


async def test_the_day_in_the_name_is_that_of_beijing(tx: Tx) -> None:
    late = datetime(2022, 9, 4, 17, 30, tzinfo=UTC)
    made = await zoning.open_incident(tx, await officer(tx), new_incident(occurred_at=late), NOW)
    assert (await incidents.get(tx, made)).name.startswith("2022-09-05")


async def test_the_same_incident_twice_is_a_conflict_but_a_drill_of_it_is_not(tx: Tx) -> None:
    actor = await officer(tx)
    await zoning.open_incident(tx, actor, new_incident(), NOW)
    with pytest.raises(Conflict) as caught:
        await zoning.open_incident(tx, actor, new_incident(), NOW)
    assert caught.value.code == "incident_exists"
    await zoning.open_incident(tx, actor, new_incident(drill=False), NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hazard": "999999"}, "hazard"),
        ({"occurred_at": NOW + timedelta(seconds=1)}, "in_future"),
        ({"occurred_at": QUAKE.replace(tzinfo=None)}, "time_zone"),
        ({"county": "513322103"}, "not_a_county"),
    ],
)
async def test_a_wrong_incident_is_refused_by_name(tx: Tx, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        await zoning.open_incident(tx, await officer(tx), new_incident(**changes), NOW)
    assert caught.value.code == code


async def test_an_officer_of_another_county_may_not_open_or_draft(tx: Tx) -> None:
    stranger = await make.staff(tx, ("county_officer", SHIMIAN))
    with pytest.raises(Refused):
        await zoning.open_incident(tx, stranger, new_incident(), NOW)
    with pytest.raises(Refused):
        await draft(tx, await make.incident(tx), boxes(0.1), stranger)


async def test_a_zone_is_kept_with_bands_counties_and_digest(tx: Tx) -> None:
    incident = await make.incident(tx)
    zone = await draft(tx, incident, data.LUDING_V2.read_bytes())
    kept = await zones.get(tx, zone)
    assert (kept.version, kept.status, round(kept.area_km2)) == (1, "draft", 19_088)
    assert [(b.rank, b.level, b.label) for b in await zones.bands(tx, zone)] == [(0, 9, "Ⅸ"), (1, 8, "Ⅷ"), (2, 7, "Ⅶ"), (3, 6, "Ⅵ")]
    touched = await zones.counties(tx, zone)
    assert len(touched) == 13
    assert next(t for t in touched if t.county == LUDING).share == pytest.approx(1)
    assert await zoning.counties(tx, zone) == [t.county for t in touched]
    audit = await tx.fetchrow("SELECT act, count, detail FROM audit WHERE subject = 'zone' ORDER BY at DESC LIMIT 1")
    assert audit is not None
    assert (audit["act"], audit["count"], audit["detail"]["bands"]) == ("zone.draft", 1, 4)


async def test_the_same_file_again_is_a_conflict_that_names_the_version(tx: Tx) -> None:
    incident = await make.incident(tx)
    await draft(tx, incident, boxes(0.1))
    with pytest.raises(Conflict) as caught:
        await draft(tx, incident, boxes(0.1))
    assert (caught.value.code, caught.value.data) == ("zone_exists", {"version": 1})


async def test_a_closed_incident_takes_no_zone(tx: Tx) -> None:
    incident = await make.incident(tx)
    await tx.execute("UPDATE incident SET status = 'closed' WHERE id = $1", incident)
    with pytest.raises(Conflict, match="closed"):
        await draft(tx, incident, boxes(0.1))


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\x00b", "\u202eabc"])
async def test_a_title_must_be_short_and_printable(tx: Tx, text: str) -> None:
    zone = await zoning.inspect(boxes(0.1), "z")
    with pytest.raises(Invalid) as caught:
        await zoning.import_zone(tx, await officer(tx), await make.incident(tx), NewZone(text, "x"), b"", zone, NOW)
    assert caught.value.code == "zone_text"


async def test_a_zone_in_the_box_but_in_no_county_is_refused(tx: Tx) -> None:
    with pytest.raises(Invalid) as caught:
        await draft(tx, await make.incident(tx), one(square(0.1, lon=97.1, lat=26.1)))
    assert caught.value.code == "no_county"


async def test_the_drafter_may_not_put_the_zone_in_force(tx: Tx) -> None:
    both = await make.staff(tx, ("county_officer", LUDING), ("county_approver", LUDING))
    zone = await draft(tx, await make.incident(tx), boxes(0.1), both)
    with pytest.raises(Refused) as caught:
        await zoning.put_in_force(tx, both, zone, NOW)
    assert caught.value.code == "same_person"


async def test_the_database_too_refuses_the_drafter(tx: Tx) -> None:
    drafter = await officer(tx)
    zone = await draft(tx, await make.incident(tx), boxes(0.1), drafter)
    with pytest.raises(asyncpg.CheckViolationError, match="zone_two_people"):
        await zones.force(tx, zone, drafter.person, NOW)


async def test_an_officer_without_the_right_may_not_put_a_zone_in_force(tx: Tx) -> None:
    zone = await draft(tx, await make.incident(tx), boxes(0.1))
    with pytest.raises(Refused) as caught:
        await zoning.put_in_force(tx, await officer(tx), zone, NOW)
    assert caught.value.code == "not_permitted"


async def test_a_new_version_supersedes_the_one_before_and_no_older_one_comes_back(tx: Tx) -> None:
    incident = await make.incident(tx)
    skipped = await draft(tx, incident, boxes(0.1))
    first, second = await forced(tx, incident, boxes(0.2)), await forced(tx, incident, boxes(0.3))
    assert [(z.version, z.status) for z in await zones.versions(tx, incident)] == [(3, "in force"), (2, "superseded"), (1, "draft")]
    in_force = await zones.in_force(tx, incident)
    assert in_force is not None
    assert in_force.id == second
    for zone, code in ((skipped, "zone_older"), (first, "zone_older"), (second, "zone_not_draft")):
        with pytest.raises(Conflict) as caught:
            async with tx.transaction():
                await zoning.put_in_force(tx, await approver(tx), zone, NOW)
        assert caught.value.code == code
    assert len([z for z in await zones.versions(tx, incident) if z.status == "in force"]) == 1


async def test_an_unknown_zone_is_not_found(tx: Tx) -> None:
    with pytest.raises(NotFound):
        await zoning.put_in_force(tx, await approver(tx), UUID(int=1), NOW)


async def test_the_difference_counts_areas_counties_and_moves_of_a_draft(tx: Tx) -> None:
    incident = await make.incident(tx)
    old = await forced(tx, incident, data.LUDING_V1.read_bytes())
    new = await draft(tx, incident, data.LUDING_V2.read_bytes())
    found = await zoning.difference(tx, old, new)
    assert (round(found.old_km2), round(found.new_km2), round(found.gained_km2), round(found.lost_km2)) == (13_011, 19_088, 6_077, 0)
    assert {c.name for c in found.counties_in} == {"丹巴县", "雅江县", "道孚县", "越西县"}
    assert found.counties_out == []
    assert found.moves == []


async def test_the_difference_names_who_came_in_went_out_and_changed_bands(tx: Tx) -> None:
    """Four households: one stays, one comes in, one goes out, one becomes more severe; located or not makes no difference."""
    incident = await make.incident(tx)
    places = {"stays": (0.05, 0.05), "comes": (0.35, 0.05), "goes": (0.05, 0.25), "worse": (0.15, 0.05)}
    ids = {}
    for name, (x, y) in places.items():
        ids[name] = await household(tx, incident, LON + x, LAT + y)
    old = await forced(tx, incident, file(feature(polygon(square(0.1)), intensity=9), feature(polygon(square(0.3)), intensity=8)))
    wide = [[LON, LAT], [LON + 0.4, LAT], [LON + 0.4, LAT + 0.2], [LON, LAT + 0.2], [LON, LAT]]
    new = await draft(tx, incident, file(feature(polygon(square(0.2)), intensity=9), feature(polygon(wide), intensity=7)))
    await locate.locate(tx, LUDING, old, NOW)
    found = await zoning.difference(tx, old, new)
    assert {(m.old_level, m.new_level): m.households for m in found.moves} == {(9, 9): 1, (None, 7): 1, (8, None): 1, (8, 9): 1}
    assert (found.households_in, found.households_out) == (1, 1)
    assert (found.came_in, found.went_out) == ({LUDING: 1}, {LUDING: 1})
    moved = await zoning.moved(tx, LUDING, old, new)
    assert (moved.came_in, moved.went_out) == ([ids["comes"]], [ids["goes"]])


async def test_versions_of_different_incidents_are_not_compared(tx: Tx) -> None:
    old, new = await draft(tx, await make.incident(tx), boxes(0.1)), await draft(tx, await make.incident(tx), boxes(0.1))
    with pytest.raises(Invalid) as caught:
        await zoning.difference(tx, old, new)
    assert caught.value.code == "other_incident"


async def household(tx: Tx, incident: UUID, lon: float, lat: float, accuracy: float = 5.0, county: str = LUDING) -> UUID:
    """The bare row: where a household is, is all that counts here."""
    found: UUID = await tx.fetchval(
        "INSERT INTO household (county, incident, device_id, content_digest, village, lon, lat, accuracy_m, synthetic_point, status, family_type,"
        " members, only_home, occupied, slip, slip_code_hash, registered_by, captured_at, received_at) VALUES ($1, $2, gen_random_uuid(), '',"
        " $3, $4, $5, $6, true, 'staged', 'ordinary', 3, true, true, gen_random_uuid()::text, '', gen_random_uuid(), $7, $7) RETURNING id",
        county, incident, make.VILLAGE, lon, lat, accuracy, NOW,
    )  # fmt: skip
    return found


async def test_a_self_crossing_names_its_place_to_the_caller() -> None:
    with pytest.raises(Invalid) as caught:
        await zoning.inspect(one([[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]]), "bow")
    assert caught.value.data["at"] == pytest.approx((LON + 0.1, LAT + 0.1))
