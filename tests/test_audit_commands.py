"""`relief export-audit` and `relief verify-audit`, as an auditor uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relief.domain.policy import SYSTEM
from relief.services import seal
from relief.store import audits, db
from tests import make

pytestmark = pytest.mark.slow  # every case is a process of its own


def relief(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "relief", *map(str, words)], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


async def test_an_export_is_verified_without_the_database_and_the_broken_row_named(pool: db.Pool, database: str, tmp_path: Path) -> None:
    async with db.begin(pool) as tx:
        for county in (make.LUDING, make.LUDING, make.SHIMIAN):
            await audits.add(tx, county, SYSTEM, "test", "batch", [], make.NOW)
        assert await seal.seal(tx, make.NOW) == 3
    live, file = {"RELIEF_HOME": str(tmp_path), "RELIEF_DATABASE_URL": database}, tmp_path / "trace"
    assert relief(live, "export-audit", file).returncode == 0
    offline = {"RELIEF_HOME": str(tmp_path / "elsewhere")}
    assert relief(offline, "verify-audit", file).returncode == 0
    assert relief(live, "verify-audit").returncode == 0
    file.write_text(file.read_text().replace('"test", "batch"', '"test", "fund"', 2))
    found = relief(offline, "verify-audit", file)
    assert found.returncode == 1
    assert f"broken: {make.SHIMIAN}/1" in found.stderr
    assert relief(offline, "verify-audit", tmp_path / "nothing").returncode == 2
