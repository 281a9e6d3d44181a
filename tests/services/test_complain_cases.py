"""A complaint is a case: it goes to who must answer, may be opened again, and nobody judges themselves."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from relief.domain.complaint import KINDS, MOST_REOPENED, REOPEN_WITHIN, STRANGERS, Complaint
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import SYSTEM
from relief.domain.sealing import Keys
from relief.services import complain, confirm
from relief.services.confirm import OnPage, Page
from relief.store.db import Tx
from relief.store.views import complaints as views
from tests import make, paid
from tests.make import LUDING, MOXI, NOW, SHIMIAN, VILLAGE

LATER = NOW + timedelta(hours=3)
WORDS = "村干部要我先交两百元才给登记。"
ADDRESS = "192.0.2.7"


async def _bribe(tx: Tx, keys: Keys) -> tuple[UUID, str]:
    """A stranger's complaint and its reference."""
    receipt = await complain.from_stranger(tx, ADDRESS, VILLAGE, "bribe", WORDS, NOW, keys)
    return await tx.fetchval("SELECT id FROM complaint WHERE reference = $1", receipt.reference), receipt.reference


async def test_a_stranger_gets_a_number_that_opens_the_answer_and_nothing_is_kept_in_clear(tx: Tx, keys: Keys) -> None:
    id_, reference = await _bribe(tx, keys)
    row = await tx.fetchrow("SELECT sealed, owner, way, household, due_at FROM complaint WHERE id = $1", id_)
    assert row is not None
    assert (row["owner"], row["way"], row["household"], row["due_at"]) == ("discipline", "anonymous", None, NOW + KINDS["bribe"].due)
    assert WORDS.encode() not in row["sealed"]
    assert await tx.fetchval("SELECT count(*) FROM sign_in_attempt WHERE subject LIKE '%' || $1 || '%'", ADDRESS) == 0
    told = complain.shown(await complain.look(tx, LUDING, reference), LATER, keys)
    assert (told.status, told.answer, told.may_reopen) == ("open", None, False)
    with pytest.raises(NotFound):
        await complain.look(tx, SHIMIAN, reference)


async def test_a_complaint_about_conduct_is_answered_by_discipline_and_nobody_else(tx: Tx, keys: Keys) -> None:
    id_, _ = await _bribe(tx, keys)
    for role, area in (("township_reviewer", MOXI), ("county_officer", LUDING), ("finance_checker", LUDING)):
        with pytest.raises(Refused):
            await complain.close(tx, await make.staff(tx, (role, area)), LUDING, [id_], "核实", LATER, keys)
    assert await complain.close(tx, await make.staff(tx, ("auditor", "51")), LUDING, [id_], "已立案核查。", LATER, keys) == 1


async def test_whoever_a_complaint_turns_out_to_be_about_neither_sees_nor_answers_it(tx: Tx, keys: Keys) -> None:
    id_, _ = await _bribe(tx, keys)
    auditor, officer = await make.staff(tx, ("auditor", "51")), await make.staff(tx, ("county_officer", LUDING))
    await complain.pass_on(tx, auditor, LUDING, id_, "county", "请说明", LATER, keys, about=officer.person)
    with pytest.raises(Refused) as refusal:
        await complain.close(tx, officer, LUDING, [id_], "没有此事", LATER, keys)
    assert refusal.value.code == "own_case"
    places = [f"county:{LUDING}%"]
    assert await views.complaints(tx, places, "open", officer.person) == []
    other = await make.staff(tx, ("county_officer", LUDING))
    assert [c.id for c in await views.complaints(tx, places, "open", other.person)] == [id_]


