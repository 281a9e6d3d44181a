"""The same line by JSON, as a program would go it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from relief.domain import batch as batch_file
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import activate, fund
from relief.services.approve import digest_of
from relief.store import db
from relief.web.api.describe import EXAMPLES
from tests import make
from tests.noticed import hang_out
from tests.web.conftest import Clock, Enter, code

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ZONE = ROOT / "geo" / "data" / "luding2022" / "zone_v1_rapid_2022-09-05.geojson"
API = "/api/v1"


async def post(client: httpx.AsyncClient, path: str, body: Any = None, key: bool = False, status: int | None = None) -> Any:
    """Post JSON and return the answer, which must be a success (or that status)."""
    headers = {"Idempotency-Key": uuid4().hex} if key else {}
    answer = (
        await client.post(API + path, json=body, headers=headers) if body is not None else await client.post(API + path, headers=headers)
    )
    assert answer.status_code == status or (status is None and answer.status_code < 300), (path, answer.status_code, answer.text)
    return answer.json() if answer.content else None


def families(incident: str, count: int) -> list[Any]:
    items = [make.registration(n, incident=uuid4(), lon=102.08, lat=29.62, rooms_collapsed=3 if n < 2 else 0) for n in range(count)]
    plain: list[Any] = msgspec.to_builtins(items)
    return [{**item, "incident": incident} for item in plain]


@pytest.fixture
async def playbook(pool: db.Pool, clock: Clock) -> str:
    async with db.begin(pool) as tx:
        text = (ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")
        made = await activate.import_playbook(tx, SYSTEM, text, clock.now)
        await activate.load_standards(
            tx, SYSTEM, (ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8"), clock.now
        )
        await fund.set_payer(tx, SYSTEM, make.LUDING, "泸定县应急管理局（演示）", "6299995133220000000", clock.now)
    return str(made)


async def test_a_program_goes_the_line_from_zone_to_authorised_batch(enter: Enter, pool: db.Pool, playbook: str, clock: Clock) -> None:
    province, second = await enter("province_officer", "51"), await enter("province_officer", "51")
    reporter, reviewer = await enter("reporter", make.MOXI), await enter("township_reviewer", make.MOXI)
    officer, approver = await enter("county_officer", make.LUDING), await enter("county_approver", make.LUDING)
    finance = [await enter(f"finance_{s}", make.LUDING) for s in ("preparer", "checker", "authoriser")]
    county = f"/counties/{make.LUDING}"

    incident = (await post(province, "/incidents", EXAMPLES["OpenIncident"]))["id"]
    answer = await province.post(
        f"{API}/incidents/{incident}/zones", params={"title": "快速评估", "reason": "震后首报"}, content=ZONE.read_bytes(),
        headers={"Content-Type": "application/geo+json"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    zone = answer.json()["id"]
    await post(province, f"/zones/{zone}/force", status=403)
    await post(second, f"/zones/{zone}/force")

    receipts = await post(reporter, "/households", families(incident, 5))
    assert [r["outcome"] for r in receipts] == ["new"] * 5
    assert [r["outcome"] for r in await post(reporter, "/households", families(incident, 5))] == ["repeat"] * 5

    for purpose in ("EMERG", "HOUSE"):
        notice = {**EXAMPLES["Allocate"], "incident": incident, "purpose": purpose, "document": f"演财〔2022〕{purpose}号"}
        await post(finance[0], "/funds", notice, key=True)
    choice = {"zone": zone, "playbook": playbook}
    preview = await post(province, f"/incidents/{incident}/preview", choice)
    assert preview["registered"] == 5
    activation = (await post(province, f"/incidents/{incident}/activations", choice))["id"]
    part = (await post(officer, f"/activations/{activation}{county}", EXAMPLES["Draft"], key=True))["id"]
    await post(officer, f"{county}/activations/{part}/start", status=403)
    await post(approver, f"{county}/activations/{part}/start")
    decided = await post(officer, f"{county}/activations/{activation}/decide?zone={zone}")
    assert decided["households"] == 5

    async with db.begin(pool) as tx:
        await hang_out(tx, clock.now)
    for client, mode, aid in ((reviewer, "A", "EMERG"), (approver, "B", "HOUSE")):
        waiting = (await client.get(f"{API}{county}/awards/waiting", params={"incident": incident, "mode": mode, "aid": aid})).json()
        signed = await post(
            client, f"{county}/awards/approve", {"awards": [a["id"] for a in waiting["awards"]], "digest": waiting["digest"]}, key=True
        )
        assert signed["amount_fen"] == waiting["total_fen"]
        assert all("甄" not in str(a) for a in waiting["awards"])

    frozen = await post(finance[0], f"{county}/batches", key=True)
    envelope = batch_file.envelope([bytes.fromhex(b["digest"]) for b in sorted(frozen, key=lambda b: b["id"])]).hex()
    for client, step in zip(finance, ("prepare", "check", "authorise"), strict=True):
        body = {"step": step, "batches": [b["id"] for b in frozen], "digest": envelope}
        if step == "authorise":
            await post(client, f"{county}/batches/sign", body, key=True, status=403)
            body["code"] = code(client, clock)
        await post(client, f"{county}/batches/sign", body, key=True)
    batches = (await finance[0].get(API + "/batches")).json()["items"]
    assert {b["status"] for b in batches} == {"authorised"}
    payments = (await officer.get(API + "/payments")).json()["items"]
    assert {p["payee"] for p in payments} == {"甄**"}
    summary = (await officer.get(f"{API}/incidents/{incident}/summary")).json()
    assert (summary["registered"], summary["ready"]) == (5, len(payments))


async def test_one_wrong_digit_of_the_digest_approves_nothing(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    reviewer = await enter("township_reviewer", make.MOXI)
    body = {"awards": [str(uuid4())], "digest": digest_of([(uuid4(), 1)]).hex()}
    refused = await post(reviewer, f"/counties/{make.LUDING}/awards/approve", body, key=True, status=409)
    assert refused["code"] == "moved_on"


async def test_a_faulty_record_never_stops_the_others_and_is_never_repeated(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident = str(await make.incident(tx))
    reporter = await enter("reporter", make.MOXI)
    items = families(incident, 3)
    items[1]["members"][0]["id_number"] = "519999198001010017"
    answer = await reporter.post(API + "/households", json=items)
    assert [r["outcome"] for r in answer.json()] == ["new", "invalid", "new"]
    assert answer.json()[1]["code"] == "id_checksum"
    assert "519999198001010017" not in answer.text


async def test_the_description_is_openapi_3_1_with_problems_and_examples(shared_enter: Enter) -> None:
    officer = await shared_enter("county_officer", make.LUDING)
    description = (await officer.get("/api/openapi.json")).json()
    assert description["openapi"].startswith("3.1")
    operations = {o["operationId"]: o for p in description["paths"].values() for m, o in p.items() if m in ("get", "post", "delete")}
    assert len(operations) >= 30
    for name, operation in operations.items():
        assert "application/problem+json" in operation["responses"]["4XX"]["content"], name
    shown = [b for o in operations.values() for b in o.get("requestBody", {}).get("content", {}).values() if b.get("examples")]
    assert len(shown) == len(EXAMPLES)


async def test_every_money_write_asks_for_a_key(shared_enter: Enter) -> None:
    officer = await shared_enter("county_officer", make.LUDING)
    description = (await officer.get("/api/openapi.json")).json()
    keyed = {
        path
        for path, item in description["paths"].items()
        for p in item.get("post", {}).get("parameters", [])
        if p["name"] == "Idempotency-Key"
    }
    county = f"{API}/counties/{{county}}"
    money = {
        f"{API}/funds", f"{county}/awards/approve", f"{county}/batches", f"{county}/batches/sign", f"{county}/accounts/confirm",
        f"{county}/evidence/accept", f"{county}/assessments", f"{county}/awards/withdraw", f"{API}/activations/{{activation}}/counties/{{county}}",
    }  # fmt: skip
    assert money <= keyed
    rooms = ("/alerts", "/incidents/{incident}/")
    written = {p for p, item in description["paths"].items() if "post" in item and p.removeprefix(API).startswith(rooms)}
    others = ("zones", "preview", "activations", "compare")  # dry runs, and what has its own once-only rule
    assert {p for p in written if not p.endswith(others)} <= keyed, "incident life, alerts, statistics and responses, too"
