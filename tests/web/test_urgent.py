"""Advances have hours: who is close to the end of them is seen before it is too late, at whatever step it waits."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from relief.domain.sealing import Keys
from relief.services.approve import approve, digest_of
from relief.store import db
from relief.store.db import Tx
from relief.store.views.urgent import Late, late
from relief.web.console import urgent
from tests import make
from tests.make import LUDING, MOXI, NOW
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk

AREA = [LUDING + "%"]
DUE = NOW + timedelta(hours=24)


async def _advance(tx: Tx, keys: Keys) -> list[UUID]:
    reporter, incident = await make.staff(tx, ("reporter", MOXI)), await make.incident(tx)
    awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=2)
    await make.fund(tx, incident=incident, amount_fen=10**9)
    return awards


async def _late(tx: Tx, hours: float) -> list[Late]:
    return await late(tx, AREA, [r[1:] for r in await urgent.rules(tx)], NOW + timedelta(hours=hours))


async def test_three_quarters_of_the_hours_warn_and_all_of_them_alarm(tx: Tx, keys: Keys) -> None:
    await _advance(tx, keys)
    assert await _late(tx, 17.9) == []
    assert await _late(tx, 18) == [Late("proposed", 24, 0, 2, DUE)]
    assert await _late(tx, 24) == [Late("proposed", 24, 2, 2, DUE)]


async def test_what_is_approved_is_late_until_it_has_left_for_the_bank(tx: Tx, keys: Keys) -> None:
    awards = await _advance(tx, keys)
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    await approve(tx, reviewer, LUDING, awards[:1], digest_of([(awards[0], 90_000)]), NOW)
    assert [(x.stage, x.late) for x in await _late(tx, 25)] == [("proposed", 1), ("ready", 1)]
    batch = await tx.fetchval(
        "INSERT INTO batch (county, number, incident, project, period, bank, drill, layout, status, lines, total_fen, digest, sealed_file, frozen_at, payments) "
        "SELECT county, 'x', id, 'p', '1', bank, true, 'yikatong', 'frozen', 1, 1, '\\x00', '\\x00', $1, ARRAY[id] FROM payment RETURNING id", NOW,
    )  # fmt: skip
    await tx.execute("DELETE FROM payable")
    assert [(x.stage, x.late) for x in await _late(tx, 25)] == [("proposed", 1), ("unsent", 1)]
    await tx.execute("UPDATE batch SET status = 'sent' WHERE id = $1", batch)
    assert [(x.stage, x.late) for x in await _late(tx, 25)] == [("proposed", 1)]


async def test_staged_aid_has_no_hours(tx: Tx, keys: Keys) -> None:
    reporter, incident = await make.staff(tx, ("reporter", MOXI)), await make.incident(tx)
    await make.awards(tx, keys, incident=incident, reporter=reporter, aid="HOUSE", amount_fen=10)
    assert await _late(tx, 1000) == []


@pytest.mark.slow
async def test_the_first_page_says_it_to_whoever_can_help(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        await _advance(tx, keys)
    clock.now = DUE
    reviewer = Desk(await enter("township_reviewer", MOXI))
    page = await reviewer.open("/")
    assert "2 户已超时，待审批" in page
    [said] = (await reviewer.client.get("/api/v1/advances/late")).json()
    assert (said["stage"], said["late"]) == ("proposed", 2)
