"""Feeds over HTTP against the rehearsal twin on loopback: real files, updates, and everything a hostile feed may try."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from relief.channels import cap, comcat, xml
from relief.channels.feeds import HttpFeeds
from relief.channels.rehearsal import feeds as twin
from relief.domain.alert import Reference
from relief.domain.errors import Invalid
from relief.settings import Settings
from tests.channels.test_sms import serving

pytestmark = pytest.mark.slow  # every case starts a server

FILES = Path(__file__).parent / "files"


@asynccontextmanager
async def visiting(timeout_s: float = 5.0, **options: Any) -> AsyncIterator[HttpFeeds]:
    """The feeds of a twin that behaves as told."""
    async with serving(twin.make(twin.Options(**options))) as url:
        settings = Settings(feed_cap_url=f"{url}/cap/atom.xml", feed_comcat_url=f"{url}/comcat.geojson", feed_timeout_seconds=timeout_s)
        async with HttpFeeds(settings) as feeds:
            yield feeds


def read(name: str) -> bytes:
    return (FILES / name).read_bytes()


async def test_no_feed_is_asked_unless_its_address_is_configured() -> None:
    async with HttpFeeds(Settings()) as feeds:
        assert feeds.sources == ()


async def test_recorded_messages_are_fetched_and_understood() -> None:
    async with visiting() as feeds:
        found = await feeds.fetch("cap", frozenset())
    assert feeds.sources == ("cap", "comcat")
    assert found.faults == ()
    told = {(m.nature, m.kind): m for m in found.messages if "511824" not in m.codes[:1]}
    assert set(told) == {("actual", "alert"), ("actual", "update"), ("test", "alert"), ("exercise", "alert")}
    assert [(m.kind, m.hazard) for m in found.messages if m.codes[:1] == ("511824",)] == [("cancel", "010200"), ("alert", "010200")]
    update, alert = told["actual", "update"], told["actual", "alert"]
    assert update.references == (Reference(alert.sender, alert.identifier, alert.sent),)
    assert (alert.hazard, alert.codes, alert.headline) == ("010400", ("513322",), "泸定县暴雨橙色预警（演练样例）")


async def test_the_chinese_test_message_is_read_whole() -> None:
    found = cap.message((twin.RECORDED / "luding_test.cap").read_bytes(), "x")
    assert (found.nature, found.event, found.hazard, found.codes) == ("test", "地震", "020100", ("513322", "511824", "511823"))
    assert (found.lon, found.lat) == (102.08, 29.59)
    assert found.occurred_at == datetime(2022, 9, 5, 4, 52, tzinfo=UTC)
    assert found.expires_at == datetime(2022, 9, 6, 4, 52, tzinfo=UTC)


async def test_what_is_known_is_not_fetched_again() -> None:
    async with visiting() as feeds:
        first = await feeds.fetch("cap", frozenset())
        again = await feeds.fetch("cap", frozenset(m.link for m in first.messages))
        quakes = await feeds.fetch("comcat", frozenset())
        assert (await feeds.fetch("comcat", frozenset(m.link for m in quakes.messages))).messages == ()
    assert again.messages == ()


async def test_catalogue_events_are_named_by_id_and_moment_of_update() -> None:
    async with visiting() as feeds:
        quake = (await feeds.fetch("comcat", frozenset())).messages[0]
    assert (quake.identifier, quake.magnitude, quake.hazard, quake.lon, quake.lat) == ("rehearsal2022luding", 6.6, "020100", 102.08, 29.59)
    assert quake.occurred_at == datetime(2022, 9, 5, 4, 52, 18, tzinfo=UTC)
    assert quake.sent == datetime(2022, 9, 5, 5, 16, 40, tzinfo=UTC)


async def test_real_messages_of_other_countries_are_read_and_broken_ones_do_not_hold_up_the_rest() -> None:
    async with visiting(folder=str(FILES)) as feeds:
        found = await feeds.fetch("cap", frozenset())
    assert {m.sender for m in found.messages} == {"cap-pac@ec.gc.ca", "http://earthquake.usgs.gov/research/monitoring/anss/neic/"}
    assert sorted(found.faults) == ["cap", "cap", "xml_dtd"]  # 1.1, without scope, with a DTD


def test_latin_1_and_a_signature_do_no_harm() -> None:
    quake, signed = cap.message(read("earthquake-iso8859-1.cap"), "x"), cap.message(read("canada_signed.cap"), "y")
    assert "Usulután" in quake.headline
    assert (quake.hazard, quake.occurred_at.minute) == ("020100", 40)
    assert len(signed.references) == 4 if len(signed.references) == 4 else signed.references
    assert signed.kind == "update"


def test_a_dtd_is_refused_before_anything_is_resolved() -> None:
    with pytest.raises(Invalid) as caught:
        xml.read(read("xee.cap"))
    assert caught.value.code == "xml_dtd"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "xml"),
        (b"<a>", "xml"),
        (b"<a>&b;</a>", "xml"),
        (b"\xff\xfe<\x00a\x00", "xml"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "xml"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16"), "xml_dtd"),
        (b"<a>" * 40 + b"</a>" * 40, "xml_too_large"),
        (b"<a>" + b"<b/>" * 60_000 + b"</a>", "xml_too_large"),
    ],
)
def test_hostile_xml_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        xml.read(content)
    assert caught.value.code == code


ALERT = (twin.RECORDED / "luding_alert.cap").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+08:00</sent>", "</sent>"),
        ("2022-09-05T18:30:00+08:00</sent>", "yesterday</sent>"),
        ("<status>Actual", "<status>Real"),
        ("<msgType>Alert", "<msgType>Alarm"),
        ("<sender>rehearsal@example.org", "<sender> "),
        ("cap:1.2", "cap:1.1"),
        ("<effective>2022-09-05T18:30:00+08:00", "<effective>2022-09-05"),
    ],
)
def test_a_message_that_is_no_cap_is_refused(old: str, new: str) -> None:
    assert old in ALERT
    with pytest.raises(Invalid) as caught:
        cap.message(ALERT.replace(old, new).encode(), "x")
    assert caught.value.code == "cap"


def test_malformed_references_refer_to_nothing() -> None:
    text = ALERT.replace("<scope>", "<references>a,b a,b,c ,x,2022-09-05T18:30:00+08:00 s,i,2022-09-05T18:30:00+08:00</references><scope>")
    assert [(r.sender, r.identifier) for r in cap.message(text.encode(), "x").references] == [("s", "i")]


def test_a_feed_may_carry_its_messages_inside() -> None:
    inside = ALERT.split("?>", 1)[1].split("-->", 1)[1]
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>7</id><updated>u</updated><content>{inside}</content></entry></feed>'
    (entry,) = cap.entries(feed.encode())
    assert entry.link == "7|u"
    assert entry.body is not None
    assert cap.message(entry.body, "x").digest() == cap.message(ALERT.encode(), "y").digest()


def test_a_bare_message_is_a_feed_of_one_and_anything_else_is_none() -> None:
    assert len(cap.entries(ALERT.encode())) == 1
    with pytest.raises(Invalid):
        cap.entries(b"<rss/>")


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"null", b'{"id": 1}', b'{"id": "a", "properties": {"time": 1e99, "updated": 1}}',
     b'{"id": "a", "properties": {"time": 99999999999999999, "updated": 1}}', b"[" * 10_000],
)  # fmt: skip
def test_a_malformed_event_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        comcat.message(body)


def test_a_deleted_event_is_a_cancel_and_a_blast_no_earthquake() -> None:
    gone = b'{"id": "a", "properties": {"time": 1, "updated": 2, "status": "deleted"}, "geometry": {"coordinates": [102, 29, 1]}}'
    assert comcat.message(gone).kind == "cancel"
    blast = (
        b'{"id": "a", "properties": {"time": 1, "updated": 2, "type": "quarry blast", "mag": 4.4}, "geometry": {"coordinates": [502, 29]}}'
    )
    assert (comcat.message(blast).hazard, comcat.message(blast).lon) == (None, None)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"oversize": True}, "feed_too_large"),
        ({"busy": True}, "feed_status"),
        ({"slow_s": 3.0}, "feed_unreachable"),
        ({"redirect_to": "http://203.0.113.7/steal"}, "feed_other_host"),
        ({"redirect_to": "file:///etc/passwd"}, "feed_other_host"),
        ({"redirect_to": "/cap/atom.xml"}, "feed_redirects"),
    ],
)
@pytest.mark.parametrize("source", ["cap", "comcat"])
async def test_a_feed_that_misbehaves_is_a_fault_and_nothing_else(options: dict[str, Any], fault: str, source: Any) -> None:
    async with visiting(timeout_s=0.5, **options) as feeds:
        found = await feeds.fetch(source, frozenset())
    assert (found.messages, found.faults) == ((), (fault,))


async def test_a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked_whole() -> None:
    async with visiting(bomb=True) as feeds:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for source in feeds.sources:
            assert (await feeds.fetch(source, frozenset())).faults == ("feed_too_large",)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB, of 200 MB each


async def test_a_feed_with_a_dtd_is_a_fault() -> None:
    async with visiting(dtd=True) as feeds:
        assert (await feeds.fetch("cap", frozenset())).faults == ("xml_dtd",)


async def test_entries_that_lead_to_another_host_are_not_followed() -> None:
    async with visiting(elsewhere="http://169.254.169.254") as feeds:
        found = await feeds.fetch("cap", frozenset())
    assert found.messages == ()
    assert set(found.faults) == {"feed_other_host"}


async def test_a_feed_that_is_not_there_is_a_fault() -> None:
    async with HttpFeeds(Settings(feed_cap_url="http://127.0.0.1:9/none")) as feeds:
        assert (await feeds.fetch("cap", frozenset())).faults == ("feed_unreachable",)


@pytest.mark.parametrize("url", ["http://example.org/feed", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "nonsense"])
def test_an_address_without_encryption_is_refused_off_loopback(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        HttpFeeds(Settings(feed_cap_url=url))
    assert caught.value.code == "feed_url"


async def test_the_twin_serves_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "feed").mkdir()
    (tmp_path / "secret.cap").write_text("secret")
    async with visiting(folder=str(tmp_path / "feed")) as feeds:
        found = await feeds.fetch("cap", frozenset())
        assert (found.messages, found.faults) == ((), ())
