"""The auditor's room, as an auditor uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relief.channels import audit_file
from relief.domain.sealing import Keys
from relief.services import seal
from relief.store import db
from tests import make, paid
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow


async def test_an_auditor_filters_follows_samples_finds_and_takes_the_trace_away(
    enter: Enter, pool: db.Pool, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    async with db.begin(pool) as tx:
        await paid.told(tx, keys, 3)
        reference = await tx.fetchval("SELECT reference FROM payment LIMIT 1")
    desk, foreign = Desk(await enter("auditor", make.LUDING)), Desk(await enter("auditor", make.SHIMIAN))
    async with db.begin(pool) as tx:
        await seal.seal(tx, clock.now)

    page = await desk.open("/audit")
    assert "登记受灾户" in page
    assert "登录" not in re.findall(r"<strong>(.*?)</strong>", page), "sign-ins of the whole province are not a county's business"
    assert "登记受灾户" not in await desk.open("/audit?act=batch")
    assert "登记受灾户" in await desk.open("/audit?act=household&day=2022-09-05")
    assert "登记受灾户" not in await desk.open("/audit?day=2022-09-06")
    assert "登记受灾户" not in await foreign.open("/audit")

    asked = await desk.press(page, "/audit/payment", reference=reference)
    page = await desk.open(asked.headers["location"])
    assert "甄**" in page
    assert re.search(r"留痕 №\d+ 登记受灾户", page)
    assert (await foreign.press(await foreign.open("/audit"), "/audit/payment", reference=reference)).status_code == 404
    assert (await foreign.client.get(asked.headers["location"])).status_code == 404

    page = await desk.do(await desk.open("/audit/samples"), "/audit/samples", seed="2022105", size="2")
    here = re.search(r'action="(/audit/samples/[^"]+)"', page)
    assert here
    page = await desk.do(page, here[1], finding="recover", amount="12.00", note="住房未受损")
    assert "1 / 2" in page
    assert "推算全部应追回" not in page, "one payment says nothing about its spread"
    page = await desk.do(page, here[1])
    assert "2 / 2" in page
    assert "推算全部应追回" in page

    answer = await desk.press(await desk.open("/audit"), "/audit/export", county=make.LUDING)
    (tmp_path / "export").write_bytes(answer.content)
    verdict = audit_file.verify(tmp_path / "export", {})
    assert verdict.broken is None
    assert list(verdict.heads) == [make.LUDING]
    assert (await foreign.press(await foreign.open("/audit"), "/audit/export", county=make.LUDING)).status_code == 404


async def test_who_watches_the_trace_is_told_when_nobody_seals_it(enter: Enter, pool: db.Pool) -> None:
    admin, officer = Desk(await enter("audit_admin", "51")), Desk(await enter("county_officer", make.LUDING))
    assert "留痕封存落后" in await admin.open("/")
    assert "登录" in await admin.open("/audit")
    assert "留痕封存落后" not in await officer.open("/")
    assert (await admin.client.get("/audit/samples")).status_code == 403
