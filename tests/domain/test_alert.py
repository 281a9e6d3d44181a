"""What an alert becomes when it arrives, and which hazard its words speak of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from relief.domain.alert import FeedState, Message, Reference, birth, feed_health, guess_hazard
from relief.domain.incident import HAZARDS
from tests.make import LUDING, NOW

EARLIER = Reference("cma@example.org", "1", NOW)


def message(**changes: Any) -> Message:
    fields = {
        "source": "cap", "sender": "cma@example.org", "identifier": "2", "sent": NOW, "nature": "actual", "kind": "alert", "event": "暴雨",
        "headline": "暴雨红色预警", "occurred_at": NOW, "body": b"<alert/>", "link": "2|x", "hazard": "010400", "codes": (LUDING,),
    }  # fmt: skip
    return Message(**{**fields, **changes})


@pytest.mark.parametrize("nature", ["test", "exercise", "system", "draft"])
@pytest.mark.parametrize("kind", ["alert", "update", "cancel"])
def test_what_is_not_actual_is_kept_and_never_proposed(nature: str, kind: str) -> None:
    born = birth(message(nature=nature, kind=kind, references=(EARLIER,)), LUDING, NOW)
    assert (born.status, born.why) == ("noted", nature)


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({}, "proposed", None),
        ({"kind": "ack"}, "noted", "ack"),
        ({"kind": "error"}, "noted", "error"),
        ({"kind": "update", "references": (EARLIER,)}, "parked", None),
        ({"kind": "update"}, "proposed", None),
        ({"kind": "cancel", "references": (EARLIER,)}, "parked", None),
        ({"kind": "cancel"}, "noted", "no_original"),
        ({"expires_at": NOW}, "noted", "expired"),
        ({"expires_at": NOW + timedelta(seconds=1)}, "proposed", None),
        ({"source": "comcat", "magnitude": 3.9}, "noted", "small"),
        ({"source": "comcat", "magnitude": 4.0}, "proposed", None),
        ({"source": "comcat", "hazard": None, "magnitude": 5.0}, "noted", "other_event"),
        ({"source": "comcat", "kind": "cancel"}, "parked", None),
    ],
)
def test_an_actual_message_is_proposed_parked_or_noted(changes: dict[str, Any], status: str, why: str | None) -> None:
    born = birth(message(**changes), LUDING, NOW)
    assert (born.status, born.why) == (status, why)


def test_an_alert_for_nowhere_we_know_is_only_noted() -> None:
    assert birth(message(), None, NOW).why == "outside"


def test_the_digest_is_of_what_is_said_not_of_how_it_was_wrapped() -> None:
    one = message()
    assert one.digest() == message(body=b"<alert >", link="other").digest()
    assert one.digest() != msgspec.structs.replace(one, headline="暴雨橙色预警").digest()


@pytest.mark.parametrize(
    ("event", "hazard"),
    [("地震", "020100"), ("Earthquake", "020100"), ("暴雨", "010400"), ("山洪灾害", "010200"), ("Flood Warning", "010200"), ("泥石流", "020500"),
     ("地质灾害气象风险", "020400"), ("雷电", "010700"), ("森林火险", "040600"), ("寒潮", "010800"), ("Storm", None), ("", None)],
)  # fmt: skip
def test_the_words_of_an_event_tell_its_hazard(event: str, hazard: str | None) -> None:
    assert guess_hazard(event) == hazard
    assert hazard is None or hazard in HAZARDS


def test_an_event_code_counts_more_than_words() -> None:
    assert guess_hazard("预警", ("11C01",)) == "020100"


@pytest.mark.parametrize(
    ("asked", "heard", "health"),
    [(0, 0, "well"), (1, 9, "well"), (1, 11, "dead"), (1, None, "dead"), (11, 11, "unasked"), (11, None, "unasked")],
)
def test_a_feed_is_dead_when_it_was_not_heard_for_ten_minutes_and_unasked_when_nobody_asks(
    asked: int, heard: int | None, health: str
) -> None:
    at = [None if m is None else NOW - timedelta(minutes=m) for m in (asked, heard)]
    assert at[0] is not None
    assert feed_health(FeedState("cap", at[0], at[1], 0, None, None), NOW, timedelta(minutes=1)) == health


def test_a_feed_that_is_asked_rarely_has_five_rounds_of_patience() -> None:
    old = NOW - timedelta(minutes=40)
    assert feed_health(FeedState("cap", old, old, 0, None, None), NOW, timedelta(minutes=10)) == "well"
    assert feed_health(None, NOW, timedelta(minutes=1)) == "never"
