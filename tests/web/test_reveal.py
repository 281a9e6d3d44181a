"""A householder in full: for a reason, one at a time, in the trace."""

from __future__ import annotations

import pytest

from relief.demo import numbers
from relief.domain.sealing import Keys
from relief.services import register
from relief.store import db
from tests import make
from tests.make import LUDING
from tests.web.conftest import Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own


async def test_a_number_is_shown_for_a_reason_and_the_auditor_sees_who_looked(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        reporter, incident = await make.staff(tx, ("reporter", make.MOXI)), await make.incident(tx)
        await register.register(tx, reporter, [make.registration(incident=incident)], make.NOW, keys)
        household = await tx.fetchval("SELECT id FROM household")
    officer, auditor = Desk(await enter("county_officer", LUDING)), Desk(await enter("auditor", LUDING))
    foreign, finance = Desk(await enter("county_officer", make.SHIMIAN)), Desk(await enter("finance_checker", LUDING))
    at, reveal = f"/households/{LUDING}/{household}", f"/households/{LUDING}/{household}/reveal"
    page = await officer.open(at)
    assert numbers.householder_id(0) not in page
    shown = await officer.press(page, reveal, reason="card")
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    for full in ("甄演一", numbers.householder_id(0), numbers.account(0)):
        assert full in shown.text
    assert (await officer.press(page, reveal, reason="curiosity")).status_code == 422
    for desk, status in ((foreign, 404), (finance, 403)):
        answer = await desk.client.post(reveal, data={"csrf": desk.client.headers["X-Test-Csrf"], "reason": "card"})
        assert answer.status_code == status
        assert "甄演一" not in answer.text
    page = await auditor.open(f"/audit?subject={household}&act=person.reveal")
    assert page.count("查看完整信息") == 1
    assert "{&#34;reason&#34;: &#34;card&#34;}" in page