async def test_passing_on_gives_a_new_deadline_and_is_written_down(tx: Tx, keys: Keys) -> None:
    [family] = await paid.households(tx, keys)
    await complain.open_(tx, SYSTEM, [Complaint(LUDING, "wrong_facts", "page", family.household)], NOW)
    id_ = await tx.fetchval("SELECT id FROM complaint")
    officer = await make.staff(tx, ("county_officer", LUDING))
    assert await complain.acknowledge(tx, officer, LUDING, [id_], LATER) == 1
    await complain.pass_on(tx, officer, LUDING, id_, "finance", "账号问题，请核对", LATER, keys)
    with pytest.raises(Refused):
        await complain.acknowledge(tx, officer, LUDING, [id_], LATER)
    row = await tx.fetchrow("SELECT owner, due_at, acknowledged_at FROM complaint WHERE id = $1", id_)
    assert row is not None
    assert tuple(row) == ("finance", LATER + KINDS["wrong_facts"].due, None)
    acts = [(e.act, e.department) for e in await views.events(tx, LUDING, id_)]
    assert sorted(acts) == [("acknowledged", "township"), ("opened", "township"), ("passed on", "finance")]
    with pytest.raises(Conflict):
        await complain.pass_on(tx, await make.staff(tx, ("finance_checker", LUDING)), LUDING, id_, "finance", "", LATER, keys)


async def test_a_resident_who_is_not_satisfied_opens_it_again_but_not_for_ever(tx: Tx, keys: Keys) -> None:
    [family] = await paid.households(tx, keys)
    officer = await make.staff(tx, ("county_officer", LUDING))
    await confirm.by_page(tx, family.slip, family.code, OnPage("complaint", None, "other", "没有人来核实"), NOW, keys)
    id_ = await tx.fetchval("SELECT id FROM complaint")
    again = OnPage("reopen", complaint=id_, words="还是没有")
    for turn in range(MOST_REOPENED + 1):
        await complain.close(tx, officer, LUDING, [id_], f"第{turn}次答复", LATER, keys)
        page = await confirm.page(tx, family.slip, family.code, LATER, keys)
        assert isinstance(page, Page)
        assert (page.complaints[0].answer, page.complaints[0].may_reopen) == (f"第{turn}次答复", turn < MOST_REOPENED)
        if turn < MOST_REOPENED:
            await confirm.by_page(tx, family.slip, family.code, again, LATER, keys)
    with pytest.raises(Conflict) as refusal:
        await confirm.by_page(tx, family.slip, family.code, again, LATER, keys)
    assert refusal.value.code == "not_again"


async def test_after_a_month_an_answer_stands(tx: Tx, keys: Keys) -> None:
    id_, reference = await _bribe(tx, keys)
    await complain.close(tx, await make.staff(tx, ("auditor", "51")), LUDING, [id_], "查无实据", LATER, keys)
    told = await complain.look(tx, LUDING, reference)
    with pytest.raises(Conflict):
        await complain.reopen(tx, told, "", LATER + REOPEN_WITHIN + timedelta(seconds=1), keys)
    await complain.reopen(tx, told, "", LATER + REOPEN_WITHIN, keys)


async def test_nobody_opens_another_households_complaint_again(tx: Tx, keys: Keys) -> None:
    one, two = await paid.households(tx, keys, 2)
    await confirm.by_page(tx, one.slip, one.code, OnPage("complaint", None, "other"), NOW, keys)
    id_ = await tx.fetchval("SELECT id FROM complaint")
    await complain.close(tx, await make.staff(tx, ("county_officer", LUDING)), LUDING, [id_], "已办", LATER, keys)
    with pytest.raises(NotFound):
        await confirm.by_page(tx, two.slip, two.code, OnPage("reopen", complaint=id_), LATER, keys)


async def test_strangers_are_throttled_by_where_they_come_from(tx: Tx, keys: Keys) -> None:
    for _ in range(STRANGERS):
        await complain.from_stranger(tx, ADDRESS, MOXI, "other", WORDS, NOW, keys)
    with pytest.raises(Refused) as refusal:
        await complain.from_stranger(tx, ADDRESS, MOXI, "other", WORDS, NOW, keys)
    assert refusal.value.code == "throttled"
    await complain.from_stranger(tx, "192.0.2.8", MOXI, "other", WORDS, NOW, keys)
    await complain.from_stranger(tx, ADDRESS, MOXI, "other", WORDS, NOW + timedelta(hours=1, seconds=1), keys)


