"""Deciding a county: amounts, reasons, guards, awards with instalments, and the registrar as first signature."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from relief.demo import numbers
from relief.domain import playbook, standard
from relief.domain.errors import Conflict, Invalid, Refused, Unavailable
from relief.domain.guard import giving_way
from relief.domain.household import Member
from relief.domain.money import split
from relief.domain.sealing import Keys
from relief.services.decide import Decided, Sum, decide, parts_of
from relief.services.register import register
from relief.store import db, playbooks, standards
from relief.store.db import Tx
from relief.store.guards import Claim
from tests.make import LUDING, NOW, SHIMIAN, VILLAGE, incident, registration, staff

ROOT = Path(__file__).resolve().parents[2]
BOOK = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
FIGURES = (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8")

#: A band's outline where nobody lives: places are given to households by hand.
NOWHERE = shapely.to_wkb(shapely.box(80.0, 40.0, 80.1, 40.1))


class World:
    """An activated incident in Luding and Shimian, with two zone versions that differ only in who lies where."""

    def __init__(self, tx: Tx, keys: Keys) -> None:
        self.tx, self.keys, self.serial = tx, keys, 0

    async def open(self) -> World:
        tx = self.tx
        self.registrar = await staff(tx, ("reporter", "51"))
        self.officer = await staff(tx, ("county_officer", LUDING), ("county_officer", SHIMIAN))
        self.incident = await incident(tx)
        self.zones = [await self._zone(version) for version in (1, 2)]
        await standards.insert(tx, standard.read(FIGURES))
        digest = hashlib.sha256(BOOK.encode()).digest()
        self.playbook = await playbooks.by_digest(tx, digest) or await playbooks.insert(tx, "earthquake", "1", digest, BOOK, NOW)
        self.activation = await tx.fetchval(
            "INSERT INTO activation (incident, zone, playbook, status, proposed_by, proposed_at) VALUES ($1, $2, $3, 'active', $4, $5) "
            "RETURNING id", self.incident, self.zones[0], self.playbook, self.registrar.id, NOW,
        )  # fmt: skip
        for county in (LUDING, SHIMIAN):
            await tx.execute(
                "INSERT INTO county_activation (county, activation, status, document, cap_fen, drafted_by, drafted_at, activated_by, "
                "activated_at) VALUES ($1, $2, 'active', '泸府函〔2022〕1号', 10000000000, $3, $5, $4, $5)",
                county, self.activation, self.registrar.id, self.officer.id, NOW,
            )  # fmt: skip
        return self

    async def _zone(self, version: int) -> UUID:
        zone: UUID = await self.tx.fetchval(
            "INSERT INTO zone (incident, version, status, title, reason, source_digest, area_km2, drafted_by, drafted_at) "
            "VALUES ($1, $2, $3, '烈度图', '测试', '\\x00', 1, $4, $5) RETURNING id",
            self.incident, version, "in force" if version == 1 else "superseded", self.registrar.id, NOW,
        )  # fmt: skip
        for rank, (label, level) in enumerate((("Ⅸ", 9), ("Ⅷ", 8), ("Ⅶ", 7), ("Ⅵ", 6))):
            await self.tx.execute("INSERT INTO zone_band VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 1)", zone, rank, label, level, NOWHERE)
        return zone

    async def family(self, rank: int | None = 1, *, members: int | list[Member] = 3, village: str = VILLAGE, **facts: Any) -> UUID:
        """Register a household and place it in the band of that rank in zone 1 (None: not located)."""
        self.serial += 1
        item = registration(self.serial, incident=self.incident, members=members, village=village, **facts)
        item = replace(item, device_id=UUID(int=0xDEC1DE << 64 | self.serial))
        (receipt,) = await register(self.tx, self.registrar, [item], NOW, self.keys)
        assert receipt.household is not None, receipt
        if rank is not None:
            await self.place(receipt.household, rank)
        return receipt.household

    async def place(self, household: UUID, rank: int, zone: int = 0) -> None:
        await self.tx.execute(
            "INSERT INTO location (county, zone, household, rank, edge) SELECT county, $1, id, $3, false FROM household WHERE id = $2",
            self.zones[zone], household, rank,
        )  # fmt: skip

    async def move(self, zone: int) -> None:
        await self.tx.execute("UPDATE activation SET zone = $2 WHERE id = $1", self.activation, self.zones[zone])

    async def decide(self, county: str = LUDING) -> Decided:
        return await decide(self.tx, self.officer, county, self.activation, NOW)

    async def counts(self) -> list[int]:
        tables = ("decision", "award", "instalment", "signature", "entitlement_guard")
        return [await self.tx.fetchval(f"SELECT count(*) FROM {t}") for t in tables]

    async def decision(self, household: UUID, aid: str = "EMERG") -> Any:
        return await self.tx.fetchrow("SELECT * FROM decision WHERE household = $1 AND aid = $2 AND status = 'current'", household, aid)


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> World:
    return await World(tx, keys).open()


async def test_each_household_gets_amount_reasons_and_the_facts_of_that_hour(world: World) -> None:
    moved = await world.family(1)
    lost = await world.family(0, rooms_collapsed=2, members=7)
    spared = await world.family(2, relocated="none")
    away = await world.family(-1, rooms_collapsed=1)
    decided = await world.decide()
    assert decided.by_aid == {"EMERG": Sum(2, 90_000 + 150_000), "HOUSE": Sum(1, 2_000_000)}
    assert (decided.households, decided.granted, decided.refused, decided.new_decisions) == (4, 2, 2, 8)
    assert decided.new_awards == decided.by_aid
    assert decided.by_reason["zone.outside"] == 2
    row = await world.decision(moved)
    assert (row["amount_fen"], row["reasons"]) == (90_000, ["band.8", "has.relocated"])
    assert row["facts"] == {
        "level": 8, "edge": False, "members": 3, "adults": 3 - 2 + await _young(world, moved), "dead": 0, "missing": 0, "injured": 0,
        "rooms_collapsed": 0, "rooms_severe": 0, "rooms_moderate": 0, "relocated": True, "only_home": True, "occupied": True,
        "family_type": "ordinary", "held": False,
    }  # fmt: skip
    assert (await world.decision(lost))["reasons"] == ["band.9", "has.relocated", "has.collapsed", "cap.ADVANCE.household"]
    assert (await world.decision(spared))["reasons"] == ["band.7", "need.none"]
    assert (await world.decision(away, "HOUSE"))["reasons"] == ["zone.outside"]


async def _young(world: World, household: UUID) -> int:
    adults: int = await world.tx.fetchval("SELECT count(*) FROM person WHERE household = $1 AND adult", household)
    return adults - 1


async def test_deciding_again_changes_nothing_and_says_the_same(world: World) -> None:
    for rank in (0, 1, 2, 3, -1):
        await world.family(rank, rooms_collapsed=1)
    first, before = await world.decide(), await world.counts()
    again = await world.decide()
    assert await world.counts() == before
    assert again == replace(first, new_decisions=0, new_awards={"EMERG": Sum(0, 0), "HOUSE": Sum(0, 0)})


async def test_award_carries_instalments_that_sum_up_and_wait_for_their_condition(world: World) -> None:
    household = await world.family(0, rooms_collapsed=1, members=1)
    await world.decide()
    rows = await world.tx.fetch(
        "SELECT a.aid, a.mode, a.period, a.status, a.village, a.payee, i.seq, i.amount_fen, i.condition, i.status AS waits, i.due_at "
        "FROM award a JOIN instalment i ON i.award = a.id WHERE a.household = $1 ORDER BY a.aid, i.seq", household,
    )  # fmt: skip
    assert [(r["aid"], r["mode"], r["seq"], r["amount_fen"], r["condition"]) for r in rows] == [
        ("EMERG", "A", 1, 30_000, "none"),
        ("HOUSE", "B", 1, 600_000, "materials_ready"),
        ("HOUSE", "B", 2, 600_000, "ground_broken"),
        ("HOUSE", "B", 3, 800_000, "first_storey_done"),
    ]
    assert {(r["period"], r["status"], r["village"], r["waits"], r["due_at"]) for r in rows} == {
        ("once", "proposed", VILLAGE, "waiting", None)
    }
    householder = await world.tx.fetchval("SELECT id FROM person WHERE household = $1 AND role = 'householder'", household)
    assert {r["payee"] for r in rows} == {householder}


async def test_registrar_is_the_first_signature_of_every_award(world: World) -> None:
    household = await world.family(0, rooms_collapsed=1)
    await world.decide()
    rows = await world.tx.fetch(
        "SELECT s.kind, s.step, s.person, s.digest = h.content_digest AS same FROM award a JOIN signature s ON s.subject = a.id "
        "JOIN household h ON h.id = a.household WHERE a.household = $1", household,
    )  # fmt: skip
    assert [tuple(r) for r in rows] == [("award", "register", world.registrar.id, True)] * 2


async def test_person_in_two_households_is_entitled_through_the_earlier_one_only(world: World) -> None:
    shared = Member(name="甄共享", id_number=numbers.member_id(700_001))
    own = [Member(name="甄户主", id_number=numbers.householder_id(700_000 + i)) for i in range(3)]
    first = await world.family(1, members=[own[0], shared])
    second = await world.family(1, members=[own[1], shared])
    third = await world.family(1, members=[own[2]])
    await world.tx.execute("UPDATE household SET received_at = received_at + interval '1 minute' WHERE id = $1", second)
    decided = await world.decide()
    assert decided.by_aid["EMERG"] == Sum(2, 60_000 + 30_000)
    assert (await world.decision(second))["reasons"] == ["band.8", "has.relocated", "guard.held"]
    assert (await world.decision(second))["amount_fen"] == 0
    assert {r["household"] for r in await world.tx.fetch("SELECT household FROM award")} == {first, third}
    again = await world.decide()
    assert (again.new_decisions, again.by_aid) == (0, decided.by_aid)


async def test_person_entitled_in_another_county_is_not_entitled_here(world: World) -> None:
    shared = Member(name="甄共享", id_number=numbers.householder_id(700_010))
    village = await world.tx.fetchval("SELECT min(code) FROM region WHERE level = 'village' AND code LIKE $1", SHIMIAN + "%")
    await world.family(1, members=[shared], village=village)
    here = await world.family(1, members=[Member(name="甄户主", id_number=numbers.householder_id(700_011)), shared])
    await world.decide(SHIMIAN)
    decided = await world.decide()
    assert decided.by_aid["EMERG"] == Sum(0, 0)
    assert (await world.decision(here))["reasons"][-1] == "guard.held"


async def test_rebuilding_is_guarded_for_adults_and_the_advance_for_everybody(world: World) -> None:
    household = await world.family(0, rooms_collapsed=1, members=4)
    await world.decide()
    counts = await world.tx.fetch(
        "SELECT aid, count(*) AS n FROM entitlement_guard WHERE household = $1 GROUP BY aid ORDER BY aid", household
    )
    adults = await world.tx.fetchval("SELECT count(*) FROM person WHERE household = $1 AND adult", household)
    assert [tuple(r) for r in counts] == [("EMERG", 4), ("HOUSE", adults)]


async def test_newcomers_of_a_new_zone_are_awarded_and_proposals_to_those_who_went_out_lapse(world: World) -> None:
    stays, goes, comes = await world.family(1), await world.family(2), await world.family(-1)
    await world.decide()
    for household, rank in ((stays, 0), (goes, -1), (comes, 2)):
        await world.place(household, rank, zone=1)
    await world.move(1)
    decided = await world.decide()
    assert (decided.new_awards["EMERG"], decided.lapsed) == (Sum(2, 180_000), 2)
    awards = await world.tx.fetch("SELECT household, amount_fen FROM award WHERE status = 'proposed'")
    assert {tuple(r) for r in awards} == {(stays, 90_000), (comes, 90_000)}
    left = await world.tx.fetch("SELECT DISTINCT i.status FROM instalment i JOIN award a ON a.id = i.award WHERE a.status = 'superseded'")
    assert [r["status"] for r in left] == ["cancelled"]
    assert not await world.tx.fetchval("SELECT count(*) FROM entitlement_guard WHERE household = $1", goes)
    gone = await world.decision(goes)
    assert (gone["amount_fen"], gone["reasons"], gone["zone"]) == (0, ["zone.outside"], world.zones[1])
    former = await world.tx.fetchrow(
        "SELECT amount_fen, zone FROM decision WHERE household = $1 AND status = 'superseded' AND aid = 'EMERG'", goes
    )
    assert tuple(former) == (90_000, world.zones[0])


async def test_households_without_a_place_in_the_zone_wait_and_duplicates_are_left_out(world: World) -> None:
    await world.family(None)
    copy = await world.family(1)
    await world.tx.execute("UPDATE household SET status = 'duplicate' WHERE id = $1", copy)
    decided = await world.decide()
    assert (decided.households, decided.unlocated, decided.new_decisions) == (0, 1, 0)


async def test_decision_pins_what_it_rests_on(world: World) -> None:
    household = await world.family(1)
    await world.decide()
    row = await world.decision(household)
    figures = standard.Figures(tuple(s for s in standard.read(FIGURES) if s.key in playbook.read(BOOK).figure_keys))
    assert (row["zone"], row["playbook"], row["standards"]) == (world.zones[0], world.playbook, figures.digest())
    act = await world.tx.fetchrow("SELECT actor, count, detail FROM audit WHERE act = 'household.decide'")
    assert (act["actor"], act["count"], act["detail"]["granted"]) == (world.officer.id, 1, 1)


async def test_most_specific_figure_of_the_day_is_used(world: World) -> None:
    household = await world.family(1, members=1)
    local = standard.read(FIGURES)[0]
    later = replace(local, area=LUDING, amount_fen=9_999, valid_from=local.valid_from.replace(year=2023))
    await standards.insert(world.tx, [replace(local, area=LUDING, amount_fen=2_500), later])
    await world.decide()
    assert (await world.decision(household))["amount_fen"] == 2_500 * 15


async def test_a_figure_nobody_gave_an_amount_stops_the_run(world: World) -> None:
    await world.family(1)
    await world.tx.execute("UPDATE standard SET status = 'withdrawn' WHERE key = 'DIBAO.month'")
    with pytest.raises(Invalid, match=r"DIBAO\.month"):
        await world.decide()


async def test_county_that_has_not_activated_decides_nothing(world: World) -> None:
    await world.tx.execute("UPDATE county_activation SET status = 'drafted', activated_by = NULL WHERE county = $1", LUDING)
    with pytest.raises(Conflict):
        await world.decide()


async def test_deciding_needs_the_right_in_that_county(world: World) -> None:
    with pytest.raises(Refused):
        await decide(world.tx, world.registrar, LUDING, world.activation, NOW)


async def test_two_counties_deciding_one_person_at_the_same_moment_entitle_him_once(pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        world = await World(tx, keys).open()
        shared = Member(name="甄共享", id_number=numbers.householder_id(700_020))
        village = await tx.fetchval("SELECT min(code) FROM region WHERE level = 'village' AND code LIKE $1", SHIMIAN + "%")
        there = await world.family(1, members=[shared], village=village)
        here = await world.family(1, members=[Member(name="甄户主", id_number=numbers.householder_id(700_021)), shared])
    async with db.begin(pool) as first:
        await decide(first, world.officer, SHIMIAN, world.activation, NOW)
        second = asyncio.create_task(_decide_alone(pool, world))
        while not await first.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110  another session has no event to wait for
            await asyncio.sleep(0.01)  # until it waits for the guard this transaction holds
    with pytest.raises(Unavailable):
        await second
    await _decide_alone(pool, world)
    async with db.begin(pool) as tx:
        rows = await tx.fetch("SELECT household FROM award")
        reasons = await tx.fetchval("SELECT reasons FROM decision WHERE household = $1 AND aid = 'EMERG'", here)
    assert [r["household"] for r in rows] == [there]
    assert reasons[-1] == "guard.held"


async def _decide_alone(pool: db.Pool, world: World) -> Decided:
    async with db.begin(pool) as tx:
        return await decide(tx, world.officer, LUDING, world.activation, NOW)


class Counter:
    """Counts the statements a service sends."""

    def __init__(self, tx: Tx) -> None:
        self.tx, self.sent = tx, 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.sent += 1
        return getattr(self.tx, name)


async def test_statements_are_as_many_for_one_household_as_for_a_hundred(world: World) -> None:
    await world.family(1)
    counter: Any = Counter(world.tx)
    await decide(counter, world.officer, LUDING, world.activation, NOW)
    one, counter.sent = counter.sent, 0
    for rank in range(100):
        await world.family(rank % 5 - 1, rooms_collapsed=rank % 2, members=1 + rank % 9)
    await decide(counter, world.officer, LUDING, world.activation, NOW)
    assert counter.sent == one


@given(total=st.integers(1, 10**9), shares=st.lists(st.integers(1, 10_000), min_size=1, max_size=8))
def test_instalments_are_the_largest_remainder_split(total: int, shares: list[int]) -> None:
    bp = split(10_000, _basis_points(shares))
    stages = tuple(playbook.Stage(share_bp=s, condition="none") for s in bp if s)
    aid = replace(playbook.read(BOOK).aid("HOUSE"), stages=stages)
    parts = parts_of(aid, [0, total])
    assert [p.part_fen for p in parts] == [p for p in split(total, [s.share_bp for s in stages]) if p > 0]
    assert sum(p.part_fen for p in parts) == total
    assert {p.total_fen for p in parts} == {total}


def _basis_points(shares: Sequence[int]) -> list[int]:
    cut = np.diff(np.round(np.cumsum([0, *shares]) / sum(shares) * 10_000)).astype(int).tolist()
    return [int(c) for c in cut if c > 0]


def claim(household: int, person: int, holder: int | None = None) -> Claim:
    return Claim(UUID(int=household), bytes([person]), NOW, None if holder is None else UUID(int=holder))


def test_a_household_that_gave_way_does_not_bar_the_next_one() -> None:
    claims = [claim(1, 1), claim(2, 1), claim(2, 2), claim(3, 2)]
    assert giving_way(claims) == {UUID(int=2)}
    afterwards = [claim(1, 1, 1), claim(2, 1, 1), claim(2, 2, 3), claim(3, 2, 3)]
    assert giving_way(afterwards) == {UUID(int=2)}
