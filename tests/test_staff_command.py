"""`relief staff`, as whoever runs the server uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relief.services import sign_in
from relief.store import db

pytestmark = pytest.mark.slow  # every act is a process of its own


async def test_an_account_is_made_gets_another_password_and_is_closed(pool: db.Pool, database: str, tmp_path: Path) -> None:
    environment = {**os.environ, "RELIEF_HOME": str(tmp_path), "RELIEF_DATABASE_URL": database}

    def staff(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "relief", "staff", *words]
        return subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)

    async def opens(password: str) -> bool:
        async with db.begin(pool) as tx:
            known = await sign_in.look_up(tx, "li", datetime.now(UTC))
        return await sign_in.matches(known, password)

    assert staff("add", "li", "测试员", "--grant", "county_officer:513322", given="a calm long password\n").returncode == 0
    assert await opens("a calm long password")
    renewed = staff("password", "li")
    assert renewed.returncode == 0
    temporary = renewed.stdout.rsplit(" ", 1)[-1].strip()
    assert await opens(temporary)
    assert not await opens("a calm long password")
    assert staff("password", "nobody").returncode == 1
    assert staff("add", "wang", "测试员", given="short\n").returncode == 2
    assert staff("close", "li").returncode == 0
    assert "停用 closed" in staff("list").stdout
