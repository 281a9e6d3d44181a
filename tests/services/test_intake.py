"""一门受理, rosters and changes: a lead gets an owner and a deadline; a village its reporter; a change is looked into by somebody else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from relief.demo import numbers
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.sealing import Keys
from relief.services import approve, change, intake, rosters
from relief.services.approve import digest_of
from relief.services.change import RECHECK_AFTER
from relief.services.intake import Lead, Walked
from relief.store import invariants
from relief.store.db import Tx
from relief.store.views import leads as views
from tests import make
from tests.make import LUDING, MOXI, NOW, VILLAGE
from tests.services.test_announce import FEN, Village

FIRE = Lead(LUDING, MOXI, "fire", "甄演一", "昨夜失火，房屋烧毁", "15400001234")


async def _stranger(tx: Tx, keys: Keys, lead: Lead = FIRE) -> intake.Slip:
    return await intake.from_stranger(tx, "203.0.113.1", lead, NOW, keys)


async def test_an_application_is_a_lead_with_owner_deadline_and_number_and_no_registration(tx: Tx, keys: Keys) -> None:
    slip = await _stranger(tx, keys)
    row = await tx.fetchrow("SELECT status, owner, way, due_at FROM lead WHERE id = $1", slip.id)
    assert row is not None
    assert tuple(row) == ("open", "township", "page", NOW + timedelta(hours=24))
    assert await tx.fetchval("SELECT count(*) FROM household WHERE received_at = $1", NOW) == 0
    assert (await intake.look(tx, LUDING, slip.reference, keys)).status == "open"
    county = await _stranger(tx, keys, msgspec.structs.replace(FIRE, village=LUDING, kind="hardship"))
    assert await tx.fetchval("SELECT owner FROM lead WHERE id = $1", county.id) == "county"
    assert county.due_at == NOW + timedelta(hours=72)


async def test_nothing_of_what_was_told_stands_in_clear(tx: Tx, keys: Keys) -> None:
    slip = await _stranger(tx, keys)
    row = await tx.fetchrow("SELECT * FROM lead WHERE id = $1", slip.id)
    assert row is not None
    assert not any(word in str(value) for value in row.values() for word in ("甄演", "15400001234", "失火"))


async def test_strangers_are_throttled_and_what_they_send_is_checked(tx: Tx, keys: Keys) -> None:
    for wrong, field in (
        ({"kind": "alien"}, "kind"),
        ({"words": " "}, "words"),
        ({"village": "513322103205001"}, "village"),
        ({"village": "511824"}, "village"),
    ):
        with pytest.raises(Invalid) as refusal:
            await intake.from_stranger(tx, f"203.0.113.{field}{wrong}", msgspec.structs.replace(FIRE, **wrong), NOW, keys)
        assert refusal.value.data["field"] == field
    for _ in range(5):
        await _stranger(tx, keys)
    with pytest.raises(Refused) as throttled:
        await _stranger(tx, keys)
    assert throttled.value.code == "throttled"


async def test_a_lead_is_taken_once_and_answered_once(tx: Tx, keys: Keys) -> None:
    slip = await _stranger(tx, keys)
    one, other = [await make.staff(tx, ("township_reviewer", MOXI)) for _ in range(2)]
    await intake.take(tx, one, LUDING, slip.id, NOW)
    with pytest.raises(Conflict):
        await intake.take(tx, other, LUDING, slip.id, NOW)
    await intake.close(tx, one, LUDING, slip.id, "已安置", NOW, keys)
    assert (await intake.look(tx, LUDING, slip.reference, keys)).answer == "已安置"
    with pytest.raises(Conflict):
        await intake.close(tx, other, LUDING, slip.id, "再答", NOW, keys)
    with pytest.raises(Refused):
        await intake.take(tx, await make.staff(tx, ("township_reviewer", "513322101")), LUDING, (await _stranger(tx, keys)).id, NOW)


def _walked(incident: UUID, **changes: object) -> Walked:
    walked = Walked(
        incident=incident, village=VILLAGE, name="甄演一", id_number=numbers.householder_id(7), account=numbers.account(7), bank="402"
    )
    return msgspec.structs.replace(walked, **changes)


async def test_a_walk_in_is_registered_once_and_its_lead_ends_with_it(tx: Tx, keys: Keys) -> None:
    slip, incident = await _stranger(tx, keys), await make.incident(tx)
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    receipt = await intake.register_at_desk(tx, reviewer, _walked(incident), uuid4(), (LUDING, slip.id), NOW, keys)
    assert (receipt.outcome, (await intake.look(tx, LUDING, slip.reference, keys)).status) == ("new", "registered")
    assert await tx.fetchval("SELECT channel FROM visit WHERE household = $1", receipt.household) == "walk_in"
    form = uuid4()
    made = [
        await intake.register_at_desk(tx, reviewer, _walked(incident, id_number=numbers.householder_id(8)), form, None, NOW, keys)
        for _ in range(2)
    ]
    assert [m.outcome for m in made] == ["new", "repeat"]
    rule = next(i for i in invariants.ALL if i.name == "a_registered_lead_is_a_household")
    assert (await invariants.examine(tx, rule)).broken == 0


async def test_a_traveller_without_papers_needs_a_birth_date_and_somebody_who_vouches(tx: Tx, keys: Keys) -> None:
    incident, reviewer = await make.incident(tx), await make.staff(tx, ("township_reviewer", MOXI))
    lost = _walked(incident, id_number="", presence="traveller", born="1980-05-01", helper="甄演二")
    for missing in ("born", "helper"):
        with pytest.raises(Invalid) as refusal:
            await intake.register_at_desk(tx, reviewer, msgspec.structs.replace(lost, **{missing: ""}), uuid4(), None, NOW, keys)
        assert refusal.value.code == missing
    receipt = await intake.register_at_desk(tx, reviewer, lost, uuid4(), None, NOW, keys)
    assert receipt.outcome == "new"
    assert await tx.fetchval("SELECT flags FROM visit WHERE household = $1", receipt.household) == ["no_papers"]


async def test_a_village_has_one_reporter_who_holds_the_right_there(tx: Tx, keys: Keys) -> None:
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    one, two, elsewhere = [await make.staff(tx, ("reporter", area), name=area) for area in (MOXI, VILLAGE, "513322101")]
    assert await rosters.assign(tx, reviewer, LUDING, [VILLAGE], one.person, NOW) == 1
    await rosters.assign(tx, reviewer, LUDING, [VILLAGE], two.person, NOW + timedelta(hours=1))
    [shown] = [v for v in await views.roster(tx, [VILLAGE + "%"], uuid4()) if v.code == VILLAGE]
    assert shown.people == [two.person]
    with pytest.raises(Invalid) as refusal:
        await rosters.assign(tx, reviewer, LUDING, [VILLAGE], elsewhere.person, NOW)
    assert refusal.value.code == "reporter"


async def test_a_death_stops_the_money_until_another_person_looked_into_it(tx: Tx, keys: Keys) -> None:
    village = await Village(tx, keys).open(1, aid="EMERG")
    household = await tx.fetchval("SELECT household FROM award WHERE id = $1", village.awards[0])
    told = await change.tell(tx, village.reviewer, LUDING, household, "payee_died", "户主昨日去世", NOW, keys)
    digest = digest_of([(village.awards[0], FEN)])
    with pytest.raises(Refused) as refusal:
        await approve.approve(tx, village.reviewer, LUDING, village.awards, digest, NOW)
    assert refusal.value.code == "on_hold"
    with pytest.raises(Refused) as own:
        await change.answer(tx, village.reviewer, LUDING, told, "属实", NOW, keys)
    assert own.value.code == "own_report"
    officer = await make.staff(tx, ("county_officer", LUDING))
    await change.answer(tx, officer, LUDING, told, "由其子代领", NOW, keys)
    assert (await approve.approve(tx, village.reviewer, LUDING, village.awards, digest, NOW)).awards == 1


async def test_a_long_case_is_looked_at_again_and_then_not_for_a_while(tx: Tx, keys: Keys) -> None:
    village = await Village(tx, keys).open(1)
    household = await tx.fetchval("SELECT household FROM award WHERE id = $1", village.awards[0])
    await tx.execute(
        "UPDATE award SET status = 'approved', approved_at = $2, fund = gen_random_uuid(), signed = needed WHERE id = $1",
        village.awards[0],
        NOW,
    )
    later = NOW + timedelta(days=100)

    async def due(at: object) -> list[UUID]:
        return [r.household for r in await views.recheck(tx, [MOXI + "%"], at)]  # type: ignore[arg-type]

    assert await due(NOW - timedelta(days=1)) == []
    assert await due(later - RECHECK_AFTER) == [household]
    await change.tell(tx, village.reporter, LUDING, household, "unchanged", "仍在建房", later, keys)
    assert await due(later - RECHECK_AFTER) == []
