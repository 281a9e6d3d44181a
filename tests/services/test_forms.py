"""Kobo and ODK: a submission is one household by its root id, however it comes; what cannot be read is kept with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from relief.channels.form_server import FormServer
from relief.demo import numbers
from relief.domain import form_mapping
from relief.domain.errors import Invalid
from relief.domain.form_mapping import Form
from relief.domain.sealing import Keys
from relief.services import forms, keep
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE

ROOT = "0190f3c2-5a11-4c3e-9d20-6b1f2a3c4d5e"
TOKEN = "a word between two servers"
TEXT = f"""
title = "泸定受灾户（演练）"
county = "{LUDING}"
incident = "{{incident}}"
person = "{{person}}"
token_sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"
asset = "aDemo"

[questions]
village = "place/village"
point = "place/point"
name = "head/name"
id_number = "head/id"
account = "head/card"
bank = "head/bank"
phone = "head/phone"
rooms_collapsed = "damage/collapsed"
relocated = "place/moved"

[values.relocated]
tent = "centralised"
kin = "dispersed"

[members]
group = "others"
name = "others/name"
id_number = "others/id"

[photos]
"damage/photo" = "damage_photo"
"""


def submission(n: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "_id": 7, "_uuid": ROOT, "meta/rootUuid": f"uuid:{ROOT}", "end": "2022-09-05T14:00:00.000+08:00", "place/village": VILLAGE,
        "place/point": "29.64 102.11 1500 8.5", "place/moved": "tent", "head/name": "甄演一", "head/id": numbers.householder_id(n),
        "head/card": numbers.account(n), "head/bank": "402", "head/phone": numbers.mainland_phone(n), "damage/collapsed": "2",
        "damage/photo": "photo 1.jpg", "others": [{"others/name": "甄演二", "others/id": numbers.member_id(n)}],
        "_attachments": [{"filename": "u/attachments/photo_1.jpg", "download_url": "http://127.0.0.1:1/photo", "mimetype": "image/jpeg"}], **changes,
    }  # fmt: skip


async def _form(tx: Tx) -> Form:
    incident = await make.incident(tx)
    reporter = await make.staff(tx, ("reporter", MOXI))
    login = await tx.fetchval("SELECT login FROM staff WHERE id = $1", reporter.id)
    return form_mapping.read(TEXT.replace("{incident}", str(incident)).replace("{person}", login))


async def _households(tx: Tx) -> int:
    return int(await tx.fetchval("SELECT count(*) FROM household WHERE device_id = $1", UUID(ROOT)))


async def test_a_submission_sent_again_edited_and_back_filled_is_one_household(tx: Tx, keys: Keys) -> None:
    form = await _form(tx)
    edited = submission(_uuid="0190f3c2-0000-4c3e-9d20-6b1f2a3c4d5e", **{"damage/collapsed": "3"})
    outcomes = [(await forms.take(tx, "luding", form, s, NOW, keys)).outcome for s in (submission(), submission(), edited, submission())]
    assert outcomes == ["new", "repeat", "edited", "repeat"]
    assert await _households(tx) == 1
    row = await tx.fetchrow("SELECT members, rooms_collapsed, relocated, accuracy_m FROM household WHERE device_id = $1", UUID(ROOT))
    assert row is not None
    assert tuple(row) == (2, 2, "centralised", 8.5)
    assert tuple(await tx.fetchrow("SELECT outcome, times FROM form_submission")) == ("registered", 4)  # type: ignore[arg-type]
    rule = next(i for i in invariants.ALL if i.name == "a_submission_is_one_household")
    assert (await invariants.examine(tx, rule)).broken == 0


async def test_what_cannot_be_registered_is_kept_with_its_reason_and_may_come_right_later(tx: Tx, keys: Keys) -> None:
    form = await _form(tx)
    for changes, code in (({"head/id": "123"}, "id_form"), ({"place/point": "nowhere"}, "form_answer"), ({"place/village": "511824101001"}, "other_county"),
                          ({"place/moved": "boat"}, "form_answer")):  # fmt: skip
        taken = await forms.take(tx, "luding", form, submission(**changes), NOW, keys)
        assert taken.outcome == "refused", changes
        assert taken.code == code or code == "id_form", taken
    assert await _households(tx) == 0
    assert (await forms.take(tx, "luding", form, submission(), NOW, keys)).outcome == "new"
    assert await tx.fetchval("SELECT outcome FROM form_submission") == "registered"


async def test_nothing_a_form_says_stands_in_clear(tx: Tx, keys: Keys) -> None:
    await forms.take(tx, "luding", await _form(tx), submission(), NOW, keys)
    row = await tx.fetchrow("SELECT * FROM form_submission")
    assert row is not None
    assert "甄演" not in str(list(row.values()))


def test_a_mapping_with_an_unknown_field_or_without_a_needed_one_is_refused_by_its_path() -> None:
    text = TEXT.replace("{incident}", ROOT).replace("{person}", "x")
    with pytest.raises(Invalid) as refusal:
        form_mapping.read(text.replace('phone = "head/phone"', 'phon = "head/phone"').replace('account = "head/card"\n', ""))
    assert "questions.phon" in refusal.value.message
    assert "account" in refusal.value.message


@pytest.mark.parametrize("changes", [{"meta/rootUuid": "uuid:no", "_uuid": None}, {"meta/rootUuid": None, "_uuid": None}])
def test_without_a_root_id_nothing_is_taken(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        form_mapping.root_of(submission(**changes))
    assert refusal.value.code == "root"


@asynccontextmanager
async def _server(pages: list[dict[str, Any]], photo: bytes) -> AsyncIterator[str]:
    async def data(request: web.Request) -> web.Response:
        start = int(request.query["start"])
        more = start + 1 < len(pages)
        return web.json_response({"results": pages[start : start + 1], "next": "more" if more else None})

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=photo)

    app = web.Application()
    app.add_routes([web.get("/api/v2/assets/aDemo/data.json", data), web.get("/photo", picture)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_the_back_fill_reads_every_page_and_photos_come_after_their_submission(tx: Tx, keys: Keys) -> None:
    form, photo = await _form(tx), b"\xff\xd8\xff the damage"
    pages = [submission(n, _uuid=str(UUID(int=n + 1)), **{"meta/rootUuid": None}) for n in range(3)]
    async with _server(pages, photo) as url, FormServer(url, "token", 5.0) as server:
        for page in pages:
            page["_attachments"][0]["download_url"] = f"{url}/photo"
        outcomes = [(await forms.take(tx, "luding", form, s, NOW, keys)).outcome async for s in server.submissions("aDemo")]
        assert outcomes == ["new"] * 3
        due = await forms.photos_due(tx, 10, NOW)
        assert [d.kind for d in due] == ["damage_photo"] * 3
        for one in due:
            await forms.keep_photo(tx, one, await server.photo(one.url, keep.MOST), NOW, keys)
        assert await tx.fetchval("SELECT count(*) FROM document WHERE kind = 'damage_photo' AND household IS NOT NULL") == 3
        assert await forms.photos_due(tx, 10, NOW.replace(year=2023)) == []
        with pytest.raises(Invalid) as refusal:
            await server.photo("http://169.254.169.254/photo", keep.MOST)
        assert refusal.value.code == "form_address"
        with pytest.raises(Invalid) as large:
            await server.photo(f"{url}/photo", 5)
        assert large.value.code == "form_size"
