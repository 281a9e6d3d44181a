"""评议, 公示, 异议: what must have happened in the village before a larger award is approved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from relief.domain import playbook
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.policy import Actor
from relief.domain.review import last_day, may_be_listed, rules_of
from relief.domain.sealing import Keys
from relief.services import announce, approve, contest
from relief.services.announce import Minutes
from relief.services.approve import digest_of
from relief.services.contest import Objection
from relief.store import invariants, reviews
from relief.store.db import Tx
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE

#: Monday 2022-09-05; 中秋 is on Monday the 12th, so seven working days end on the 15th.
PHOTO = b"\x89PNG\r\n\x1a\nposted"
END = b"\xff\xd8\xffend"
AFTER = datetime(2022, 9, 16, 2, 0, tzinfo=UTC)
FEN = 2_000_000


class Village:
    """A village with `count` households proposed for rebuilding, and everybody who has a part in it."""

    def __init__(self, tx: Tx, keys: Keys) -> None:
        self.tx, self.keys = tx, keys

    async def open(self, count: int, aid: str = "HOUSE", text: str | None = None) -> Village:
        self.aid = aid
        self.incident = await make.incident(self.tx)
        self.registrar = await make.staff(self.tx, ("reporter", MOXI))
        self.reporter = await make.staff(self.tx, ("reporter", MOXI))
        self.reviewer = await make.staff(self.tx, ("township_reviewer", MOXI))
        self.approver = await make.staff(self.tx, ("county_approver", LUDING))
        self.awards = await make.awards(
            self.tx, self.keys, incident=self.incident, reporter=self.registrar, count=count, aid=aid, amount_fen=FEN
        )
        _, book, self.activation = await make.activated(self.tx, incident=self.incident)
        rules = rules_of(playbook.read(text or (make.ROOT / "playbooks" / "earthquake.toml").read_text("utf-8")))
        await reviews.keep_rules(self.tx, [(book, r) for r in rules], NOW - timedelta(days=1))
        await make.fund(self.tx, incident=self.incident, amount_fen=10**10, purpose=aid)
        return self

    async def review(self, opposed: int = 0, now: datetime = NOW, **changes: Any) -> UUID:
        split = len(self.awards) - opposed
        given = {
            "held_on": date(2022, 9, 5),
            "participants": 7,
            "words": "无异议",
            "supported": self.awards[:split],
            "opposed": self.awards[split:],
        }
        minutes = Minutes(activation=self.activation, aid=self.aid, photo=PHOTO, **{**given, **changes})
        return await announce.deliberate(self.tx, self.reporter, LUDING, minutes, now, self.keys)

    async def post(self, now: datetime = NOW) -> UUID:
        drafted = await announce.draft(self.tx, self.reporter, LUDING, self.activation, self.aid, MOXI, now)
        [notice] = drafted.notices
        await announce.post(self.tx, self.reporter, LUDING, {notice: PHOTO}, now, self.keys)
        return notice

    async def report(self, notice: UUID, now: datetime = AFTER, by: Actor | None = None) -> int:
        return await announce.report(self.tx, by or self.reviewer, LUDING, {notice: END}, "属实，同意上报", now, self.keys)

    async def approve(self, awards: list[UUID] | None = None, now: datetime = AFTER) -> int:
        ids = awards or self.awards
        return (await approve.approve(self.tx, self.approver, LUDING, ids, digest_of([(a, FEN) for a in ids]), now)).awards

    async def object(self, notice: UUID, line: int | None = 1, now: datetime = NOW + timedelta(days=1)) -> contest.Receipt:
        return await contest.from_stranger(self.tx, "203.0.113.9", Objection(LUDING, notice, "他家没有倒房", line), now, self.keys)

    async def answer(self, receipt: contest.Receipt, outcome: str, by: Actor | None = None) -> None:
        told = await contest.look(self.tx, LUDING, receipt.reference)
        await contest.answer(self.tx, by or self.reviewer, LUDING, told.id, outcome, "经入户核实", AFTER, self.keys)

    async def broken(self) -> list[str]:
        names = {"nothing_is_approved_before_its_notice", "lists_hold_only_whom_the_village_supported", "a_notice_tells_its_rows",
                 "nobody_stands_on_two_lists", "an_open_objection_holds_its_award"}  # fmt: skip
        return [i.name for i in invariants.ALL if i.name in names and (await invariants.examine(self.tx, i)).broken]


@pytest.fixture
async def village(tx: Tx, keys: Keys) -> Village:
    return await Village(tx, keys).open(3)


async def test_a_rebuilding_award_is_approved_after_its_list_hung_out_and_was_reported(village: Village) -> None:
    for step in ("nothing", "reviewed", "posted"):
        if step == "reviewed":
            await village.review()
        elif step == "posted":
            notice = await village.post()
        with pytest.raises(Refused) as refusal:
            await village.approve()
        assert (refusal.value.code, refusal.value.data["count"]) == ("notice_due", 3), step
    await village.report(notice)
    assert await village.approve() == 3
    assert await village.broken() == []


async def test_the_window_counts_working_days_with_the_holiday_in_it(village: Village) -> None:
    await village.review()
    notice = await village.post()
    assert await village.tx.fetchval("SELECT ends_on FROM notice WHERE id = $1", notice) == date(2022, 9, 15)
    evening = datetime(2022, 9, 15, 15, 59, tzinfo=UTC)  # 23:59 in Beijing on the last day
    with pytest.raises(Conflict) as refusal:
        await village.report(notice, evening)
    assert refusal.value.code == "notice_running"
    assert await village.report(notice, evening + timedelta(minutes=1)) == 1


def test_ten_calendar_days_may_hold_seven_working_days() -> None:
    assert last_day(date(2022, 9, 5), 7) == date(2022, 9, 15)
    assert last_day(date(2022, 9, 30), 5) == date(2022, 10, 12)  # the national holiday, with the make-up days of 8 and 9 October


async def test_nobody_is_listed_before_the_villagers_met_and_whoever_they_opposed_never(village: Village) -> None:
    drafted = await announce.draft(village.tx, village.reporter, LUDING, village.activation, "HOUSE", MOXI, NOW)
    assert (drafted.notices, drafted.waiting) == ([], 3)
    await village.review(opposed=1)
    drafted = await announce.draft(village.tx, village.reporter, LUDING, village.activation, "HOUSE", MOXI, NOW)
    assert (len(drafted.notices), drafted.households, drafted.waiting) == (1, 2, 1)
    again = await announce.draft(village.tx, village.reporter, LUDING, village.activation, "HOUSE", MOXI, NOW)
    assert (again.notices, again.waiting) == ([], 1), "nobody stands on two lists"


@pytest.mark.parametrize(
    ("review", "supported", "disputed", "listed"),
    [("required", None, False, False), ("required", True, False, True), ("required", False, False, False), ("none", None, True, True),
     ("skip_if_undisputed", None, False, True), ("skip_if_undisputed", None, True, False), ("skip_if_undisputed", True, True, True)],
)  # fmt: skip
def test_a_review_is_skipped_only_where_the_playbook_lets_it_and_nobody_disputes(
    review: str, supported: bool | None, disputed: bool, listed: bool
) -> None:
    assert may_be_listed(review, supported, disputed) is listed


async def test_an_advance_needs_no_list_before_it_and_gets_one_afterwards(tx: Tx, keys: Keys) -> None:
    village = await Village(tx, keys).open(2, aid="EMERG")
    assert (await announce.draft(tx, village.reporter, LUDING, village.activation, "EMERG", MOXI, NOW)).notices == []
    await approve.approve(tx, village.reviewer, LUDING, village.awards, digest_of([(a, FEN) for a in village.awards]), NOW)
    drafted = await announce.draft(tx, village.reporter, LUDING, village.activation, "EMERG", MOXI, NOW)
    assert (len(drafted.notices), drafted.households) == (1, 2)
    assert await tx.fetchval("SELECT timing FROM notice WHERE id = $1", drafted.notices[0]) == "after_payment"


async def test_whoever_posted_a_list_does_not_report_it(village: Village) -> None:
    await village.review()
    drafted = await announce.draft(village.tx, village.reviewer, LUDING, village.activation, "HOUSE", MOXI, NOW)
    await announce.post(village.tx, village.reviewer, LUDING, {drafted.notices[0]: PHOTO}, NOW, village.keys)
    with pytest.raises(Refused) as refusal:
        await village.report(drafted.notices[0])
    assert refusal.value.code == "own_notice"


async def test_an_open_objection_holds_the_person_and_not_the_village(village: Village) -> None:
    await village.review()
    notice = await village.post()
    receipt = await village.object(notice)
    assert receipt.due_on == date(2022, 9, 9)
    await village.report(notice)
    held = await village.tx.fetchval("SELECT award FROM notice_item WHERE notice = $1 AND line = 1", notice)
    with pytest.raises(Refused) as refusal:
        await village.approve()
    assert (refusal.value.code, refusal.value.data["count"]) == ("on_hold", 1)
    assert await village.approve([a for a in village.awards if a != held]) == 2
    await village.answer(receipt, "rejected")
    assert await village.approve([held]) == 1
    assert await village.broken() == []


async def test_an_upheld_objection_keeps_the_award_held_and_tells_whoever_objected(village: Village) -> None:
    await village.review()
    notice = await village.post()
    receipt = await village.object(notice)
    await village.answer(receipt, "upheld")
    shown = contest.shown(await contest.look(village.tx, LUDING, receipt.reference), village.keys)
    assert (shown.status, shown.answer) == ("upheld", "经入户核实")
    await village.report(notice)
    with pytest.raises(Refused) as refusal:
        await village.approve()
    assert refusal.value.code == "on_hold"
    with pytest.raises(Conflict):
        await village.answer(receipt, "rejected")


async def test_whoever_registered_the_household_does_not_answer_for_it(village: Village) -> None:
    await village.review()
    receipt = await village.object(await village.post())
    both = Actor(village.registrar.id, "both", village.reviewer.grants)
    with pytest.raises(Refused) as refusal:
        await village.answer(receipt, "rejected", by=both)
    assert refusal.value.code == "own_case"


async def test_where_the_review_was_skipped_a_dispute_brings_it_back(tx: Tx, keys: Keys) -> None:
    text = (make.ROOT / "playbooks" / "earthquake.toml").read_text("utf-8").replace('review = "required"', 'review = "skip_if_undisputed"')
    village = await Village(tx, keys).open(2, text=text)
    notice = await village.post()
    receipt = await village.object(notice)
    with pytest.raises(Refused) as refusal:
        await village.answer(receipt, "rejected")
    assert refusal.value.code == "review_due"
    await village.review(now=NOW + timedelta(days=2))
    await village.answer(receipt, "rejected")


async def test_objections_are_taken_only_while_the_list_hangs_and_not_without_end(village: Village) -> None:
    await village.review()
    notice = await village.post()
    for line in (1, 2, 3, None, None):
        await village.object(notice, line)
    with pytest.raises(Refused) as refusal:
        await village.object(notice)
    assert refusal.value.code == "throttled"
    with pytest.raises(Conflict) as over:
        await contest.take(village.tx, village.reviewer, Objection(LUDING, notice, "晚了", 1), "desk", AFTER, village.keys)
    assert over.value.code == "notice_over"
    with pytest.raises(Invalid):
        await contest.take(village.tx, village.reviewer, Objection(LUDING, notice, "哪一行？", 9), "desk", NOW, village.keys)
    with pytest.raises(NotFound):
        await contest.take(village.tx, village.reviewer, Objection(LUDING, uuid4(), "没有", 1), "desk", NOW, village.keys)


async def test_a_wrong_list_is_taken_back_and_its_people_are_listed_anew(village: Village) -> None:
    await village.review()
    notice = await village.post()
    assert await announce.withdraw(village.tx, village.reporter, LUDING, [notice], "漏了一户", NOW) == 1
    second = await village.post()
    assert second != notice
    with pytest.raises(Conflict):
        await village.report(notice)
    assert await village.broken() == []


async def test_minutes_name_one_village_enough_people_and_no_day_to_come(village: Village) -> None:
    for changes, code in (({"participants": 2}, "participants"), ({"held_on": date(2022, 9, 7)}, "held_on"), ({"words": " "}, "minutes")):
        with pytest.raises(Invalid) as refusal:
            await village.review(**changes)
        assert refusal.value.code == code
    with pytest.raises(Conflict):
        await village.review(supported=[*village.awards, uuid4()])


async def test_a_photo_is_a_photo(village: Village) -> None:
    await village.review()
    drafted = await announce.draft(village.tx, village.reporter, LUDING, village.activation, "HOUSE", MOXI, NOW)
    for content in (b"", b"MZ not a photo", b"\xff\xd8\xff" + bytes(8_000_000)):
        with pytest.raises(Invalid) as refusal:
            await announce.post(village.tx, village.reporter, LUDING, {drafted.notices[0]: content}, NOW, village.keys)
        assert refusal.value.code == "document"


async def test_the_invariant_sees_an_approval_that_went_round_the_gate(village: Village) -> None:
    await village.tx.execute(
        "UPDATE award SET status = 'approved', approved_at = $2, fund = gen_random_uuid(), signed = needed WHERE id = $1",
        village.awards[0],
        AFTER,
    )
    assert await village.broken() == ["nothing_is_approved_before_its_notice"]
    assert VILLAGE.startswith(MOXI)
