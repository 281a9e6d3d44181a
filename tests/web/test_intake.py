"""The township's desk in the browser: applications, walk-ins, rosters, changes, papers, case files."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest

from relief.demo import numbers
from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.services.test_announce import END, Village
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own

APPLIED = {"area": make.MOXI, "kind": "fire", "name": "甄演一", "words": "昨夜失火", "phone": ""}


def _form(client: httpx.AsyncClient, **fields: object) -> dict[str, object]:
    return {"csrf": client.headers["X-Test-Csrf"], "key": str(uuid4()), **fields}


@pytest.mark.slow
async def test_anybody_applies_and_the_desk_registers_them_and_gives_the_slip(
    client: httpx.AsyncClient, enter: Enter, pool: db.Pool, keys: Keys
) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    assert f"area={make.MOXI}" in (await client.get("/r/apply", params={"area": make.LUDING})).text
    sent = await client.post("/r/apply", data=APPLIED)
    number = re.search(r"513322-[0-9A-Z]{12}", sent.text)
    assert number, sent.text
    reviewer = await enter("township_reviewer", make.MOXI)
    assert "一门受理线索待办" in (await reviewer.get("/")).text
    page = (await reviewer.get("/intake")).text
    assert "昨夜失火" in page
    link = re.search(r"/intake/register\?lead=([0-9a-f-]+)", page)
    assert link
    form = (await reviewer.get(link[0])).text
    assert 'value="甄演一"' in form
    assert "咱地村" in form
    walked = {
        "incident": str(incident),
        "village": make.VILLAGE,
        "name": "甄演一",
        "account": numbers.account(3),
        "bank": "402",
        "lead": link[1],
    }
    wrong = await reviewer.post("/intake/register", data=_form(reviewer, **walked, id_number="51999919800101123X"))
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (422, True)
    right = await reviewer.post(
        "/intake/register", data=_form(reviewer, **walked, id_number=numbers.householder_id(3), others=f"甄演二 {numbers.member_id(4)}")
    )
    assert re.search(r"513322-[0-9A-Z]{10}", right.text), right.text
    assert "已登记" in (await client.post("/r/application", data={"reference": number[0]})).text
    statuses = [(await client.post("/r/apply", data=APPLIED)).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [429]


async def test_villages_without_a_reporter_are_shown_and_given_to_one(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        await make.incident(tx)
        person = await make.staff(tx, ("reporter", make.MOXI), name="王信息员")
    reviewer = await enter("township_reviewer", make.MOXI)
    page = (await reviewer.get("/rosters")).text
    assert page.count("未指定") >= 5
    villages = re.findall(r'name="village" value="(\d{12})"', page)
    given = await reviewer.post("/rosters", data=_form(reviewer, county=make.LUDING, person=str(person.id), village=villages))
    assert given.status_code == 303
    page = (await reviewer.get("/rosters")).text
    assert "未指定" not in page
    assert page.count("王信息员") >= len(villages)


@pytest.mark.slow
async def test_a_case_file_takes_a_paper_and_leaves_as_a_signed_archive(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        village = await Village(tx, keys).open(1)
        await tx.execute("UPDATE decision SET reasons = '{band.9}'")
        household = await tx.fetchval("SELECT household FROM award WHERE id = $1", village.awards[0])
    at = f"/households/{make.LUDING}/{household}"
    officer, reviewer = await enter("county_officer", make.LUDING), await enter("township_reviewer", make.MOXI)
    sent = {"csrf": officer.headers["X-Test-Csrf"], "kind": "identity"}
    assert (await officer.post(at + "/documents", data=sent, files={"file": ("id.jpg", END)})).status_code == 303
    page = (await officer.get(at + "/file")).text
    assert "身份证、户口簿复印件" in page
    made = await officer.post(at + "/file", data=_form(officer))
    assert (made.headers["content-type"], made.content[:2]) == ("application/zip", b"PK")
    assert "-001.zip" in made.headers["content-disposition"]
    assert "第 1 次" in (await officer.get(at + "/file")).text
    told = await officer.post(
        "/changes", data=_form(officer, county=make.LUDING, household=str(household), kind="moved_out", words="迁往邻县")
    )
    assert told.status_code == 303
    assert "迁往邻县" in (await reviewer.get("/changes")).text
    assert "情况变更待核实" in (await reviewer.get("/")).text
    answer = re.search(r'action="(/changes/513322/[0-9a-f-]+)"', (await reviewer.get("/changes")).text)
    assert answer
    assert (await reviewer.post(answer[1], data=_form(reviewer, words="已核实"))).status_code == 303


async def test_owed_papers_are_listed_with_what_is_missing(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        village = await Village(tx, keys).open(1, aid="EMERG")
        await tx.execute("UPDATE award SET status = 'approved', approved_at = $1, fund = gen_random_uuid(), signed = needed", clock.now)
        await tx.execute(
            "INSERT INTO paperwork (county, award, due_on, status) VALUES ($1, $2, $3, 'open')",
            make.LUDING,
            village.awards[0],
            clock.now.date(),
        )
    reviewer = await enter("township_reviewer", make.MOXI)
    page = (await reviewer.get("/papers")).text
    assert "缺：身份证、户口簿复印件、申请表或提名表" in page
    assert "补手续将到期" in (await reviewer.get("/")).text
