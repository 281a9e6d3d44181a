"""An export of the trace as a file, verified in parts by as many processes as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from relief.domain import trail
from relief.domain.trail import Head, Verdict

#: An export is verified in parts of about this size.
_PART: Final = 64 << 20
#: No line is longer: the detail of an act holds figures and codes.
_LONGEST: Final = 1 << 20

Wanted = Mapping[str, Mapping[int, str]]


def verify(
    path: Path, wanted: Wanted, counties: Sequence[str] | None = None, processes: int = os.cpu_count() or 1, part: int = _PART
) -> Verdict:
    """Verify an export file, its end against the checkpoints included; `counties` are those it is about (None: all)."""
    parts = [(path, start, end, wanted) for start, end in _parts(path, part)]
    if len(parts) == 1 or processes == 1:
        return _with_end([_part(p) for p in parts], wanted, counties)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return _with_end(list(pool.map(_part, parts)), wanted, counties)


def _parts(path: Path, part: int) -> list[tuple[int, int]]:
    """Byte ranges that begin and end with a line."""
    size = path.stat().st_size
    bounds = [0]
    with path.open("rb") as file:
        for at in range(part, size, part):
            file.seek(at)
            file.readline()
            bounds.append(file.tell())
    return list(pairwise([*bounds, size]))


def _part(given: tuple[Path, int, int, Wanted]) -> Verdict:
    path, start, end, wanted = given
    with path.open("rb") as file:
        file.seek(max(0, start - _LONGEST))
        before = file.read(start - file.tell())[:-1].rsplit(b"\n", 1)[-1] if start else None
        return trail.verify(_lines(file, end - start), before, wanted)


def _lines(file: Iterator[bytes], size: int) -> Iterator[bytes]:
    read = 0
    for line in file:
        if read >= size:
            return
        read += len(line)
        yield line


def _with_end(verdicts: Sequence[Verdict], wanted: Wanted, counties: Sequence[str] | None) -> Verdict:
    rows, heads = 0, dict[str, Head]()
    for verdict in verdicts:
        rows, heads = rows + verdict.rows, heads | verdict.heads
        if verdict.broken is not None:
            return Verdict(rows, heads, verdict.broken)
    return Verdict(rows, heads, trail.cut(heads, wanted, counties))
