"""The desk's side of the phones: whose they are, lost ones, records that came twice, photos behind the wall."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from relief.channels.photo_folder import PhotoFolder
from relief.store import db
from tests.domain.test_visit import a_photo
from tests.make import LUDING, MOXI
from tests.web.conftest import MORNING, Enter
from tests.web.test_field import FIELD, a_phone, home, incident, record

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own

__all__ = ["home", "incident"]


async def test_the_township_sees_phones_decides_second_versions_and_revokes_a_lost_one(
    app: Litestar, enter: Enter, incident: UUID, pool: db.Pool
) -> None:
    phone, reviewer, elsewhere = (
        await a_phone(app, enter),
        await enter("township_reviewer", MOXI),
        await enter("township_reviewer", "511824"),
    )
    await phone.push(record(phone, incident, 1))
    await phone.push(record(phone, incident, 1, seq=2, rooms_collapsed=4))
    page = (await reviewer.get("/phones")).text
    assert "先后收到两个内容" in page
    assert "0 → 4" in page
    assert phone.id not in (await elsewhere.get("/phones")).text
    async with db.begin(pool) as tx:
        case, household = await tx.fetchrow("SELECT id, household FROM second_version")  # type: ignore[misc]
    csrf = reviewer.headers["X-Test-Csrf"]
    form: dict[str, Any] = {"csrf": csrf, "county": LUDING, "id": str(case), "verdict": "second", "reason": "入户核实"}
    assert (await reviewer.post("/phones/versions", data=form)).headers["location"] == "/phones?done=ruled"
    assert "先后收到两个内容" not in (await reviewer.get("/phones")).text
    async with db.begin(pool) as tx:
        assert await db.value(tx, "SELECT rooms_collapsed FROM household WHERE id = $1", household) == 4
    form = {"csrf": csrf, "county": LUDING, "device": phone.id, "reason": "手机遗失", "lost": "yes"}
    assert (await reviewer.post("/phones", data=form)).status_code == 303
    assert "尚未联网" in (await reviewer.get("/phones")).text
    assert (await phone.push()).json()["data"] == {"wipe": True}
    assert "通知清除" in (await reviewer.get("/phones")).text


@pytest.mark.slow
async def test_what_was_seen_at_the_door_is_shown_to_whoever_may_read_the_household(
    app: Litestar, enter: Enter, incident: UUID, home: PhotoFolder
) -> None:
    phone, reviewer, elsewhere = (
        await a_phone(app, enter),
        await enter("township_reviewer", MOXI),
        await enter("township_reviewer", "511824"),
    )
    content = a_photo()
    digest = hashlib.sha256(content).hexdigest()
    item = record(phone, incident, 1, rooms_severe=2)
    photo = {"digest": digest, "kind": "damage", "size": len(content), "taken_at": MORNING.isoformat()}
    item["household"]["visit"] = {"note": "山墙外闪", "needs": ["tent"], "photos": [photo]}
    [receipt] = (await phone.push(item)).json()
    path = f"/households/{LUDING}/{receipt['household']}/visit"
    assert "照片还在手机上" in (await reviewer.get(path)).text
    await phone.client.put(f"{FIELD}/photos/{digest}?at=0", content=content, headers={"Content-Type": "image/jpeg"})
    page = (await reviewer.get(path)).text
    for word in ("山墙外闪", "帐篷", "损坏照片不足3张", digest[:16]):
        assert word in page
    address = page.split('src="/photos/')[1].split('"')[0]
    assert (await reviewer.get(f"/photos/{address}")).content == content
    assert (await elsewhere.get(f"/photos/{address}")).status_code == 404
    assert (await elsewhere.get(path)).status_code == 404
