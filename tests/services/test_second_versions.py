"""A record that came twice with different contents: somebody else says which one holds, once, and nothing is overwritten."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest

from relief.domain.errors import Conflict, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.services import field, second_versions
from relief.store import db
from relief.store.db import Tx
from relief.store.views import second_versions as views
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE
from tests.services.test_field import push, reporter_with_phone, sent


async def a_second_version(tx: Tx, keys: Keys) -> tuple[UUID, UUID, Actor]:
    """The household, the open version, and who sent both."""
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    [first] = await push(tx, keys, device, sent(device, 1, incident, 1))
    await push(tx, keys, device, sent(device, 2, incident, 1, rooms_collapsed=3, circumstances=["no_income"]))
    [case] = [v for v in await views.open_versions(tx, [VILLAGE]) if v.household == first.household]
    assert first.household is not None
    return first.household, case.id, field.actor_of(device)


@pytest.mark.parametrize(("verdict", "rooms"), [("first", 0), ("second", 3)])
async def test_the_facts_that_hold_are_those_of_the_version_chosen(
    tx: Tx, keys: Keys, verdict: Literal["first", "second"], rooms: int
) -> None:
    household, case, _ = await a_second_version(tx, keys)
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    await second_versions.decide(tx, reviewer, LUDING, case, verdict, "入户核实", NOW, keys)
    row = await tx.fetchrow("SELECT rooms_collapsed, circumstances FROM household WHERE id = $1", household)
    assert row is not None
    assert (row["rooms_collapsed"], bool(row["circumstances"])) == (rooms, bool(rooms))
    assert await db.value(tx, "SELECT count(*) FROM assessment WHERE household = $1", household) == bool(rooms)
    assert await db.value(tx, "SELECT verdict FROM second_version WHERE id = $1", case) == verdict
    with pytest.raises(Conflict):
        await second_versions.decide(tx, reviewer, LUDING, case, verdict, "入户核实", NOW, keys)


async def test_whoever_sent_it_does_not_decide_it(tx: Tx, keys: Keys) -> None:
    _, case, author = await a_second_version(tx, keys)
    with pytest.raises(Refused):
        await second_versions.decide(tx, author, LUDING, case, "first", "本人核实", NOW, keys)
    own = make.Actor(author.id, author.name, (make.Grant("township_reviewer", MOXI),))
    with pytest.raises(Refused) as refused:
        await second_versions.decide(tx, own, LUDING, case, "first", "本人核实", NOW, keys)
    assert refused.value.code == "own_registration"
