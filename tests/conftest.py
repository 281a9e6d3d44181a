"""One PostgreSQL server per worker, one migrated template, one clone per test that commits; `tx` rolls back."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from relief.domain.sealing import SM4, Key, Keys
from relief.store import db, embedded, migrate, regions

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# No example has a deadline: the machine is shared. `make proof` takes many more of them.
settings.register_profile("house", deadline=None)
settings.register_profile("proof", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

#: Durability is another test's subject; here the disk only costs time.
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Owner's URL of a running server."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    return embedded.start(tmp_path_factory.mktemp("pg") / "data", _FAST)


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """Name of a database with every migration applied and the regions loaded."""
    name = f"relief_template_{uuid.uuid4().hex[:8]}"

    async def make() -> None:
        owner = await db.connect_owner(server)
        await owner.execute(f"CREATE DATABASE {name}")
        await owner.close()
        owner = await db.connect_owner(db.with_database(server, name))
        await migrate.migrate(owner, migrate.read(ROOT / "migrations"))
        await regions.load_if_empty(owner)
        await owner.close()

    asyncio.run(make())
    return name


async def _clone(server: str, template: str) -> str:
    # Copied as files: block by block through the journal, the default, takes four times as long.
    name = f"relief_test_{uuid.uuid4().hex[:12]}"
    owner = await db.connect_owner(server)
    await owner.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    await owner.close()
    return db.with_database(server, name)


@pytest.fixture
async def database(server: str, template: str) -> AsyncIterator[str]:
    """Owner's URL of a fresh database of this test's own."""
    url = await _clone(server, template)
    yield url
    owner = await db.connect_owner(server)
    await owner.execute(f"DROP DATABASE {url.split('/')[3].split('?')[0]} WITH (FORCE)")
    await owner.close()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[db.Pool]:
    """A pool to a database of this test's own: for everything that commits."""
    pool = await db.open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
async def shared_pool(server: str, template: str) -> AsyncIterator[db.Pool]:
    pool = await db.open_pool(await _clone(server, template))
    yield pool
    await pool.close()


@pytest.fixture
async def tx(shared_pool: db.Pool) -> AsyncIterator[db.Tx]:
    """A transaction over every county that is rolled back at the end."""
    async with shared_pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT set_config('relief.scope', '%', true)")
        try:
            yield connection
        finally:
            await transaction.rollback()


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Key material that never leaves the tests."""
    return Keys(algorithm=SM4, versions=(Key(version=1, seal=bytes(range(32)), index=bytes(range(32, 64))),))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory of this test's own."""
    (tmp_path / "relief").mkdir()
    return tmp_path / "relief"
