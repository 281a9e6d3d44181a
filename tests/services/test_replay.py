"""Old decisions taken again, and told in full."""

from __future__ import annotations

import msgspec
import pytest

from relief.domain.errors import NotFound, Refused
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services.explain import explain, explain_any
from relief.services.replay import Replayed, replay
from relief.store.db import Tx
from tests.make import LUDING, SHIMIAN, staff
from tests.services.test_over_time import Running

PLANT = "UPDATE decision SET status = 'superseded', amount_fen = amount_fen + 1 WHERE id = $1"


@pytest.fixture
async def world(tx: Tx, keys: Keys) -> Running:
    return await Running(tx, keys).open()


async def many(world: Running) -> list[object]:
    """Households of every kind, decided, looked at again, one excluded, and the figures changed."""
    found = [await world.family(n % 5 - 1, rooms_collapsed=n % 3, members=1 + n % 4, only_home=n % 2 == 0) for n in range(20)]
    await world.decide()
    await world.look(found[0], dead=1)
    await world.look(found[3], family_type="low_income", circumstances=["no_income", "absent"])
    await world.tx.execute("UPDATE household SET status = 'rejected' WHERE id = $1", found[7])
    await world.new_figure("EMERG.per_person_day", 2_600)
    await world.decide()
    return list(found)


async def test_every_decision_old_and_new_comes_out_again(world: Running) -> None:
    await many(world)
    told = await replay(world.tx, SYSTEM)
    assert (told.differing, told.differences, told.without_figures) == (0, [], 0)
    assert told.decisions == await world.tx.fetchval("SELECT count(*) FROM decision")
    assert 0 < told.kinds <= told.decisions
    assert (await replay(world.tx, SYSTEM, [LUDING], world.activation)) == told
    assert (await replay(world.tx, SYSTEM, [SHIMIAN])).decisions == 0


async def test_a_planted_difference_is_found_and_named(world: Running) -> None:
    await many(world)
    row = await world.tx.fetchrow(
        "SELECT id, household, amount_fen FROM decision WHERE aid = 'EMERG' AND amount_fen > 0 AND status = 'current' LIMIT 1"
    )
    await world.tx.execute(PLANT, row["id"])
    told = await replay(world.tx, SYSTEM, [LUDING])
    (found,) = told.differences
    assert told.differing == 1
    assert (found.decision, found.household, found.aid) == (row["id"], row["household"], "EMERG")
    assert (found.was_fen, found.is_fen) == (row["amount_fen"] + 1, row["amount_fen"])


async def test_planted_facts_are_found_too(world: Running) -> None:
    await many(world)
    await world.tx.execute(
        "UPDATE decision SET facts = facts || '{\"members\": 9}' WHERE id = (SELECT id FROM decision WHERE aid = 'EMERG' AND amount_fen > 0 AND facts ->> 'members' = '1' LIMIT 1)"
    )
    assert (await replay(world.tx, SYSTEM)).differing == 1


async def test_decisions_without_kept_figures_are_counted_apart(world: Running) -> None:
    await world.family(1)
    await world.decide()
    await world.tx.execute("UPDATE decision SET standards = '\\x00' WHERE aid = 'HOUSE'")
    told = await replay(world.tx, SYSTEM)
    assert (told.decisions, told.without_figures) == (1, 1)


async def test_replaying_asks_for_the_right_where_it_looks(world: Running) -> None:
    with pytest.raises(Refused):
        await replay(world.tx, world.officer)
    assert isinstance(await replay(world.tx, world.officer, [LUDING]), Replayed)


async def test_explanation_tells_facts_clauses_and_working_in_both_languages(world: Running) -> None:
    household = await world.family(0, rooms_collapsed=2, members=7)
    await world.decide()
    told = await explain(world.tx, world.officer, LUDING, household)
    emerg = next(d for d in told.decisions if d.aid == "EMERG")
    assert (emerg.asked.zh, emerg.asked.en, emerg.amount_fen, emerg.unverified, emerg.figures_kept) == (
        "应急期救助",
        "Emergency aid",
        150_000,
        True,
        True,
    )
    assert [(s.written, s.fen) for s in emerg.working] == [
        ("20.00 × 15 天 days × 7 家庭人口 members", 210_000), ("1,500.00", 150_000), ("1,500.00", 150_000),
    ]  # fmt: skip
    facts = {s.key: (s.label.en, s.value.zh) for s in emerg.facts}
    assert facts["members"] == ("members", "7")
    assert facts["relocated"] == ("relocated", "是")
    used = {c.key: (c.amount_fen, c.verified) for c in emerg.clauses if c.used}
    assert used == {"EMERG.per_person_day": (2_000, False), "ADVANCE.household": (150_000, False)}
    assert all(c.legal_basis and c.document for c in emerg.clauses)
    assert [t.en for t in emerg.path][:2] == ["in the band of intensity 9", "relocated"]
    assert [(a.status, a.amount_fen) for a in emerg.awards] == [("proposed", 150_000)]
    assert (emerg.playbook, emerg.zone, emerg.band) == ("earthquake 1", "烈度图 v1", "Ⅸ")
    msgspec.json.encode(told)


async def test_an_old_decision_is_told_as_it_was(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    await world.look(household, relocated="none")
    told = await explain(world.tx, world.officer, LUDING, household)
    now_, before = [d for d in told.decisions if d.aid == "EMERG"]
    assert [(now_.status, now_.amount_fen), (before.status, before.amount_fen)] == [("current", 0), ("superseded", 90_000)]
    assert now_.working == []
    assert [a.status for a in before.awards] == ["superseded"]
    one = await explain_any(world.tx, SYSTEM, before.id)
    assert one.decisions == [before]


async def test_explaining_elsewhere_or_nothing_is_refused(world: Running) -> None:
    household = await world.family(1)
    await world.decide()
    with pytest.raises(Refused):
        await explain(world.tx, await staff(world.tx, ("county_officer", SHIMIAN)), LUDING, household)
    with pytest.raises(NotFound):
        await explain(world.tx, world.officer, SHIMIAN, household)
