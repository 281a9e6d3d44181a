"""Figures, money and times as people read them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from relief.domain.errors import Invalid
from relief.web import shapes, shown
from relief.web.console import common

NOW = datetime(2022, 9, 5, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fen", "text"), [(0, "0.00"), (60_000, "0.06"), (621_550_000, "621.55"), (4_999, "0.00"), (5_000, "0.01"), (-1_000_000, "-1.00")]
)
def test_large_totals_are_shown_in_wan_half_up(fen: int, text: str) -> None:
    assert shown.wan(fen) == text


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(5, "5秒前", "5 s ago"), (185, "3分钟前", "3 min ago"), (7_500, "2小时5分前", "2 h 5 min ago"), (97_200, "1天3小时前", "1 d 3 h ago")],
)
def test_an_age_is_told_in_its_two_largest_units(seconds: int, zh: str, en: str) -> None:
    at = NOW - timedelta(seconds=seconds)
    assert (shown.age(at, NOW, "zh"), shown.age(at, NOW, "en")) == (zh, en)


def test_moments_are_beijing_time() -> None:
    assert shown.moment(NOW) == "2022-09-05 14:00"


def test_a_digest_is_shown_in_fours() -> None:
    assert shown.digest(bytes(range(32))) == "0001 0203 0405 0607"


def test_a_cursor_is_read_back_and_a_forged_one_is_refused() -> None:
    cursor = common.pack("513322", "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e")
    assert str(common.unpack(cursor)[1]) == "0190f3c2-5a11-7c3e-9d20-6b1f2a3c4d5e"
    for forged in ("x", "AAAA", cursor[:-4], common.pack("5133", "x"), "钥"):
        with pytest.raises(Invalid, match="cursor"):
            common.unpack(forged)


def test_a_stored_polygon_becomes_geojson() -> None:
    ring = [(102.0, 29.0), (103.0, 29.0), (103.0, 30.0), (102.0, 29.0)]
    one = struct.pack("<BIII", 1, 3, 1, len(ring)) + b"".join(struct.pack("<dd", *p) for p in ring)
    assert shapes.geometry(one) == {"type": "Polygon", "coordinates": [[list(p) for p in ring]]}
    many = struct.pack(">BII", 0, 6, 2) + one + one
    assert shapes.geometry(many)["type"] == "MultiPolygon"
    assert len(shapes.geometry(many)["coordinates"]) == 2
