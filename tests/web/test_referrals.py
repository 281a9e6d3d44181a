"""Passing a household on, from the county's page to the department's answer."""

from __future__ import annotations

import re

import pytest

from relief.domain.sealing import Keys
from relief.services.register import register
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI
from tests.web.conftest import MORNING, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own


async def test_the_county_passes_on_and_the_department_sees_its_own_and_answers(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        [receipt] = await register(tx, await make.staff(tx, ("reporter", MOXI)), [make.registration(0, incident=incident)], MORNING, keys)
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open(f"/households/{LUDING}/{receipt.household}")
    new = re.search(r"/referrals/new/[0-9a-f/-]+", page)
    assert new
    await officer.do(await officer.open(new[0]), "/referrals/new", department="housing", note="房屋成危房，请鉴定")
    housing, health = Desk(await enter("partner_housing", LUDING)), Desk(await enter("partner_health", LUDING))
    assert "房屋成危房" not in await health.open("/referrals")
    page = await housing.open("/referrals?department=housing")
    assert "房屋成危房" in page
    assert "甄演" not in page
    assert (await housing.client.get(f"/households/{LUDING}/{receipt.household}")).status_code == 403
    letters = await housing.press(page, "/referrals/hand-over", way="letter")
    assert "甄演" in letters.text
    assert "请于" in letters.text
    table = await housing.press(page, "/referrals/hand-over", way="table")
    assert table.content[:2] == b"PK"
    foreign = await health.press(
        page.replace(housing.client.headers["X-Test-Csrf"], health.client.headers["X-Test-Csrf"]), "/referrals/hand-over"
    )
    assert foreign.status_code == 404
    answered = await housing.press(page, "/referrals", act="close", words="鉴定为D级，已列入重建。")
    assert answered.status_code == 303
    assert "鉴定为D级" in await officer.open("/referrals?show=closed")
    async with db.read(pool) as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'referral.hand_over'") == 2
