"""The second factor: enrolled by its first code, each code once, bound to what is signed, fresh for five minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain.batch import envelope
from relief.domain.errors import Conflict, Refused
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.domain.second_factor import code_at, matching_step, step_of
from relief.services import disburse, second_factor
from relief.store import invariants
from relief.store.db import Tx
from tests import make
from tests.make import NOW
from tests.services.test_disburse import freeze, office, sign

DIGEST, OTHER = bytes(32), bytes([1] * 32)


async def enrolled(tx: Tx, keys: Keys) -> tuple[Actor, second_factor.Issued]:
    person = await make.staff(tx, ("finance_authoriser", make.LUDING))
    return person, (await second_factor.issue(tx, [person.person], NOW, keys))[person.person]


def code(secret: str, later: int = 0) -> str:
    return code_at(secret, step_of(NOW) + later)


def test_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's test key, its appendix B in six digits
    assert [code_at(secret, t // 30) for t in (59, 1111111109, 1234567890, 20000000000)] == ["287082", "081804", "005924", "353130"]


@given(st.integers(-10, 10))
def test_a_code_counts_within_one_step_of_now(later: int) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    found = matching_step(secret, code(secret, later), NOW)
    assert (found == step_of(NOW) + later) if abs(later) <= 1 else found is None


async def test_one_enrols_by_the_first_code_and_never_replaces_what_counts(tx: Tx, keys: Keys) -> None:
    person = await make.staff(tx, ("finance_authoriser", make.LUDING))
    with pytest.raises(Refused, match="enrol"):
        await second_factor.prove(tx, person, "123456", DIGEST, NOW, keys)
    offer = await second_factor.offer(tx, person, "login", NOW, keys)
    assert await second_factor.offered(tx, person, "login", keys) == offer
    with pytest.raises(Refused, match="enrol"):
        await second_factor.prove(tx, person, code(offer.secret), DIGEST, NOW, keys)
    assert await second_factor.activate(tx, person, code(offer.secret, 3), NOW, keys) is None
    recovery = await second_factor.activate(tx, person, code(offer.secret), NOW, keys)
    assert recovery is not None
    assert len(set(recovery)) == 10
    assert await second_factor.state(tx, person.person) == second_factor.State(True, NOW, 10)
    with pytest.raises(Conflict, match="enrolled already"):
        await second_factor.offer(tx, person, "login", NOW, keys)
    assert not await second_factor.prove(tx, person, code(offer.secret), DIGEST, NOW, keys), "the code that enrolled is used"
    sealed = await tx.fetchval("SELECT sealed FROM second_factor WHERE person = $1", person.id)
    assert offer.secret.encode() not in sealed


async def test_a_code_is_taken_once_and_an_older_one_never_again(tx: Tx, keys: Keys) -> None:
    person, issued = await enrolled(tx, keys)
    assert await second_factor.prove(tx, person, f" {code(issued.secret)[:3]} {code(issued.secret)[3:]}", DIGEST, NOW, keys)
    for later in (0, -1):
        assert not await second_factor.prove(tx, person, code(issued.secret, later), OTHER, NOW, keys)
    assert await second_factor.prove(tx, person, code(issued.secret, 1), OTHER, NOW, keys)


async def test_a_recovery_code_serves_once(tx: Tx, keys: Keys) -> None:
    person, issued = await enrolled(tx, keys)
    assert await second_factor.prove(tx, person, issued.recovery[3].lower(), DIGEST, NOW, keys)
    assert not await second_factor.prove(tx, person, issued.recovery[3], OTHER, NOW, keys)
    assert (await second_factor.state(tx, person.person)).recovery_left == 9


async def test_after_five_wrong_codes_none_is_tried_for_a_quarter_of_an_hour(tx: Tx, keys: Keys) -> None:
    person, issued = await enrolled(tx, keys)
    for _ in range(5):
        assert not await second_factor.prove(tx, person, "000000", DIGEST, NOW, keys)
    with pytest.raises(Refused, match="too many"):
        await second_factor.prove(tx, person, code(issued.secret), DIGEST, NOW, keys)
    later = NOW + timedelta(minutes=16)
    assert await second_factor.prove(tx, person, code_at(issued.secret, step_of(later)), DIGEST, later, keys)


async def test_a_proof_is_for_one_digest_one_person_and_five_minutes(tx: Tx, keys: Keys) -> None:
    person, issued = await enrolled(tx, keys)
    other, _ = await enrolled(tx, keys)
    assert await second_factor.prove(tx, person, code(issued.secret), DIGEST, NOW, keys)
    assert await second_factor.demand(tx, person, DIGEST, NOW + timedelta(minutes=4, seconds=59)) == "totp"
    for actor, digest, when in ((person, OTHER, NOW), (other, DIGEST, NOW), (person, DIGEST, NOW + timedelta(minutes=5)),
                                (person, DIGEST, NOW - timedelta(seconds=1))):  # fmt: skip
        with pytest.raises(Refused, match="six-digit"):
            await second_factor.demand(tx, actor, digest, when)


async def test_nobody_authorises_without_it_and_the_act_says_how(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    for step in ("prepare", "check"):
        await sign(tx, here, step, frozen)
    seal, ids = envelope([f.digest for f in frozen]), [f.id for f in frozen]
    with pytest.raises(Refused, match="six-digit"):
        await disburse.sign(tx, here.authorise, make.LUDING, "authorise", ids, seal, NOW)
    assert await tx.fetchval("SELECT status FROM batch WHERE id = $1", ids[0]) == "checked"
    issued = (await second_factor.issue(tx, [here.authorise.person], NOW, keys))[here.authorise.person]
    assert await second_factor.prove(tx, here.authorise, code(issued.secret), seal, NOW, keys)
    assert await disburse.sign(tx, here.authorise, make.LUDING, "authorise", ids, seal, NOW) == 3
    assert (await tx.fetchval("SELECT detail FROM audit WHERE act = 'batch.authorise'"))["factor"] == "totp"
    proven = next(i for i in invariants.ALL if i.name == "authorised_with_second_factor")
    assert [(f.examined, f.broken) for f in [await invariants.examine(tx, proven)]] == [(1, 0)]
    await tx.execute("SET LOCAL ROLE NONE; UPDATE factor_proof SET at = at - interval '6 minutes'")
    assert (await invariants.examine(tx, proven)).broken == 1


async def test_where_the_setting_says_off_the_act_says_so(tx: Tx, keys: Keys) -> None:
    here = await office(tx, keys)
    frozen = await freeze(tx, here, keys)
    for step in ("prepare", "check"):
        await sign(tx, here, step, frozen)
    seal, ids = envelope([f.digest for f in frozen]), [f.id for f in frozen]
    await disburse.sign(tx, here.authorise, make.LUDING, "authorise", ids, seal, NOW, demand_factor=False)
    assert (await tx.fetchval("SELECT detail FROM audit WHERE act = 'batch.authorise'"))["factor"] == "off"
