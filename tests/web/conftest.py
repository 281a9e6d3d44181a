"""A web application over the test's own database, and people to sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar

from relief.domain.policy import SYSTEM, Grant
from relief.domain.sealing import Keys
from relief.domain.second_factor import code_at, step_of
from relief.services import second_factor, sign_in
from relief.settings import Settings
from relief.store import db
from relief.web import site
from relief.web.doors import DOORS
from relief.web.house import House

MORNING = datetime(2022, 9, 5, 12, 52, tzinfo=UTC)
PASSWORD = "a calm long password"
Enter = Callable[..., Awaitable[httpx.AsyncClient]]


class Clock:
    """A clock the test moves by hand."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def built() -> Litestar:
    """The application with all its doors is built once (it takes half a second); each test gives it the house it stands in."""
    return site.build(more=DOORS)


@pytest.fixture
def app(built: Litestar, pool: db.Pool, keys: Keys, clock: Clock) -> Litestar:
    built.state.house = House(pool=pool, keys=keys, settings=Settings(), clock=clock, development=True)
    return built


@pytest.fixture
def shared_app(built: Litestar, shared_pool: db.Pool, keys: Keys, clock: Clock) -> Litestar:
    """Over the database shared by tests that leave nothing behind but people."""
    built.state.house = House(pool=shared_pool, keys=keys, settings=Settings(), clock=clock, development=True)
    return built


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody signed in."""
    async with new_client(app) as client:
        yield client


def new_client(app: Litestar) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000")


@pytest.fixture
async def enter(app: Litestar, pool: db.Pool) -> AsyncIterator[Enter]:
    """`await enter('township_reviewer', '513322')` makes a person and returns their signed-in client."""
    async with AsyncExitStack() as stack:
        yield _enter(app, pool, stack)


@pytest.fixture
async def shared_client(shared_app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody signed in, over the shared database."""
    async with new_client(shared_app) as client:
        yield client


@pytest.fixture
async def shared_enter(shared_app: Litestar, shared_pool: db.Pool) -> AsyncIterator[Enter]:
    """`enter` over the shared database."""
    async with AsyncExitStack() as stack:
        yield _enter(shared_app, shared_pool, stack)


def code(client: httpx.AsyncClient, clock: Clock, later: int = 0) -> str:
    """What this person's authenticator shows, `later` times thirty seconds from now."""
    return code_at(client.headers["X-Test-Secret"], step_of(clock.now) + later)


def _enter(app: Litestar, pool: db.Pool, stack: AsyncExitStack) -> Enter:
    async def make(role: str, area: str, login: str | None = None) -> httpx.AsyncClient:
        login = login or f"{role}.{uuid4().hex[:12]}"
        person = sign_in.NewStaff(login, "测试员", PASSWORD, (Grant(role, area),))
        async with db.begin(pool) as tx:
            ids = await sign_in.create_staff(tx, SYSTEM, [person], MORNING, sign_in.CHEAP)
            keys: Keys = app.state.house.keys
            phone = await second_factor.issue(tx, list(ids.values()), MORNING, keys) if role == "finance_authoriser" else {}
        client = await stack.enter_async_context(new_client(app))
        answer = await client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.headers["X-Test-Csrf"] = answer.json()["csrf"]
        for issued in phone.values():
            client.headers["X-Test-Secret"] = issued.secret
        return client

    return make
