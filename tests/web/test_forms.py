"""The door for form servers: only what the form's own token vouches for comes in."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest
from litestar import Litestar

from relief.house import House
from relief.store import db
from relief.store.db import Pool
from tests import make
from tests.make import MOXI
from tests.services.test_forms import TEXT, TOKEN, submission

pytestmark = pytest.mark.slow  # whole walks through the web, each over a database of its own


async def test_the_hook_takes_only_what_the_forms_server_vouches_for(
    client: httpx.AsyncClient, app: Litestar, pool: Pool, tmp_path: Path
) -> None:
    async with db.begin(pool) as tx:
        incident, reporter = await make.incident(tx), await make.staff(tx, ("reporter", MOXI))
        login = await tx.fetchval("SELECT login FROM staff WHERE id = $1", reporter.id)
    here: House = app.state.house
    app.state.house = msgspec.structs.replace(here, settings=msgspec.structs.replace(here.settings, home=tmp_path))
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "luding.toml").write_text(TEXT.replace("{incident}", str(incident)).replace("{person}", login), "utf-8")
    for path, token, status in (("luding", "wrong", 403), ("luding", "", 403), ("other", TOKEN, 404), ("luding", TOKEN, 200)):
        answer = await client.post(f"/hooks/forms/{path}", json=submission(), headers={"Authorization": f"Token {token}"})
        assert answer.status_code == status, (path, token)
    assert answer.json()["outcome"] == "new"
