"""Hazards by GB/T 28921, and the statistics system's own fifteen kinds."""

from __future__ import annotations

import pytest

from relief.domain.errors import Invalid
from relief.domain.incident import HAZARDS, STATISTICS_KINDS, check_reason, statistics_kind


def test_every_mapped_hazard_is_a_known_one() -> None:
    assert set(STATISTICS_KINDS) <= set(HAZARDS)


def test_all_fifteen_kinds_of_the_statistics_system_are_reached() -> None:
    listed = "洪涝 干旱 台风 风雹 低温冷冻 雪灾 沙尘暴 地震 崩塌 滑坡 泥石流 风暴潮 海啸 森林草原火灾 重大生物灾害"
    assert set(STATISTICS_KINDS.values()) == set(listed.split())


def test_a_rainstorm_counts_as_flood_and_fog_is_not_counted() -> None:
    assert statistics_kind("010400") == "洪涝"
    assert statistics_kind("011200") is None


@pytest.mark.parametrize("reason", ["", " 。", "一" * 501, "重\x00复"])
def test_a_decision_without_a_proper_reason_is_refused(reason: str) -> None:
    with pytest.raises(Invalid):
        check_reason(reason)
