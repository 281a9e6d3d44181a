"""Messages: once per payment, never sent again on a guess, forward only, a batch a statement."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from relief.domain.message import Absent, Outgoing, Rejected, Sent, Throttled, Unknown
from relief.domain.sealing import Keys
from relief.services import notify
from relief.services.notify import Heard
from relief.store import db
from relief.store.db import Pool, Tx
from tests import paid
from tests.make import LUDING, NOW

pytestmark = pytest.mark.slow

LEASE = timedelta(seconds=60)
SID = "SM" + "0" * 31


async def queued(tx: Tx, keys: Keys, count: int = 1, **how: Any) -> list[paid.Paid]:
    families = await paid.households(tx, keys, count, **how)
    await notify.queue_paid(tx, LUDING, [f.payment for f in families], NOW, keys)
    return families


async def claimed(tx: Tx, keys: Keys, count: int = 1, **how: Any) -> list[Outgoing]:
    await queued(tx, keys, count, **how)
    return await notify.claim(tx, 200, NOW, LEASE, keys, False)


async def row(tx: Tx) -> dict[str, Any]:
    return dict(await tx.fetchrow("SELECT status, sid, error, tries, due_at, ended_at, lease_until FROM message") or {})


async def test_a_paid_payment_is_told_once_with_the_householders_number_and_text(tx: Tx, keys: Keys) -> None:
    [family] = await queued(tx, keys)
    assert await notify.queue_paid(tx, LUDING, [family.payment], NOW, keys) == 0
    [message] = await notify.claim(tx, 10, NOW, LEASE, keys, False)
    assert message.to == family.phone
    assert message.text.endswith("收到请回1，未收到请回2")
    assert "1,234.56元" in message.text
    assert await notify.claim(tx, 10, NOW, LEASE, keys, False) == []


async def test_a_mainland_household_gets_the_neutral_text_and_one_without_a_phone_none(tx: Tx, keys: Keys) -> None:
    await queued(tx, keys, two_way=False)
    await queued(tx, keys, phone=None, first=50)
    [message] = await notify.claim(tx, 10, NOW, LEASE, keys, False)
    assert message.to.startswith("+86")
    assert "元" not in message.text


async def test_number_and_text_lie_sealed_in_the_database(tx: Tx, keys: Keys) -> None:
    [family] = await queued(tx, keys)
    stored = await tx.fetchval("SELECT row_to_json(m)::text FROM message m")
    assert family.phone not in stored
    assert family.phone[1:] not in bytes(await tx.fetchval("SELECT sealed FROM message")).decode("latin-1")


async def test_a_drills_message_is_never_handed_to_a_real_channel(tx: Tx, keys: Keys) -> None:
    await queued(tx, keys, drill=True)
    await queued(tx, keys, drill=False, first=50)
    [real] = await notify.claim(tx, 10, NOW, LEASE, keys, True)
    assert await tx.fetchval("SELECT drill FROM message WHERE id = $1", real.id) is False
    assert await tx.fetchval("SELECT status || ' ' || error FROM message WHERE drill") == "failed drill"


async def test_a_real_message_waits_while_the_channel_is_a_twin(tx: Tx, keys: Keys) -> None:
    await queued(tx, keys, drill=False)
    assert await notify.claim(tx, 10, NOW, LEASE, keys, False) == []
    assert len(await notify.claim(tx, 10, NOW, LEASE, keys, True)) == 1


async def test_what_is_sent_bears_its_sid_and_moves_to_delivered(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)
    assert (await row(tx))["status"] == "sent"
    await notify.apply_events(tx, [Heard(SID, "delivered")], NOW)
    await notify.apply_events(tx, [Heard(SID, "sent"), Heard(SID, "undelivered", "30003")], NOW)
    after = await row(tx)
    assert (after["status"], after["error"], after["ended_at"]) == ("delivered", None, NOW)


@pytest.mark.parametrize("order", list(itertools.permutations(["record", "sent", "delivered"])))
async def test_callbacks_count_in_any_order_even_before_our_own_write(tx: Tx, keys: Keys, order: tuple[str, ...]) -> None:
    [message] = await claimed(tx, keys)
    for step in order:
        if step == "record":
            await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)
        else:
            await notify.apply_events(tx, [Heard(SID, step), Heard(SID, step)], NOW)
    assert (await row(tx))["status"] == "delivered"
    assert await tx.fetchval("SELECT count(*) FROM message_event") == 2


async def test_a_failure_heard_early_keeps_its_code(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    await notify.apply_events(tx, [Heard(SID, "undelivered", "30005")], NOW)
    await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)
    after = await row(tx)
    assert (after["status"], after["error"]) == ("failed", "30005")


async def test_words_nobody_knows_and_sids_nobody_bears_change_nothing(tx: Tx, keys: Keys) -> None:
    await claimed(tx, keys)
    assert await notify.apply_events(tx, [Heard(SID, "teleported")], NOW) == 0
    await notify.apply_events(tx, [Heard("SM" + "f" * 32, "delivered")], NOW)
    assert (await row(tx))["status"] == "sending"


async def test_a_throttled_message_waits_and_its_try_does_not_count(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    await notify.record(tx, [(message, Throttled(5.0))], NOW)
    after = await row(tx)
    assert (after["status"], after["tries"], after["due_at"]) == ("queued", 0, NOW + timedelta(seconds=5))
    assert await notify.claim(tx, 10, NOW, LEASE, keys, False) == []
    assert len(await notify.claim(tx, 10, NOW + timedelta(seconds=5), LEASE, keys, False)) == 1


@pytest.mark.parametrize(("code", "route"), [("21610", "none"), ("21211", "none"), ("30007", "two way")])
async def test_a_refused_message_is_over_and_a_closed_number_gets_nothing_more(tx: Tx, keys: Keys, code: str, route: str) -> None:
    [message] = await claimed(tx, keys)
    await notify.record(tx, [(message, Rejected(code))], NOW)
    after = await row(tx)
    assert (after["status"], after["error"]) == ("failed", code)
    assert await tx.fetchval("SELECT phone_route FROM person") == route


async def test_what_may_have_been_sent_is_asked_about_and_never_claimed(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    await notify.record(tx, [(message, Unknown("timeout"))], NOW)
    assert await notify.claim(tx, 10, NOW + timedelta(days=1), LEASE, keys, False) == []
    assert await notify.to_ask(tx, 10, NOW, keys) == []
    later = NOW + notify.ASK_AFTER
    [asked] = await notify.to_ask(tx, 10, later, keys)
    assert (asked.id, asked.to, asked.text, asked.since) == (message.id, message.to, message.text, NOW)
    assert await notify.to_ask(tx, 10, later, keys) == []
    await notify.apply_events(tx, [Heard(SID, "delivered")], later)
    await notify.record_found(tx, asked, Sent(SID, "delivered"), later)
    assert (await row(tx))["status"] == "delivered"


async def test_what_the_carrier_does_not_have_is_sent_once_more_and_then_given_up(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    now = NOW
    for last in (False, True):
        await notify.record(tx, [(message, Unknown("http 500"))], now)
        now += notify.ASK_AFTER
        [asked] = await notify.to_ask(tx, 10, now, keys)
        await notify.record(tx, [(asked, Absent())], now)
        again = await notify.claim(tx, 10, now, LEASE, keys, False)
        assert len(again) == (0 if last else 1)
    after = await row(tx)
    assert (after["status"], after["error"], after["tries"]) == ("failed", "absent", 2)


async def test_a_message_left_behind_by_a_killed_worker_is_asked_about(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    assert await notify.to_ask(tx, 10, NOW + LEASE, keys) == []
    [asked] = await notify.to_ask(tx, 10, NOW + LEASE + timedelta(seconds=1), keys)
    assert asked.id == message.id
    assert (await row(tx))["status"] == "unknown"


async def test_a_late_answer_to_a_message_already_put_back_keeps_it_from_being_sent_again(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    [asked] = await notify.to_ask(tx, 10, NOW + LEASE * 2, keys)
    await notify.record(tx, [(asked, Absent())], NOW + LEASE * 2)
    assert (await row(tx))["status"] == "queued"
    await notify.record(tx, [(message, Sent(SID, "queued"))], NOW + LEASE * 2)
    assert await notify.claim(tx, 10, NOW + LEASE * 3, LEASE, keys, False) == []


@asynccontextmanager
async def counted(tx: Tx) -> AsyncIterator[list[str]]:
    seen: list[str] = []
    with tx.query_logger(lambda record: seen.append(record.query)):
        yield seen
        await asyncio.sleep(0)  # the driver tells its loggers on the next turn of the loop


async def whole_way(tx: Tx, keys: Keys, count: int, first: int) -> int:
    families = await paid.households(tx, keys, count, first=first)
    async with counted(tx) as seen:
        await notify.queue_paid(tx, LUDING, [f.payment for f in families], NOW, keys)
        batch = await notify.claim(tx, 1000, NOW, LEASE, keys, False)
        sids = {m.id: "SM" + uuid4().hex for m in batch}
        await notify.apply_events(tx, [Heard(s, "sent") for s in sids.values()], NOW)
        await notify.record(tx, [(m, Sent(sids[m.id], "queued")) for m in batch], NOW)
        await notify.apply_events(tx, [Heard(s, "delivered") for s in sids.values()], NOW)
    assert len(batch) == count
    assert seen
    return len(seen)


async def test_the_number_of_statements_is_the_same_for_one_and_for_three_hundred(tx: Tx, keys: Keys) -> None:
    assert await whole_way(tx, keys, 1, 0) == await whole_way(tx, keys, 300, 100)


async def test_a_callback_for_a_known_sid_is_one_statement(tx: Tx, keys: Keys) -> None:
    [message] = await claimed(tx, keys)
    await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)
    async with counted(tx) as seen:
        await notify.apply_events(tx, [Heard(SID, "delivered")], NOW)
    assert len(seen) == 1


async def test_two_workers_never_claim_the_same_message(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        await queued(tx, keys, 20)
    async with db.begin(pool) as one, db.begin(pool) as two:
        first = await notify.claim(one, 12, NOW, LEASE, keys, False)
        second = await notify.claim(two, 12, NOW, LEASE, keys, False)
    assert len(first) == 12
    assert len(second) == 8
    assert not {m.id for m in first} & {m.id for m in second}


@pytest.mark.parametrize("callback_first", [True, False])
async def test_a_callback_racing_our_own_write_is_never_lost(pool: Pool, keys: Keys, callback_first: bool) -> None:
    """Both transactions are open at once: whoever comes second waits for the first and then sees it."""
    async with db.begin(pool) as tx:
        [message] = await claimed(tx, keys)

    async def hear(tx: Tx) -> None:
        await notify.apply_events(tx, [Heard(SID, "delivered")], NOW)

    async def write(tx: Tx) -> None:
        await notify.record(tx, [(message, Sent(SID, "queued"))], NOW)

    first, second = (hear, write) if callback_first else (write, hear)

    async def come_second() -> None:
        async with db.begin(pool) as tx:
            await second(tx)

    async with db.begin(pool) as tx:
        await first(tx)
        other = asyncio.create_task(come_second())
        done, _ = await asyncio.wait([other], timeout=0.3)
        assert not done
    await other
    async with db.begin(pool) as tx:
        assert (await row(tx))["status"] == "delivered"
