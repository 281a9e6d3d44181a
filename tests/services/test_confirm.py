"""A resident says once whether the money arrived, whichever way; a complaint has an owner and a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.message import short_code
from relief.domain.sealing import Keys
from relief.services import confirm, notify
from relief.services.confirm import OnPage, Page, Turned
from relief.store.db import Tx
from tests import make, paid
from tests.make import LUDING, MOXI, NOW
from tests.paid import Paid, told

SHARED_PHONE = "+12125550177"


async def standing(tx: Tx, family: Paid) -> tuple[str, str | None]:
    row = await tx.fetchrow("SELECT status, way FROM confirmation WHERE payment = $1", family.payment)
    assert row is not None
    return row["status"], row["way"]


async def complaints(tx: Tx) -> list[tuple[str, str]]:
    return [tuple(r) for r in await tx.fetch("SELECT kind, owner FROM complaint WHERE status = 'open' ORDER BY kind")]


async def say(tx: Tx, family: Paid, body: str, keys: Keys) -> str:
    return (await confirm.by_sms(tx, family.phone, body, NOW, keys)).code


async def test_one_means_received(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    assert await say(tx, family, "１", keys) == "confirmed"
    assert await standing(tx, family) == ("confirmed", "sms")
    assert await complaints(tx) == []


async def test_two_means_not_received_and_opens_a_complaint_due_in_a_day(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    assert await say(tx, family, "2", keys) == "disputed"
    assert await standing(tx, family) == ("disputed", "sms")
    assert await complaints(tx) == [("not_received", "township")]
    assert await tx.fetchval("SELECT due_at FROM complaint") == NOW + timedelta(days=1)


async def test_the_same_answer_again_changes_nothing_and_another_is_refused(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    await say(tx, family, "1", keys)
    assert await say(tx, family, "收到", keys) == "confirmed"
    assert await say(tx, family, "2", keys) == "answered"
    assert await standing(tx, family) == ("confirmed", "sms")
    assert await complaints(tx) == []
    assert await tx.fetchval("SELECT count(*) FROM audit WHERE act LIKE 'confirm.%'") == 1


async def test_a_number_with_two_open_payments_is_asked_for_the_short_code(tx: Tx, keys: Keys) -> None:
    one, two = await told(tx, keys, 2, phone=SHARED_PHONE)
    assert await say(tx, one, "1", keys) == "ask_code"
    assert await say(tx, one, f"1 {short_code(two.payment, keys)}", keys) == "confirmed"
    assert await standing(tx, one) == ("awaited", None)
    assert await standing(tx, two) == ("confirmed", "sms")
    assert await say(tx, one, "2", keys) == "disputed"
    assert await standing(tx, one) == ("disputed", "sms")
    assert await say(tx, one, "1 ZZZZ", keys) == "nothing_open"


async def test_an_unread_reply_is_asked_again_and_a_stranger_learns_nothing(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    assert await say(tx, family, "谢谢", keys) == "unclear"
    assert (await confirm.by_sms(tx, "+12125550199", "1", NOW, keys)).code == "nothing_open"
    assert (await confirm.by_sms(tx, "+12125550199", "谢谢", NOW, keys)).code == "nothing_open"


async def test_a_message_not_yet_sent_cannot_be_answered(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    await tx.execute("UPDATE message SET status = 'queued'")
    assert await say(tx, family, "1", keys) == "nothing_open"


async def test_a_payment_that_came_back_can_no_longer_be_confirmed(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    await tx.execute("UPDATE confirmation SET status = 'void'")
    assert await say(tx, family, "1", keys) == "nothing_open"


async def test_silence_can_still_be_broken(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    await tx.execute("UPDATE confirmation SET status = 'silent'")
    assert await say(tx, family, "1", keys) == "confirmed"


async def test_stop_ends_all_messages_to_the_number_until_start(tx: Tx, keys: Keys) -> None:
    [family] = await paid.households(tx, keys)
    await notify.queue_paid(tx, LUDING, [family.payment], NOW, keys)
    said = await confirm.by_sms(tx, family.phone, "STOP", NOW, keys)
    assert (said.code, said.text) == ("stop", None)
    assert await tx.fetchval("SELECT status FROM message") == "failed"
    incident = await tx.fetchval("SELECT id FROM incident")
    again = msgspec.structs.replace(family, payment=UUID(int=99))
    await paid.pay(tx, incident, [again])
    assert await notify.queue_paid(tx, LUDING, [again.payment], NOW, keys) == 0
    assert (await confirm.by_sms(tx, family.phone, "start", NOW, keys)).code == "start"
    assert await notify.queue_paid(tx, LUDING, [again.payment], NOW, keys) == 1


async def test_the_page_shows_awards_payment_account_tail_and_confirmation(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    page = await confirm.page(tx, family.slip, family.code, NOW, keys)
    assert isinstance(page, Page)
    [award] = page.awards
    [part] = award.instalments
    assert (award.aid, award.amount_fen, part.payment_status, part.confirmation) == ("EMERG", 123_456, "paid", "awaited")
    assert part.tail is not None
    assert part.tail.startswith("**** ")
    assert len(part.tail) == 9


async def test_the_page_takes_an_answer_once(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)

    async def answer(said: str) -> Page | Turned:
        return await confirm.by_page(tx, family.slip, family.code, OnPage(said, family.payment), NOW, keys)

    page = await answer("confirmed")
    assert isinstance(page, Page)
    assert page.awards[0].instalments[0].confirmation == "confirmed"
    assert isinstance(await answer("confirmed"), Page)
    with pytest.raises(Conflict) as refused:
        await answer("disputed")
    assert refused.value.code == "answered"
    assert await standing(tx, family) == ("confirmed", "page")


async def test_the_page_takes_other_complaints_without_touching_the_confirmation(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    for _ in range(2):
        await confirm.by_page(tx, family.slip, family.code, OnPage("complaint", family.payment, "wrong_amount"), NOW, keys)
        await confirm.by_page(tx, family.slip, family.code, OnPage("complaint", None, "other"), NOW, keys)
    assert await complaints(tx) == [("other", "township"), ("wrong_amount", "township")]
    assert await standing(tx, family) == ("awaited", None)
    with pytest.raises(Invalid):
        await confirm.by_page(tx, family.slip, family.code, OnPage("complaint", None, "weather"), NOW, keys)


async def test_nobody_answers_for_another_households_payment(tx: Tx, keys: Keys) -> None:
    one, two = await told(tx, keys, 2)
    with pytest.raises(NotFound):
        await confirm.by_page(tx, one.slip, one.code, OnPage("confirmed", two.payment), NOW, keys)
    assert await standing(tx, two) == ("awaited", None)


@pytest.mark.parametrize("spoil", ["code", "slip", "letters"])
async def test_a_wrong_slip_and_a_wrong_code_get_the_same_answer(tx: Tx, keys: Keys, spoil: str) -> None:
    [family] = await told(tx, keys)
    wrong = f"{(int(family.code) + 1) % 1_000_000:06d}"
    slip, code = {"code": (family.slip, wrong), "slip": (family.slip[:-1] + "0", family.code), "letters": (family.slip, "abcdef")}[spoil]
    turned = await confirm.page(tx, slip, code, NOW, keys)
    assert isinstance(turned, Turned)
    assert turned.code == "wrong_code"


async def test_ten_wrong_codes_close_the_slip_for_an_hour_even_for_the_right_one(tx: Tx, keys: Keys) -> None:
    [family] = await told(tx, keys)
    wrong = f"{(int(family.code) + 1) % 1_000_000:06d}"
    for _ in range(10):
        assert await confirm.page(tx, family.slip, wrong, NOW, keys) == confirm._WRONG
    turned = await confirm.page(tx, family.slip, family.code, NOW, keys)
    assert isinstance(turned, Turned)
    assert turned.code == "throttled"
    assert isinstance(await confirm.page(tx, family.slip, family.code, NOW + timedelta(hours=1), keys), Page)


async def test_a_reporter_answers_for_a_list_in_their_own_villages_only(tx: Tx, keys: Keys) -> None:
    families = await told(tx, keys, 3)
    payments = [f.payment for f in families]
    reporter, stranger = await make.staff(tx, ("reporter", MOXI)), await make.staff(tx, ("reporter", "511824"))
    with pytest.raises(Refused):
        await confirm.by_reporter(tx, stranger, LUDING, payments, "confirmed", NOW)
    given = await confirm.by_reporter(tx, reporter, LUDING, payments[:2], "confirmed", NOW)
    assert (given.new, given.repeated) == (2, 0)
    given = await confirm.by_reporter(tx, reporter, LUDING, payments, "confirmed", NOW)
    assert (given.new, given.repeated) == (1, 2)
    assert await tx.fetchval("SELECT count(*) FROM confirmation WHERE way = 'reporter' AND by_person = $1", reporter.id) == 3
    with pytest.raises(Conflict):
        await confirm.by_reporter(tx, reporter, LUDING, payments, "disputed", NOW)
    with pytest.raises(NotFound):
        await confirm.by_reporter(tx, reporter, LUDING, [UUID(int=1)], "confirmed", NOW)


async def test_not_received_through_the_reporter_opens_a_complaint_for_each(tx: Tx, keys: Keys) -> None:
    families = await told(tx, keys, 2)
    reporter = await make.staff(tx, ("reporter", MOXI))
    await confirm.by_reporter(tx, reporter, LUDING, [f.payment for f in families], "disputed", NOW)
    assert await complaints(tx) == [("not_received", "township")] * 2


@asynccontextmanager
async def counted(tx: Tx) -> AsyncIterator[list[str]]:
    seen: list[str] = []
    with tx.query_logger(lambda record: seen.append(record.query)):
        yield seen
        await asyncio.sleep(0)


async def test_a_reporters_list_costs_the_same_statements_as_one(tx: Tx, keys: Keys) -> None:
    families = await told(tx, keys, 101)
    reporter = await make.staff(tx, ("reporter", MOXI))
    counts = []
    for part in (families[:1], families[1:]):
        async with counted(tx) as seen:
            await confirm.by_reporter(tx, reporter, LUDING, [f.payment for f in part], "disputed", NOW)
        counts.append(len(seen))
    assert counts[0] == counts[1] > 0
