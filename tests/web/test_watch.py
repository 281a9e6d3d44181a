"""What a running process tells: one line a request with its id, figures for Prometheus, and nobody's data in either."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar

from relief import logs
from relief.domain.sealing import Keys
from relief.store import db
from relief.web.watch import Watch
from tests import make, paid
from tests.web.conftest import PASSWORD, Enter


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Standard error of a process that logs JSON; the root logger is given back as it was."""
    root = logging.getLogger()
    before, level, out = root.handlers[:], root.level, io.StringIO()
    logs.set_up("json")
    own = root.handlers[0]
    assert isinstance(own, logging.StreamHandler)
    own.setStream(out)
    yield out
    root.handlers[:], root.level = before, level


def told(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def test_a_request_is_told_by_its_route_and_carries_its_id(shared_app: Litestar, shared_enter: Enter, lines: io.StringIO) -> None:
    officer = await shared_enter("county_officer", "513322")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=Watch(shared_app)), base_url="http://127.0.0.1:8000", cookies=officer.cookies
    ) as client:
        answer = await client.get(
            f"/households/513322/{'0' * 8}-0000-0000-0000-000000000007",
            headers={"X-Request-Id": "proxy-0001", "Accept": "application/json"},
        )
    assert answer.status_code == 404
    assert answer.headers["x-request-id"] == "proxy-0001"
    assert answer.json()["instance"] == "urn:relief:request:proxy-0001"
    mine = [line for line in told(lines) if line.get("request") == "proxy-0001"]
    assert [line["event"] for line in mine] == ["not found or foreign", "request"]
    assert mine[1]["route"] == "/households/{county}/{household}"
    assert mine[1]["status"] == 404
    assert mine[1]["person"]


async def test_an_id_that_looks_like_none_is_not_repeated(shared_app: Litestar, lines: io.StringIO) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=Watch(shared_app)), base_url="http://127.0.0.1:8000") as client:
        answer = await client.get("/nowhere/519999198001010016", headers={"X-Request-Id": "519999198001010016\t<b>"})
    assert len(answer.headers["x-request-id"]) == 32
    assert "519999198001010016" not in lines.getvalue()


def test_an_exception_is_told_by_its_kind_and_places_not_by_its_words(lines: io.StringIO) -> None:
    try:
        raise ValueError("Key (id_number)=(519999198001010016) already exists")
    except ValueError:
        logging.getLogger("relief.somewhere").exception("a row was not liked")
    [line] = told(lines)
    assert (line["event"], line["level"], line["error"]) == ("a row was not liked", "error", "ValueError")
    assert "test_watch.py" in str(line["places"])
    assert "519999" not in lines.getvalue()
    assert sys.exc_info() == (None, None, None)


async def test_the_figures_count_what_waits_and_are_not_public(app: Litestar, pool: db.Pool, keys: Keys, enter: Enter) -> None:
    async with db.begin(pool) as tx:
        await paid.told(tx, keys, 3)
        await tx.execute("UPDATE message SET status = 'queued'")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000") as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
    assert (await (await enter("county_officer", make.LUDING)).get("/metrics")).status_code == 403
    await enter("system_admin", "51", login="machine")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000", auth=("machine", PASSWORD)
    ) as machine:
        answer = await machine.get("/metrics")
    assert answer.status_code == 200
    assert 'relief_waiting_rows{what="message to send"} 3.0' in answer.text
    assert 'relief_waiting_rows{what="payment unknown"} 0.0' in answer.text
