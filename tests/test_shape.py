"""The architecture as tests: arrows, sizes, no hidden imports, settings described, timetable complete."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from relief import jobs
from relief.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(p for folder in ("relief", "geo") for p in (ROOT / folder).rglob("*.py") if "node_modules" not in p.parts)
#: A habit, not a law: past these sizes two things live in one place.
MOST_LINES, MOST_FUNCTION_LINES = 400, 70


def test_arrows_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_can_be_held_in_mind(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= MOST_LINES
    long = [f.name for f in _functions(ast.parse(text)) if (f.end_lineno or 0) - f.lineno > MOST_FUNCTION_LINES]
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_hides_in_a_function(path: Path) -> None:
    hidden = [
        n.lineno for f in _functions(ast.parse(path.read_text("utf-8"))) for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


def test_every_setting_is_described_in_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [f.name for f in msgspec.structs.fields(Settings) if f"RELIEF_{f.name.upper()}" not in readme]
    assert not missing


def test_every_beat_is_in_the_timetable() -> None:
    tree = ast.parse((ROOT / "relief" / "jobs.py").read_text("utf-8"))
    takes_work = {
        f.name for f in tree.body if isinstance(f, ast.AsyncFunctionDef) and [a.arg for a in f.args.args] == ["work"] and f.name != "drain"
    }
    assert takes_work == {beat.__name__ for beat in jobs.TIMETABLE.values()}


def test_readme_shows_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
