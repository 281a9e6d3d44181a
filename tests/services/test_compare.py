"""Two scenarios side by side, figures in force by two people, versions moved by two people, and dry runs before anybody is registered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from relief.domain import playbook, standard
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.domain.standard import Standard
from relief.domain.supposed import Group, read_csv
from relief.services import compare, enact, move
from relief.services.compare import TOGETHER, Change
from relief.services.preview import Preview, Scenario, preview
from relief.services.suppose import estimate
from relief.store.db import Tx
from tests.make import LUDING, NOW, SHIMIAN, staff
from tests.services.test_activate import BOOK, FIGURES
from tests.services.test_activate import World as Activating

LATER = NOW + timedelta(days=2)
SOON = LATER.date()


class World(Activating):
    """An activation with one household in Ⅸ, one in Ⅶ and one outside, and two people of the province."""

    async def open(self) -> World:
        await super().open()
        self.second = await staff(self.tx, ("province_officer", "51"))
        self.near, self.far, self.out = await self.families({"rooms_collapsed": 1}, {"lon": 102.11 + 0.07}, {"lon": 103.5})
        self.activation = await self.propose()
        return self

    async def version(self, *changes: tuple[str, str], force: bool = True) -> UUID:
        """Another version of the playbook."""
        text = BOOK
        for old, new in (('version = "', 'version = "9'), *changes):
            assert old in text
            text = text.replace(old, new, 1)
        made = await enact.draft_playbook(self.tx, self.province, text, NOW)
        if force:
            await enact.force_playbook(self.tx, self.second, made, NOW)
        return made

    async def figure(self, fen: int, key: str = "EMERG.per_person_day", area: str = "51", day: date = SOON) -> UUID:
        new = Standard(key, area, fen, day, None, "川应急〔2022〕8号", True)
        (made,) = await enact.draft_figures(self.tx, self.province, [new], NOW)
        return made

    def total(self, found: list[Change], county: str = LUDING) -> Change:
        return next(c for c in found if (c.county, c.aid) == (county, TOGETHER))


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> World:
    return await World(tx, keys).open()


async def test_a_version_that_gives_more_days_shows_who_gets_how_much_more(world: World) -> None:
    longer = await world.version(("days = 15", "days = 20"))
    before, after = Scenario(world.zone, world.playbook), Scenario(world.zone, longer)
    found = await compare.compare(world.tx, world.province, world.incident, before, after, NOW)
    assert world.total(found.changes) == Change(LUDING, TOGETHER, 2, 60_000, 0, 0, 0)
    emerg = next(c for c in found.changes if (c.county, c.aid) == (LUDING, "EMERG"))
    house = next(c for c in found.changes if (c.county, c.aid) == (LUDING, "HOUSE"))
    assert (emerg.more_fen, house.more, house.less, house.same) == (60_000, 0, 0, 1)
    assert (found.after.amount_fen - found.before.amount_fen) == 60_000
    assert {(d.household, d.after_fen - d.before_fen) for d in found.largest} == {(world.near, 30_000), (world.far, 30_000)}


async def test_another_zone_shows_who_comes_in_and_who_goes_out(world: World) -> None:
    smaller = await world.new_zone(2, status="draft", levels={9: 0.01, 6: 0.03})
    found = await compare.compare(
        world.tx, world.province, world.incident, Scenario(world.zone, world.playbook), Scenario(smaller, world.playbook), NOW
    )
    assert world.total(found.changes) == Change(LUDING, TOGETHER, 0, 0, 1, 90_000, 1)
    assert [(d.household, d.before_fen, d.after_fen) for d in found.largest] == [(world.far, 90_000, 0)]


async def test_the_effect_of_a_drafted_figure_is_shown_before_it_counts(world: World) -> None:
    draft = await world.figure(2_500)
    (found,) = await compare.effect(world.tx, world.province, [draft], NOW)
    assert (found.activation, world.total(found.comparison.changes).more_fen) == (world.activation, 2 * 22_500)
    assert (await preview(world.tx, world.province, world.incident, world.zone, world.playbook, LATER)).amount_fen == 2_000_000 + 180_000
    await enact.force_figures(world.tx, world.second, [draft], NOW)
    assert (await preview(world.tx, world.province, world.incident, world.zone, world.playbook, LATER)).amount_fen == 2_000_000 + 225_000
    assert (await preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)).amount_fen == 2_000_000 + 180_000


async def test_a_figure_of_another_area_or_key_changes_no_activation(world: World) -> None:
    away = await world.figure(2_500, area="5101")
    assert await compare.effect(world.tx, world.province, [away], NOW) == []
    other = await world.figure(2_500, key="OTHER.thing")
    assert await compare.effect(world.tx, world.province, [other], NOW) == []
    with pytest.raises(NotFound):
        await compare.effect(world.tx, world.province, [UUID(int=1)], NOW)


async def test_a_figure_needs_a_second_person_of_its_area(world: World) -> None:
    draft = await world.figure(2_500)
    with pytest.raises(Refused) as same:
        await enact.force_figures(world.tx, world.province, [draft], NOW)
    with pytest.raises(Refused) as away:
        await enact.force_figures(world.tx, world.activator, [draft], NOW)
    assert (same.value.code, away.value.code) == ("same_person", "not_permitted")
    await enact.force_figures(world.tx, world.second, [draft], NOW)
    with pytest.raises(Conflict):
        await enact.force_figures(world.tx, world.second, [draft], NOW)


async def test_a_withdrawn_figure_makes_room_for_another_of_the_same_day(world: World) -> None:
    draft = await world.figure(2_500)
    with pytest.raises(Conflict):
        await world.figure(2_600)
    await enact.withdraw_figures(world.tx, world.province, [draft], NOW)
    assert await world.figure(2_600)


async def test_a_figure_that_cannot_be_is_refused(world: World) -> None:
    good = Standard("A.b", "51", 1, NOW.date(), None, "文号", True)
    for bad in (replace(good, amount_fen=-1), replace(good, valid_to=date(2000, 1, 1)), replace(good, document=" ")):
        with pytest.raises(Invalid):
            await enact.draft_figures(world.tx, world.province, [bad], NOW)
    with pytest.raises(Invalid):
        await enact.draft_figures(world.tx, world.province, [good, replace(good, amount_fen=2)], NOW)


async def test_a_drafted_playbook_cannot_be_activated_until_a_second_person_agrees(world: World) -> None:
    draft = await world.version(("days = 15", "days = 20"), force=False)
    await world.tx.execute("UPDATE activation SET status = 'ended' WHERE id = $1", world.activation)
    world.playbook = draft
    with pytest.raises(Conflict) as refusal:
        await world.propose()
    assert refusal.value.code == "playbook_not_in_force"
    with pytest.raises(Refused):
        await enact.force_playbook(world.tx, world.province, draft, NOW)
    await enact.force_playbook(world.tx, world.second, draft, NOW)
    assert await world.propose()


async def test_a_running_activation_moves_when_a_second_person_confirms(world: World) -> None:
    longer = await world.version(("days = 15", "days = 20"))
    drafted = await move.draft(world.tx, world.province, world.activation, world.zone, longer, "延长救助期", NOW)
    assert world.total((await move.effect(world.tx, world.province, drafted, NOW)).changes).more_fen == 60_000
    with pytest.raises(Refused):
        await move.confirm(world.tx, world.province, drafted, NOW)
    assert await world.tx.fetchval("SELECT playbook FROM activation WHERE id = $1", world.activation) == world.playbook
    waiting = await move.waiting(world.tx, world.activation)
    assert waiting is not None
    assert waiting.id == drafted
    await move.confirm(world.tx, world.second, drafted, NOW)
    assert await world.tx.fetchval("SELECT playbook FROM activation WHERE id = $1", world.activation) == longer
    with pytest.raises(Conflict):
        await move.confirm(world.tx, world.second, drafted, NOW)


async def test_moves_to_the_same_versions_another_playbook_or_a_draft_are_refused(world: World) -> None:
    other = await world.version(('key = "earthquake"', 'key = "quake"'))
    draft = await world.version(("days = 15", "days = 25"), ('version = "9', 'version = "99'), force=False)
    for target, kind in ((world.playbook, Invalid), (other, Invalid), (draft, Conflict)):
        with pytest.raises(kind):
            await move.draft(world.tx, world.province, world.activation, world.zone, target, "试", NOW)


async def test_a_move_drafted_on_versions_that_changed_meanwhile_is_refused(world: World) -> None:
    longer = await world.version(("days = 15", "days = 20"))
    drafted = await move.draft(world.tx, world.province, world.activation, world.zone, longer, "延长", NOW)
    with pytest.raises(NotFound):
        await move.confirm(world.tx, world.second, UUID(int=1), NOW)
    newer = await world.new_zone(2)
    await world.tx.execute("UPDATE activation SET zone = $2 WHERE id = $1", world.activation, newer)
    with pytest.raises(Conflict):
        await move.confirm(world.tx, world.second, drafted, NOW)
    await move.withdraw(world.tx, world.province, drafted, NOW)
    assert await move.waiting(world.tx, world.activation) is None


async def test_every_breakdown_of_a_preview_is_the_same_money(world: World) -> None:
    told = await preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    sums = [sum(x.amount_fen for x in part) for part in (told.lines, told.categories, told.stages)]
    assert sums == [told.amount_fen] * 3
    assert sum(told.by_month.values()) == told.amount_fen
    assert told.by_month["2022-09"] == 180_000
    assert {c.family for c in told.categories} == {"ordinary"}


async def test_strange_is_who_is_unlike_the_neighbours(world: World) -> None:
    (odd,) = await world.families({"dead": 4, "members": 3, "rooms_collapsed": 20, "occupied": False})
    told = await preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    assert told.strangest[0].household == odd
    assert {"more_hurt_than_members", "empty_but_relocated", "rooms_beyond_family"} <= set(told.strangest[0].contradictions)


async def test_what_stands_in_two_households_is_counted_and_what_nobody_compared_too(world: World) -> None:
    await world.tx.execute("DELETE FROM unmatched WHERE household = $1", world.near)
    await world.tx.execute(
        "INSERT INTO suspicion (county, household, other_county, other, incident, keys, score, reasons, people, blocks, status, found_at) "
        "VALUES ($1, $2, $1, $3, $4, '{id,account}', 100, '{}', '', 'payment', 'open', $5)",
        LUDING, world.far, world.near, world.incident, NOW,
    )  # fmt: skip
    told = await preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    assert [(r.county, r.people, r.accounts, r.phones, r.waiting) for r in told.repeated] == [(LUDING, 2, 2, 0, 2)]


async def test_counts_by_hand_give_what_the_households_would(world: World) -> None:
    book = playbook.read(BOOK)
    hand = [
        Group(LUDING, 9, people=3, rooms_collapsed=1, relocated=True),
        Group(LUDING, 7, people=3, relocated=True),
        Group(LUDING, 0, people=3),
    ]
    by_hand = await estimate(world.tx, world.province, book, hand, NOW, incident=world.incident)
    told = await preview(world.tx, world.province, world.incident, world.zone, world.playbook, NOW)
    assert _core(by_hand) == _core(told)
    many = await estimate(world.tx, world.province, book, [Group(LUDING, 8, households=1_000, people=3_300, relocated=True)], NOW)
    assert (many.households, many.people, many.amount_fen) == (1_000, 3_300, 700 * 90_000 + 300 * 120_000)


def _core(told: Preview) -> Any:
    lines = [(x.county, x.aid, x.households, x.people, x.amount_fen) for x in told.lines]
    return told.registered, told.outside, told.households, told.people, told.amount_fen, lines, told.unverified, told.by_month


async def test_counts_that_cannot_be_or_a_silent_band_are_refused(world: World) -> None:
    book = playbook.read(BOOK)
    for wrong in (Group(LUDING, 9, people=1, households=2), Group(LUDING, 9, people=31), Group(LUDING, 12, people=3)):
        with pytest.raises(Invalid):
            await estimate(world.tx, world.province, book, [wrong], NOW)
    with pytest.raises(Refused):
        await estimate(world.tx, world.drafter, book, [Group(SHIMIAN, 9, people=3)], NOW)


async def test_a_file_of_households_is_read_or_refused_with_line_and_column(world: World) -> None:
    text = "\ufeffcounty,level,people,rooms_collapsed,relocated,circumstances\n513322,9,3,1,是,no_income;absent\n513322,7,4,,0,\n"
    groups = read_csv(text)
    assert (groups[0].relocated, groups[0].circumstances, groups[1].rooms_collapsed) == (True, ["no_income", "absent"], 0)
    told = await estimate(world.tx, SYSTEM, playbook.read(BOOK), groups, NOW)
    assert told.registered == 2
    for wrong, line in (
        ("county,level,people,colour\n", 1),
        ("county,level,people\n513322,9,x\n", 2),
        ("county,level,people\n513322,9\n", 2),
    ):
        with pytest.raises(Invalid) as refusal:
            read_csv(wrong)
        assert refusal.value.data["line"] == line


async def test_drafts_laid_over_show_what_they_would_cost(world: World) -> None:
    book, groups = playbook.read(BOOK), [Group(LUDING, 8, people=3, relocated=True)]
    dearer = [replace(s, amount_fen=3_000) for s in standard.read(FIGURES) if s.key == "EMERG.per_person_day"]
    assert (await estimate(world.tx, world.province, book, groups, NOW, dearer)).amount_fen == 135_000
