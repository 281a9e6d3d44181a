"""What every benchmark shares: a house of its own, a stopwatch, memory as the kernel counts it, one line a figure, and the judge."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, cast

import msgspec

from relief import app
from relief.settings import Settings
from relief.store import db, ready
from relief.web.house import House

#: Below this many rows a promise is printed and not judged, unless it is made for fewer.
JUDGED_FROM: Final = 100_000
#: Ten times the rows may cost this many times the time.
GROWTH: Final = 11.0
#: Quicker than this the fixed costs of a call outweigh what grows with the rows.
_FIXED_S: Final = 0.25

Owner = db.Tx  # the connection of the tables' owner, who is under no policy


class Against(msgspec.Struct, frozen=True, omit_defaults=True):
    """The peer measured in the same run: its seconds, or its value in the line's unit."""

    name: str
    seconds: float | None = None
    cpu_s: float | None = None
    value: float | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `kept` is null where the promise is not judged. `load` is the machine's one-minute load when it was taken and `cpu_s`
    what it cost in CPU seconds of this process and the server: what the seconds would be about, had the machine been idle."""

    name: str
    rows: int
    seconds: float | None = None
    cpu_s: float | None = None
    rss_mb: float | None = None
    unit: str
    value: float
    against: Against | None = None
    ratio: float | None = None
    promise: str | None = None
    kept: bool | None = None
    load: float = msgspec.field(default_factory=lambda: round(os.getloadavg()[0], 1))


class Omitted(msgspec.Struct, frozen=True):
    """A peer that is not installed here."""

    name: str
    rows: int
    omitted: str


Figure = Line | Omitted


class Bench(msgspec.Struct, frozen=True):
    """A named benchmark: how many rows when nobody says, and what measures them."""

    name: str
    rows: int
    run: Callable[[int], Awaitable[Sequence[Figure]]]
    says: str


def judge(held: bool, rows: int, made_for: int) -> bool | None:
    """Whether the promise was kept; None where there are too few rows to tell."""
    return held if rows >= min(JUDGED_FROM, made_for) else None


def timed(name: str, rows: int, seen: Watch, most_s: float, made_for: int) -> Line:
    """A figure promised in seconds for `made_for` rows; the bound grows with the rows."""
    bound = most_s * max(rows, made_for) / made_for
    return Line(
        name=name, rows=rows, seconds=round(seen.seconds, 3), cpu_s=round(seen.cpu_s, 2), rss_mb=round(seen.rss_mb), unit="s",
        value=round(seen.seconds, 3), promise=f"≤ {bound:g} s", kept=judge(seen.seconds <= bound, rows, made_for),
    )  # fmt: skip


def compared(name: str, rows: int, seen: Watch, peer: str, bare: Watch, most: float | None) -> Line:
    """A figure promised as a multiple of what a bare peer takes for the same rows."""
    ratio = seen.seconds / bare.seconds
    return Line(
        name=name, rows=rows, seconds=round(seen.seconds, 3), cpu_s=round(seen.cpu_s, 2), rss_mb=round(seen.rss_mb), unit="s",
        value=round(seen.seconds, 3), against=Against(peer, seconds=round(bare.seconds, 3), cpu_s=round(bare.cpu_s, 2)), ratio=round(ratio, 2),
        promise=None if most is None else f"≤ {most:g} × {peer}", kept=None if most is None else judge(ratio <= most, rows, JUDGED_FROM),
    )  # fmt: skip


def growth(small: Line, large: Line) -> Line:
    """The same figure for ten times the rows. Fixed costs are not growth, so what is over in a blink is printed and not judged."""
    assert small.seconds is not None
    assert large.seconds is not None
    ratio = large.seconds / small.seconds
    judged = None if large.seconds < _FIXED_S else judge(ratio <= GROWTH, large.rows, JUDGED_FROM)
    return Line(
        name=f"{large.name} growth", rows=large.rows, seconds=large.seconds, unit="×", value=round(ratio, 2),
        against=Against(f"{small.rows:,} rows", seconds=small.seconds), ratio=round(ratio, 2), promise=f"≤ {GROWTH:g} ×", kept=judged,
    )  # fmt: skip


class Watch:
    """Seconds, CPU seconds of this process and its server, and the highest memory of this process between two moments."""

    seconds = 0.0
    cpu_s = 0.0
    rss_mb = 0.0

    def __add__(self, after: Watch) -> Watch:
        """One piece of work in two blocks."""
        both = Watch()
        both.seconds, both.cpu_s, both.rss_mb = self.seconds + after.seconds, self.cpu_s + after.cpu_s, max(self.rss_mb, after.rss_mb)
        return both


@contextmanager
def watch(here: Place) -> Iterator[Watch]:
    """Measure a block; the kernel's high-water mark is reset first."""
    seen, server = Watch(), postmaster(here.house.settings.home / "pg")
    roots = [os.getpid()] if server is None else [os.getpid(), server]
    Path("/proc/self/clear_refs").write_text("5")
    spent, started = cpu_s(roots), time.perf_counter()
    yield seen
    seen.seconds = time.perf_counter() - started
    seen.cpu_s = cpu_s(roots) - spent
    seen.rss_mb = _kb("/proc/self/status", "VmHWM:") / 1024


