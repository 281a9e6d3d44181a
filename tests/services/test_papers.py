"""先救助后补手续: reminded, overdue, held, paused, and going on once the papers are there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from relief.domain.errors import Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import approve, keep, papers
from relief.services.approve import digest_of
from relief.services.keep import Given
from relief.services.papers import Chased
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, NOW, VILLAGE
from tests.services.test_announce import FEN, PHOTO, Village

#: The papers of an advance of 2022-09-05 are due ten working days later, with 中秋 in between.
DUE = date(2022, 9, 20)
LATE = datetime(2022, 9, 21, 1, 0, tzinfo=UTC)


@pytest.fixture
async def village(tx: Tx, keys: Keys) -> Village:
    """Three advances approved this morning, the papers of each owed."""
    village = await Village(tx, keys).open(3, aid="EMERG")
    await approve.approve(tx, village.reviewer, LUDING, village.awards, digest_of([(a, FEN) for a in village.awards]), NOW)
    return village


async def _hand_in(village: Village, award: UUID, *kinds: str) -> None:
    household = await village.tx.fetchval("SELECT household FROM award WHERE id = $1", award)
    items = [Given(kind, VILLAGE, PHOTO, household, award) for kind in kinds]
    await keep.hand_in(village.tx, village.reporter, LUDING, items, NOW, village.keys)


async def _more(village: Village) -> str | None:
    """The code that keeps another advance of the village from being approved."""
    [other] = await make.awards(
        village.tx, village.keys, incident=village.incident, reporter=village.registrar, aid="EMERG", amount_fen=FEN, first=70
    )
    try:
        await approve.approve(village.tx, village.reviewer, LUDING, [other], digest_of([(other, FEN)]), LATE)
    except Refused as refusal:
        return refusal.code
    return None


async def test_whoever_owes_papers_is_reminded_once_and_found_overdue_once(village: Village) -> None:
    assert await papers.chase(village.tx, NOW) == Chased(0, 0, 0, 0, 0)
    assert await papers.chase(village.tx, datetime(2022, 9, 17, 1, tzinfo=UTC)) == Chased(3, 0, 0, 0, 0)
    assert await papers.chase(village.tx, datetime(2022, 9, 20, 15, 59, tzinfo=UTC)) == Chased(0, 0, 0, 0, 0), "the last day counts whole"
    assert await papers.chase(village.tx, LATE) == Chased(0, 3, 3, 1, 0)
    assert await papers.chase(village.tx, LATE) == Chased(0, 0, 0, 0, 0)
    assert await village.tx.fetchval("SELECT due_on FROM paperwork WHERE award = $1", village.awards[0]) == DUE


async def test_two_overdue_households_pause_the_advances_of_their_village_until_one_is_complete(village: Village) -> None:
    await _hand_in(village, village.awards[0], "identity", "application")
    await papers.accept(village.tx, village.reviewer, LUDING, [village.awards[0]], NOW)
    await papers.chase(village.tx, LATE)
    assert await _more(village) == "advances_paused"
    await _hand_in(village, village.awards[1], "identity", "application")
    await papers.accept(village.tx, village.reviewer, LUDING, [village.awards[1]], LATE)
    [waiting] = await village.tx.fetch("SELECT subject FROM hold WHERE kind IN ('household', 'advances') AND valid_to IS NULL")
    assert waiting["subject"] == str(await village.tx.fetchval("SELECT household FROM award WHERE id = $1", village.awards[2]))


async def test_one_overdue_household_waits_alone(village: Village) -> None:
    for award in village.awards[:2]:
        await _hand_in(village, award, "identity", "application")
    await papers.accept(village.tx, village.reviewer, LUDING, village.awards[:2], NOW)
    await papers.chase(village.tx, LATE)
    assert await _more(village) is None


async def test_incomplete_papers_are_not_accepted_nor_by_whoever_registered(village: Village) -> None:
    await _hand_in(village, village.awards[0], "identity")
    with pytest.raises(Refused) as refusal:
        await papers.accept(village.tx, village.reviewer, LUDING, [village.awards[0]], NOW)
    assert refusal.value.code == "papers_missing"
    await _hand_in(village, village.awards[0], "application")
    both = Actor(village.registrar.id, "both", village.reviewer.grants)
    with pytest.raises(Refused) as own:
        await papers.accept(village.tx, both, LUDING, [village.awards[0]], NOW)
    assert own.value.code == "own_registration"
    assert await papers.accept(village.tx, village.reviewer, LUDING, [village.awards[0]], NOW) == 1


async def test_the_same_photo_handed_in_twice_is_one_document(village: Village) -> None:
    await _hand_in(village, village.awards[0], "identity")
    await _hand_in(village, village.awards[0], "identity")
    assert await village.tx.fetchval("SELECT count(*) FROM document WHERE kind = 'identity'") == 1


async def test_the_invariant_sees_a_hold_that_was_lifted_without_papers(village: Village) -> None:
    await papers.chase(village.tx, LATE)
    rule = next(i for i in invariants.ALL if i.name == "overdue_papers_stop_what_the_playbook_says")
    assert (await invariants.examine(village.tx, rule)).broken == 0
    await village.tx.execute("UPDATE hold SET valid_to = $1 WHERE kind = 'advances'", LATE + timedelta(hours=1))
    assert (await invariants.examine(village.tx, rule)).broken == 3
