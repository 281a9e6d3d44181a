"""A township clerk loads a register: upload, look at every fault, confirm; and the same over the interface."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from relief.demo import numbers
from relief.domain.sealing import Keys
from relief.services import load
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI, VILLAGE
from tests.sheets.makers import HEADINGS, table
from tests.web.conftest import MORNING, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow  # every upload is a process of its own
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def line(n: int, name: str = "甄演一") -> list[str]:
    return [str(n), "户主", name, numbers.householder_id(n), VILLAGE, "402", numbers.account(n)]


async def _incident(pool: db.Pool) -> UUID:
    async with db.begin(pool) as tx:
        return await make.incident(tx)


async def _loaded(pool: db.Pool, keys: Keys) -> None:
    done = 1
    while done:
        async with db.begin(pool) as tx:
            done = await load.advance(tx, MORNING, keys)


async def test_a_clerk_uploads_looks_and_confirms(pool: db.Pool, keys: Keys, enter: Enter) -> None:
    await _incident(pool)
    desk = Desk(await enter("township_reviewer", MOXI))
    content = table(line(1, "甄演红"), line(2, "甄"), ["合计"])
    answer = await desk.press(await desk.open("/sheets"), "/sheets", files={"file": ("一户一档.xlsx", content, XLSX)})
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"].split("?")[0]
    page = await desk.open(place)
    for text in ("甄演红", "姓名", "name_form", "只导入无错的 1 户", "略过的行"):
        assert text in page, text
    assert numbers.householder_id(1) not in page
    listed = await desk.client.get(place + "/faults.csv")
    assert "name_form" in listed.content.decode("utf-8-sig")
    assert (await desk.press(page, place, act="faultless")).status_code == 303
    await _loaded(pool, keys)
    assert "新登记 1 户" in await desk.open(place)
    again = await desk.press(await desk.open("/sheets"), "/sheets", files={"file": ("另一个名字.xlsx", content, XLSX)})
    assert (again.status_code, "file_seen" in again.text) == (409, True)


async def test_the_interface_stages_names_faults_and_confirms_once(pool: db.Pool, keys: Keys, enter: Enter) -> None:
    incident = await _incident(pool)
    client = await enter("township_reviewer", MOXI)

    async def send(content: bytes, name: str = "a.xlsx") -> Any:
        form = {"csrf": client.headers["X-Test-Csrf"]}
        return await client.post(f"/api/v1/counties/{LUDING}/incidents/{incident}/sheets", data=form, files={"file": (name, content, XLSX)})

    staged = (await send(table(line(1), line(2, "甄")))).json()
    assert (staged["households"], staged["faulty"]) == (1, 1), staged
    at = f"/api/v1/counties/{LUDING}/sheets/{staged['id']}"
    assert (await client.get(at + "/faults")).json() == [{"seq": 1, "row": 3, "place": "姓名", "code": "name_form"}]
    key = {"Idempotency-Key": uuid4().hex}
    refused = await client.post(at + "/confirm", json={}, headers={"Idempotency-Key": uuid4().hex})
    assert (refused.status_code, refused.json()["code"]) == (409, "sheet_faulty")
    first = await client.post(at + "/confirm", json={"faultless_only": True}, headers=key)
    assert (first.json(), (await client.post(at + "/confirm", json={"faultless_only": True}, headers=key)).content) == (
        {"households": 1},
        first.content,
    )
    await _loaded(pool, keys)
    assert (await client.get(at)).json()["loaded"] == 1
    other = await enter("township_reviewer", "511824002")
    assert (await other.get(at)).status_code == 404
    for content, status, code in ((b"PK\x03\x04x", 422, "zip_damaged"), (table(["1"], headings=("户编号",)), 422, "column_missing")):
        bad = await send(content)
        assert (bad.status_code, bad.json()["code"]) == (status, code), bad.text


async def test_templates_come_with_their_lists_and_reporters_do_not_load(pool: db.Pool, enter: Enter) -> None:
    client = await enter("township_reviewer", MOXI)
    made = await client.get(f"/sheets/templates/{LUDING}/household")
    assert (made.status_code, made.content[:2]) == (200, b"PK")
    assert HEADINGS[0]
    reporter = await enter("reporter", MOXI)
    assert (await reporter.get(f"/sheets/templates/{LUDING}/household")).status_code == 403
