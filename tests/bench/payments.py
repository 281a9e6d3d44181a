"""The payments page over a long list: latency by filter, and whether it stays where it was with a hundredth of the rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

from relief.domain.sealing import Keys
from relief.services import masked
from relief.store import db
from relief.store.views import payments
from relief.store.views.payments import Filter
from tests.bench import world
from tests.bench.harness import Against, Figure, Line, Owner, Place, judge, place
from tests.bench.world import Event
from tests.make import LUDING

#: The short list the long one is compared with.
FEW = 10_000
PAGE = 50
_ASKED = 200
_FILTERS = {
    "all": Filter(),
    "paid": Filter(statuses=["paid"]),
    "returned": Filter(statuses=["returned"], last_only=True),
    "unknown": Filter(statuses=["unknown"]),
}
_AWARDS = """
INSERT INTO award (county, household, payee, incident, activation, decision, aid, mode, period, amount_fen, status, fund, village, proposed_at, approved_at, signed)
SELECT h.county, h.id, p.id, h.incident, $2, h.id, 'EMERG', 'A', 'once', 30000, 'completed', h.id, h.village, h.received_at, h.received_at, 1
FROM household h JOIN person p ON p.county = h.county AND p.household = h.id AND p.role = 'householder' WHERE h.incident = $1
ON CONFLICT DO NOTHING
"""
_INSTALMENTS = """
INSERT INTO instalment (county, id, award, seq, amount_fen, condition, status)
SELECT county, id, id, 1, amount_fen, 'none', 'settled' FROM award WHERE incident = $1 ON CONFLICT DO NOTHING
"""
_PAYMENTS = """
INSERT INTO payment (county, instalment, award, household, payee, account, bank, fund, attempt, reference, amount_fen, status, batch, line, created_at)
SELECT a.county, a.id, a.id, a.household, a.payee, c.id, c.bank, a.fund, 1, a.id::text, a.amount_fen,
       CASE hashtext(a.id::text) & 127 WHEN 0 THEN 'returned' WHEN 1 THEN 'unknown' ELSE 'paid' END, a.incident, 1, a.approved_at
FROM award a JOIN account c ON c.county = a.county AND c.person = a.payee WHERE a.incident = $1 ON CONFLICT DO NOTHING
"""
_CONFIRMATIONS = """
INSERT INTO confirmation (county, payment, household, status, awaited_at)
SELECT county, id, household, 'awaited', created_at FROM payment WHERE status = 'paid' ON CONFLICT DO NOTHING
"""
_SEAL = "UPDATE person SET sealed = t.sealed FROM unnest($1::uuid[], $2::bytea[]) AS t (id, sealed) WHERE county = $3 AND person.id = t.id"


async def run(rows: int) -> Sequence[Figure]:
    """A page of fifty, names opened and masked, from places spread over the list."""
    async with place() as here:
        at = await world.event(here.owner)
        await _grow(here.owner, at, 1, FEW)
        few = {name: await _pages(here, only) for name, only in _FILTERS.items()}
        await _grow(here.owner, at, FEW + 1, rows)
        many = {name: await _pages(here, only) for name, only in _FILTERS.items()}
    lines: list[Figure] = []
    for name, took in many.items():
        p95, before = _p95(took), statistics.median(few[name])
        ratio = statistics.median(took) / before
        lines += [
            Line(
                name=f"payments page, {name}, p95", rows=rows, unit="ms", value=round(p95, 1), promise="≤ 50 ms", kept=judge(p95 <= 50, rows, 100_000)
            ),
            Line(
                name=f"payments page, {name}, median", rows=rows, unit="ms", value=round(statistics.median(took), 1),
                against=Against(f"{FEW:,} rows", value=round(before, 1)), ratio=round(ratio, 2), promise="≤ 1.5 ×", kept=judge(ratio <= 1.5, rows, 100_000),
            ),
        ]  # fmt: skip
    return lines


async def _grow(owner: Owner, at: Event, first: int, last: int) -> None:
    await world.households(owner, at, last, "verified", first)
    await owner.execute("ANALYZE")
    await owner.execute(world.ONE_EACH, at.incident)
    await owner.execute(world.ACCOUNTS, at.registrar.id, world.NOW)
    await owner.execute(_AWARDS, at.incident, at.activation)
    await owner.execute("ANALYZE")
    for statement in (_INSTALMENTS, _PAYMENTS):
        await owner.execute(statement, at.incident)
    await owner.execute(_CONFIRMATIONS)
    await owner.execute("VACUUM ANALYZE")


async def _pages(here: Place, only: Filter) -> list[float]:
    """Milliseconds of each page. Names are sealed beforehand for the pages that will be shown, and for no others."""
    cursors = [uuid4() for _ in range(_ASKED)]
    for cursor in cursors:
        await _seal(here.owner, here.house.keys, [p.person for p in await _ask(here, only, cursor)])
    took = []
    for cursor in cursors:
        started = time.perf_counter()
        for row in await _ask(here, only, cursor):
            masked.name(here.house.keys, row.person, row.sealed_person)
        took.append((time.perf_counter() - started) * 1000)
    return sorted(took)


async def _ask(here: Place, only: Filter, cursor: UUID) -> list[payments.PaymentRow]:
    async with db.read(here.house.pool, [f"{LUDING}%"]) as tx:
        return await payments.payments(tx, [f"{LUDING}%"], only, (LUDING, cursor), PAGE)


async def _seal(owner: Owner, keys: Keys, people: list[UUID]) -> None:
    await owner.execute(_SEAL, people, [keys.seal("person", p, "sealed", world.face(n)) for n, p in enumerate(people)], LUDING)


def _p95(took: list[float]) -> float:
    return took[int(len(took) * 0.95)]
