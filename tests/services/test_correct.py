"""A returned payment: the right account from one person, a second look by another, then a new attempt — never without a return."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.policy import Actor, Grant
from relief.domain.sealing import Keys
from relief.services import correct, disburse
from relief.services.correct import Correction
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make
from tests.services.test_disburse import Office, freeze, office, sign_all

NEW = Correction(payment=UUID(int=0), account=numbers.account(777), bank="403")


async def _returned(tx: Tx, keys: Keys, status: str = "returned") -> tuple[Office, UUID]:
    """An office whose only payment came back (or is said to be in `status`)."""
    here = await office(tx, keys, count=1)
    await sign_all(tx, here, await freeze(tx, here, keys))
    [out] = await disburse.claim(tx, make.NOW, timedelta(seconds=60), real=False)
    payment: UUID = await db.value(tx, "UPDATE payment SET status = $2 WHERE batch = $1 RETURNING id", out.id, status)
    return here, payment


def _for(payment: UUID, account: str = NEW.account) -> list[Correction]:
    return [Correction(payment=payment, account=account, bank="403")]


async def test_a_corrected_account_gives_a_new_attempt_on_the_new_account(tx: Tx, keys: Keys) -> None:
    here, payment = await _returned(tx, keys)
    accounts = await correct.propose(tx, here.reporter, make.LUDING, _for(payment), make.NOW, keys)
    [attempt] = await correct.confirm(tx, here.reviewer, make.LUDING, accounts, make.NOW)
    row = await tx.fetchrow("SELECT attempt, status, account, bank, amount_fen FROM payment WHERE id = $1", attempt)
    assert row is not None
    assert tuple(row) == (2, "approved", accounts[0], "403", 90_000)
    old = await tx.fetchrow("SELECT p.status, c.status FROM payment p JOIN account c ON c.id = p.account WHERE p.id = $1", payment)
    assert old is not None
    assert tuple(old) == ("returned", "replaced")


@pytest.mark.parametrize("status", ["sent", "unknown", "paid"])
async def test_silence_or_success_is_no_reason_for_a_new_attempt(tx: Tx, keys: Keys, status: str) -> None:
    here, payment = await _returned(tx, keys, status)
    with pytest.raises(Conflict) as refusal:
        await correct.propose(tx, here.reporter, make.LUDING, _for(payment), make.NOW, keys)
    assert refusal.value.code == "not_returned"


async def test_whoever_proposed_the_account_may_not_confirm_it(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        here, payment = await _returned(tx, keys)
        accounts = await correct.propose(tx, here.reporter, make.LUDING, _for(payment), make.NOW, keys)
    both = Actor(here.reporter.id, "兼岗", (*here.reporter.grants, Grant("township_reviewer", make.MOXI)))
    with pytest.raises(Refused) as refusal:
        async with db.begin(pool) as tx:
            await correct.confirm(tx, both, make.LUDING, accounts, make.NOW)
    assert refusal.value.code == "same_person"


async def test_a_correction_is_confirmed_once(tx: Tx, keys: Keys) -> None:
    here, payment = await _returned(tx, keys)
    accounts = await correct.propose(tx, here.reporter, make.LUDING, _for(payment), make.NOW, keys)
    await correct.confirm(tx, here.reviewer, make.LUDING, accounts, make.NOW)
    with pytest.raises(Conflict):
        await correct.confirm(tx, here.reviewer, make.LUDING, accounts, make.NOW)
    with pytest.raises(Conflict):
        await correct.propose(tx, here.reporter, make.LUDING, _for(payment), make.NOW, keys)
    assert await db.value(tx, "SELECT count(*) FROM payment WHERE payee IN (SELECT payee FROM payment WHERE id = $1)", payment) == 2


async def test_a_wrong_number_names_its_field_and_is_not_repeated(tx: Tx, keys: Keys) -> None:
    here, payment = await _returned(tx, keys)
    wrong = numbers.account(777)[:-1] + str((int(numbers.account(777)[-1]) + 1) % 10)
    with pytest.raises(Invalid) as refusal:
        await correct.propose(tx, here.reporter, make.LUDING, _for(payment, wrong), make.NOW, keys)
    assert (refusal.value.code, refusal.value.data["field"]) == ("account_checksum", "items[0].account")
    assert wrong not in refusal.value.message
