"""Registration: every record its own answer, once per device id, nothing faulty kept."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from relief.domain.sealing import Keys
from relief.services.register import register
from relief.store import db
from relief.store.db import Pool, Tx
from tests import make


async def test_a_household_gets_a_receipt_with_slip_and_code(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    incident = await make.incident(tx)
    [receipt] = await register(tx, reporter, [make.registration(incident=incident)], make.NOW, keys)
    assert (receipt.outcome, receipt.county) == ("new", make.LUDING)
    assert receipt.slip is not None
    assert receipt.slip.startswith("513322-")
    assert receipt.slip_code is not None
    assert len(receipt.slip_code) == 6


async def test_the_same_record_again_gets_the_same_receipt_and_changes_nothing(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    record = make.registration(incident=await make.incident(tx))
    [first] = await register(tx, reporter, [record], make.NOW, keys)
    [again] = await register(tx, reporter, [record], make.NOW, keys)
    assert again.outcome == "repeat"
    assert (again.household, again.slip, again.slip_code) == (first.household, first.slip, first.slip_code)
    assert await db.value(tx, "SELECT count(*) FROM household WHERE device_id = $1", record.device_id) == 1


async def test_the_same_device_id_with_other_content_is_a_conflict_and_the_first_stays(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    incident = await make.incident(tx)
    await register(tx, reporter, [make.registration(incident=incident)], make.NOW, keys)
    [other] = await register(tx, reporter, [make.registration(incident=incident, rooms_collapsed=4)], make.NOW, keys)
    assert (other.outcome, other.code) == ("conflict", "device_id_reused")
    assert await db.value(tx, "SELECT rooms_collapsed FROM household WHERE incident = $1", incident) == 0


async def test_a_repeat_inside_one_list_is_answered_once_new_and_once_repeat(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    record = make.registration(incident=await make.incident(tx))
    receipts = await register(tx, reporter, [record, record], make.NOW, keys)
    assert {r.household for r in receipts} == {receipts[0].household}
    assert await db.value(tx, "SELECT count(*) FROM household WHERE device_id = $1", record.device_id) == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"members": [("甄演一", "519999196001011017")]}, "id_checksum", "members[0].id_number"),
        ({"members": [("甄演一", "519999196002301017")]}, "id_checksum", "members[0].id_number"),
        ({"members": [("甄演一", "511025196001011")]}, "id_15", "members[0].id_number"),
        ({"members": [("甄演一", "519999196001011016\n1")]}, "id_form", "members[0].id_number"),
        ({"members": [("甄", "519999196001011016")]}, "name_form", "members[0].name"),
        ({"members": [("甄演一", "519999196001011016"), ("甄演二", "519999196001011016")]}, "id_twice", "members"),
        ({"phone": "1234567890"}, "phone_form", "phone"),
        ({"phone": "+8612000000000"}, "phone_form", "phone"),
        ({"account": "6299990000000000001"}, "account_checksum", "account"),
        ({"account": "6.2284804E+18"}, "precision_lost", "account"),
        ({"account": "629999000000"}, "account_form", "account"),
        ({"lon": 29.6, "lat": 102.1}, "axes_swapped", "lon"),
        ({"lon": 116.4, "lat": 39.9}, "outside_box", "lon"),
        ({"lon": float("nan"), "lat": 29.6}, "outside_box", "lon"),
        ({"village": "513322999999"}, "village_unknown", "village"),
    ],
)
async def test_a_faulty_record_names_its_field_and_stops_no_other(
    tx: Tx, keys: Keys, change: dict[str, Any], code: str, field: str
) -> None:
    reporter = await make.staff(tx, ("reporter", make.LUDING))
    incident = await make.incident(tx)
    if "members" in change:
        change = {"members": [make.Member(name=n, id_number=i) for n, i in change["members"]]}
    faulty = make.registration(1, incident=incident, **change)
    bad, good = await register(tx, reporter, [faulty, make.registration(2, incident=incident)], make.NOW, keys)
    assert (bad.outcome, bad.code, bad.field) == ("invalid", code, field)
    assert good.outcome == "new"
    values = [faulty.account, faulty.phone or "-", *(m.id_number for m in faulty.members)]
    assert not any(v in (bad.message or "") for v in values)


async def test_a_reporter_registers_only_in_their_own_area(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", "513322105"))
    [receipt] = await register(tx, reporter, [make.registration(incident=await make.incident(tx))], make.NOW, keys)
    assert (receipt.outcome, receipt.code) == ("invalid", "outside_area")


async def test_an_unknown_incident_is_refused_per_record(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    [receipt] = await register(tx, reporter, [make.registration(incident=uuid4())], make.NOW, keys)
    assert (receipt.outcome, receipt.code) == ("invalid", "incident_unknown")


async def test_nobody_stands_in_clear_in_the_register(tx: Tx, keys: Keys) -> None:
    reporter = await make.staff(tx, ("reporter", make.MOXI))
    record = make.registration(incident=await make.incident(tx))
    await register(tx, reporter, [record], make.NOW, keys)
    dump = await db.value(tx, "SELECT string_agg(p::text, ' ') || (SELECT string_agg(a::text, ' ') FROM account a) FROM person p")
    assert dump
    for secret in (record.members[0].id_number, record.account, record.phone, "甄演一"):
        assert str(secret) not in dump
        assert str(secret).encode().hex() not in dump


async def test_two_servers_receiving_one_record_at_once_keep_it_once(pool: Pool, keys: Keys) -> None:
    async with db.begin(pool) as tx:
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        incident = await make.incident(tx)
    record = make.registration(incident=incident)

    async def receive() -> str:
        async with db.begin(pool) as tx:
            [receipt] = await register(tx, reporter, [record], make.NOW, keys)
            return receipt.outcome

    outcomes = await asyncio.gather(*(receive() for _ in range(8)))
    assert sorted(outcomes) == ["new"] + ["repeat"] * 7
