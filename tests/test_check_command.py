"""`relief check` where there is nothing to check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a process of its own


def test_a_mistyped_home_is_no_healthy_register(tmp_path: Path) -> None:
    environment = {**os.environ, "RELIEF_HOME": str(tmp_path / "nowhere")}
    done = subprocess.run([sys.executable, "-m", "relief", "check"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no_database" in done.stderr
    assert not (tmp_path / "nowhere").exists()
