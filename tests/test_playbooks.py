"""Every playbook decodes, every worked case holds, every faulty one is refused with its line, path and sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from relief.domain import cases, floors, playbook, standard, toml
from relief.domain.cases import Outcome
from relief.domain.errors import Invalid
from relief.domain.reasons import explain

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOKS = sorted(p for p in (ROOT / "playbooks").glob("*.toml") if not p.name.endswith(".cases.toml"))
STANDARDS = sorted((ROOT / "playbooks" / "standards").glob("*.toml"))
FAULTY = sorted((ROOT / "tests" / "faulty_playbooks").glob("*.toml"))
FAULTY_STANDARDS = sorted((ROOT / "tests" / "faulty_standards").glob("*.toml"))
BOOKS = {p.stem: playbook.read(p.read_text("utf-8")) for p in PLAYBOOKS}
WORKED = [
    pytest.param(stem, outcome, id=f"{stem}-{outcome.case.name[:60]}")
    for stem, book in BOOKS.items()
    for outcome in cases.run(book, cases.read((ROOT / "playbooks" / f"{stem}.cases.toml").read_text("utf-8"), book))
]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_playbook_decodes_and_states_the_basis_of_every_figure(path: Path) -> None:
    book = playbook.read(path.read_text("utf-8"))
    assert book.key == path.stem
    assert all(len(f.legal_basis) > 10 for f in book.figures)
    assert [book.aid(a.code) for a in book.aids] == list(book.aids)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_rehearsal_standards_cover_every_figure_and_none_claims_to_be_verified(path: Path) -> None:
    book = playbook.read(path.read_text("utf-8"))
    figures = standard.in_force(book.figure_keys, [s for s in standard.read(STANDARDS[0].read_text("utf-8")) if s.key in book.figure_keys])
    assert figures.unverified == list(figures.standards)
    assert all("占位" in s.document for s in figures.standards)
    floors.check(book, figures.amounts)


@pytest.mark.parametrize(("stem", "outcome"), WORKED)
def test_worked_case_holds(stem: str, outcome: Outcome) -> None:
    assert outcome.differs == ()
    for codes in outcome.reasons.values():
        texts = explain(codes, BOOKS[stem])
        assert len(texts) == len(codes) > 0
        assert all(t.zh and t.en for t in texts)


def test_a_case_that_does_not_hold_is_named_with_what_the_playbook_says() -> None:
    book = BOOKS["earthquake"]
    found = cases.read((ROOT / "playbooks" / "earthquake.cases.toml").read_text("utf-8"), book)
    wrong = replace(found.cases[0], give={"EMERG": "1.00"}, why={"EMERG": ("band.8",)})
    assert cases.faults(cases.run(book, replace(found, cases=(found.cases[1], wrong)))) == [
        "cases[1].give.EMERG: 算得 900.00 元，不是 1.00 元 · gives 900.00 yuan, not 1.00",
        "cases[1].why.EMERG: 理由不同 · the reasons are band.8 has.relocated",
    ]


def expected(path: Path) -> str:
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith("# expect: ")
    return first.removeprefix("# expect: ")


def located(text: str, error: Invalid) -> list[str]:
    faults = error.data["faults"]
    assert isinstance(faults, list)
    return [f"{line} {fault}" for line, fault in zip(toml.lines(text, faults), faults, strict=True)]


def test_there_are_enough_faulty_playbooks_and_worked_cases() -> None:
    assert len(FAULTY) >= 40
    assert len(WORKED) >= 60


@pytest.mark.parametrize("path", FAULTY, ids=lambda p: p.stem)
def test_faulty_playbook_is_refused_with_its_line_path_and_sentence(path: Path) -> None:
    text = path.read_text("utf-8")
    with pytest.raises(Invalid) as refusal:
        playbook.read(text)
    assert refusal.value.code == "playbook"
    assert expected(path) in located(text, refusal.value)


@pytest.mark.parametrize("path", FAULTY_STANDARDS, ids=lambda p: p.stem)
def test_faulty_standards_are_refused_with_their_line_path_and_sentence(path: Path) -> None:
    text = path.read_text("utf-8")
    with pytest.raises(Invalid) as refusal:
        standard.read(text)
    assert refusal.value.code == "standards"
    assert expected(path) in located(text, refusal.value)


def test_a_text_of_the_first_form_is_still_read() -> None:
    text = (ROOT / "playbooks" / "drought.toml").read_text("utf-8").replace("form = 2", "form = 1").replace('sms = ["paid"]\n', "")
    assert playbook.read(text).aids[0].sms == ()
    with pytest.raises(Invalid, match="sms"):
        playbook.read(text.replace("form = 1", "form = 2"))


def test_a_special_care_standard_below_its_floor_is_refused() -> None:
    book = BOOKS["winter"]
    floors.check(book, {"DIBAO.month": 50_000, "TEKUN.month": 65_000})
    floors.check(book, {"DIBAO.month": 50_000})
    with pytest.raises(Invalid, match=r"65000\.02 元") as refusal:
        floors.check(book, {"DIBAO.month": 5_000_001, "TEKUN.month": 6_500_000})
    assert refusal.value.code == "figure_floor"


def test_cases_that_name_what_the_playbook_lacks_are_refused() -> None:
    text = (ROOT / "playbooks" / "drought.cases.toml").read_text("utf-8")
    for old, new, fault in (
        ('give = { DROUGHT = "240.00" }', 'give = { WINTER = "240.00" }', "13 cases[0].give: 方案没有救助项目 WINTER"),
        ('"DELEGATE.township" = "3000.00"', "", "5 figures: 缺少标准 DELEGATE.township"),
        ('give = { DROUGHT = "240.00" }', "give = { DROUGHT = 240.0 }", "13 cases[0].give[...]: 格式不符 · Expected `str`, got `float`"),
        ("in_need = 4", "in_want = 4", "12 cases[0].facts: 格式不符 · Object contains unknown field `in_want`"),
    ):
        broken = text.replace(old, new, 1)
        with pytest.raises(Invalid) as refusal:
            cases.read(broken, BOOKS["drought"])
        assert located(broken, refusal.value)[0].startswith(fault)


def test_missing_figure_is_named() -> None:
    with pytest.raises(Invalid, match=r"DIBAO\.month"):
        standard.in_force(["HOUSE.rebuild", "DIBAO.month"], [s for s in standard.read(STANDARDS[0].read_text("utf-8")) if s.key[0] == "H"])
