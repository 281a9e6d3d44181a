"""`relief playbook check`: every playbook with its cases, and every refusal as file:line path: sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.make import ROOT

pytestmark = pytest.mark.slow  # every case is a process of its own


def check(*files: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relief", "playbook", "check", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_playbooks_that_travel_with_the_product_hold_all_their_cases() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    for path in (ROOT / "playbooks").glob("*.cases.toml"):
        assert path.name.removesuffix(".cases.toml") + ".toml: " in done.stdout
    assert "26 unverified" in done.stdout


def test_a_faulty_playbook_is_named_with_its_line_and_a_missing_one_too() -> None:
    done = check("tests/faulty_playbooks/shares_short.toml", "nowhere.toml", "playbooks/drought.toml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("tests/faulty_playbooks/shares_short.toml:96 aids[1].stages: 各期比例之和须为 100%")
    assert "nowhere.toml" in done.stderr
    assert "drought 1, 1 aids, 6 cases hold" in done.stdout


def test_a_case_that_does_not_hold_and_an_amount_without_quotes_exit_with_2(tmp_path: Path) -> None:
    for name in ("drought.toml", "drought.cases.toml"):
        (tmp_path / name).write_text((ROOT / "playbooks" / name).read_text("utf-8").replace('"240.00"', '"241.00"', 1), "utf-8")
    done = check(tmp_path / "drought.cases.toml")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/drought.cases.toml:13 cases[0].give.DROUGHT: 算得 240.00 元")
    standards = tmp_path / "standards"
    standards.mkdir()
    (standards / "county.toml").write_text((ROOT / "tests" / "faulty_standards" / "float_amount.toml").read_text("utf-8"), "utf-8")
    done = check(standards / "county.toml")
    assert done.returncode == 2
    assert "county.toml:" in done.stderr
    assert "standards[0].amount" in done.stderr
