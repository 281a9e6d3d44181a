"""The adjudication queue over HTTP: side by side, decided once, by whom the table allows."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from relief.demo import numbers
from relief.domain.household import Member
from relief.domain.likeness import Limits
from relief.domain.sealing import Keys
from relief.services import suspect
from relief.services.register import register
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI, NOW
from tests.web.conftest import Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own


async def _doubles(pool: db.Pool, keys: Keys) -> UUID:
    async with db.begin(pool) as tx:
        incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
        for n, name in ((1, "甄演红"), (2, "莫演山")):
            item = make.registration(n, incident=incident, members=[Member(name, numbers.householder_id(1))])
            await register(tx, reporter, [item], NOW, keys)
        await suspect.find(tx, Limits(), NOW, keys)
        return UUID(str(await tx.fetchval("SELECT id FROM suspicion")))


async def test_an_officer_sees_both_sides_and_records_what_was_found(pool: db.Pool, keys: Keys, enter: Enter) -> None:
    await _doubles(pool, keys)
    desk = Desk(await enter("township_reviewer", MOXI))
    page = await desk.open("/duplicates")
    for text in ("甄演红", "莫演山", "身份证号相同", "核实前不付款", "先登记的一户"):
        assert text in page, text
    assert numbers.householder_id(1) not in page
    answer = await desk.press(page, "/duplicates", verdict="different", reason="入户核对户口簿")
    assert answer.status_code == 303, answer.text
    assert "没有疑似重复" in await desk.open("/duplicates")
    assert "入户核对户口簿" in await desk.open("/duplicates?show=decided")


async def test_the_interface_decides_once_by_key_and_names_nobody(pool: db.Pool, keys: Keys, enter: Enter) -> None:
    case = await _doubles(pool, keys)
    client = await enter("county_officer", LUDING)
    [item] = (await client.get("/api/v1/duplicates")).json()["items"]
    assert (item["id"], item["keys"], item["blocks"], item["status"]) == (str(case), ["id"], "payment", "open")
    body = {"items": [{"county": LUDING, "suspicion": str(case)}], "verdict": "same", "reason": "户籍系统核对"}
    key = {"Idempotency-Key": uuid4().hex}
    first = await client.post("/api/v1/duplicates/decide", json=body, headers=key)
    assert first.json() == {"suspicions": 1, "duplicates": 1, "recoveries": 0, "people": 0}, first.text
    assert (await client.post("/api/v1/duplicates/decide", json=body, headers=key)).content == first.content
    again = await client.post("/api/v1/duplicates/decide", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert (again.status_code, again.json()["code"]) == (409, "moved_on")


async def test_finance_may_not_look_and_the_auditor_may_not_decide(pool: db.Pool, keys: Keys, enter: Enter) -> None:
    case = await _doubles(pool, keys)
    assert (await (await enter("finance_preparer", LUDING)).get("/api/v1/duplicates")).status_code == 403
    auditor = await enter("auditor", LUDING)
    assert len((await auditor.get("/api/v1/duplicates")).json()["items"]) == 1
    body = {"items": [{"county": LUDING, "suspicion": str(case)}], "verdict": "same", "reason": "户籍系统核对"}
    assert (await auditor.post("/api/v1/duplicates/decide", json=body, headers={"Idempotency-Key": "a"})).status_code == 403
