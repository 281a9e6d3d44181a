"""Duplicates: sealed registrations with their blocks, compared as the timetable compares them; precision and recall on known doubles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID, uuid4

import msgspec

from relief.domain import household
from relief.domain.days import beijing_day
from relief.domain.likeness import Limits
from relief.services import register, suspect
from relief.store import blocks, db, households
from tests.bench import doubles, world
from tests.bench.doubles import Written
from tests.bench.harness import JUDGED_FROM, Figure, Line, Place, judge, place, timed, watch
from tests.make import NOW

#: 131,072 in six seconds; a million in sixty.
MADE_FOR: Final = 131_072
MOST_S: Final = 6.0
_SLICE: Final = 20_000


async def run(rows: int) -> Sequence[Figure]:
    """`rows` registrations of one incident, a fiftieth of them written down twice."""
    async with place() as here:
        at = await world.event(here.owner)
        truth, ways = await _written(here, at, rows)
        await here.owner.execute("ANALYZE; CHECKPOINT")
        done = candidates = 0
        with watch(here) as seen:
            while True:
                async with db.begin(here.house.pool) as tx:
                    compared = await suspect.find(tx, Limits(), NOW, here.house.keys)
                if not compared.households:
                    break
                done, candidates = done + compared.households, candidates + compared.candidates
        assert done == rows, (done, rows)
        found = {frozenset((r["household"], r["other"])) for r in await here.owner.fetch("SELECT household, other FROM suspicion")}
    hits = found & set(truth)
    precision, recall = len(hits) / max(1, len(found)), len(hits) / max(1, len(truth))
    missed = Counter(truth[pair] for pair in set(truth) - found)
    bound = round(MOST_S * rows / MADE_FOR, 2)
    lines: list[Figure] = [
        msgspec.structs.replace(timed("duplicates", rows, seen, bound, rows), kept=judge(seen.seconds <= bound, rows, JUDGED_FROM)),
        Line(name="duplicates candidate pairs", rows=rows, unit="pairs", value=candidates),
        _share("duplicates precision", rows, precision),
        _share("duplicates recall", rows, recall),
    ]
    lines += [
        Line(name=f"duplicates recall: {way}", rows=n, unit="share", value=round(1 - missed[way] / n, 4)) for way, n in sorted(ways.items())
    ]
    return lines


def _share(name: str, rows: int, value: float) -> Line:
    return Line(name=name, rows=rows, unit="share", value=round(value, 4), promise="≥ 0.95", kept=judge(value >= 0.95, rows, JUDGED_FROM))


async def _written(here: Place, at: world.Event, rows: int) -> tuple[dict[frozenset[UUID], str], Counter[str]]:
    """Every row as the register makes it, put in place by the register's own statements; which pairs of households are one, and how they came about."""
    ids: dict[UUID, UUID] = {}
    truth: dict[frozenset[UUID], str] = {}
    part: list[Written] = []
    for w in doubles.written(rows, at.incident):
        part.append(w)
        ids[w.item.device_id] = uuid4()
        if w.repeats is not None:
            truth[frozenset((ids[w.item.device_id], ids[w.repeats]))] = w.way
        if len(part) == _SLICE:
            await _put(here, at, part, ids)
            part.clear()
    await _put(here, at, part, ids)
    return truth, Counter(truth.values())


async def _put(here: Place, at: world.Event, part: Iterable[Written], ids: dict[UUID, UUID]) -> None:
    keys, today = here.house.keys, beijing_day(NOW)
    records = [(w.item, household.check(w.item, today), ids[w.item.device_id]) for w in part]
    rows = register.rows_of(records, NOW, keys)
    await households.insert(here.owner, rows.households, rows.people, rows.accounts, at.registrar.person, NOW)
    await blocks.queue(here.owner, rows.waiting)
