"""The decision alone: columns in memory to amounts and reasons, against OpenFisca-core computing the same aids of the same households."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relief.domain import playbook, standard
from relief.domain.entitlement import decide
from relief.domain.facts import FAMILY_CODES, Facts, facts
from relief.domain.household import CIRCUMSTANCES
from relief.domain.playbook import Playbook
from tests.bench.harness import Figure, Omitted, Watch, compared, timed
from tests.make import ROOT

PEER = "OpenFisca-core"
_REPEATS = 5


async def run(rows: int) -> Sequence[Figure]:
    """The earthquake playbook beside the peer, then the one with the most aids."""
    return await asyncio.to_thread(_run, rows)


def _run(rows: int) -> Sequence[Figure]:
    known, quake, flood = households(rows), _book("earthquake"), _book("flood")
    amounts = {s.key: s.amount_fen for s in standard.read((ROOT / "playbooks" / "standards" / "sichuan-rehearsal.toml").read_text("utf-8"))}
    ours = best(lambda: judged(quake, amounts, known))
    lines: list[Figure] = [timed("entitle", rows, ours, 0.5, 1_000_000)]
    lines.append(timed("entitle five aids", rows, best(lambda: judged(flood, amounts, _of_one_band(known))), 0.5, 1_000_000))
    try:
        from tests.bench import openfisca  # noqa: PLC0415 - the peer may not be installed
    except ImportError as error:
        return [*lines, Omitted("entitle beside the peer", rows, f"{PEER} is not installed ({error.name}); uv sync --group bench")]
    peer = openfisca.Peer(amounts, known)
    theirs = best(peer.calculate)
    for aid, verdict in decide(quake, amounts, known).items():
        assert (verdict.amount_fen == peer.amounts[aid]).all(), f"the peer computes another {aid}"
    return [*lines, compared("entitle beside the peer", rows, ours, PEER, theirs, 10.0)]


def best(work: Callable[[], object]) -> Watch:
    """The quickest of a few runs: what the work costs, not what else the machine was doing."""
    return min((_timed(work) for _ in range(_REPEATS)), key=lambda w: w.seconds)


def _timed(work: Callable[[], object]) -> Watch:
    seen = Watch()
    Path("/proc/self/clear_refs").write_text("5")
    spent, started = time.process_time(), time.perf_counter()
    work()
    seen.seconds, seen.cpu_s = time.perf_counter() - started, time.process_time() - spent
    with Path("/proc/self/status").open() as status:
        seen.rss_mb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    return seen


def judged(book: Playbook, amounts: Mapping[str, int], known: Facts) -> int:
    """Amount and reasons of every household, in the form in which they are stored."""
    return sum(len(v.amount_fen) + len(v.outcomes()[0]) for v in decide(book, amounts, known).values())


def households(rows: int) -> Facts:
    """A varied register: all bands, families of one to nine, every kind of damage and circumstance."""
    draw = np.random.default_rng(20220905)

    def often(share: float) -> Any:
        return draw.random(rows) < share

    def few(most: int, share: float) -> Any:
        return np.where(often(share), draw.integers(1, most + 1, rows), 0).astype(np.int16)

    bits = sum(often(0.05).astype(np.int32) << n for n in range(len(CIRCUMSTANCES)))
    members = draw.choice(np.arange(1, 10, dtype=np.int16), rows, p=[0.15, 0.2, 0.2, 0.2, 0.1, 0.08, 0.04, 0.02, 0.01])
    return facts(
        {
            "level": draw.choice(np.array([0, 6, 7, 8, 9], np.int16), rows, p=[0.1, 0.4, 0.3, 0.15, 0.05]), "edge": often(0.03),
            "members": members, "adults": np.minimum(members, draw.integers(0, 4, rows)).astype(np.int16),
            "dead": few(2, 0.005), "missing": few(2, 0.005), "injured": few(3, 0.04),
            "rooms_collapsed": few(6, 0.15), "rooms_severe": few(6, 0.25), "rooms_moderate": few(6, 0.4),
            "relocated": often(0.3), "only_home": often(0.9), "occupied": often(0.93), "away": often(0.02),
            "family": draw.integers(0, len(FAMILY_CODES), rows).astype(np.int16), "circumstances": bits, "in_need": few(9, 0.1),
        }
    )  # fmt: skip


def _of_one_band(known: Facts) -> Facts:
    return facts(
        {n: getattr(known, n) for n in Facts.__struct_fields__ if n not in ("held", "adopted")}
        | {"level": (known.level > 0).astype(np.int16)}
    )


def _book(key: str) -> Playbook:
    return playbook.read((ROOT / "playbooks" / f"{key}.toml").read_text("utf-8"))
