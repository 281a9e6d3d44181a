"""The phone's doors over HTTP: one token, one place, a receipt for everything, and bad input answered with its code."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar

from relief.channels.photo_folder import PhotoFolder
from relief.domain.sealing import Keys
from relief.settings import Settings
from relief.store import db
from relief.web.house import House
from tests import make
from tests.domain.test_visit import a_photo
from tests.make import LUDING, MOXI
from tests.web.conftest import MORNING, Clock, Enter, new_client

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own

FIELD = "/api/v1/field"


class Phone:
    """A phone as the server sees it: no cookie, one token."""

    def __init__(self, app: Litestar, enrolled: dict[str, Any]) -> None:
        self.id, self.author, self.token = enrolled["device"], enrolled["person"], enrolled["token"]
        self.client = new_client(app)
        self.client.headers["Authorization"] = f"Device {self.id}.{self.token}"

    async def push(self, *records: dict[str, Any], **more: Any) -> httpx.Response:
        return await self.client.post(f"{FIELD}/sync", json={"version": 1, "waiting": 0, "records": list(records), **more})


@pytest.fixture
async def incident(pool: db.Pool) -> UUID:
    async with db.begin(pool) as tx:
        return await make.incident(tx)


@pytest.fixture
def home(app: Litestar, pool: db.Pool, keys: Keys, clock: Clock, tmp_path: Any) -> PhotoFolder:
    app.state.house = House(pool=pool, keys=keys, settings=Settings(home=tmp_path), clock=clock)
    return PhotoFolder(tmp_path / "photos", keys)


async def a_phone(app: Litestar, enter: Enter) -> Phone:
    reporter = await enter("reporter", MOXI)
    answer = await reporter.post(f"{FIELD}/devices", json={"device": str(uuid4()), "name": "测试手机"})
    assert answer.status_code == 201, answer.text
    return Phone(app, answer.json())


def record(phone: Phone, incident: UUID, n: int, seq: int | None = None, **changes: Any) -> dict[str, Any]:
    plain = msgspec.to_builtins(make.registration(n, incident=incident, **changes))
    id_ = str(UUID(int=UUID(phone.id).int ^ n))
    plain.pop("device_id")
    return {"id": id_, "seq": seq or n, "author": phone.author, "household": plain}


async def test_a_phone_enrols_syncs_and_gets_its_bundle(app: Litestar, enter: Enter, incident: UUID) -> None:
    phone = await a_phone(app, enter)
    answer = await phone.push(record(phone, incident, 1), record(phone, incident, 2, account="1"), record(phone, incident, 3))
    assert [r["outcome"] for r in answer.json()] == ["accepted", "refused", "accepted"]
    assert answer.json()[1]["code"] == "account_form"
    bundle = (await phone.client.get(f"{FIELD}/bundle")).json()
    assert len(bundle["roster"]) == 2
    assert [i["id"] for i in bundle["incidents"]] == [str(incident)]


async def test_the_token_opens_the_phones_doors_and_no_other_and_a_cookie_opens_none_of_them(
    app: Litestar, enter: Enter, incident: UUID
) -> None:
    phone, desk = await a_phone(app, enter), await enter("reporter", MOXI)
    assert (await phone.client.get("/api/v1/households")).status_code == 401
    assert (await desk.get(f"{FIELD}/bundle")).status_code == 401
    forged = new_client(app)
    for header in (f"Device {phone.id}.{'x' * 43}", f"Device {uuid4()}.{phone.token}", "Device nonsense", f"Bearer {phone.token}"):
        forged.headers["Authorization"] = header
        answer = await forged.get(f"{FIELD}/bundle")
        assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")


async def test_a_revoked_phone_is_refused_and_told_whether_to_empty_itself(app: Litestar, enter: Enter, incident: UUID) -> None:
    phone, reviewer = await a_phone(app, enter), await enter("township_reviewer", MOXI)
    [listed] = (await reviewer.get(f"{FIELD}/devices")).json()
    assert listed["id"] == phone.id
    answer = await reviewer.post(f"/api/v1/counties/{LUDING}/devices/{phone.id}/revoke", json={"reason": "手机遗失", "lost": True})
    assert answer.status_code == 204, answer.text
    refused = await phone.push(record(phone, incident, 1))
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (401, "device_revoked", {"wipe": True})
    [listed] = (await reviewer.get(f"{FIELD}/devices")).json()
    assert listed["wiped_at"] is not None


async def test_a_chunk_that_is_none_is_refused_whole_and_a_record_that_is_none_for_itself(
    app: Litestar, enter: Enter, incident: UUID
) -> None:
    phone = await a_phone(app, enter)
    for change, status, code in (
        ({"version": 0}, 426, "app_outdated"),
        ({"version": "1"}, 422, "type"),
        ({"records": None}, 422, "type"),
        ({"surplus": 1}, 422, "unknown_field"),
        ({"waiting": -1}, 422, "range"),
        ({"records": [record(phone, incident, 1)] * 201}, 422, "range"),
    ):
        answer = await phone.push(**change)
        assert (answer.status_code, answer.json()["code"]) == (status, code), change
    bad = [record(phone, incident, n) for n in range(1, 6)]
    bad[0]["household"]["members"] = []
    bad[1]["household"]["surplus"] = 1
    del bad[2]["household"]["village"]
    bad[3]["household"]["captured_at"] = "yesterday"
    bad[4]["household"]["lon"], bad[4]["household"]["lat"] = 29.6, 102.1
    answers = (await phone.push(*bad, record(phone, incident, 6))).json()
    assert [a.get("code") for a in answers] == ["range", "unknown_field", "missing_field", "type", "axes_swapped", None]


async def test_a_photo_comes_in_parts_over_a_line_that_breaks_and_lies_sealed(
    app: Litestar, enter: Enter, incident: UUID, home: PhotoFolder, pool: db.Pool
) -> None:
    phone, content = await a_phone(app, enter), a_photo(900, 700)
    digest = hashlib.sha256(content).hexdigest()
    path = f"{FIELD}/photos/{digest}"
    assert (await phone.client.get(path)).status_code == 404
    photo = {"digest": digest, "kind": "damage", "size": len(content), "taken_at": MORNING.isoformat()}
    answer = await phone.push(record(phone, incident, 1))
    with_photo = record(phone, incident, 2)
    with_photo["household"]["visit"] = {"photos": [photo]}
    answer = await phone.push(with_photo)
    assert answer.json()[0]["outcome"] == "accepted", answer.text
    kind = {"Content-Type": "image/jpeg"}
    at, step = 0, 60_000
    assert len(content) > 2 * step
    gap = await phone.client.put(f"{path}?at={step}", content=content[step : 2 * step], headers=kind)
    assert (gap.status_code, gap.json()["code"], gap.json()["data"]) == (409, "photo_gap", {"have": 0})
    while at < len(content):
        for _ in range(2):  # the answer got lost
            answer = await phone.client.put(f"{path}?at={at}", content=content[at : at + step], headers=kind)
            assert answer.status_code == 200, answer.text
        at = answer.json()["have"]
    assert answer.json() == {"have": len(content), "size": len(content), "done": True}
    async with db.begin(pool) as tx:
        kept = await db.value(tx, "SELECT id FROM photo WHERE status = 'received'")
    assert home.read(LUDING, kept) == content
    on_disk = [p.read_bytes() for p in home._root.rglob("*") if p.is_file()]
    assert on_disk
    assert all(content[:64] not in stored for stored in on_disk)


@pytest.mark.slow
async def test_a_photo_of_another_content_or_kind_is_refused_and_can_be_sent_again(
    app: Litestar, enter: Enter, incident: UUID, home: PhotoFolder
) -> None:
    phone = await a_phone(app, enter)
    good, tail = a_photo(80, 60), a_photo(80, 60) + b"PK"
    items = record(phone, incident, 1)
    items["household"]["visit"] = {
        "photos": [
            {"digest": hashlib.sha256(c).hexdigest(), "kind": "damage", "size": len(c), "taken_at": MORNING.isoformat()}
            for c in (good, tail)
        ]
    }
    await phone.push(items)
    kind = {"Content-Type": "image/jpeg"}
    path = f"{FIELD}/photos/{hashlib.sha256(good).hexdigest()}?at=0"
    other = await phone.client.put(path, content=bytes(len(good)), headers=kind)
    assert (other.status_code, other.json()["code"]) == (422, "digest_mismatch")
    assert (await phone.client.put(path, content=good, headers=kind)).json()["done"]
    polyglot = await phone.client.put(f"{FIELD}/photos/{hashlib.sha256(tail).hexdigest()}?at=0", content=tail, headers=kind)
    assert (polyglot.status_code, polyglot.json()["code"]) == (422, "photo_tail")
    svg = await phone.client.put(path, content=b"<svg/>", headers={"Content-Type": "image/svg+xml"})
    assert (svg.status_code, svg.json()["code"]) == (415, "media_type")
