"""Money to come, money that stands still and the entries of a fund, as officers meet them on their pages."""

from __future__ import annotations

import re

import pytest

from relief.domain.sealing import Keys
from relief.services import approve
from relief.store import db
from tests import make
from tests.make import LUDING, MOXI, VILLAGE
from tests.web.conftest import MORNING, Clock, Enter
from tests.web.test_console import Desk

pytestmark = pytest.mark.slow


async def test_officers_hold_a_village_let_it_go_and_end_an_award(enter: Enter, pool: db.Pool, keys: Keys, clock: Clock) -> None:
    clock.now = MORNING
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        held = await make.fund(tx, incident=incident, amount_fen=10**6, purpose="HOUSE")
        made = await make.awards(
            tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)), count=2, aid="HOUSE", amount_fen=300_000,
            conditions=("none", "ground_broken"), shares_bp=(4_000, 6_000),
        )  # fmt: skip
        approver = await make.staff(tx, ("county_approver", LUDING))
        await approve.approve(tx, approver, LUDING, made, approve.digest_of([(a, 300_000) for a in made]), make.NOW)
        slip = await tx.fetchval("SELECT h.slip FROM household h JOIN award a ON a.household = h.id WHERE a.id = $1", made[0])
    officer, chief = Desk(await enter("county_officer", LUDING)), Desk(await enter("county_approver", LUDING))

    page = await officer.open("/holds")
    await officer.do(page, "/holds", county=LUDING, kind="village", name=VILLAGE, reason="群众反映名单不实")
    page = await officer.open("/holds")
    assert "群众反映名单不实" in page
    async with db.begin(pool) as tx:
        hold = str(await tx.fetchval("SELECT id FROM hold WHERE by_hand"))
    await officer.do(page, "/holds/lift", county=LUDING, hold=hold, reason="核实无误")
    assert "群众反映名单不实" not in await officer.open("/holds")

    async with db.begin(pool) as tx:
        account = await tx.fetchval("SELECT c.id FROM account c JOIN award a ON a.payee = c.person WHERE a.id = $1", made[0])
        await tx.execute(
            "INSERT INTO hold (county, kind, subject, reason, valid_from) VALUES ($1, 'account', $2, 'unfit_line', $3)",
            LUDING,
            str(account),
            MORNING,
        )
    page = await officer.open("/holds")
    assert "写不下" in page, "the system says why in words"
    assert slip in page
    async with db.begin(pool) as tx:
        await tx.execute("UPDATE account SET status = 'replaced' WHERE id = $1", account)
    assert "写不下" not in await officer.open("/holds"), "nobody has anything to do about a card that was replaced"

    assert "待验收" in await chief.open("/coming")
    assert "3,600.00" in await chief.open("/coming")
    await chief.do(await chief.open("/holds"), "/holds/cancel", county=LUDING, slip=slip, why="death", note="户主去世")
    assert "1,800.00" in await chief.open("/coming")
    refused = await officer.press(
        await officer.open("/holds"), "/holds", county=LUDING, kind="village", name="513322999999", reason="没有这个村"
    )
    assert refused.status_code == 404

    finance = Desk(await enter("finance_preparer", LUDING))
    page = await finance.open(f"/funds/{LUDING}/{held}")
    await finance.do(page, f"/funds/{LUDING}/{held}", way="add", amount="1,000.00", document="川财〔2022〕16号")
    below = await finance.press(page, f"/funds/{LUDING}/{held}", way="cut", amount="9,000.00", document="川财〔2022〕17号", key="another")
    assert below.status_code == 409
    assert "不能压减到已用数以下" in below.text
    checker = Desk(await enter("finance_checker", LUDING))
    page = await checker.open(f"/funds/{LUDING}/{held}")
    assert "川财〔2022〕16号" in page
    async with db.begin(pool) as tx:
        entry = str(await tx.fetchval("SELECT id FROM transfer WHERE subject = 'fund' AND amount_fen = 100000"))
    await checker.do(page, f"/funds/{LUDING}/{held}/correct", transfer=entry, reason="录错")
    assert "更正" in await checker.open(f"/funds/{LUDING}/{held}")
    assert "10,000.00" in await checker.open(f"/funds/{LUDING}/{held}?at=2022-09-05T13:13")


async def test_a_reviewer_sends_back_what_must_be_mended_and_refuses_with_a_reason(enter: Enter, pool: db.Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        incident = await make.incident(tx)
        await make.fund(tx, incident=incident, amount_fen=10**6)
        made = await make.awards(tx, keys, incident=incident, reporter=await make.staff(tx, ("reporter", MOXI)), count=2)
        await tx.execute("UPDATE decision SET reasons = '{}' WHERE id IN (SELECT decision FROM award WHERE id = ANY ($1::uuid[]))", made)
    reviewer = Desk(await enter("township_reviewer", MOXI))
    page = await reviewer.open("/approvals")
    fields = dict(re.findall(r'name="(csrf|key|county)" value="([^"]*)"', page))
    plain = fields | {"award": str(made[0]), "reason": "补充受灾照片", "do": "mend"}
    assert (await reviewer.client.post("/approvals/back", data=plain)).status_code == 303
    assert "退回补正：补充受灾照片" in await reviewer.open("/holds")
    nothing = await reviewer.client.post("/approvals/back", data=plain | {"award": str(made[1]), "reason": " ", "do": "refuse", "key": "b"})
    assert nothing.status_code == 422
    done = await reviewer.client.post(
        "/approvals/back", data=plain | {"award": str(made[1]), "reason": "不在灾区范围", "do": "refuse", "key": "c"}
    )
    assert done.status_code == 303
    async with db.begin(pool) as tx:
        assert await tx.fetchval("SELECT status FROM award WHERE id = $1", made[1]) == "withdrawn"
        assert await tx.fetchval("SELECT detail->>'reason' FROM audit WHERE act = 'award.withdraw'") == "不在灾区范围"
