"""What every page says beside its matter: that a drill is a drill, where one can go, that nobody does the background work."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relief.store import db, errands
from tests import make
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own

COUNTY = make.LUDING


@pytest.mark.parametrize("real", [False, True])
async def test_every_page_is_framed_while_nothing_but_a_drill_is_open(enter: Enter, pool: db.Pool, real: bool) -> None:
    async with db.begin(pool) as tx:
        await make.incident(tx)
        if real:
            await make.incident(tx, drill=False, name="2022-09-05 石棉县地震")
    reviewer = await enter("township_reviewer", COUNTY)
    for path in ("/approvals", "/corrections", "/households/513322/00000000-0000-0000-0000-000000000000"):
        page = (await reviewer.get(path, headers={"Accept": "text/html"})).text
        assert ('class="drill"' in page) is not real, path


async def test_a_refused_page_keeps_the_way_to_the_other_pages(shared_enter: Enter) -> None:
    reviewer = await shared_enter("township_reviewer", COUNTY)
    answer = await reviewer.get("/funds", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert 'href="/approvals"' in answer.text


async def test_the_first_page_tells_when_nobody_does_the_background_work(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    officer = await enter("county_officer", COUNTY)
    warning = "后台进程没有运行"
    assert warning in (await officer.get("/")).text
    async with db.begin(pool) as tx:
        await errands.claim(tx, [errands.LIFE], clock.now, timedelta(seconds=15))
    assert warning not in (await officer.get("/")).text
    clock.now += timedelta(seconds=61)
    assert warning in (await officer.get("/")).text
