"""Texts fit, words of the carrier only move forward, replies are read however they are typed."""

from __future__ import annotations

import itertools
from uuid import UUID

import msgspec
import pytest

from relief.domain import message
from relief.domain.message import Facts, Reply, compose, disposition, forward, read_reply, segments, short_code
from relief.domain.moves import MESSAGE_RANK
from relief.domain.sealing import Keys

FACTS = Facts(name="测试甲", aid="EMERG", amount_fen=123_456, tail="0019", short_code="K7P2")
LONG = Facts(name="阿" * 50, aid="TRANS", amount_fen=99_999_999_99, tail="0019", short_code="K7P2", stage=3)


def test_a_two_way_text_says_amount_and_account_tail_and_ends_with_how_to_answer() -> None:
    key, text = compose("two way", FACTS)
    assert key == "paid.two_way.1"
    assert "1,234.56元" in text
    assert "尾号0019" in text
    assert text.endswith("收到请回1，未收到请回2")


@pytest.mark.parametrize("facts", [FACTS, LONG])
def test_a_mainland_text_has_no_amount_no_link_no_answer_and_one_segment(facts: Facts) -> None:
    _, text = compose("one way", facts)
    assert len(text) <= 70
    assert segments(text) == 1
    assert "元" not in text
    assert "请回" not in text
    assert "http" not in text


def test_a_two_way_text_never_needs_more_than_two_segments() -> None:
    assert segments(compose("two way", LONG)[1]) <= 2


@pytest.mark.parametrize("route", ["one way", "two way"])
def test_the_text_of_a_drill_is_signed_as_one_and_no_longer_than_the_real_one(route: str) -> None:
    real, drill = (compose(route, msgspec.structs.replace(FACTS, drill=d))[1] for d in (False, True))
    assert "演练" not in real
    assert drill.startswith("【救灾演练】")
    assert len(drill) == len(real)


def test_an_aid_nobody_named_is_relief_money() -> None:
    assert "救灾资金" in compose("one way", Facts(name="测试甲", aid="X9", amount_fen=1, tail="0019", short_code="K7P2"))[1]


@pytest.mark.parametrize(
    ("text", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("[" * 80, 1), ("[" * 81, 2), ("救" * 70, 1), ("救" * 71, 2), ("😀" * 35, 1), ("😀" * 36, 2), ("", 1)],
)
def test_segments_follow_the_alphabet(text: str, count: int) -> None:
    assert segments(text) == count


def test_every_order_of_the_carriers_words_ends_in_the_same_place() -> None:
    for order in itertools.permutations(["queued", "sending", "sent", "delivered", "sent", "nonsense"]):
        status = "sending"
        for word in order:
            after = forward(status, word)
            assert MESSAGE_RANK[after] >= MESSAGE_RANK[status]
            status = after
        assert status == "delivered"


def test_of_two_ends_the_first_one_stays() -> None:
    assert forward(forward("sent", "delivered"), "failed") == "delivered"
    assert forward(forward("sent", "undelivered"), "delivered") == "failed"


def test_every_known_word_leads_to_a_status_of_ours() -> None:
    assert set(message.WORDS.values()) <= set(MESSAGE_RANK)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(21211, "stop"), (21610, "stop"), (21614, "stop"), (20429, "retry"), (20003, "retry"), (21606, "retry"),
     (30003, "permanent"), (30004, "permanent"), (30005, "permanent"), (30006, "permanent"), (30007, "permanent"), (30008, "permanent"),
     (30410, "permanent"), (12345, "permanent")],
)  # fmt: skip
def test_error_codes_say_whether_to_try_again(code: int, meaning: str) -> None:
    assert disposition(code) == meaning


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ("1", Reply("received")), ("１", Reply("received")), (" 1。 ", Reply("received")), ("收到", Reply("received")), ("收到了！", Reply("received")),
        ("已收到", Reply("received")), ("2", Reply("not received")), ("２", Reply("not received")), ("没收到", Reply("not received")),
        ("未收到", Reply("not received")), ("没有收到", Reply("not received")), ("1 K7P2", Reply("received", "K7P2")),
        ("1k7p2", Reply("received", "K7P2")), ("K7P2 2", Reply("not received", "K7P2")), ("收到，K7P2", Reply("received", "K7P2")),
        ("STOP", Reply("stop")), ("退订", Reply("stop")), ("td", Reply("stop")), ("start", Reply("start")),
        ("", Reply("unclear")), ("12", Reply("unclear")), ("K7P2 1 K7P2", Reply("unclear")), ("谢谢", Reply("unclear")), ("1" * 2000, Reply("unclear")),
    ],
)  # fmt: skip
def test_replies_are_read_however_they_are_typed(body: str, reply: Reply) -> None:
    assert read_reply(body) == reply


def test_a_short_code_is_four_letters_and_always_the_same(keys: Keys) -> None:
    payment = UUID(int=7)
    assert short_code(payment, keys) == short_code(payment, keys)
    assert len(short_code(payment, keys)) == 4
    assert read_reply(f"1 {short_code(payment, keys)}").short_code == short_code(payment, keys)
