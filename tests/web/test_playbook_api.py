"""Playbooks over the wire: what the console does, a program may do, under the same rights and with every refusal named."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from relief.domain.sealing import Keys
from relief.store import db
from relief.web.console import scenarios
from tests import make
from tests.services.test_decide import World
from tests.web.conftest import Clock, Enter
from tests.web.test_playbooks import CASES, NEXT, TEXT, version
from tests.web.test_scenarios import world

__all__ = ["version", "world"]
pytestmark = pytest.mark.slow
API = "/api/v1"
TOML = {"Content-Type": "application/toml"}


async def send(client: httpx.AsyncClient, path: str, text: str) -> httpx.Response:
    return await client.post(API + path, content=text.encode(), headers=TOML)


async def test_a_version_is_checked_brought_compared_and_forced_by_another(enter: Enter, version: UUID) -> None:
    one, two = await enter("province_officer", "51"), await enter("province_officer", "51")
    faulty = NEXT.replace('approver = "township"', 'approver = "county"')
    line = next(n for n, written in enumerate(faulty.splitlines(), 1) if written.startswith("approver"))
    checked = (await send(one, "/playbooks/check", faulty)).json()
    assert line in {f["line"] for f in checked["faults"]}
    assert checked["key"] is None
    refused = await send(one, "/playbooks", faulty)
    assert (refused.status_code, refused.headers["content-type"], refused.json()["code"]) == (422, "application/problem+json", "playbook")
    assert any(f.startswith(f"{line} ") for f in refused.json()["data"]["faults"])
    assert (await one.post(API + "/playbooks", json={})).json()["code"] == "media_type"

    made = (await send(one, "/playbooks", NEXT)).json()["id"]
    changed = (await one.get(f"{API}/playbooks/{version}/difference/{made}")).json()
    assert [(c["path"], c["state"]) for c in changed] == [("amount", "changed")]
    assert (await send(one, f"/playbooks/{made}/cases", CASES)).status_code == 204
    worked = (await one.get(f"{API}/playbooks/{made}/cases")).json()
    assert {bool(o["differs"]) for o in worked["outcomes"]} == {True, False}, "cases of fifteen days against a rule of twenty"
    assert (await one.post(f"{API}/playbooks/{made}/force")).json()["code"] == "same_person"
    assert (await two.post(f"{API}/playbooks/{made}/force")).status_code == 204
    listed = {v["id"]: v["status"] for v in (await two.get(API + "/playbooks")).json()}
    assert listed == {str(version): "in force", made: "in force"}


async def test_the_document_marks_every_sentence_that_rests_on_an_unverified_figure(enter: Enter, version: UUID) -> None:
    officer = await enter("county_officer", make.LUDING)
    told = (await officer.get(f"{API}/playbooks/{version}/document?area={make.LUDING}&lang=en")).json()
    amounts = [c for p in told["parts"] for c in p["clauses"] if c["figures"]]
    assert amounts
    assert all(c["unverified"] for c in amounts)
    assert {k for c in amounts for k in c["figures"]} <= {f["key"] for f in told["figures"]}
    assert all(f["document"] and f["legal_basis"] for f in told["figures"])
    assert (await officer.get(f"{API}/playbooks/{version}")).json()["text"] == TEXT
    assert (await officer.get(f"{API}/playbooks/{version}/document?area=1")).status_code == 422
    reporter = await enter("reporter", make.MOXI)
    assert (await send(reporter, "/playbooks", NEXT)).status_code == 403


async def test_figures_are_listed_and_drafts_withdrawn(enter: Enter, version: UUID) -> None:
    officer = await enter("county_officer", make.LUDING)
    item = {"key": "DIBAO.month", "area": make.LUDING, "amount_fen": 62_000, "valid_from": "2022-09-01", "valid_to": None, "document": "泸民〔2022〕9号", "verified": True}  # fmt: skip
    ids = (await officer.post(API + "/figures", json={"items": [item]})).json()["ids"]
    mine = [f for f in (await officer.get(f"{API}/figures?area={make.LUDING}")).json() if f["key"] == "DIBAO.month"]
    assert [(f["area"], f["status"]) for f in mine] == [("51", "in force"), (make.LUDING, "draft")]
    assert (await officer.post(API + "/figures/withdraw", json={"ids": ids})).status_code == 204


async def test_a_move_shows_its_effect_and_needs_another_person(enter: Enter, world: World) -> None:
    one, two = await enter("province_officer", "51"), await enter("province_officer", "51")
    body = {"zone": str(world.zones[0]), "playbook": str(world.next), "reason": "省级修订"}  # type: ignore[attr-defined]
    move = (await one.post(f"{API}/activations/{world.activation}/moves", json=body)).json()["id"]
    effect = (await two.get(f"{API}/moves/{move}/effect")).json()
    assert sum(c["more"] for c in effect["changes"] if not c["aid"]) == 5
    assert (await one.post(f"{API}/moves/{move}/confirm")).json()["code"] == "same_person"
    assert (await two.post(f"{API}/moves/{move}/confirm")).status_code == 204
    assert (await two.post(f"{API}/moves/{move}/withdraw")).json()["code"] == "not_a_draft"


async def test_only_versions_in_force_may_be_chosen(pool: db.Pool, keys: Keys, clock: Clock, version: UUID, enter: Enter) -> None:
    province = await enter("province_officer", "51")
    await send(province, "/playbooks", NEXT)
    async with db.read(pool) as tx:
        assert [c.id for c in await scenarios.fitting(tx, "020100")] == [version]
        assert await scenarios.fitting(tx, "010100") == []