@pytest.mark.parametrize(
    ("village", "kind", "words", "code"),
    [
        ("", "other", WORDS, "place"), ("51332A", "other", WORDS, "place"), ("513399", "other", WORDS, "not_found"),
        (VILLAGE, "weather", WORDS, "complaint_kind"), (VILLAGE, "other", " ", "complaint_words"), (VILLAGE, "other", "字" * 501, "complaint_words"),
    ],
)  # fmt: skip
async def test_a_strangers_bad_input_gets_a_sentence(tx: Tx, keys: Keys, village: str, kind: str, words: str, code: str) -> None:
    with pytest.raises((Invalid, NotFound)) as refusal:
        await complain.from_stranger(tx, ADDRESS, village, kind, words, NOW, keys)
    assert refusal.value.code == code


async def test_a_place_without_a_township_goes_to_the_county(tx: Tx, keys: Keys) -> None:
    await complain.from_stranger(tx, ADDRESS, LUDING, "wrong_facts", WORDS, NOW, keys)
    assert await tx.fetchval("SELECT owner FROM complaint") == "county"


async def test_statistics_count_by_kind_what_one_may_read(tx: Tx, keys: Keys) -> None:
    await _bribe(tx, keys)
    id_, _ = await _bribe(tx, keys)
    await complain.close(tx, await make.staff(tx, ("auditor", "51")), LUDING, [id_], "已查", NOW + timedelta(hours=4), keys)
    [line] = await views.statistics(tx, [f"discipline:{LUDING}%"], NOW + timedelta(days=30))
    assert (line.kind, line.complaints, line.open, line.late, line.median_hours) == ("bribe", 2, 1, 1, 4.0)
    assert await views.statistics(tx, [f"township:{LUDING}%"], NOW) == []


STOPS = 'stops = [{ when = "earlier_stage_disputed", does = "hold_stage" }]\n'


@pytest.mark.parametrize("playbook_says_so", [True, False])
async def test_a_disputed_stage_holds_the_next_ones_where_the_playbook_says_so_until_it_is_answered(
    tx: Tx, keys: Keys, playbook_says_so: bool
) -> None:
    [family] = await paid.households(tx, keys)
    incident = await tx.fetchval("SELECT incident FROM household WHERE id = $1", family.household)
    _, playbook, activation = await make.activated(tx, incident=incident)
    body = await tx.fetchval("SELECT body FROM playbook WHERE id = $1", playbook)
    bare = re.sub(r"(?m)^stops = \[.*?\]\n", "", body.replace("form = 2", "form = 1"), flags=re.DOTALL)
    if playbook_says_so:
        bare = bare.replace('code = "HOUSE"\n', 'code = "HOUSE"\n' + STOPS, 1)
    await tx.execute(
        "WITH p AS (INSERT INTO playbook (key, version, digest, body, imported_at) VALUES ('earthquake', '99', $3, $2, $4) RETURNING id) "
        "UPDATE activation SET playbook = p.id FROM p WHERE activation.id = $1",
        activation, bare, uuid4().bytes, NOW,
    )  # fmt: skip
    award = await tx.fetchval(
        "UPDATE award SET mode = 'B', aid = 'HOUSE', status = 'approved', activation = $2 WHERE household = $1 RETURNING id",
        family.household, activation,
    )  # fmt: skip
    await confirm.by_reporter(tx, await make.staff(tx, ("reporter", MOXI)), LUDING, [family.payment], "disputed", NOW)
    held = "SELECT count(*) FROM hold WHERE kind = 'award' AND subject = $1 AND valid_to IS NULL"
    assert await tx.fetchval(held, str(award)) == int(playbook_says_so)
    id_ = await tx.fetchval("SELECT id FROM complaint")
    await complain.close(tx, await make.staff(tx, ("county_officer", LUDING)), LUDING, [id_], "已到账，已当面核对。", LATER, keys)
    assert await tx.fetchval(held, str(award)) == 0
