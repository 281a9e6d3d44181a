"""Where a fault is: every path of a file has its line, and whatever is done to a file, a refusal names a line of it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relief.domain import playbook, toml
from relief.domain.errors import Invalid
from tests.make import ROOT

TEXTS = [p.read_text("utf-8") for p in sorted((ROOT / "playbooks").glob("*.toml")) if not p.name.endswith(".cases.toml")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("key", 1),
        ("bands[1]", 4),
        ("bands[1].level", 4),
        ("why.EMERG[1]", 6),
        ("aids[0].code", 8),
        ("aids[0].procedure.days", 10),
        ("aids[0].gates[1]", 13),
        ("aids[1].stages[0].share", 16),
        ("aids[1].gates[0].levels[1]", 20),
        ("aids[1].gates[0].nothing", 17),
        ("aids[7]", 1),
        ("nowhere", 1),
    ],
)
def test_a_path_is_found_at_its_line_or_at_what_is_around_it(path: str, line: int) -> None:
    text = (
        'key = "x"\nbands = [   # two\n  { level = 6 },\n  { level = 7 },   # here\n]\nwhy.EMERG = [1, 2]\n[[aids]]\ncode = "E"\n'
        "[aids.procedure]\ndays = 1\n[[aids.gates]]\nlevels = [1]\n[[aids.gates]]\nlevels = [2]\n[[aids]]\nstages = [{ share = 1 }]\n"
        "[[aids.gates]]\nlevels = [\n  1,\n  2,\n]\n"
    )
    tomllib.loads(text)
    assert toml.lines(text, [f"{path}: 说明 · a sentence"]) == [line]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shipped playbook of which a line was lost, doubled, moved, cut or written over."""
    rows = draw(st.sampled_from(TEXTS)).splitlines()
    at = draw(st.integers(0, len(rows) - 1))
    match draw(st.sampled_from(["lose", "double", "move", "cut", "write"])):
        case "lose":
            del rows[at]
        case "double":
            rows.insert(at, rows[at])
        case "move":
            rows.insert(draw(st.integers(0, len(rows) - 1)), rows.pop(at))
        case "cut":
            rows[at] = rows[at][: draw(st.integers(0, len(rows[at])))]
        case _:
            rows[at] = draw(st.text('ab=[]{}",.#1 \n中', max_size=20))
    return "\n".join(rows)


@settings(max_examples=80, deadline=None)
@given(damaged())
@example("")
@example("[[aids]]\n[aids]\n")
@example("a.b = 1\na = 2\n")
@example('bands = "none"\n')
def test_whatever_is_done_to_a_file_a_refusal_names_a_line_of_it(text: str) -> None:
    try:
        playbook.read(text)
    except Invalid as refusal:
        faults: Any = refusal.data["faults"]
        lines = toml.lines(text, faults)
        assert len(lines) == len(faults) > 0
        assert all(1 <= line <= text.count("\n") + 1 for line in lines)
