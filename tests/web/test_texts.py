"""Every text a template asks for exists in both languages, and every state has its word and its shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from relief.domain import moves, project
from relief.domain.household import CIRCUMSTANCES, FAMILY_TYPES
from relief.domain.incident import HAZARDS
from relief.domain.statistics import INDICATORS, SUM_NAMES
from relief.domain.visit import Channel, Need, Presence, Structure
from relief.services.disburse import STEPS as SIGNED_STEPS
from relief.store.matters import Kind
from relief.web import field, shown
from relief.web.console.common import DONE
from relief.web.texts import CATALOGUE, Texts

TEMPLATES = Path(__file__).resolve().parents[2] / "relief" / "web" / "templates"
#: The questions of the phone, as `steps.ts` names them.
STEPS = re.findall(r"\{name: '(\w+)'", (TEMPLATES.parent / "assets" / "src" / "field" / "steps.ts").read_text("utf-8"))
ASKED = re.compile(r"""\bt\('([a-z_]+\.[A-Za-z0-9_]+)'[,)]""")


def test_templates_ask_only_for_texts_that_exist() -> None:
    asked = {key for path in TEMPLATES.rglob("*.html") for key in ASKED.findall(path.read_text("utf-8"))}
    assert len(asked) > 150
    assert sorted(asked - set(CATALOGUE)) == []


def test_both_languages_take_the_same_values() -> None:
    for key, (zh, en) in CATALOGUE.items():
        assert zh.strip(), key
        assert en.strip(), key
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), key


@pytest.mark.parametrize("noun", ["incident", "zone", "activation", "award", "instalment", "payment", "batch", "confirmation"])
def test_every_state_has_a_word_and_a_shape(noun: str) -> None:
    for state in moves.ALL[noun]:
        assert state in shown.TONES[noun], (noun, state)
        assert f"{noun}.{state.replace(' ', '_')}" in CATALOGUE, (noun, state)


def test_every_household_state_has_a_word_and_a_shape() -> None:
    for state in moves.REGISTRATION:
        assert state in shown.TONES["household"]
        assert f"household.{state}" in CATALOGUE


def test_every_place_step_and_sentence_has_its_text() -> None:
    assert {f"nav.{word}" for _, word, _ in shown.PLACES} <= set(CATALOGUE)
    assert {f"{section}.{step}" for step in SIGNED_STEPS for section in ("sign", "step_by", "step_do")} <= set(CATALOGUE)
    assert {f"aid.{code}" for code in project.AIDS} <= set(CATALOGUE)


def test_every_sentence_a_redirect_leaves_is_in_the_catalogue() -> None:
    console = Path(__file__).resolve().parents[2] / "relief" / "web" / "console"
    left = {word for path in console.glob("*.py") for word in re.findall(r'common\.go\([^\n]*, "(\w+)"\)', path.read_text("utf-8"))}
    assert len(left) > 10
    assert left <= DONE


def test_a_band_without_intensity_keeps_its_own_name() -> None:
    assert Texts("zh").band("Ⅶ") == "Ⅶ度区"
    assert Texts("zh").band("灾区") == "灾区"


def test_half_of_a_bilingual_sentence_is_shown() -> None:
    assert Texts("zh").say("请先登录 · please sign in") == "请先登录"
    assert Texts("en").say("请先登录 · please sign in") == "please sign in"
    assert Texts("en").say("only this") == "only this"


def test_every_hazard_and_its_class_has_a_word() -> None:
    assert {f"hazard.{code}" for code in HAZARDS} <= set(CATALOGUE)
    assert {f"hazard_class.{code[:2]}" for code in HAZARDS} <= set(CATALOGUE)


def test_every_kind_of_open_matter_and_every_fault_of_a_feed_has_a_word() -> None:
    assert {f"matter.{kind}" for kind in get_args(Kind)} <= set(CATALOGUE)
    assert {f"alert.{status}" for status in moves.ALERT} <= set(CATALOGUE)
    assert set(moves.ALERT) == set(shown.TONES["alert"])


def test_every_unit_of_an_indicator_has_a_word() -> None:
    assert {f"indicator_unit.{i.unit}" for i in [*INDICATORS.values(), *SUM_NAMES.values()]} <= set(CATALOGUE)


def test_the_phone_asks_only_for_texts_it_is_given() -> None:
    phone = Path(__file__).resolve().parents[2] / "relief" / "web" / "assets" / "src" / "field"
    asked = {key for path in phone.glob("*.ts") for key in re.findall(r"\bt\('([a-z_]+\.[a-z_0-9]+)'", path.read_text("utf-8"))}
    assert len(asked) > 80
    assert sorted(asked - {k for k in CATALOGUE if k.split(".")[0] in field.SECTIONS}) == []
    sections = {"family": FAMILY_TYPES, "need": get_args(Need), "structure": get_args(Structure), "channel": get_args(Channel)}
    sections |= {"presence": get_args(Presence), "question": STEPS, "door_step": STEPS, "circumstance": CIRCUMSTANCES}
    assert {f"{section}.{word}" for section, words in sections.items() for word in words} <= set(CATALOGUE)
