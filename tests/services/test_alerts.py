"""Alerts are kept once, act on each other as CAP says whichever comes first, and only propose; officers decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from relief.domain.alert import FeedState, Message, Reference
from relief.domain.errors import Conflict, Invalid, Refused
from relief.domain.incident import NewIncident
from relief.domain.policy import Actor
from relief.services import alerts as service
from relief.services import incidents as merging
from relief.store import alerts as store
from relief.store import feeds, incidents
from relief.store.db import Tx
from tests import make
from tests.domain.test_alert import message
from tests.make import LUDING, NOW, SHIMIAN

MINUTE = timedelta(minutes=1)
LATER = NOW + 30 * MINUTE


def named(n: int, **changes: Any) -> Message:
    """The n-th message of one sender, n minutes after the first."""
    return message(**{"identifier": f"m{n}", "sent": NOW + n * MINUTE, "link": f"m{n}|", **changes})


def of(*messages: Message) -> tuple[Reference, ...]:
    return tuple(Reference(m.sender, m.identifier, m.sent) for m in messages)


def update(n: int, *earlier: Message, **changes: Any) -> Message:
    return named(n, kind="update", references=of(*earlier), **changes)


def cancel(n: int, *earlier: Message, **changes: Any) -> Message:
    return named(n, kind="cancel", references=of(*earlier), codes=(), **changes)


def quake(minute: int = 0, **changes: Any) -> Message:
    """An edition of one catalogue event; its point lies in Luding."""
    fields = {
        "source": "comcat", "sender": "earthquake.usgs.gov", "identifier": "us1", "sent": NOW + minute * MINUTE, "hazard": "020100", "codes": (),
        "lon": 102.08, "lat": 29.59, "magnitude": 6.6, "link": f"us1|{minute}",
    }  # fmt: skip
    return message(**{**fields, **changes})


async def statuses(tx: Tx) -> dict[str, tuple[str, str | None]]:
    """Identifier (and minute, for a catalogue event) → status and why."""
    rows = await tx.fetch("SELECT source, identifier, sent, status, why FROM alert")
    return {
        r["identifier"] if r["source"] == "cap" else f"{r['identifier']}+{(r['sent'] - NOW) // MINUTE}": (r["status"], r["why"])
        for r in rows
    }


async def officer(tx: Tx, area: str = LUDING) -> Actor:
    return await make.staff(tx, ("county_officer", area))


async def proposed(tx: Tx) -> list[UUID]:
    return [r["id"] for r in await tx.fetch("SELECT id FROM alert WHERE status = 'proposed' ORDER BY sent")]


def new(**changes: Any) -> NewIncident:
    return NewIncident(**{"hazard": "010400", "county": LUDING, "occurred_at": NOW, "drill": True, **changes})


async def test_a_message_is_kept_once_however_often_it_comes(tx: Tx) -> None:
    one = named(0)
    assert (await service.receive(tx, [one, one], NOW)).new == 1
    again = await service.receive(tx, [named(0, link="another entry", body=b"<alert ></alert>")], LATER)
    assert (again.new, again.repeats, again.conflicts) == (0, 1, 0)
    assert await statuses(tx) == {"m0": ("proposed", None)}


async def test_other_content_under_the_same_name_is_a_case_and_changes_nothing(tx: Tx) -> None:
    await service.receive(tx, [named(0)], NOW)
    forged = named(0, headline="解除预警")
    assert (await service.receive(tx, [forged], LATER)).conflicts == 1
    assert (await service.receive(tx, [forged], LATER)).conflicts == 0
    (case,) = await store.conflicts(tx)
    assert case.headline == "暴雨红色预警"
    await service.close_conflicts(tx, await officer(tx), [case.id], "已向发布单位核实", LATER)
    assert await store.conflicts(tx) == []


async def test_two_contents_of_one_name_in_one_visit_are_one_message_and_a_case(tx: Tx) -> None:
    assert (await service.receive(tx, [named(0), named(0, headline="x")], NOW)) == service.Received(new=1, repeats=0, conflicts=1)


@pytest.mark.parametrize("nature", ["test", "exercise", "system", "draft"])
async def test_a_test_is_kept_proposes_nothing_and_cannot_be_opened(tx: Tx, nature: str) -> None:
    await service.receive(tx, [named(0, nature=nature)], NOW)
    assert await statuses(tx) == {"m0": ("noted", nature)}
    alert = await tx.fetchval("SELECT id FROM alert")
    with pytest.raises(Conflict) as caught:
        await service.open_incident(tx, await officer(tx), alert, new(), NOW)
    assert caught.value.code == "alert_moved"
    with pytest.raises(asyncpg.CheckViolationError):
        await tx.execute("UPDATE alert SET status = 'proposed'")


async def test_a_test_update_never_touches_an_actual_alert(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one, update(1, one, nature="test"), cancel(2, one, nature="exercise")], NOW)
    assert (await statuses(tx))["m0"] == ("proposed", None)


async def test_an_update_takes_the_place_of_what_it_refers_to(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one], NOW)
    await service.receive(tx, [update(1, one)], NOW)
    assert await statuses(tx) == {"m0": ("superseded", None), "m1": ("proposed", None)}


async def test_a_cancel_withdraws_what_it_refers_to(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one], NOW)
    await service.receive(tx, [cancel(1, one)], NOW)
    assert await statuses(tx) == {"m0": ("withdrawn", None), "m1": ("noted", "applied")}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
async def test_the_end_is_the_same_in_whatever_order_they_come(tx: Tx, order: tuple[int, ...]) -> None:
    one = named(0)
    two = update(1, one)
    three = update(2, one, two)
    for n in order:
        await service.receive(tx, [(one, two, three)[n]], NOW)
    assert await statuses(tx) == {"m0": ("superseded", None), "m1": ("superseded", None), "m2": ("proposed", None)}


async def test_a_late_older_update_does_not_come_back_even_if_the_newer_names_only_the_original(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one, update(2, one)], NOW)
    await service.receive(tx, [update(1, one)], LATER)
    assert (await statuses(tx))["m1"] == ("superseded", None)


async def test_an_update_of_something_unknown_is_parked_for_ten_minutes_and_then_proposed(tx: Tx) -> None:
    two = update(1, named(0))
    await service.receive(tx, [two], NOW)
    assert await statuses(tx) == {"m1": ("parked", None)}
    await service.receive(tx, [], NOW + 9 * MINUTE)
    assert await statuses(tx) == {"m1": ("parked", None)}
    await service.receive(tx, [], NOW + 10 * MINUTE)
    assert await statuses(tx) == {"m1": ("proposed", None)}


async def test_a_cancel_of_something_unknown_is_parked_and_then_only_noted(tx: Tx) -> None:
    await service.receive(tx, [cancel(1, named(0))], NOW)
    await service.receive(tx, [], NOW + 10 * MINUTE)
    assert await statuses(tx) == {"m1": ("noted", "no_original")}
    await service.receive(tx, [named(0)], LATER)
    assert (await statuses(tx))["m0"] == ("withdrawn", None)


async def test_a_parked_update_that_expires_while_it_waits_proposes_nothing(tx: Tx) -> None:
    await service.receive(tx, [update(1, named(0), expires_at=NOW + 5 * MINUTE)], NOW)
    await service.receive(tx, [], NOW + 10 * MINUTE)
    assert await statuses(tx) == {"m1": ("noted", "expired")}


async def test_an_expired_update_still_ends_what_it_replaces(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one, update(1, one, expires_at=NOW)], NOW)
    assert await statuses(tx) == {"m0": ("superseded", None), "m1": ("noted", "expired")}


async def test_another_sender_can_neither_update_nor_cancel(tx: Tx) -> None:
    one = named(0)
    await service.receive(tx, [one, cancel(1, one, sender="thief@example.org")], NOW)
    assert (await statuses(tx))["m0"] == ("proposed", None)


async def test_an_update_sent_before_its_original_changes_nothing(tx: Tx) -> None:
    five = named(5)
    await service.receive(tx, [five, update(1, five)], NOW)
    assert (await statuses(tx))["m5"] == ("proposed", None)


async def test_the_county_is_where_the_point_lies_else_the_first_code_we_know(tx: Tx) -> None:
    await service.receive(tx, [quake(), named(0, codes=("110101", SHIMIAN, LUDING))], NOW)
    found = {a.identifier: (a.area, a.areas) for a in await store.waiting(tx, [""])}
    assert found == {"us1": (LUDING, [LUDING]), "m0": (SHIMIAN, [SHIMIAN, LUDING])}


async def test_an_earthquake_abroad_is_noted_as_outside(tx: Tx) -> None:
    await service.receive(tx, [quake(lon=-89.0, lat=13.0)], NOW)
    assert await statuses(tx) == {"us1+0": ("noted", "outside")}


async def test_a_later_edition_of_an_event_takes_the_place_of_the_earlier(tx: Tx) -> None:
    await service.receive(tx, [quake(0, magnitude=6.8), quake(5)], NOW)
    await service.receive(tx, [quake(2)], NOW)
    assert await statuses(tx) == {"us1+0": ("superseded", None), "us1+2": ("superseded", None), "us1+5": ("proposed", None)}


async def test_an_event_deleted_from_the_catalogue_is_withdrawn(tx: Tx) -> None:
    await service.receive(tx, [quake(0)], NOW)
    await service.receive(tx, [quake(1, kind="cancel")], NOW)
    assert await statuses(tx) == {"us1+0": ("withdrawn", None), "us1+1": ("noted", "applied")}


async def test_an_officer_opens_the_incident_an_alert_proposes(tx: Tx) -> None:
    await service.receive(tx, [quake()], NOW)
    (alert,) = await proposed(tx)
    incident = await service.open_incident(tx, await officer(tx), alert, new(hazard="020100"), NOW)
    assert (await incidents.get(tx, incident)).name == "2022-09-05 泸定县地震"
    (found,) = await store.lock(tx, [alert])
    assert (found.status, found.incident) == ("accepted", incident)
    with pytest.raises(Conflict):
        await service.open_incident(tx, await officer(tx), alert, new(hazard="020300"), NOW)


async def test_an_unsigned_alert_opens_drills_only_and_a_signed_or_catalogued_one_real_incidents_too(tx: Tx) -> None:
    signature = b'<alert><s:Signature xmlns:s="http://www.w3.org/2000/09/xmldsig#"/></alert>'
    await service.receive(tx, [named(0), named(1, body=signature), quake()], NOW)
    ids = {r["identifier"]: r["id"] for r in await tx.fetch("SELECT identifier, id FROM alert")}
    actor = await officer(tx)
    with pytest.raises(Refused) as caught:
        await service.open_incident(tx, actor, ids["m0"], new(drill=False), NOW)
    assert caught.value.code == "alert_unsigned"
    assert await tx.fetchval("SELECT count(*) FROM incident WHERE NOT drill") == 0
    await service.open_incident(tx, actor, ids["m0"], new(), NOW)
    await service.open_incident(tx, actor, ids["m1"], new(drill=False), NOW)
    await service.open_incident(tx, actor, ids["us1"], new(hazard="020100", drill=False), NOW)
    assert await tx.fetchval("SELECT count(*) FROM incident WHERE NOT drill") == 2


async def test_nothing_is_opened_by_the_alert_itself(tx: Tx) -> None:
    before = await tx.fetchval("SELECT count(*) FROM incident")
    await service.receive(tx, [quake(), named(0)], NOW)
    assert await tx.fetchval("SELECT count(*) FROM incident") == before


async def test_news_of_an_accepted_alert_is_proposed_as_news_of_its_incident(tx: Tx) -> None:
    one, actor = named(0), await officer(tx)
    await service.receive(tx, [one], NOW)
    incident = await service.open_incident(tx, actor, (await proposed(tx))[0], new(), NOW)
    await service.receive(tx, [update(1, one), cancel(2, one)], LATER)
    assert await statuses(tx) == {"m0": ("accepted", None), "m1": ("withdrawn", None), "m2": ("proposed", None)}
    news = await store.lock(tx, await proposed(tx))
    assert {a.incident for a in news} == {incident}
    with pytest.raises(Conflict) as caught:
        await service.open_incident(tx, actor, news[0].id, new(hazard="010200"), LATER)
    assert caught.value.code == "alert_is_news"
    await service.attach(tx, actor, [a.id for a in news], incident, LATER)
    assert await proposed(tx) == []


async def test_an_officer_dismisses_with_a_reason_and_a_later_update_is_proposed_again(tx: Tx) -> None:
    one, actor = named(0), await officer(tx)
    await service.receive(tx, [one], NOW)
    ids = await proposed(tx)
    with pytest.raises(Invalid):
        await service.dismiss(tx, actor, ids, "", NOW)
    await service.dismiss(tx, actor, ids, "未造成灾情", NOW)
    with pytest.raises(Conflict):
        await service.dismiss(tx, actor, ids, "未造成灾情", NOW)
    await service.receive(tx, [one, update(1, one)], LATER)
    assert await statuses(tx) == {"m0": ("dismissed", None), "m1": ("proposed", None)}


async def test_another_countys_officer_neither_sees_nor_decides_it(tx: Tx) -> None:
    await service.receive(tx, [named(0)], NOW)
    ids, stranger = await proposed(tx), await officer(tx, SHIMIAN)
    assert await service.waiting(tx, stranger) == []
    assert [a.id for a in await service.waiting(tx, await officer(tx))] == ids
    for act in (service.dismiss(tx, stranger, ids, "未造成灾情", NOW), service.open_incident(tx, stranger, ids[0], new(), NOW)):
        with pytest.raises(Refused):
            await act


async def test_the_number_of_statements_does_not_depend_on_how_many_messages_come(tx: Tx) -> None:
    counts = []
    for size in (1, 60):
        batch = [named(n, sender=f"s{size}@example.org") for n in range(size)]
        seen: list[Any] = []
        tx.add_query_logger(seen.append)
        await service.receive(tx, batch, NOW)
        tx.remove_query_logger(seen.append)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_a_feed_is_one_workers_until_its_turn_comes_again(tx: Tx) -> None:
    every = timedelta(seconds=60)
    first = await service.claim(tx, ["cap", "comcat"], NOW, every)
    assert {v.source for v in first} == {"cap", "comcat"}
    assert await service.claim(tx, ["cap", "comcat"], NOW + every - timedelta(seconds=1), every) == []
    await service.receive(tx, [named(0)], NOW)
    (visit,) = await service.claim(tx, ["cap"], NOW + every, every)
    assert visit.known == {"m0|"}


async def test_the_message_as_received_is_there_to_make_a_zone_of(tx: Tx) -> None:
    await service.receive(tx, [named(0)], NOW)
    assert (await store.body(tx, (await proposed(tx))[0])).body == b"<alert/>"


async def test_moments_keep_their_instant(tx: Tx) -> None:
    beijing = datetime.fromisoformat("2022-09-05T13:12:00+08:00")
    await service.receive(tx, [named(0, sent=beijing)], NOW)
    assert (await service.receive(tx, [named(0, sent=NOW)], NOW)).new == 0


async def test_alerts_follow_a_merged_incident_and_none_is_attached_to_a_closed_one(tx: Tx) -> None:
    """An update of an alert whose incident was merged away is news of the survivor."""
    actor, first = await make.staff(tx, ("province_officer", "51")), named(0)
    await service.receive(tx, [first], NOW)
    opened = await service.open_incident(tx, actor, (await proposed(tx))[0], new(), NOW)
    survivor = await make.incident(tx)
    await merging.merge(tx, actor, [opened], survivor, "同一次暴雨", LATER)
    await service.receive(tx, [update(1, first)], LATER)
    [news] = await service.waiting(tx, actor)
    assert news.incident == survivor
    with pytest.raises(Conflict) as caught:
        await service.attach(tx, actor, [news.id], opened, LATER)
    assert (caught.value.code, caught.value.data["survivor"]) == ("incident_closed", str(survivor))
    await service.attach(tx, actor, [news.id], survivor, LATER)


async def test_a_visit_is_remembered_with_its_last_word_and_its_last_fault(tx: Tx) -> None:
    visits: list[tuple[bool, list[str]]] = [(True, []), (False, ["feed_unreachable"]), (False, ["feed_status"]), (True, [])]
    for n, (heard, faults) in enumerate(visits):
        await service.visited(tx, "cap", heard, faults, NOW + n * MINUTE)
    [state] = await feeds.states(tx)
    assert state == FeedState("cap", NOW + 3 * MINUTE, NOW + 3 * MINUTE, 0, "feed_status", NOW + 2 * MINUTE)
    await service.visited(tx, "cap", False, ["feed_unreachable"], NOW)
    assert (await feeds.states(tx))[0] == state, "a slower worker's older visit changes nothing"
