"""Every playbook decodes, every worked case holds, every faulty one is refused with its path and sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relief.domain import playbook, standard
from relief.domain.entitlement import decide
from relief.domain.errors import Invalid
from relief.domain.facts import Facts
from relief.domain.facts import facts as as_facts
from relief.domain.money import parse_yuan, yuan
from relief.domain.reasons import explain

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOKS = sorted(p for p in (ROOT / "playbooks").glob("*.toml") if not p.name.endswith(".cases.toml"))
STANDARDS = sorted((ROOT / "playbooks" / "standards").glob("*.toml"))
FAULTY = sorted((ROOT / "tests" / "faulty_playbooks").glob("*.toml"))
FAULTY_STANDARDS = sorted((ROOT / "tests" / "faulty_standards").glob("*.toml"))
CASES = [
    pytest.param(path, case, {**book["figures"], **case.get("figures", {})}, id=f"{path.stem}-{case['name'][:60]}")
    for path in PLAYBOOKS
    for book in [tomllib.loads(path.with_suffix(".cases.toml").read_text("utf-8"))]
    for case in book["cases"]
]
NUMBERS = ("level", "members", "adults", "dead", "missing", "injured", "rooms_collapsed", "rooms_severe", "rooms_moderate", "family")
FLAGS = ("edge", "relocated", "only_home", "occupied")
USUAL: dict[str, Any] = {"members": 3, "adults": 2, "only_home": True, "occupied": True}


def household(**given: Any) -> Facts:
    """A column of length one; what is not given is usual."""
    held = {aid: np.array([True]) for aid in given.pop("held", ())}
    known = {**USUAL, **given}
    assert not set(known) - set(NUMBERS) - set(FLAGS)
    return as_facts(
        {n: np.array([known.get(n, 0)], np.int16) for n in NUMBERS} | {n: np.array([known.get(n, False)], np.bool_) for n in FLAGS},
        held=held,
    )


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_playbook_decodes_and_states_the_basis_of_every_figure(path: Path) -> None:
    book = playbook.read(path.read_text("utf-8"))
    assert book.key == path.stem
    assert all(len(f.legal_basis) > 10 for f in book.figures)
    assert [book.aid(a.code) for a in book.aids] == list(book.aids)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_rehearsal_standards_cover_every_figure_and_none_claims_to_be_verified(path: Path) -> None:
    figures = standard.in_force(playbook.read(path.read_text("utf-8")).figure_keys, standard.read(STANDARDS[0].read_text("utf-8")))
    assert figures.unverified == list(figures.standards)
    assert all("占位" in s.document for s in figures.standards)


@pytest.mark.parametrize(("path", "case", "figures"), CASES)
def test_worked_case_holds(path: Path, case: dict[str, Any], figures: dict[str, str]) -> None:
    book = playbook.read(path.read_text("utf-8"))
    verdicts = decide(book, {k: parse_yuan(v) for k, v in figures.items()}, household(**case["facts"]))
    assert {aid: yuan(int(verdicts[aid].amount_fen[0])) for aid in case["give"]} == case["give"]
    assert {aid: list(verdicts[aid].why(0)) for aid in case.get("why", {})} == case.get("why", {})
    for verdict in verdicts.values():
        assert len(explain(verdict.why(0))) == len(verdict.why(0)) > 0


def expected(path: Path) -> str:
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith("# expect: ")
    return first.removeprefix("# expect: ")


@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_faulty_playbook_is_refused_with_its_path_and_sentence(path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        playbook.read(path.read_text("utf-8"))
    assert refusal.value.code == "playbook"
    assert any(line.startswith(expected(path)) for line in refusal.value.message.splitlines()), refusal.value.message


@pytest.mark.parametrize("path", FAULTY_STANDARDS, ids=lambda p: p.stem)
def test_faulty_standards_are_refused_with_path_and_sentence(path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        standard.read(path.read_text("utf-8"))
    assert refusal.value.code == "standards"
    assert any(line.startswith(expected(path)) for line in refusal.value.message.splitlines()), refusal.value.message


def test_missing_figure_is_named() -> None:
    with pytest.raises(Invalid, match=r"DIBAO\.month"):
        standard.in_force(["HOUSE.rebuild", "DIBAO.month"], [s for s in standard.read(STANDARDS[0].read_text("utf-8")) if s.key[0] == "H"])
