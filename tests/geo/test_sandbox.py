"""Hostile files hurt nobody but the child that reads them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from geo import cage, data, read, sandbox
from geo.model import Options, ZoneFileError
from tests.geo.shapes import LAT, LON, feature, file, one, polygon

pytestmark = pytest.mark.slow  # every case is a process of its own


async def test_a_real_zone_comes_back_whole_and_quickly() -> None:
    await sandbox.inspect(data.LUDING_V1.read_bytes(), "warm.geojson")
    started = time.perf_counter()
    zone = await sandbox.inspect(data.LUDING_V1.read_bytes(), "v1.geojson")
    assert time.perf_counter() - started < 2
    assert [b.level for b in zone.bands] == [9, 8, 7, 6]
    assert zone.bands[0].wkb[:1] == b"\x01"


async def test_a_refusal_keeps_code_and_place() -> None:
    bow = [[LON, LAT], [LON + 0.2, LAT + 0.2], [LON + 0.2, LAT], [LON, LAT + 0.2], [LON, LAT]]
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(one(bow), "bow.geojson")
    assert (caught.value.code, caught.value.at) == ("self_crossing", pytest.approx((LON + 0.1, LAT + 0.1)))


def comb(teeth: int, upright: bool) -> list[list[float]]:
    """A closed comb whose teeth cross those of the other direction in teeth² places."""
    points = [[0.0, 0.0]]
    for i in range(teeth):
        left, right = i / teeth, (i + 0.5) / teeth
        points += [[left, 0.02], [left, 1.0], [right, 1.0], [right, 0.02]]
    points += [[1.0, 0.02], [1.0, 0.0], [0.0, 0.0]]
    return [[LON + x, LAT + y] if upright else [LON + y - 0.01, LAT + x - 0.01] for x, y in points]


async def test_valid_shapes_that_explode_when_cut_are_too_heavy_within_the_limits() -> None:
    combs = file(*[feature(polygon(comb(4_500, upright)), level=1 + upright) for upright in (False, True)])
    started = time.perf_counter()
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(combs, "combs.geojson")
    assert caught.value.code == "file_too_heavy"
    assert time.perf_counter() - started < 10


async def test_a_child_that_outlives_the_wall_clock_is_killed() -> None:
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(one(comb(4_500, True)), "slow.geojson", wall_seconds=0.01)
    assert caught.value.code == "file_too_heavy"


async def test_an_oversized_file_never_reaches_a_child() -> None:
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(b" " * 50_000_001, "large.geojson")
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (-9, "file_too_heavy"),
        (-24, "file_too_heavy"),
        (-6, "file_too_heavy"),
        (127, "file_too_heavy"),
        (-11, "file_unreadable"),
        (1, "file_unreadable"),
    ],
)
def test_a_child_that_died_is_a_clear_refusal(status: int, code: str) -> None:
    with pytest.raises(ZoneFileError) as caught:
        sandbox._understood(status, b"")
    assert caught.value.code == code


def test_a_child_that_answers_nonsense_is_a_clear_refusal() -> None:
    with pytest.raises(ZoneFileError, match="cannot be read"):
        sandbox._understood(0, b"half an ans")


def test_the_child_inherits_nothing_of_the_server() -> None:
    assert not any(name.startswith(("RELIEF", "PG")) for name in sandbox._ENVIRONMENT)


async def test_the_child_really_sees_neither_the_servers_environment_nor_its_network() -> None:
    """Asked of a child of the cage that runs what it is given: Python's own console."""
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as door:
        port = door.sockets[0].getsockname()[1]
        given = "(v.split('=')[0] for v in open('/proc/self/environ').read().split(chr(0)) if v)"  # what it was started with
        asked = f"import socket\nprint('SEEN', *{given})\nprint('REACHED', socket.socket().connect_ex(('127.0.0.1', {port})) == 0)\n"
        _, said = await cage.run("code", asked.encode(), sandbox._ENVIRONMENT, 30)
    words = said.decode().replace(">>> ", "").split()
    assert set(words[words.index("SEEN") + 1 : words.index("REACHED")]) == set(sandbox._ENVIRONMENT)
    assert words[words.index("REACHED") + 1] == str(not cage._isolated()), "cut off wherever the kernel lets us"


def test_the_child_limits_itself_before_it_reads() -> None:

    shown = subprocess.run([sys.executable, "-I", "-c", _PROBE], input=b"", capture_output=True, check=False, timeout=30)
    assert shown.stderr.decode().splitlines()[-1] == f"{read.CPU_SECONDS} {read.MEMORY_BYTES} {read.DATA_BYTES} {read.FILE_BYTES} 64 0"


#: Runs the child's own main on an empty request and shows which limits held when it failed.
_PROBE = """
import resource, sys
from geo import read
try:
    read.main()
except Exception:
    limits = [getattr(resource, "RLIMIT_" + name) for name in ("CPU", "AS", "DATA", "FSIZE", "NOFILE", "CORE")]
    print(*(resource.getrlimit(l)[0] for l in limits), file=sys.stderr)
"""


async def test_a_file_name_and_options_that_are_no_text_do_no_harm() -> None:
    """Names on a disk are bytes; Python carries what is not UTF-8 in them as lone surrogates."""
    zone = await sandbox.inspect(data.LUDING_V1.read_bytes(), "\udcff.geojson")
    assert zone.name == "?.geojson"
    with pytest.raises(ZoneFileError) as caught:
        await sandbox.inspect(data.LUDING_V1.read_bytes(), "a.geojson", Options(bands="\udcff"))
    assert caught.value.code == "encoding"
