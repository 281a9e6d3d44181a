"""`relief plan`: checks files, keeps them in the database, and says why it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relief.store import db
from relief.store.db import Pool
from tests.make import ROOT

pytestmark = pytest.mark.slow  # every case is a process of its own

PLANS = ROOT / "playbooks" / "plans"


def relief(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relief", "plan", *words]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_the_plans_that_travel_with_the_product_are_in_order_and_shown_as_unverified() -> None:
    done = relief("check")
    assert done.returncode == 0, done.stderr
    assert "sichuan 2024, 川办函〔2024〕48号, ⅠⅡⅢⅣ" in done.stdout
    assert done.stdout.count("unverified") == len(list(PLANS.glob("*.toml")))


def test_a_faulty_plan_and_a_missing_file_exit_with_2_and_say_where() -> None:
    done = relief("check", "tests/faulty_plans/area_of_another_level.toml", "nowhere.toml")
    assert done.returncode == 2
    assert "area:" in done.stderr
    assert "nowhere.toml" in done.stderr


async def test_plans_are_kept_in_the_database_once(database: str, pool: Pool, home: Path) -> None:
    files = [str(p) for p in sorted(PLANS.glob("*.toml"))]
    for _ in range(2):
        done = relief("import", *files, RELIEF_DATABASE_URL=database, RELIEF_HOME=str(home))
        assert done.returncode == 0, done.stderr
    async with db.read(pool) as tx:
        assert await tx.fetchval("SELECT count(*) FROM response_plan") == len(files)
        assert await tx.fetchval("SELECT count(*) FROM audit WHERE act = 'plan.import'") == len(files)