class Tree:
    """Highest memory of processes and all their descendants, sampled twice a second until stopped.

    `pss_mb` counts a page shared by several processes once: what the machine really gives. `rss_mb` counts it in each of them, so
    PostgreSQL's shared buffers appear once for every backend that has touched them.
    """

    def __init__(self, roots: Callable[[], Sequence[int]]) -> None:
        self._roots, self._stop = roots, threading.Event()
        self.pss_mb = self.rss_mb = 0.0
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Tree:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.5):
            members = _descendants(self._roots())
            self.pss_mb = max(self.pss_mb, sum(_kb(f"/proc/{p}/smaps_rollup", "Pss:") for p in members) / 1024)
            self.rss_mb = max(self.rss_mb, sum(_kb(f"/proc/{p}/smaps_rollup", "Rss:") for p in members) / 1024)


def _descendants(roots: Sequence[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue  # it has just ended
        children.setdefault(parent, []).append(int(path.parent.name))
    found, left = set(roots), list(roots)
    while left:
        new = children.get(left.pop(), [])
        found.update(new)
        left.extend(new)
    return found


def cpu_s(roots: Sequence[int]) -> float:
    """CPU seconds so far of these processes and their descendants, those that have ended included."""
    ticks = 0
    for process in _descendants(roots):
        try:
            ticks += sum(map(int, Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            continue  # its parent counts it from now on
    return ticks / os.sysconf("SC_CLK_TCK")


def _kb(path: str, key: str) -> int:
    try:
        with Path(path).open() as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(key)), 0)
    except OSError:
        return 0  # it has just ended


class Place(msgspec.Struct, frozen=True):
    """A house in a temporary directory, and a connection as owner of its tables for putting things in place."""

    house: House
    owner: Owner


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """A house with its database, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="relief-bench-") as folder:
        async with at_home(Path(folder) / "relief") as here:
            yield here


@asynccontextmanager
async def at_home(home: Path) -> AsyncIterator[Place]:
    """An embedded database as `relief serve` would start it, with its full durability; stopped afterwards, its data kept."""
    settings = Settings(home=home)
    async with app.open_house(settings, pool_size=4) as house:
        owner = await db.connect_owner((await ready.make_ready(settings)).owner_url)
        try:
            yield Place(house, cast(Owner, owner))
        finally:
            await owner.close()
    await asyncio.to_thread(embedded_stop, home / "pg")


def embedded_stop(folder: Path) -> None:
    """End the server of that data directory now, so that the directory can be removed."""
    pid = postmaster(folder)
    if pid is not None:
        os.kill(pid, 2)  # SIGINT: fast shutdown
        while _alive(pid):
            time.sleep(0.05)


def postmaster(folder: Path) -> int | None:
    """The server's process id while it runs."""
    try:
        return int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def like(owner: Owner, *tables: str) -> None:
    """Bare tables of the same columns, checks and indexes in a schema `bare`: no foreign key, no policy."""
    await owner.execute("CREATE SCHEMA IF NOT EXISTS bare")
    for table in tables:
        await owner.execute(f"DROP TABLE IF EXISTS bare.{table}; CREATE TABLE bare.{table} (LIKE public.{table} INCLUDING ALL)")


#: Generated columns make themselves.
_OWN_COLUMNS: Final = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = ('public.' || $1::text)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


async def copied(here: Place, *tables: str) -> Watch:
    """A bare INSERT … SELECT of all rows of these tables, committed at once."""
    await like(here.owner, *tables)
    await here.owner.execute("CHECKPOINT")
    with watch(here) as seen:
        async with here.owner.transaction():
            for table in tables:
                columns = await here.owner.fetchval(_OWN_COLUMNS, table)
                await here.owner.execute(f"INSERT INTO bare.{table} ({columns}) SELECT {columns} FROM public.{table}")
    return seen
