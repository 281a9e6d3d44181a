"""The whole story as a user starts it: `relief demo --exit`, and how soon `relief serve` answers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import msgspec

from relief.settings import CHECKOUT, Settings
from relief.store import ready
from tests.bench.harness import Figure, Line, Tree, Watch, embedded_stop, judge, postmaster, timed

#: Households → most seconds; between them in proportion, above in proportion to the last.
_PROMISED_S = ((5_000, 90.0), (20_000, 300.0))
_MOST_MB = 700.0
_ANSWER_S = 3.0


class _Told(msgspec.Struct):
    seconds: dict[str, float]
    kept: bool
    equation_holds: bool


async def run(rows: int) -> Sequence[Figure]:
    """The demo in a RELIEF_HOME of its own, then the web process over what it left."""
    with tempfile.TemporaryDirectory(prefix="relief-bench-") as folder:
        home = Path(folder) / "relief"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")} | {"RELIEF_HOME": str(home)}
        lines = await asyncio.to_thread(_tell, rows, home, environment)
        await ready.make_ready(Settings(home=home))  # the server is up, as it is when `relief work` runs
        lines.append(await asyncio.to_thread(_serve, environment))
        await asyncio.to_thread(embedded_stop, home / "pg")
    return lines


def _tell(rows: int, home: Path, environment: dict[str, str]) -> list[Figure]:
    command = [sys.executable, "-m", "relief", "demo", "--exit", "--json", "--households", str(rows)]
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as story:

        def roots() -> list[int]:
            server = postmaster(home / "pg")
            return [story.pid] if server is None else [story.pid, server]

        with Tree(roots) as tree:
            out, err = story.communicate()
    seconds = time.perf_counter() - started
    if story.returncode:
        raise RuntimeError(f"relief demo ended with {story.returncode}:\n{err.decode()[-4000:]}")
    told = msgspec.json.decode(out, type=_Told)
    assert told.kept
    assert told.equation_holds
    bound = _bound(rows)
    return [
        Line(
            name="demo", rows=rows, seconds=round(seconds, 1), rss_mb=round(tree.pss_mb), unit="s", value=round(seconds, 1),
            promise=f"≤ {bound:g} s", kept=judge(seconds <= bound, rows, _PROMISED_S[0][0]),
        ),
        Line(
            name="demo memory", rows=rows, rss_mb=round(tree.pss_mb), unit="MB", value=round(tree.pss_mb), promise=f"≤ {_MOST_MB:g} MB",
            kept=judge(tree.pss_mb <= _MOST_MB, rows, _PROMISED_S[0][0]) if rows <= _PROMISED_S[0][0] else None,
        ),
        Line(name="demo memory, shared pages counted in every process", rows=rows, unit="MB", value=round(tree.rss_mb)),
        *(Line(name=f"demo stage {stage}", rows=rows, seconds=took, unit="s", value=took) for stage, took in told.seconds.items()),
    ]  # fmt: skip


def _bound(rows: int) -> float:
    (few, few_s), (many, many_s) = _PROMISED_S
    if rows <= few:
        return few_s
    return many_s * rows / many if rows >= many else few_s + (many_s - few_s) * (rows - few) / (many - few)


def _serve(environment: dict[str, str]) -> Line:
    """From the start of the process to its first answer."""
    url = "http://127.0.0.1:18473/health"
    port = {"RELIEF_LISTEN_PORT": "18473", "RELIEF_PUBLIC_URL": "http://127.0.0.1:18473"}
    seen, started = Watch(), time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "relief", "serve"], env=environment | port, cwd=CHECKOUT, stderr=subprocess.DEVNULL
    ) as web:
        try:
            while not _answers(url):
                if web.poll() is not None:
                    raise RuntimeError("relief serve ended before it answered")
                time.sleep(0.02)
            seen.seconds = time.perf_counter() - started
        finally:
            web.terminate()
    return timed("serve: first answer", 1, seen, _ANSWER_S, 1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
