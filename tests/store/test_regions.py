"""The areas are all there, in their places, and loaded once."""

from __future__ import annotations

from datetime import date

from relief.store import db, regions

_DAY = date(2026, 1, 1)


async def test_every_level_is_complete(tx: db.Tx) -> None:
    levels: tuple[regions.Level, ...] = ("province", "city", "county", "township", "village")
    assert [await regions.count(tx, level) for level in levels] == [1, 21, 183, 3_111, 34_412]


async def test_names_are_found_by_code_and_unknown_codes_are_left_out(tx: db.Tx) -> None:
    assert await regions.names(tx, ["513322", "51", "999999"]) == {"513322": "泸定县", "51": "四川省"}


async def test_the_children_of_a_city_are_its_counties(tx: db.Tx) -> None:
    found = await regions.children(tx, "5118", _DAY)
    assert len(found) == 8
    assert {r.level for r in found} == {"county"}
    assert not any(r.synthetic for r in found)


async def test_villages_of_a_county_carry_a_point_marked_as_made_up(tx: db.Tx) -> None:
    found = await regions.villages(tx, "513322", _DAY)
    assert len(found) > 50
    assert all(r.synthetic and r.lon is not None and r.code.startswith("513322") for r in found)


async def test_loading_again_adds_nothing(database: str) -> None:
    owner = await db.connect_owner(database)
    try:
        assert await regions.load_if_empty(owner) == 0
    finally:
        await owner.close()
