"""Households on the map: squares that follow the zoom, never a point, never fewer than five, never another area's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from relief.domain.sealing import Keys
from relief.services import register
from relief.settings import Settings
from relief.store import db
from relief.web.house import House
from tests import make
from tests.web.conftest import Clock, Enter

pytestmark = pytest.mark.slow  # many households

AT = (102.101, 29.645)


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row in Web Mercator."""
    across = 2**z
    return int((lon + 180) / 360 * across), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * across)


def fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and content of a protocol buffer."""
    at = 0
    while at < len(raw):
        key, at = number(raw, at)
        value, at = number(raw, at)
        if key & 7 == 2:
            yield key >> 3, raw[at : at + value]
            at += value
        else:
            yield key >> 3, value


def number(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not raw[at - 1] & 0x80:
            return value, at


def read(tile: bytes) -> list[dict[str, int]]:
    """Properties of every square of a tile."""
    if not tile:
        return []
    layer = list(fields(dict(fields(tile))[3]))  # type: ignore[arg-type]
    keys = [c.decode() for n, c in layer if n == 3 and isinstance(c, bytes)]
    values = [next(fields(c))[1] for n, c in layer if n == 4 and isinstance(c, bytes)]
    found = []
    for n, content in layer:
        if n == 2 and isinstance(content, bytes):
            tags = dict(fields(content))[2]
            assert isinstance(tags, bytes)
            found.append({keys[tags[i]]: values[tags[i + 1]] for i in range(0, len(tags), 2)})
    return found  # type: ignore[return-value]


async def cells(client: httpx.AsyncClient, incident: UUID, z: int, lon: float = AT[0], lat: float = AT[1]) -> list[dict[str, int]]:
    x, y = tile_of(lon, lat, z)
    answer = await client.get(f"/incidents/{incident}/cells/{z}/{x}/{y}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    return read(answer.content)


@pytest.fixture
async def incident(pool: db.Pool, keys: Keys, clock: Clock) -> UUID:
    """Five households in one place and four eleven kilometres away."""
    async with db.begin(pool) as tx:
        made = await make.incident(tx)
        reporter = await make.staff(tx, ("reporter", make.MOXI))
        near = [make.registration(n, incident=made, lon=AT[0], lat=AT[1]) for n in range(5)]
        far = [make.registration(n, incident=made, lon=102.201, lat=29.645) for n in range(5, 9)]
        await register.register(tx, reporter, near + far, clock.now, keys)
    return made


async def test_a_square_of_four_would_point_at_a_family(enter: Enter, incident: UUID) -> None:
    officer = await enter("county_officer", make.LUDING)
    assert [c["households"] for c in await cells(officer, incident, 12)] == [5]
    assert await cells(officer, incident, 12, lon=102.201) == []


async def test_squares_grow_as_one_looks_from_farther_away(enter: Enter, incident: UUID) -> None:
    """Nine households of 27 people, rounded down: from 9 less 5 one would know the four."""
    officer = await enter("county_officer", make.LUDING)
    assert [(c["households"], c["people"]) for c in await cells(officer, incident, 5)] == [(5, 25)]


async def test_another_county_counts_nobody(enter: Enter, incident: UUID) -> None:
    foreign = await enter("county_officer", make.SHIMIAN)
    assert await cells(foreign, incident, 5) == []


async def test_a_browser_keeps_a_tile_and_asks_whether_it_changed(
    enter: Enter, incident: UUID, pool: db.Pool, keys: Keys, clock: Clock
) -> None:
    officer = await enter("county_officer", make.LUDING)
    path = f"/incidents/{incident}/cells/5/25/13"
    first = await officer.get(path)
    assert first.headers["cache-control"] == "private, max-age=10"
    again = await officer.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    async with db.begin(pool) as tx:
        await register.register(
            tx,
            await make.staff(tx, ("reporter", make.MOXI)),
            [make.registration(20, incident=incident, lon=AT[0], lat=AT[1])],
            clock.now,
            keys,
        )
    clock.now += timedelta(minutes=3)
    assert (await officer.get(path, headers={"If-None-Match": first.headers["etag"]})).status_code == 200


@pytest.mark.parametrize("place", ["13/0/0", "5/32/0", "5/0/-1"])
async def test_a_tile_that_is_none_is_refused(enter: Enter, incident: UUID, place: str) -> None:
    officer = await enter("county_officer", make.LUDING)
    assert (await officer.get(f"/incidents/{incident}/cells/{place}")).status_code in (404, 422)


async def test_only_a_configured_background_may_be_loaded_from_elsewhere(
    app: Litestar, pool: db.Pool, keys: Keys, clock: Clock, client: httpx.AsyncClient
) -> None:
    policy = (await client.get("/sign-in")).headers["content-security-policy"]
    assert "http" not in policy
    settings = Settings(tile_url="https://t0.example.org/{z}/{y}/{x}?key=k", tile_credit="示例")
    app.state.house = House(pool=pool, keys=keys, settings=settings, clock=clock)
    policy = (await client.get("/sign-in")).headers["content-security-policy"]
    assert "img-src 'self' https://t0.example.org data: blob:" in policy
    assert "script-src 'self';" in policy
