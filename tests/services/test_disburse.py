"""Batches: frozen once, signed by three people who touched none of the lines, out of the house once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from relief.channels import bank_layouts
from relief.domain.batch import digest, envelope
from relief.domain.errors import Conflict, Invalid, Refused, ReliefError
from relief.domain.policy import Actor, Grant
from relief.domain.sealing import Keys
from relief.services import approve, disburse
from relief.services.disburse import Frozen, Writer
from relief.store import db, funds
from relief.store.db import Pool, Tx
from tests import make

EACH = 90_000
WRITER = Writer(layout=bank_layouts.load("yikatong"), max_lines=5_000)
LEASE = timedelta(seconds=60)


class Office(msgspec.Struct):
    """Who stands around the batches of one county."""

    incident: UUID
    reporter: Actor
    reviewer: Actor
    prepare: Actor
    check: Actor
    authorise: Actor

    def at(self, step: str) -> Actor:
        found: Actor = getattr(self, step)
        return found


async def office(tx: Tx, keys: Keys, count: int = 3) -> Office:
    """A county with `count` approved payments."""
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    reviewer = await make.staff(tx, ("township_reviewer", make.MOXI))
    incident = await make.incident(tx)
    awards = await make.awards(tx, keys, incident=incident, reporter=reporter, count=count, amount_fen=EACH)
    await make.fund(tx, incident=incident, amount_fen=10 * EACH * count)
    await approve.approve(tx, reviewer, make.LUDING, awards, approve.digest_of([(a, EACH) for a in awards]), make.NOW)
    await funds.set_payer(tx, make.LUDING, funds.Payer("演示县应急管理局", "6299995133220000000"))
    finance = [await make.staff(tx, (role, make.LUDING)) for role in ("finance_preparer", "finance_checker", "finance_authoriser")]
    return Office(incident, reporter, reviewer, *finance)


async def freeze(tx: Tx, here: Office, keys: Keys, writer: Writer = WRITER) -> list[Frozen]:
    return await disburse.freeze(tx, here.prepare, make.LUDING, make.NOW, keys, writer)


async def sign(tx: Tx, here: Office, step: str, frozen: list[Frozen], actor: Actor | None = None) -> int:
    seal = envelope([f.digest for f in frozen])
    if step == "authorise":
        await make.proof(tx, actor or here.at(step), seal)
    return await disburse.sign(tx, actor or here.at(step), make.LUDING, step, [f.id for f in frozen], seal, make.NOW)


async def sign_all(tx: Tx, here: Office, frozen: list[Frozen]) -> None:
    for step in disburse.STEPS:
        await sign(tx, here, step, frozen)


async def test_a_batch_holds_every_approved_payment_and_its_file_is_what_was_digested(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    [batch] = await freeze(tx, here, keys)
    assert (batch.lines, batch.total_fen) == (3, 3 * EACH)
    assert batch.number == "513322-EMERG_1-202209-402-0001"
    sealed = await db.value(tx, "SELECT sealed_file FROM batch WHERE id = $1", batch.id)
    content = keys.open("batch", batch.id, "sealed_file", sealed)
    assert digest(content) == batch.digest
    assert "甄演一" in content.decode("gb18030")
    assert await freeze(tx, here, keys) == []


async def test_a_batch_is_split_at_its_most_lines_and_numbers_follow_each_other(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys, count=5)
    frozen = await freeze(tx, here, keys, msgspec.structs.replace(WRITER, max_lines=2))
    assert [f.lines for f in frozen] == [2, 2, 1]
    assert [f.number[-4:] for f in frozen] == ["0001", "0002", "0003"]


async def test_the_same_person_may_not_take_two_steps(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        here = await office(tx, keys)
        frozen = await freeze(tx, here, keys)
        await sign(tx, here, "prepare", frozen)
    both = Actor(here.prepare.id, "两岗", (*here.prepare.grants, Grant("finance_checker", make.LUDING)))
    with pytest.raises(Refused) as refusal:
        async with db.begin(pool) as tx:
            await sign(tx, here, "check", frozen, both)
    assert refusal.value.code == "same_person"


@pytest.mark.parametrize("who", ["reporter", "reviewer"])
async def test_whoever_touched_a_line_may_not_sign_its_batch(pool: Pool, keys: Keys, who: str) -> None:
    async with db.begin(pool) as tx:
        here = await office(tx, keys)
        frozen = await freeze(tx, here, keys)
    person = here.at(who)
    mighty = Actor(person.id, "兼岗", (*person.grants, Grant("finance_preparer", make.LUDING)))
    with pytest.raises(Refused) as refusal:
        async with db.begin(pool) as tx:
            await sign(tx, here, "prepare", frozen, mighty)
    assert refusal.value.code == "same_person"


async def test_steps_come_in_their_order(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    with pytest.raises(Conflict) as refusal:
        await sign(tx, here, "authorise", frozen)
    assert refusal.value.code == "out_of_order"


async def test_a_signature_over_another_envelope_is_a_conflict(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    with pytest.raises(Conflict) as refusal:
        await disburse.sign(tx, here.prepare, make.LUDING, "prepare", [f.id for f in frozen], bytes(32), make.NOW)
    assert refusal.value.code == "changed"


async def test_a_voided_batch_gives_its_payments_back_and_its_number_is_never_used_again(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    [batch] = await freeze(tx, here, keys)
    assert await disburse.void(tx, here.check, make.LUDING, [batch.id], "金额有误", make.NOW) == 3
    [again] = await freeze(tx, here, keys)
    assert again.number[-4:] == "0002"


async def test_an_authorised_batch_cannot_be_voided(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    await sign_all(tx, here, frozen)
    with pytest.raises(Conflict) as refusal:
        await disburse.void(tx, here.check, make.LUDING, [frozen[0].id], "迟了", make.NOW)
    assert refusal.value.code == "too_late"


async def test_from_the_claim_on_the_money_is_in_flight(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    await sign_all(tx, here, await freeze(tx, here, keys))
    [out] = await disburse.claim(tx, make.NOW, LEASE, real=False)
    fund = await tx.fetchrow("SELECT reserved_fen, in_flight_fen FROM fund WHERE incident = $1", here.incident)
    assert fund is not None
    assert tuple(fund) == (0, 3 * EACH)
    assert digest(disburse.content(out, keys)) == out.digest
    assert await db.value(tx, "SELECT count(*) FROM payment WHERE batch = $1 AND status = 'sent'", out.id) == 3
    assert await disburse.claim(tx, make.NOW, LEASE, real=False) == []


async def test_a_drill_is_never_claimed_for_a_real_channel(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    await sign_all(tx, here, await freeze(tx, here, keys))
    assert await disburse.claim(tx, make.NOW, LEASE, real=True) == []


async def test_real_money_waits_while_the_channel_is_a_twin(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    await sign_all(tx, here, await freeze(tx, here, keys))
    await tx.execute("UPDATE batch SET drill = false")
    assert await disburse.claim(tx, make.NOW, LEASE, real=False) == []
    [out] = await disburse.claim(tx, make.NOW, LEASE, real=True)
    assert await disburse.claim_stale(tx, make.NOW + 2 * LEASE, LEASE, real=False) == []
    assert [b.id for b in await disburse.claim_stale(tx, make.NOW + 2 * LEASE, LEASE, real=True)] == [out.id]


async def test_a_batch_whose_sender_died_comes_back_after_its_lease_and_no_sooner(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    await sign_all(tx, here, await freeze(tx, here, keys))
    [out] = await disburse.claim(tx, make.NOW, LEASE, real=False)
    assert await disburse.claim_stale(tx, make.NOW + timedelta(seconds=59), LEASE, real=False) == []
    [back] = await disburse.claim_stale(tx, make.NOW + timedelta(seconds=61), LEASE, real=False)
    assert (back.number, back.digest) == (out.number, out.digest)
    assert await db.value(tx, "SELECT in_flight_fen FROM fund WHERE incident = $1", here.incident) == 3 * EACH


async def test_a_payment_on_hold_is_left_out_of_the_batch(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    household = await db.value(
        tx, "SELECT household FROM payment WHERE award IN (SELECT id FROM award WHERE incident = $1) LIMIT 1", here.incident
    )
    await tx.execute(
        "INSERT INTO hold (county, kind, subject, reason, placed_by, valid_from) VALUES ($1, 'household', $2, '核查', $3, $4)",
        make.LUDING, str(household), here.reviewer.id, make.NOW,
    )  # fmt: skip
    [batch] = await freeze(tx, here, keys)
    assert batch.lines == 2


async def test_an_edited_file_is_never_sent(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    await sign_all(tx, here, frozen)
    forged = keys.seal("batch", frozen[0].id, "sealed_file", b"another file")
    await tx.execute("UPDATE batch SET sealed_file = $2 WHERE id = $1", frozen[0].id, forged)
    [out] = await disburse.claim(tx, make.NOW, LEASE, real=False)
    with pytest.raises(Conflict) as refusal:
        disburse.content(out, keys)
    assert refusal.value.code == "bytes_changed"


async def test_two_workers_claim_a_batch_once(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        here = await office(tx, keys, count=4)
        await sign_all(tx, here, await freeze(tx, here, keys, msgspec.structs.replace(WRITER, max_lines=1)))

    async def claim() -> list[str]:
        async with db.begin(pool) as tx:
            return [b.number for b in await disburse.claim(tx, make.NOW, LEASE, real=False, limit=2)]

    claimed = await asyncio.gather(*(claim() for _ in range(4)))
    numbers = [n for some in claimed for n in some]
    assert len(numbers) == len(set(numbers)) == 4


async def test_two_officers_freezing_at_once_put_a_payment_into_one_batch(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        here = await office(tx, keys, count=4)

    async def press() -> int:
        try:
            async with db.begin(pool) as tx:
                return sum(f.lines for f in await freeze(tx, here, keys))
        except ReliefError:
            return 0

    assert sum(await asyncio.gather(*(press() for _ in range(4)))) == 4
    async with db.read(pool) as tx:
        assert await db.value(tx, "SELECT count(*) FROM payment WHERE status = 'batched'") == 4


async def test_money_moves_on_its_own_page_without_touching_an_index(tx: Tx, keys: Keys) -> None:
    """An index over a status, or one whose predicate names it, would make every move of money ten times as dear."""
    before = await _updates(tx)
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    await sign_all(tx, here, frozen)
    await disburse.claim(tx, make.NOW, LEASE, real=False)
    after = await _updates(tx)
    assert {t: (n[0] - before[t][0], n[1] - before[t][1]) for t, n in after.items()} == {
        "award": (3, 3),
        "instalment": (3, 3),
        "payment": (6, 6),
    }


async def _updates(tx: Tx) -> dict[str, tuple[int, int]]:
    """Rows moved since the statistics were last sent off, and how many of them on their own page."""
    rows = await tx.fetch(
        "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname IN ('award', 'instalment', 'payment')"
    )
    return {r["relname"]: (r["n_tup_upd"], r["n_tup_hot_upd"]) for r in rows}


async def test_an_approved_payment_waits_in_the_queue_until_it_is_frozen_and_again_when_its_batch_is_voided(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    queue = "SELECT count(*) FROM payable"
    assert await db.value(tx, queue) == 3
    [batch] = await freeze(tx, here, keys)
    assert await db.value(tx, queue) == 0
    assert await db.value(tx, "SELECT cardinality(payments) FROM batch WHERE id = $1", batch.id) == 3
    await disburse.void(tx, here.check, make.LUDING, [batch.id], "退回", make.NOW)
    assert await db.value(tx, queue) == 3


async def test_a_batch_is_not_sent_back_without_a_reason(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys, count=1)
    [batch] = await freeze(tx, here, keys)
    with pytest.raises(Invalid) as caught:
        await disburse.void(tx, here.check, make.LUDING, [batch.id], "  ", make.NOW)
    assert caught.value.code == "reason"
