"""公示 in the browser: the township's desk, the paper, and anybody's page."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.services.test_announce import END, PHOTO, Village
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own


async def _hanging(pool: db.Pool, keys: Keys, clock: Clock) -> str:
    """A list of three households that hangs since this morning; its address."""
    async with db.begin(pool) as tx:
        village = await Village(tx, keys).open(3)
        await village.review(now=clock.now)
        notice = await village.post(clock.now)
    return f"{make.LUDING}/{notice}"


@pytest.mark.slow
async def test_a_township_reviews_drafts_posts_and_reports_a_list_and_the_county_sees_the_paper(
    enter: Enter, pool: db.Pool, keys: Keys, clock: Clock
) -> None:
    async with db.begin(pool) as tx:
        await Village(tx, keys).open(3)
    reporter, reviewer = await enter("reporter", make.MOXI), await enter("township_reviewer", make.MOXI)
    page = (await reporter.get("/notices")).text
    assert "待评议 3 户" in page
    link = re.search(r'href="(/notices/review\?[^"]+)"', page)
    assert link
    form = (await reporter.get(link[1].replace("&amp;", "&"))).text
    csrf = reporter.headers["X-Test-Csrf"]
    hidden = dict(re.findall(r'name="(county|activation|aid|village)" value="([^"]+)"', form))
    awards = re.findall(r'name="award" value="([^"]+)"', form)
    sent = {"csrf": csrf, **hidden, "held_on": "2022-09-05", "participants": "9", "words": "无异议", "shown": awards, "award": awards[:2]}
    assert (await reporter.post("/notices/review", data=sent, files={"file": ("s.png", PHOTO)})).status_code == 303
    page = (await reporter.get("/notices")).text
    assert "拟定名单 2 户" in page
    assert "评议未通过 1 户" in page
    draft = {
        "csrf": csrf,
        "key": make.LUDING + "0" * 30,
        **{k: hidden[k] for k in ("county", "activation", "aid")},
        "area": hidden["village"],
    }
    draft["key"] = "00000000-0000-4000-8000-000000000001"
    assert (await reporter.post("/notices", data=draft)).status_code == 303
    found = re.search(rf'href="(/notices/{make.LUDING}/[0-9a-f-]+)"', (await reporter.get("/notices")).text)
    assert found
    at = found[1]
    assert (await reporter.post(at + "/post", data={"csrf": csrf}, files={"file": ("a.png", PHOTO)})).status_code == 303
    paper = (await reviewer.get(at + "/paper?size=A3")).text
    assert "甄**" in paper
    assert "poster a3" in paper
    assert "甄演" not in paper
    early = await reviewer.post(
        at + "/report", data={"csrf": reviewer.headers["X-Test-Csrf"], "words": "属实"}, files={"file": ("b.jpg", END)}
    )
    assert early.status_code == 409
    clock.now += timedelta(days=11)
    reviewer = await enter("township_reviewer", make.MOXI)
    assert "期满，待乡镇上报" in (await reviewer.get("/notices")).text
    assert "公示期满，待上报" in (await reviewer.get("/")).text
    sent = {"csrf": reviewer.headers["X-Test-Csrf"], "words": "属实"}
    assert (await reviewer.post(at + "/report", data=sent, files={"file": ("b.jpg", END)})).status_code == 303
    photo = re.search(r'href="(/documents/[^"]+)"', (await reviewer.get(at)).text)
    assert photo
    shown = await reviewer.get(photo[1])
    assert (shown.content, shown.headers["content-type"]) == (PHOTO, "image/png")
    elsewhere = await enter("township_reviewer", "513322101")
    assert (await elsewhere.get(photo[1])).status_code == 403
    assert (await elsewhere.get(at)).status_code == 404


async def test_anybody_reads_what_hangs_and_objects_without_a_login(
    client: httpx.AsyncClient, enter: Enter, pool: db.Pool, keys: Keys, clock: Clock
) -> None:
    at = await _hanging(pool, keys, clock)
    place = (await client.get("/r/notices", params={"area": make.MOXI})).text
    assert f"/r/notices/{at}" in place
    page = (await client.get(f"/r/notices/{at}")).text
    assert page.count("甄**") == 3
    assert "甄演" not in page
    taken = await client.post(f"/r/notices/{at}", data={"line": "2", "words": "他家有两处房"})
    number = re.search(r"513322-[0-9A-Z]{12}", taken.text)
    assert number, taken.text
    waiting = (await client.post("/r/objection", data={"reference": number[0].lower()})).text
    assert "正在核实" in waiting
    reviewer = await enter("township_reviewer", make.MOXI)
    assert "公示异议待答复" in (await reviewer.get("/")).text
    desk = (await reviewer.get(f"/notices/{at}")).text
    assert "他家有两处房" in desk
    answer = re.search(rf'action="(/notices/{at}/objections/[0-9a-f-]+)"', desk)
    assert answer
    form = {
        "csrf": reviewer.headers["X-Test-Csrf"],
        "key": "00000000-0000-4000-8000-000000000002",
        "outcome": "rejected",
        "words": "只有一处",
    }
    assert (await reviewer.post(answer[1], data=form)).status_code == 303
    assert "只有一处" in (await client.post("/r/objection", data={"reference": number[0]})).text
    for _ in range(4):
        await client.post(f"/r/notices/{at}", data={"line": "1", "words": "再说一次"})
    assert (await client.post(f"/r/notices/{at}", data={"line": "1", "words": "再说一次"})).status_code == 429
    clock.now += timedelta(days=11)
    assert (await client.get(f"/r/notices/{at}")).status_code == 404


async def test_an_objection_told_at_the_desk_gets_a_number(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    at = await _hanging(pool, keys, clock)
    reporter = await enter("reporter", make.MOXI)
    form = {
        "csrf": reporter.headers["X-Test-Csrf"],
        "key": "00000000-0000-4000-8000-000000000003",
        "words": "漏了我家",
        "line": "",
        "way": "reporter",
    }
    taken = await reporter.post(f"/notices/{at}/objections", data=form)
    assert re.search(r"513322-[0-9A-Z]{12}", taken.text)
