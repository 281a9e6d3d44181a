"""What phones push: a receipt for every record, each counted once, nothing lost to a clock, a second device or a cut line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from relief.domain import identity
from relief.domain.errors import Conflict, Invalid, NotFound, Refused
from relief.domain.household import Member, Registration, digest
from relief.domain.likeness import Limits
from relief.domain.policy import Actor
from relief.domain.sealing import Keys
from relief.domain.visit import Photo, Recipient, Visit
from relief.services import bundle, field, identify, photos
from relief.services.field import Push, Receipt, Sent
from relief.store import db, devices
from relief.store.db import Tx
from relief.store.devices import Device
from tests import make
from tests.make import LUDING, MOXI, NOW


async def a_device(tx: Tx, person: Actor) -> Device:
    enrolled = await field.enrol(tx, person, uuid4(), "测试手机", None, NOW)
    found = await field.find(tx, enrolled.device, enrolled.token, NOW)
    assert found is not None
    return found


def sent(device: Device, seq: int, incident: UUID, n: int = 0, **changes: Any) -> Sent:
    item = make.registration(n, incident=incident, **{"device_id": UUID(int=device.id.int ^ n), **changes})
    return Sent(item.device_id, seq, device.person, item)


async def push(tx: Tx, keys: Keys, device: Device, *records: Sent, version: int = 1) -> list[Receipt]:
    return await field.push(tx, field.actor_of(device), device, Push(records, version, len(records)), NOW, keys, Limits())


async def count(tx: Tx, incident: UUID) -> int:
    found: int = await db.value(tx, "SELECT count(*) FROM household WHERE incident = $1", incident)
    return found


async def reporter_with_phone(tx: Tx) -> Device:
    return await a_device(tx, await make.staff(tx, ("reporter", MOXI)))


async def test_every_record_gets_its_receipt_with_a_slip_for_the_household(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    receipts = await push(tx, keys, device, sent(device, 1, incident, 1), sent(device, 2, incident, 2))
    assert [(r.seq, r.outcome) for r in receipts] == [(1, "accepted"), (2, "accepted")]
    assert all(r.slip and r.slip_code for r in receipts)
    assert await count(tx, incident) == 2


async def test_a_chunk_sent_again_in_parts_and_backwards_changes_nothing(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    records = [sent(device, n, incident, n) for n in range(1, 6)]
    first = await push(tx, keys, device, *records)
    again = await push(tx, keys, device, *reversed(records), records[0])
    assert {r.outcome for r in again} == {"had"}
    assert {(r.id, r.slip, r.slip_code) for r in again} == {(r.id, r.slip, r.slip_code) for r in first}
    assert await count(tx, incident) == 5
    row = await tx.fetchrow("SELECT records, highest FROM device WHERE id = $1", device.id)
    assert row is not None
    assert (row["records"], row["highest"]) == (5, 5)


@pytest.mark.parametrize("year", [1970, 2012, 2099])
async def test_a_clock_that_is_years_off_is_a_claim_and_nothing_else(tx: Tx, keys: Keys, year: int) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    claimed = datetime(year, 1, 1, tzinfo=UTC)
    [receipt] = await push(tx, keys, device, sent(device, 1, incident, captured_at=claimed, visit=Visit()))
    assert receipt.outcome == "accepted"
    row = await tx.fetchrow(
        "SELECT h.captured_at, h.received_at, v.flags FROM household h JOIN visit v ON v.household = h.id WHERE h.id = $1",
        receipt.household,
    )
    assert row is not None
    assert (row["captured_at"], row["received_at"], "clock" in row["flags"]) == (claimed, NOW, True)


async def test_one_faulty_record_is_a_dead_letter_with_its_sentence_and_stops_no_other(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    bad = sent(device, 2, incident, 2, account="6299990000000000001")
    unreadable = Sent(uuid4(), 3, device.person, Invalid("missing_field", "缺少必填字段 · a required field is missing", field="village"))
    receipts = await push(tx, keys, device, sent(device, 1, incident, 1), bad, unreadable)
    assert [(r.outcome, r.code, r.field) for r in receipts] == [
        ("accepted", None, None), ("refused", "account_checksum", "account"), ("refused", "missing_field", "village"),
    ]  # fmt: skip
    assert all(r.message for r in receipts[1:])
    assert await count(tx, incident) == 1


async def test_a_refused_record_may_be_corrected_under_the_same_id(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    await push(tx, keys, device, sent(device, 1, incident, 1, account="6299990000000000001"))
    [right] = await push(tx, keys, device, sent(device, 2, incident, 1))
    assert right.outcome == "accepted"


async def test_the_author_is_whoever_captured_it_or_the_record_is_refused(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    other = await make.staff(tx, ("reporter", MOXI))
    record = sent(device, 1, incident)
    [receipt] = await push(tx, keys, device, Sent(record.id, 1, other.person, record.content))
    assert (receipt.outcome, receipt.code) == ("refused", "author")
    [receipt] = await push(tx, keys, device, record)
    assert await db.value(tx, "SELECT registered_by FROM household WHERE id = $1", receipt.household) == device.person


async def test_a_sequence_number_stands_for_one_record(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    [_, inside] = await push(tx, keys, device, sent(device, 1, incident, 1), sent(device, 1, incident, 2))
    [later] = await push(tx, keys, device, sent(device, 1, incident, 3))
    assert (inside.code, later.code) == ("sequence_reused", "sequence_reused")
    assert await count(tx, incident) == 1


async def test_another_content_under_the_same_id_is_kept_beside_the_first_as_a_case(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    [first] = await push(tx, keys, device, sent(device, 1, incident, 1))
    for _ in range(2):
        [second] = await push(tx, keys, device, sent(device, 2, incident, 1, rooms_collapsed=4))
        assert (second.outcome, second.code, second.household) == ("case", "second_version", first.household)
    assert await db.value(tx, "SELECT count(*) FROM second_version WHERE household = $1", first.household) == 1
    assert await db.value(tx, "SELECT rooms_collapsed FROM household WHERE id = $1", first.household) == 0


async def test_two_devices_on_one_household_keep_both_and_open_a_case_at_once(tx: Tx, keys: Keys) -> None:
    mine, theirs, incident = await reporter_with_phone(tx), await reporter_with_phone(tx), await make.incident(tx)
    await push(tx, keys, mine, sent(mine, 1, incident, 7))
    record = sent(theirs, 1, incident, 7, rooms_severe=2)
    for _ in range(2):  # the receipt got lost and is asked for again
        [receipt] = await push(tx, keys, theirs, record)
        assert (receipt.outcome, receipt.code) == ("case", "registered_before")
    assert await count(tx, incident) == 2
    assert await db.value(tx, "SELECT keys FROM suspicion WHERE $1 IN (household, other)", receipt.household) == ["id", "account"]
    assert await db.value(tx, "SELECT count(*) FROM suspected WHERE household = $1 AND blocks = 'payment'", receipt.household) == 1


async def test_a_lost_phone_is_told_to_empty_itself_and_a_revoked_one_to_keep_its_data(tx: Tx, keys: Keys) -> None:
    officer = await make.staff(tx, ("township_reviewer", MOXI))
    lost, left = await reporter_with_phone(tx), await reporter_with_phone(tx)
    await field.revoke(tx, officer, LUDING, lost.id, True, "手机遗失", NOW)
    await field.revoke(tx, officer, LUDING, left.id, False, "调离", NOW)
    for device, wipe in ((lost, True), (left, False)):
        found = await devices.find(tx, device.id, NOW)
        assert found is not None
        refusal = await field.standing(tx, found, NOW)
        assert refusal is not None
        assert (refusal.code, refusal.data["wipe"]) == ("device_revoked", wipe)
    assert await db.value(tx, "SELECT wiped_at FROM device WHERE id = $1", lost.id) == NOW
    with pytest.raises(Refused, match="revoked"):
        await push(tx, keys, left, sent(left, 1, await make.incident(tx)))
    with pytest.raises(Conflict):
        await field.revoke(tx, officer, LUDING, left.id, True, "手机遗失", NOW)


async def test_a_reporter_revokes_their_own_phone_and_no_other(tx: Tx) -> None:
    mine, theirs = await reporter_with_phone(tx), await reporter_with_phone(tx)
    me = field.actor_of(mine)
    with pytest.raises(NotFound):
        await field.revoke(tx, me, LUDING, theirs.id, True, "手机遗失", NOW)


async def test_a_token_of_another_device_opens_nothing(tx: Tx) -> None:
    person = await make.staff(tx, ("reporter", MOXI))
    one, two = [await field.enrol(tx, person, uuid4(), "", None, NOW) for _ in range(2)]
    assert await field.find(tx, one.device, two.token, NOW) is None
    assert await field.find(tx, uuid4(), one.token, NOW) is None


async def test_rights_are_those_of_the_day_and_an_old_page_is_refused(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    elsewhere = sent(device, 1, incident, village="513322100001")
    await tx.execute(
        "INSERT INTO region (code, name, level, parent, synthetic, valid_from) VALUES ('513322100001', '演示村', 'village', '513322100', true, $1) ON CONFLICT DO NOTHING",
        date(2020, 1, 1),
    )
    [receipt] = await push(tx, keys, device, elsewhere)
    assert (receipt.outcome, receipt.code) == ("refused", "outside_area")
    with pytest.raises(Refused, match="reload"):
        await push(tx, keys, device, version=0)


async def test_a_person_without_papers_is_counted_and_waits_with_the_stages(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    number = identity.temporary_number("7K2M9417", date(1991, 4, 12))
    [refused] = await push(tx, keys, device, sent(device, 1, incident, 1, members=[Member("甄演一", number)]))
    assert (refused.code, refused.field) == ("helper", "members[0].helper")
    [receipt] = await push(
        tx, keys, device, sent(device, 2, incident, 1, members=[Member("甄演一", number, "甄演二")], visit=Visit(presence="traveller"))
    )
    assert receipt.outcome == "accepted"
    assert await db.value(tx, "SELECT blocks FROM suspected WHERE household = $1", receipt.household) == "stages"
    assert await db.value(tx, "SELECT flags FROM visit WHERE household = $1", receipt.household) == ["no_papers"]


async def test_who_receives_in_anothers_place_owns_the_account_and_is_flagged(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    visit = Visit(recipient=Recipient("甄演三", "519999198506152024", "户主住院"), note="门牌已倒")
    [receipt] = await push(tx, keys, device, sent(device, 1, incident, visit=visit))
    row = await tx.fetchrow(
        "SELECT a.id, a.sealed, v.flags, v.sealed AS told FROM account a JOIN person p ON p.id = a.person JOIN visit v ON v.household = p.household "
        "WHERE p.household = $1 AND p.role = 'householder'",
        receipt.household,
    )
    assert row is not None
    assert "甄演三" in keys.open("account", row["id"], "sealed", row["sealed"]).decode()
    assert row["flags"] == ["proxy"]
    assert "门牌已倒".encode() not in row["told"]


async def test_photos_come_after_their_record_and_only_from_its_device(tx: Tx, keys: Keys) -> None:
    device, other, incident = await reporter_with_phone(tx), await reporter_with_phone(tx), await make.incident(tx)
    photo = Photo("ab" * 32, "damage", 5_000, NOW)
    digest = bytes.fromhex(photo.digest)
    with pytest.raises(NotFound):
        await photos.wanted(tx, device, digest)
    await push(tx, keys, device, sent(device, 1, incident, visit=Visit(photos=[photo]), rooms_collapsed=2))
    with pytest.raises(NotFound):
        await photos.wanted(tx, other, digest)
    found = await photos.wanted(tx, device, digest)
    for _ in range(2):
        await photos.received(tx, field.actor_of(device), device, found, NOW)
    assert (await photos.wanted(tx, device, digest)).status == "received"
    assert await db.value(tx, "SELECT count(*) FROM audit WHERE act = 'photo.receive'") == 1


async def test_the_bundle_tells_the_reporter_how_their_households_stand(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    await make.activated(tx, incident=incident)
    [receipt] = await push(tx, keys, device, sent(device, 1, incident, visit=Visit(photos=[Photo("cd" * 32, "damage", 5_000, NOW)])))
    taken = await bundle.bundle(tx, field.actor_of(device), NOW + timedelta(days=1), keys)
    asked = next(i for i in taken.incidents if i.id == incident)
    assert asked.activated
    assert "photos" in asked.questions
    assert make.VILLAGE in {v.code for v in taken.villages}
    [home] = taken.roster
    assert (home.household, home.name, home.photos_missing, home.paid_fen, home.card_returned) == (receipt.household, "甄演一", 1, 0, False)


async def test_statements_do_not_grow_with_the_chunk(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    counts = []
    for first, many in ((1, 1), (10, 1), (100, 60)):  # the driver learns the types of arrays on first use
        ran: list[str] = []
        with tx.query_logger(lambda record, ran=ran: ran.append(record.query)):
            await push(tx, keys, device, *(sent(device, first + n, incident, first + n, visit=Visit()) for n in range(many)))
        counts.append(len(ran))
    assert counts[1] == counts[2]


def test_the_digest_of_a_record_sent_before_visits_came_is_the_same() -> None:
    record = make.registration(incident=UUID(int=1))
    assert digest(record) == digest(Registration(**{f: getattr(record, f) for f in record.__struct_fields__ if f != "visit"}))


async def test_somebody_without_papers_gets_their_number_from_somebody_else_and_is_compared_anew(tx: Tx, keys: Keys) -> None:
    device, incident = await reporter_with_phone(tx), await make.incident(tx)
    number = identity.temporary_number("7K2M9417", date(1991, 4, 12))
    [receipt] = await push(tx, keys, device, sent(device, 1, incident, 1, members=[Member("甄演一", number, "甄演二")]))
    person = await db.value(tx, "SELECT id FROM person WHERE household = $1", receipt.household)
    await tx.execute(
        "INSERT INTO entitlement_guard (id_hash, incident, aid, period, county, household) VALUES ($1, $2, 'EMERG', 'once', $3, $4)",
        keys.index("id", number), incident, LUDING, receipt.household,
    )  # fmt: skip
    await tx.execute("DELETE FROM unmatched")
    item = [identify.Identified(person, "519999198506152024")]
    reviewer = await make.staff(tx, ("township_reviewer", MOXI))
    with pytest.raises(Refused):
        await identify.identify(tx, field.actor_of(device), LUDING, item, NOW, keys)
    with pytest.raises(Invalid):
        await identify.identify(tx, reviewer, LUDING, [identify.Identified(person, number)], NOW, keys)
    assert await identify.identify(tx, reviewer, LUDING, item, NOW, keys) == 1
    assert await db.value(tx, "SELECT count(*) FROM suspected WHERE household = $1", receipt.household) == 0
    hashed = keys.index("id", "519999198506152024")
    assert (
        await db.value(tx, "SELECT count(*) FROM entitlement_guard WHERE id_hash = $1 AND household = $2", hashed, receipt.household) == 1
    )
    assert await db.value(tx, "SELECT count(*) FROM unmatched WHERE household = $1", receipt.household) == 1
    with pytest.raises(Conflict):
        await identify.identify(tx, reviewer, LUDING, item, NOW, keys)
