"""The register by hand: a name looked at before it is given, a life with its reasons, two incidents that turn out to be one."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from relief.domain.sealing import Keys
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI, SHIMIAN
from tests.web.conftest import Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow

ASKED = f"/incidents/new?county={LUDING}&hazard=020100&occurred_at=2022-09-05T12:52"


async def test_the_name_is_looked_at_before_the_incident_is_opened(enter: Enter, pool: db.Pool) -> None:
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open("/incidents/new")
    assert "地质地震灾害" in page
    assert "020100 地震" in page
    assert " checked" not in page, "real or drill is said by the officer, never preset"
    page = await officer.open(ASKED + "&drill=yes")
    assert "2022-09-05 泸定县地震" in page
    assert 'class="drill"' in page
    assert await db_count(pool) == 0, "looking writes nothing"
    page = await officer.do(page, "/incidents")
    assert "灾害事件已建立" in page
    again = await officer.open(ASKED + "&drill=yes")
    assert "“2022-09-05 泸定县地震”正在进行，请归入该事件" in again
    assert 'action="/incidents"' not in again
    page = await officer.open(ASKED.replace("020100", "020400") + "&drill=no")
    assert "可拨付真实资金" in page
    assert "2022-09-05 泸定县地震" in page, "the one nearby is shown before a second is opened"


async def db_count(pool: db.Pool) -> int:
    async with db.read(pool) as tx:
        return int(await db.value(tx, "SELECT count(*) FROM incident"))


@pytest.mark.slow
@pytest.mark.parametrize(("drill", "code"), [("", "drill"), ("perhaps", "drill")])
async def test_whether_it_is_a_drill_must_be_said(enter: Enter, drill: str, code: str) -> None:
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open(ASKED + "&drill=no")
    answer = await officer.press(page, "/incidents", drill=drill)
    assert answer.status_code == 422
    assert code in answer.text


@pytest.mark.slow
async def test_an_incident_goes_through_its_life_by_its_buttons(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
    officer, at = Desk(await enter("county_officer", LUDING)), f"/incidents/{incident}"
    page = await officer.open(at + "/record")
    page = await officer.do(page, at + "/move")
    page = await officer.do(page, at + "/stable", at="2022-09-05T19:30")
    assert "县级核报期限开始计算" in page
    page = await officer.do(page, at + "/move")
    assert "恢复期" in page
    page = await officer.do(page, at + "/close", reason="恢复重建完成")
    for shown in ("已结束", "恢复重建完成", "转为响应中", "宣布灾情稳定", "020100 地震", "演练：永不进入真实银行和手机"):
        assert shown in page, shown
    assert f'action="{at}/' not in page, "nothing is left to press"
    assert str(incident) not in await officer.open("/incidents")
    assert str(incident) in await officer.open("/incidents?show=closed&hazard=020100")
    assert str(incident) not in await officer.open("/incidents?show=closed&hazard=010100")


@pytest.mark.slow
async def test_what_is_open_stands_first_and_bars_the_closing(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)))
        await tx.execute(
            "INSERT INTO response (incident, issuer, area, seq, act, level, figures, document, decided_by, reason, person, decided_at, recorded_at) "
            "SELECT $1, 'province', '51', 1, 'launch', 4, '{}', '川〔2022〕1号', '', '会商', opened_by, opened_at, opened_at FROM incident WHERE id = $1",
            incident,
        )  # fmt: skip
    officer, at = Desk(await enter("county_officer", LUDING)), f"/incidents/{incident}"
    page = await officer.open(at + "/record")
    assert "响应未终止 <strong>1</strong>" in page
    assert "须先办结，否则不能结束" in page
    assert "待审批救助 <strong>1</strong>" in page
    assert f'action="{at}/close"' not in page
    answer = await officer.client.post(at + "/close", data={"csrf": officer.client.headers["X-Test-Csrf"], "reason": "结束"})
    assert answer.status_code == 409
    assert "尚有响应未终止1项，不能结束" in answer.text


async def test_a_duplicate_is_merged_after_both_were_seen_side_by_side(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        reporter = await make.staff(tx, ("reporter", MOXI))
        kept, gone = await make.incident(tx, name="2022-09-05 泸定县地震"), await make.incident(tx, name="2022-09-05 泸定县滑坡")
        await make.awards(tx, keys, incident=kept, reporter=reporter)
        await make.awards(tx, keys, incident=gone, reporter=reporter, device_id=uuid4())
    approver = Desk(await enter("county_approver", LUDING))
    page = await approver.open(f"/incidents/{gone}/record")
    at = f"/incidents/{gone}/merge"
    assert f'href="{at}?into={kept}"' in page
    page = await approver.open(f"{at}?into={kept}")
    for shown in ("3 条享受资格改挂", "1 件重复享受，将转为追回案件", "900.00", f"/incidents/{kept}/merge?into={gone}"):
        assert shown in page, shown
    page = await approver.do(page, at, reason="同一次地震")
    assert "已合并" in page
    assert "由以下事件并入" in page
    assert "追回案件未办结 <strong>1</strong>" in page
    await officer_answers(approver)
    assert "已并入" in await approver.open(f"/incidents/{gone}/record")


async def officer_answers(approver: Desk) -> None:
    """The case the merge opened waits on the first page and is answered."""
    assert "追回案件待核实" in await approver.open("/")
    page = await approver.open("/recoveries")
    for shown in ("合并灾害后重复享受", "900.00", "尚未到账，暂停支付", "办结：无误，恢复支付"):
        assert shown in page, shown
    page = await approver.do(page, "/recoveries", answer="两户为同一家庭，重复登记")
    assert "没有追回案件" in page
    assert "两户为同一家庭" in await approver.open("/recoveries?show=closed")


@pytest.mark.slow
async def test_what_cannot_be_merged_says_why_and_has_no_button(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        drill, real, far = await make.incident(tx), await make.incident(tx, drill=False), await make.incident(tx, county=SHIMIAN)
    approver = Desk(await enter("county_approver", LUDING))
    for other, why in ((real, "演练不能与真实灾害合并"), (far, "须由在全部涉及县都有权限的人员")):
        page = await approver.open(f"/incidents/{drill}/merge?into={other}")
        assert why in page
        assert f'action="/incidents/{drill}/merge"' not in page
    officer = await enter("county_officer", LUDING)
    assert (await officer.get(f"/incidents/{drill}/merge?into={real}")).status_code == 403


@pytest.mark.slow
async def test_the_register_is_paged_by_the_moment_of_the_event(enter: Enter, pool: db.Pool, clock: Clock) -> None:
    async with db.begin(pool) as tx:
        await make.incident(tx)
        await tx.execute(
            "INSERT INTO incident (name, hazard, county, occurred_at, status, drill, opened_by, opened_at) "
            "SELECT 'n' || n, hazard, county, occurred_at - n * interval '1 day', 'reported', drill, opened_by, opened_at "
            "FROM incident, generate_series(1, 120) AS t (n)"
        )
    officer = Desk(await enter("county_officer", LUDING))
    page = await officer.open("/incidents")
    [next_] = [part.split('"')[0] for part in page.split('href="')[1:] if "after=" in part.split('"')[0]]
    second = await officer.open(next_.replace("&amp;", "&"))
    assert page.count("/record") == 100
    assert second.count("/record") == 21
    assert "after=" not in second
    assert (await officer.client.get("/incidents?after=nonsense")).status_code == 422


@pytest.mark.slow
async def test_the_record_shows_no_other_county_to_a_stranger(enter: Enter, pool: db.Pool) -> None:
    async with db.begin(pool) as tx:
        incident: UUID = await make.incident(tx)
    stranger = Desk(await enter("county_officer", SHIMIAN))
    page = await stranger.open(f"/incidents/{incident}/record")
    assert "下一步" not in page
    answer = await stranger.client.post(
        f"/incidents/{incident}/move", data={"csrf": stranger.client.headers["X-Test-Csrf"], "target": "active"}
    )
    assert answer.status_code == 403
