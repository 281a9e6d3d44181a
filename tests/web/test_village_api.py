"""The village's steps by JSON: reviewed, listed, posted, objected to, reported; leads and papers."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.services.test_announce import END, PHOTO, Village
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own

API = "/api/v1"
COUNTY = f"{API}/counties/{make.LUDING}"


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.slow
async def test_a_program_takes_a_list_from_the_meeting_to_the_county(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        village = await Village(tx, keys).open(2)
    reporter, reviewer = await enter("reporter", make.MOXI), await enter("township_reviewer", make.MOXI)
    of = {"activation": str(village.activation), "aid": "HOUSE"}
    minutes = {**of, "held_on": "2022-09-05", "participants": 5, "words": "无异议", "supported": [str(a) for a in village.awards]}
    await _post(reporter, COUNTY + "/reviews", {**minutes, "photo": base64.b64encode(PHOTO).decode()}, 201)
    drafted = await _post(reporter, COUNTY + "/notices", {**of, "area": make.MOXI})
    assert (drafted["households"], drafted["waiting"]) == (2, 0)
    at = f"{COUNTY}/notices/{drafted['notices'][0]}"
    assert (await _post(reporter, at + "/post", {"photo": base64.b64encode(PHOTO).decode()}))["ends_on"] == "2022-09-15"
    receipt = await _post(reporter, at + "/objections", {"words": "漏了我家", "way": "reporter"})
    assert receipt["reference"].startswith("513322-")
    body = {"photo": base64.b64encode(END).decode(), "opinion": "属实"}
    assert (await _post(reviewer, at + "/report", body, 409))["code"] == "notice_running"
    clock.now += timedelta(days=11)
    reviewer = await enter("township_reviewer", make.MOXI)
    await _post(reviewer, at + "/report", body)
    [listed] = (await reviewer.get(API + "/notices")).json()
    assert (listed["status"], listed["households"], listed["objections"]) == ("reported", 2, 1)


async def test_a_program_takes_a_lead_once_under_its_key_and_closes_it(enter: Enter) -> None:
    reviewer = await enter("township_reviewer", make.MOXI)
    told = {"village": make.MOXI, "kind": "fire", "name": "甄演一", "words": "昨夜失火"}
    key = {"Idempotency-Key": str(uuid4())}
    one, again = [(await reviewer.post(API + "/leads", json=told, headers=key)).json() for _ in range(2)]
    assert one == again
    assert [lead["words"] for lead in (await reviewer.get(API + "/leads")).json()] == ["昨夜失火"]
    await _post(reviewer, f"{COUNTY}/leads/{one['id']}/take", {})
    await _post(reviewer, f"{COUNTY}/leads/{one['id']}/close", {"words": "已安置"})
    assert (await reviewer.get(API + "/leads")).json() == []
    assert (await reviewer.get(API + "/papers")).json() == []
