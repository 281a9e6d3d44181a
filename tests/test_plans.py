"""Every response plan decodes and proposes by its own lines; every faulty one is refused with its path and sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from relief.domain import plan
from relief.domain.errors import Invalid
from relief.domain.response import propose
from relief.domain.statistics import SUMS

ROOT = Path(__file__).resolve().parent.parent
PLANS = sorted((ROOT / "playbooks" / "plans").glob("*.toml"))
FAULTY = sorted((ROOT / "tests" / "faulty_plans").glob("*.toml"))
LINES = [
    pytest.param(p, level.level, line.indicator, line.at_least, id=f"{p.stem}-{level.level}-{line.indicator}")
    for p in PLANS
    for level in plan.read(p.read_text("utf-8")).levels
    for line in level.thresholds
    if line.indicator in SUMS
]


def load(name: str) -> plan.Plan:
    return plan.read((ROOT / "playbooks" / "plans" / f"{name}.toml").read_text("utf-8"))


@pytest.mark.parametrize("path", PLANS, ids=lambda p: p.stem)
def test_a_plan_decodes_names_its_document_and_claims_no_more_than_was_checked(path: Path) -> None:
    found = plan.read(path.read_text("utf-8"))
    assert found.document
    assert all(len(level.legal_basis) > 3 for level in found.levels)
    assert not found.verified
    assert found.notes


@pytest.mark.parametrize(("path", "level", "indicator", "at_least"), LINES)
def test_a_line_is_reached_by_its_own_number_alone_and_not_by_one_less(path: Path, level: int, indicator: str, at_least: int) -> None:
    found, part = plan.read(path.read_text("utf-8")), SUMS[indicator][-1]
    said = propose(found, {part: Decimal(at_least)})
    assert said.level == level
    assert said.triggers[0].indicator == indicator
    below = propose(found, {part: Decimal(at_least - 1)}).level
    assert below is None or below > level


def test_the_national_plan_of_2024_takes_the_place_of_2016_without_a_gap() -> None:
    old, new = load("national-2016"), load("national-2024")
    assert old.valid_to is not None
    assert (new.valid_from - old.valid_to).days == 1
    assert new.valid_from == date(2024, 1, 20)


def test_sichuan_says_that_its_figures_are_placeholders() -> None:
    text = (ROOT / "playbooks" / "plans" / "sichuan-2024.toml").read_text("utf-8")
    assert "占位" in text
    assert "PLACEHOLDER" in text
    assert not load("sichuan-2024").verified


@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_a_faulty_plan_is_refused_with_its_path_and_sentence(path: Path) -> None:
    first, text = path.read_text("utf-8").split("\n", 1)
    with pytest.raises(Invalid) as refusal:
        plan.read(text)
    expected = first.removeprefix("# expect: ")
    assert expected != first
    assert refusal.value.code == "plan"
    assert any(line.startswith(expected) for line in refusal.value.message.splitlines()), refusal.value.message
