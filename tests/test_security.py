"""SECURITY.md promises only what a test would miss."""

from __future__ import annotations

import re
from pathlib import Path

from relief.store import invariants

ROOT = Path(__file__).resolve().parent.parent


def test_every_line_of_the_security_page_names_something_that_exists() -> None:
    lines = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("|") and "---" not in line]
    promises = [line for line in lines if "shown by" not in line]
    known = {i.name for i in invariants.ALL}
    assert len(promises) >= 15
    for line in promises:
        shown = line.rstrip("| ").rsplit("|", 1)[1]
        tests = re.findall(r"`(tests/[\w/]+\.py)`", shown)
        assert tests, line
        assert all((ROOT / path).is_file() for path in tests), line
        assert set(re.findall(r"invariant `(\w+)`", shown)) <= known, line
